"""Role × route: everyone asks for everything, and gets what webapp.permissions.TABLE says.

The routes come from the URL map, so a new one is tested as soon as it exists.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.access.answers import DEMANDS, FOR_EVERYONE, Person, answered, expected, person
from tests.access.routes import Route
from tests.access.things import Things, own
from tests.cast import Cast
from webapp.accounts.models import User
from webapp.extensions import db
from webapp.permissions import Permission, Role
from webapp.runbooks.models import Runbook, Task
from webapp.workspaces.models import Membership

ClientOf = Callable[[int], FlaskClient]
# Enough for the views that read a form before they look for the thing.
FORM = {"to": "down", "outcome": "succeeded", "mode": "rehearsal", "lesson": "yes"}
HTMX = {"HX-Request": "true"}


def disagreements(
    app: Flask, routes: list[Route], who: Person, things: Things, client_of: ClientOf
) -> list[str]:
    """What each route answers otherwise than it should."""
    client = client_of(who.user_id) if who.user_id else app.test_client()
    mine = own(things, who.user_id) if who.user_id else things
    form = {**FORM, "stream_id": things.stream_id}
    wrong = []
    for route in sorted(routes, key=lambda each: each.endpoint == "accounts.sign_out"):
        answer = client.open(
            route.path(route.objects(mine)), method=route.method, data=None if route.safe else form
        )
        due, got = expected(route, who, things.workspace_id), answered(route, answer)
        if got != due:
            wrong.append(f"{who.name}: {route.name} should be {due}, but is {got} ({answer.status})")
    return wrong


@pytest.mark.parametrize("name", ["Ada", "Ines", "Carl", "Rune", "Vera", "Otto", "nobody"])
def test_everyone_gets_what_the_table_says(
    app: Flask, cast: Cast, payments: Things, routes: list[Route], client_of: ClientOf, name: str
) -> None:
    who = person(name, getattr(cast, name.lower(), None))
    assert disagreements(app, routes, who, payments, client_of) == []


def test_a_role_elsewhere_opens_nothing_here(
    app: Flask, cast: Cast, payments: Things, routes: list[Route], client_of: ClientOf
) -> None:
    db.session.add(Membership(workspace_id=cast.treasury, user_id=cast.vera, role=Role.MANAGER))
    db.session.flush()
    who = person("Vera, who manages Treasury", cast.vera)
    assert disagreements(app, routes, who, payments, client_of) == []


def test_an_owner_may_conduct_and_edit_a_runbook_as_a_viewer(
    app: Flask, cast: Cast, payments: Things, routes: list[Route], client_of: ClientOf
) -> None:
    db.session.get_one(Runbook, payments.runbook_id).owners = [db.session.get_one(User, cast.vera)]
    who = person("Vera, the owner", cast.vera, frozenset({Role.OWNER}))
    of_a_runbook = [route for route in routes if "runbook_id" in route.arguments]
    assert disagreements(app, of_a_runbook, who, payments, client_of) == []


def test_an_assignee_may_run_a_task_as_a_viewer(
    app: Flask, cast: Cast, payments: Things, routes: list[Route], client_of: ClientOf
) -> None:
    db.session.get_one(Task, payments.task_id).assignees = [db.session.get_one(User, cast.vera)]
    who = person("Vera, the assignee", cast.vera, frozenset({Role.ASSIGNEE}))
    of_the_task = [
        route
        for route in routes
        if "number" in route.arguments and route.objects(payments)["number"] == payments.number
    ]
    assert disagreements(app, of_the_task, who, payments, client_of) == []


def test_someone_who_is_signed_out_is_not_shown_the_sign_in_page_inside_a_piece(
    app: Flask, payments: Things, routes: list[Route]
) -> None:
    asked = {
        route.name: app.test_client().open(
            route.path(route.objects(payments)), method=route.method, data={}, headers=HTMX
        )
        for route in routes
        if route.permission is not Permission.PUBLIC
    }
    wrong = {
        name: answer.status
        for name, answer in asked.items()
        if (answer.status_code, answer.text) != (401, "")
        or not answer.headers.get("HX-Redirect", "").startswith("/sign-in")
    }
    assert wrong == {}


def test_every_route_for_people_who_are_signed_in_says_what_it_asks_about_its_thing(
    routes: list[Route],
) -> None:
    open_to_all = {
        route.endpoint
        for route in routes
        if route.permission is Permission.SIGNED_IN and route.arguments
        if route.endpoint not in DEMANDS
    }
    assert open_to_all == FOR_EVERYONE, (
        "These routes name a thing and let in whoever is signed in. Give the route the permission it needs, or, where "
        "that depends on the thing, say in DEMANDS of tests/access/answers.py what its view asks about it."
    )


def test_a_route_whose_argument_nobody_has_provided_for_fails_with_what_to_do(payments: Things) -> None:
    route = Route("robots.robot", "/robots/<int:robot_id>", "GET", Permission.READ_RUNBOOKS, ("robot_id",))
    with pytest.raises(pytest.fail.Exception) as failure:
        route.objects(payments)
    assert str(failure.value).startswith(
        "The route GET /robots/<int:robot_id> (robots.robot) takes robot_id, and the tests of access do not know"
    )
