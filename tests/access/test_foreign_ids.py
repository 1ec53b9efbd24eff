"""Two workspaces: nothing of the one is reached from the other, by no address and by no form.

Otto manages Treasury; everything he asks for here belongs to Payments.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, replace
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from tests.access.answers import ALLOWED, DEMANDS, FOR_EVERYONE, answered, expected, person, text_of
from tests.access.routes import Route
from tests.access.things import Things, notification_of, own, session_of
from tests.cast import Cast
from webapp.accounts.models import UserSession
from webapp.extensions import db
from webapp.fields.models import FieldValue
from webapp.integrations.models import Action
from webapp.notifications.models import Notification
from webapp.permissions import TABLE, Role
from webapp.runbooks.models import Purpose, Runbook, Task

ClientOf = Callable[[int], FlaskClient]
NOBODYS = 987_654_321
BEYOND_ANY_COLUMN = 2**70
FORM = {"to": "down", "outcome": "succeeded", "mode": "rehearsal", "lesson": "yes"}
# Of a workspace, each; a task's number is looked up in its runbook.
INSIDE_A_RUNBOOK = ("stream_id", "run_id", "definition_id", "comment_id")


def ask(client: FlaskClient, route: Route, objects: dict[str, Any], form: dict[str, Any]) -> str:
    answer = client.open(route.path(objects), method=route.method, data=None if route.safe else form)
    return answered(route, answer)


def otto_may_ask(route: Route) -> bool:
    """Whether the gate lets him through, so that only the thing itself can refuse him."""
    asked = route.endpoint in DEMANDS or route.permission in TABLE[Role.MANAGER]
    return bool(route.arguments) and asked


def test_a_manager_of_another_workspace_finds_nothing_of_this_one(
    cast: Cast, payments: Things, treasury: Things, routes: list[Route], client_of: ClientOf
) -> None:
    otto = client_of(cast.otto)
    form = {**FORM, "stream_id": treasury.stream_id}
    asked = [route for route in routes if otto_may_ask(route)]
    found = {route.name: ask(otto, route, route.objects(payments), form) for route in asked}
    # It is not known to be an action of Payments: who does not manage integrations is told so of any.
    assert found.pop("POST /integrations/actions/<int:action_id>/authenticate") == "403"
    assert len(found) > 40
    assert {name: answer for name, answer in found.items() if answer != "404"} == {}


@pytest.mark.parametrize("argument", INSIDE_A_RUNBOOK)
def test_what_lies_in_another_runbook_is_not_reached_through_ones_own(
    cast: Cast, payments: Things, treasury: Things, routes: list[Route], client_of: ClientOf, argument: str
) -> None:
    otto = client_of(cast.otto)
    asked = [route for route in routes if {"runbook_id", argument} <= set(route.arguments)]
    found = {
        route.name: ask(
            otto, route, {**route.objects(treasury), argument: route.objects(payments)[argument]}, FORM
        )
        for route in asked
    }
    assert asked
    assert {name: answer for name, answer in found.items() if answer != "404"} == {}


def test_a_run_of_ones_own_workspace_is_not_reached_through_another_of_its_tasks(
    cast: Cast, treasury: Things, routes: list[Route], client_of: ClientOf
) -> None:
    otto = client_of(cast.otto)
    asked = [route for route in routes if {"number", "run_id"} <= set(route.arguments)]
    other_task = replace(treasury, number=treasury.spare_number)
    found = {route.name: ask(otto, route, route.objects(other_task), FORM) for route in asked}
    assert asked
    assert {name: answer for name, answer in found.items() if answer != "404"} == {}


def test_an_action_is_not_reached_through_another_connection(
    cast: Cast, payments: Things, treasury: Things, routes: list[Route], client_of: ClientOf
) -> None:
    ines = client_of(cast.ines)
    asked = [route for route in routes if {"connection_id", "action_id"} <= set(route.arguments)]
    found = {
        route.name: ask(
            ines, route, {**route.objects(payments), "connection_id": treasury.connection_id}, FORM
        )
        for route in asked
    }
    assert asked
    assert {name: answer for name, answer in found.items() if answer != "404"} == {}


@pytest.mark.parametrize("name", ["Ada", "Ines", "Carl", "Rune", "Vera"])
def test_an_id_that_nothing_has_is_not_found_for_everyone_with_the_permission(
    cast: Cast, payments: Things, routes: list[Route], client_of: ClientOf, name: str
) -> None:
    user_id = getattr(cast, name.lower())
    who, client = person(name, user_id), client_of(user_id)
    mine = own(payments, user_id)
    form = {**FORM, "stream_id": payments.stream_id}
    wrong = []
    for route in routes:
        if expected(route, who, payments.workspace_id) != ALLOWED:
            continue
        for argument in route.arguments:
            got = ask(client, route, {**route.objects(mine), argument: NOBODYS}, form)
            if got != "404":
                wrong.append(f"{name}: {route.name} without such a {argument} should be 404, but is {got}")
    assert wrong == []


def test_an_id_that_no_column_could_hold_is_not_found(
    cast: Cast, payments: Things, routes: list[Route], client_of: ClientOf
) -> None:
    ines = client_of(cast.ines)
    wrong = []
    for route in routes:
        for argument in route.arguments:
            objects = {**route.objects(payments), argument: BEYOND_ANY_COLUMN}
            if (got := ask(ines, route, objects, FORM)) != "404":
                wrong.append(f"{route.name} with a huge {argument} should be 404, but is {got}")
    assert wrong == []


def test_nobody_ends_a_session_of_someone_else(cast: Cast, client_of: ClientOf) -> None:
    of_rune = session_of(cast.rune)
    answers = [
        client_of(user_id).post(f"/profile/sessions/{of_rune}/end").status_code
        for user_id in (cast.ada, cast.otto, cast.vera)
    ]
    assert answers == [404, 404, 404]
    assert db.session.get_one(UserSession, of_rune).revoked_at is None


def test_nobody_opens_a_notification_of_someone_else_or_has_it_read(cast: Cast, client_of: ClientOf) -> None:
    of_rune = notification_of(cast.rune)
    answers = {
        verb: [
            client_of(user_id).post(f"/notifications/{of_rune}/{verb}").status_code
            for user_id in (cast.ada, cast.otto, cast.vera)
        ]
        for verb in ("open", "read")
    }
    assert answers == {"open": [404, 404, 404], "read": [404, 404, 404]}
    for user_id in (cast.ada, cast.otto, cast.vera):
        client_of(user_id).post("/notifications/read", data={"until": of_rune})
    assert db.session.get_one(Notification, of_rune).read_at is None


def test_everything_that_is_open_to_all_is_tried_here(routes: list[Route]) -> None:
    assert {route.endpoint for route in routes if route.endpoint in FOR_EVERYONE} == {
        "accounts.end_session",  # the tests above
        "notifications.open_notification",
        "notifications.read",
        "guides.guide",  # the same for everyone
    }


def test_a_runbook_cannot_be_made_in_a_workspace_that_is_not_ones_own(
    cast: Cast, payments: Things, client_of: ClientOf
) -> None:
    answer = client_of(cast.otto).post(
        "/runbooks", data={"name": "Mine now", "workspace_id": payments.workspace_id}
    )
    assert answer.status_code == 422
    query = select(Runbook.name).where(Runbook.purpose == Purpose.RUNBOOK)
    assert list(db.session.scalars(query)) == ["Release of Payments"]


def test_a_task_form_takes_no_stream_action_person_or_predecessor_of_another_workspace(
    cast: Cast, payments: Things, treasury: Things, client_of: ClientOf
) -> None:
    otto = client_of(cast.otto)
    right = {"title": "Last", "stream_id": treasury.stream_id, "duration": "5m", "type": "normal"}
    foreign = {
        "stream_id": payments.stream_id,
        "type": f"action:{payments.action_id}",
        "assignee_ids": cast.rune,
    }
    address = f"/runbooks/{treasury.runbook_id}/tasks/4"
    answers = {
        name: otto.post(address, data={**right, name: value}).status_code for name, value in foreign.items()
    }
    assert answers == dict.fromkeys(foreign, 422)
    task = db.session.scalars(
        select(Task).where(Task.runbook_id == treasury.runbook_id, Task.number == 4)
    ).one()
    assert (task.stream_id, task.action_id, task.assignees) == (treasury.stream_id, None, [])
    assert otto.post(address, data=right).status_code == 303


def test_a_task_is_not_added_to_a_stream_of_another_workspace(
    cast: Cast, payments: Things, treasury: Things, client_of: ClientOf
) -> None:
    otto, address = client_of(cast.otto), f"/runbooks/{treasury.runbook_id}/tasks"
    for foreign in (payments.stream_id, NOBODYS, BEYOND_ANY_COLUMN):
        assert otto.post(address, data={"title": "Mine", "stream_id": foreign}).status_code == 404
    after = {"title": "Mine", "stream_id": treasury.stream_id, "after": NOBODYS}
    assert otto.post(address, data=after).status_code == 404
    assert list(db.session.scalars(select(Task.id).where(Task.title == "Mine"))) == []


def test_nobody_signs_in_for_a_task_of_another_workspace(
    cast: Cast, payments: Things, client_of: ClientOf
) -> None:
    action = db.session.get_one(Action, payments.action_id)
    action.authorization_settings = {**action.authorization_settings, "authenticate_as": "task"}
    address = f"/integrations/actions/{payments.action_id}/authenticate"
    tried = {
        "Otto": (cast.otto, payments.task_id),
        "Vera, who only views": (cast.vera, payments.task_id),
        "Rune": (cast.rune, payments.task_id),
        "Rune, for no task": (cast.rune, NOBODYS),
        "Rune, for none that could be": (cast.rune, BEYOND_ANY_COLUMN),
    }
    answers = {
        name: client_of(user_id).post(address, data={"task_id": task_id}).status_code
        for name, (user_id, task_id) in tried.items()
    }
    assert answers == {
        "Otto": 404,
        "Vera, who only views": 403,
        "Rune": 303,
        "Rune, for no task": 404,
        "Rune, for none that could be": 403,  # as without a task
    }


def test_the_check_of_an_action_lends_no_values_of_a_task_that_one_may_not_see(
    cast: Cast, payments: Things, client_of: ClientOf
) -> None:
    ines = client_of(cast.ines)
    address = f"/settings/integrations/{payments.connection_id}/actions/{payments.action_id}"
    for verb in ("check", "fix", "test"):
        form = {
            "method": "POST",
            "url": "https://slack.com/api/chat.postMessage",
            "headers": '{"Content-Type":"application/json"}',
            "body": '{"text":"{{Task.name}}"}',
            "mode": "fire_and_forget",
        }
        for sample in (payments.task_id, NOBODYS):
            answer = ines.post(f"{address}/{verb}?part=body", data={**form, "sample": sample})
            assert (verb, sample, answer.status_code) == (verb, sample, 404)
    nothing = ines.post(f"{address}/check", data={**form, "sample": BEYOND_ANY_COLUMN})
    assert nothing.status_code == 200


def test_a_field_of_another_workspace_holds_nothing_afterwards(
    cast: Cast, payments: Things, treasury: Things, client_of: ClientOf
) -> None:
    address = f"/runbooks/{treasury.runbook_id}/tasks/{treasury.number}/fields/"
    otto = client_of(cast.otto)
    assert otto.post(f"{address}{payments.definition_id}", data={"value": "#x"}).status_code == 404
    assert otto.post(f"{address}{treasury.definition_id}", data={"value": "#y"}).status_code == 303
    stored = [(each.field_definition_id, each.value) for each in db.session.scalars(select(FieldValue))]
    assert stored == [(treasury.definition_id, "#y")]


def test_a_field_whose_number_is_none_is_passed_over(
    cast: Cast, payments: Things, client_of: ClientOf
) -> None:
    address = f"/runbooks/{payments.runbook_id}/tasks/{payments.spare_number}/start"
    answer = client_of(cast.rune).post(address, data={"asked": "1", "field-²": "x", f"field-{2**70}": "x"})
    assert answer.status_code == 422  # not for the numbers: the runbook has not been started
    assert "The runbook has not been started yet." in answer.text


def test_no_list_of_otto_names_anything_of_payments(
    cast: Cast, payments: Things, treasury: Things, routes: list[Route], client_of: ClientOf
) -> None:
    otto, who = client_of(cast.otto), person("Otto", cast.otto)
    mine = own(treasury, cast.otto)
    shown = {}
    for route in routes:
        if route.safe and expected(route, who, cast.treasury) == ALLOWED:
            shown[route.name] = text_of(otto.get(route.path(route.objects(mine))))
    assert len(shown) > 20
    assert [name for name, page in shown.items() if "Payments" in page] == []
    assert "Release of Treasury" in shown["GET /runbooks"]


def test_the_ids_of_the_two_workspaces_differ(payments: Things, treasury: Things) -> None:
    one, other = asdict(payments), asdict(treasury)
    same = {name for name in one if one[name] == other[name]}
    assert same == {
        "number",
        "spare_number",
        "version",
        "session_id",
        "import_id",
        "spare_import_id",
        "notification_id",
    }


def test_a_page_that_no_list_has_is_empty(cast: Cast, client_of: ClientOf) -> None:
    ada, ines = client_of(cast.ada), client_of(cast.ines)
    for page in (NOBODYS, BEYOND_ANY_COLUMN, -1, "²"):
        assert ada.get(f"/settings/audit?page={page}&runbook={page}").status_code == 200
        assert ines.get(f"/settings/runs?page={page}&connection={page}").status_code == 200
