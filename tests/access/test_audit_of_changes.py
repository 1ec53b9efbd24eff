"""Whatever changes something leaves an audit line, in the very transaction that changes it.

The routes come from the URL map, so a new one that changes something fails here until it is provided for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import delete, event, select

from tests.access.changes import CHANGE_NOTHING, CHANGES, NOT_AUDITED, Change
from tests.access.routes import Route
from tests.access.things import Things, own
from tests.cast import Cast
from webapp.audit.models import AuditLine
from webapp.extensions import db

ClientOf = Callable[[int], FlaskClient]
WRITES = ("INSERT", "UPDATE", "DELETE")


@contextmanager
def transactions() -> Iterator[list[list[str]]]:
    """The writing statements of each transaction that is committed inside it, those without any left out."""
    committed: list[list[str]] = []
    under_way: dict[Any, list[str]] = {}

    def note(connection: Any, _cursor: object, statement: str, *_: object) -> None:
        if statement.startswith(WRITES):
            under_way.setdefault(connection.connection.dbapi_connection, []).append(statement)

    def end(connection: Any) -> None:
        if done := under_way.pop(connection.connection.dbapi_connection, None):
            committed.append(done)

    def forget(connection: Any) -> None:
        under_way.pop(connection.connection.dbapi_connection, None)

    listeners = (("before_cursor_execute", note), ("commit", end), ("rollback", forget))
    for name, listener in listeners:
        event.listen(db.engine, name, listener)
    try:
        yield committed
    finally:
        for name, listener in listeners:
            event.remove(db.engine, name, listener)


@pytest.fixture
def do(
    cast: Cast, payments: Things, routes: list[Route], client_of: ClientOf, ada_with_every_role: int
) -> Callable[[str, Change], list[list[str]]]:
    """Do a change as Ada; the transactions that it committed."""

    def change(endpoint: str, wanted: Change) -> list[list[str]]:
        route = next(each for each in routes if each.endpoint == endpoint and not each.safe)
        things = own(payments, ada_with_every_role)
        if wanted.number is not None:
            things.number = wanted.number
        wanted.prepare(things, cast)
        db.session.execute(delete(AuditLine))
        db.session.commit()
        form = wanted.form(things, cast)
        client = client_of(ada_with_every_role)
        address = route.path(route.objects(things)) + (
            "?part=body" if endpoint.endswith("fix_request") else ""
        )
        with transactions() as committed:
            answer = client.open(address, method=route.method, data=form)
        assert answer.status_code in (200, 204, 303), answer.text
        return committed

    return change


def test_every_route_that_changes_something_is_provided_for(routes: list[Route]) -> None:
    unsafe = {route.endpoint for route in routes if not route.safe}
    assert {*CHANGES, *CHANGE_NOTHING, *NOT_AUDITED} == unsafe, (
        "Say in tests/access/changes.py what to send to a new route so that it succeeds: in CHANGES, and it must leave "
        "an audit line; in CHANGE_NOTHING, and it must not write; or, with the reason, in NOT_AUDITED."
    )
    assert len(CHANGES) + len(CHANGE_NOTHING) + len(NOT_AUDITED) == len(unsafe)


@pytest.mark.parametrize("endpoint", CHANGES)
def test_a_change_leaves_an_audit_line_in_its_own_transaction(
    cast: Cast, do: Callable[[str, Change], list[list[str]]], endpoint: str
) -> None:
    committed = do(endpoint, CHANGES[endpoint])
    without = [
        writes
        for writes in committed
        if not any(each.startswith("INSERT INTO audit_lines") for each in writes)
    ]
    assert committed, f"{endpoint} did not change anything: mend its form in tests/access/changes.py"
    assert without == []
    written = {line.partition(" audit_lines")[0] for writes in committed for line in writes}
    assert written != {"INSERT INTO"}, (
        "There is only an audit line, as of something refused: nothing was changed"
    )
    assert {line.actor_name for line in db.session.scalars(select(AuditLine))} in ({"Ada"}, {"Ada L."})


@pytest.mark.parametrize("endpoint", CHANGE_NOTHING)
def test_what_only_answers_writes_nothing(
    do: Callable[[str, Change], list[list[str]]], endpoint: str
) -> None:
    assert do(endpoint, CHANGE_NOTHING[endpoint]) == []
