"""No form without its token: every route that changes something refuses one, says why, and changes nothing."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from tests.access.routes import Route
from tests.access.things import Things, session_of
from tests.cast import Cast
from webapp.accounts.models import GlobalRole
from webapp.extensions import Base, db
from webapp.permissions import GLOBAL_ROLES, Role
from webapp.workspaces.models import Membership

ClientOf = Callable[[int], FlaskClient]
PLAIN = "This page is older than your session. Go back, reload it, and send the form again."
HTMX = (
    "This page is older than your session, so nothing was saved. Copy what you typed, then reload the page."
)
FORM = {
    "to": "down",
    "outcome": "succeeded",
    "mode": "rehearsal",
    "reason": "No network",
    "body": "Looks good",
    "name": "Renamed",
    "theme": "dark",
}


@pytest.fixture
def with_csrf(app: Flask) -> Iterator[None]:
    """Forms are checked as in production."""
    app.config["WTF_CSRF_ENABLED"] = True
    yield
    app.config["WTF_CSRF_ENABLED"] = False


@pytest.fixture
def everyone_in_one(cast: Cast) -> int:
    """Ada with every role there is, so that nothing but the token can refuse her."""
    held = {Role.ADMINISTRATOR}
    db.session.add_all(GlobalRole(user_id=cast.ada, role=role) for role in set(GLOBAL_ROLES) - held)
    db.session.add(Membership(workspace_id=cast.payments, user_id=cast.ada, role=Role.MANAGER))
    db.session.commit()
    return cast.ada


def tables() -> dict[str, list[Any]]:
    """Every row of every table."""
    found = {
        table.name: [
            tuple(row) for row in db.session.execute(select(table).order_by(*table.primary_key.columns))
        ]
        for table in Base.metadata.sorted_tables
    }
    db.session.rollback()
    return found


@pytest.mark.parametrize("token", [None, "made up"], ids=["no token", "a wrong token"])
@pytest.mark.parametrize("htmx", [False, True], ids=["plain", "htmx"])
@pytest.mark.usefixtures("with_csrf")
def test_no_unsafe_route_does_anything_without_the_token(
    payments: Things,
    routes: list[Route],
    client_of: ClientOf,
    everyone_in_one: int,
    token: str | None,
    htmx: bool,
) -> None:
    client = client_of(everyone_in_one)
    things = replace(payments, session_id=session_of(everyone_in_one))
    form = {**FORM, "csrf_token": token} if token else FORM
    before, wrong, unsafe = tables(), [], [route for route in routes if not route.safe]
    for route in unsafe:
        answer = client.open(
            route.path(route.objects(things)),
            method=route.method,
            data=form,
            headers={"HX-Request": "true"} if htmx else None,
        )
        if answer.status_code != 400:
            wrong.append(f"{route.name} answers {answer.status} to a form without its token")
        elif htmx and said_to_htmx(answer) != HTMX:
            wrong.append(f"{route.name} tells htmx {said_to_htmx(answer)!r}")
        elif not htmx and PLAIN not in answer.text:
            wrong.append(f"{route.name} does not say why it refuses a form without its token")
    assert len(unsafe) > 50
    assert wrong == []
    assert tables() == before


def said_to_htmx(answer: Any) -> str:
    """The sentence of the toast, where the answer leaves the page and what is typed there alone."""
    if answer.text or {"HX-Refresh", "HX-Redirect", "HX-Location"} & set(answer.headers.keys()):
        return "to replace the page"
    return str(json.loads(answer.headers["HX-Trigger"])["toast"]["text"])


@pytest.mark.usefixtures("with_csrf")
def test_a_form_with_the_token_of_its_page_goes_through(
    app: Flask, payments: Things, client_of: ClientOf, everyone_in_one: int
) -> None:
    client = client_of(everyone_in_one)
    address = f"/runbooks/{payments.runbook_id}"
    token = token_in(client.get(address).text)
    sent = client.post(f"{address}/tasks/1/comments", data={"body": "Looks good", "csrf_token": token})
    assert (sent.status_code, sent.location) == (303, f"{address}?task=1")
    by_header = client.post(
        f"{address}/tasks/1/comments", data={"body": "Still good"}, headers={"X-CSRFToken": token}
    )
    assert by_header.status_code == 303


@pytest.mark.usefixtures("with_csrf")
def test_the_token_of_someone_else_is_worth_nothing(
    cast: Cast, payments: Things, client_of: ClientOf, everyone_in_one: int
) -> None:
    token = token_in(client_of(cast.rune).get("/profile").text)
    answer = client_of(everyone_in_one).post("/profile/theme", data={"theme": "dark", "csrf_token": token})
    assert answer.status_code == 400


@pytest.mark.usefixtures("with_csrf")
def test_every_form_on_every_page_carries_its_token(
    payments: Things, routes: list[Route], client_of: ClientOf, everyone_in_one: int
) -> None:
    client = client_of(everyone_in_one)
    things = replace(payments, session_id=session_of(everyone_in_one))
    without, forms = [], 0
    for route in routes:
        if not route.safe:
            continue
        page = client.get(route.path(route.objects(things))).text
        for form in page.split("<form")[1:]:
            form = form.partition("</form>")[0]
            if 'method="post"' in form.partition(">")[0]:
                forms += 1
                if 'name="csrf_token"' not in form:
                    without.append(f"{route.name}: <form{form[:120]}")
    assert forms > 50
    assert without == []


def token_in(page: str) -> str:
    return page.partition('name="csrf_token"')[2].partition('value="')[2].partition('"')[0]
