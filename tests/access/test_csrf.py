"""No form without its token: every route that changes something refuses one, says why, and changes nothing."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.access.answers import text_of
from tests.access.routes import Route
from tests.access.things import Things, own, rows
from tests.cast import Cast

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


@pytest.mark.parametrize(
    ("token", "htmx"), [(None, False), ("made up", True)], ids=["none, plain", "a wrong one, htmx"]
)
@pytest.mark.usefixtures("with_csrf")
def test_no_unsafe_route_does_anything_without_the_token(
    payments: Things,
    routes: list[Route],
    client_of: ClientOf,
    ada_with_every_role: int,
    token: str | None,
    htmx: bool,
) -> None:
    client = client_of(ada_with_every_role)
    things = own(payments, ada_with_every_role)
    form = {**FORM, "csrf_token": token} if token else FORM
    before, wrong, unsafe = rows(), [], [route for route in routes if not route.safe]
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
    assert rows() == before


def said_to_htmx(answer: Any) -> str:
    """The sentence of the toast, where the answer leaves the page and what is typed there alone."""
    if answer.text or {"HX-Refresh", "HX-Redirect", "HX-Location"} & set(answer.headers.keys()):
        return "to replace the page"
    return str(json.loads(answer.headers["HX-Trigger"])["toast"]["text"])


@pytest.mark.usefixtures("with_csrf")
def test_a_form_with_the_token_of_its_page_goes_through(
    app: Flask, payments: Things, client_of: ClientOf, ada_with_every_role: int
) -> None:
    client = client_of(ada_with_every_role)
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
    cast: Cast, payments: Things, client_of: ClientOf, ada_with_every_role: int
) -> None:
    token = token_in(client_of(cast.rune).get("/profile").text)
    answer = client_of(ada_with_every_role).post(
        "/profile/theme", data={"theme": "dark", "csrf_token": token}
    )
    assert answer.status_code == 400


@pytest.mark.usefixtures("with_csrf")
def test_every_form_on_every_page_carries_its_token(
    payments: Things, routes: list[Route], client_of: ClientOf, ada_with_every_role: int
) -> None:
    client = client_of(ada_with_every_role)
    things = own(payments, ada_with_every_role)
    without, forms = [], 0
    for route in routes:
        if not route.safe:
            continue
        page = text_of(client.get(route.path(route.objects(things))))
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
