"""The audit log: what a line keeps, the page's filters, and the CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.cast import Cast
from webapp.accounts.models import User
from webapp.audit.operations import record
from webapp.extensions import db

ClientOf = Callable[[int], FlaskClient]


@pytest.fixture
def lines(cast: Cast) -> None:
    rune, vera = db.session.get_one(User, cast.rune), db.session.get_one(User, cast.vera)
    record(
        "user.updated",
        rune,
        by=vera,
        before={"name": "Run", "active": True},
        after={"name": "Rune", "active": True},
    )
    record("user.created", vera, by=None, after={"name": "=HYPERLINK(1)"}, note="@home")
    db.session.commit()


def test_a_change_keeps_only_what_differs(cast: Cast) -> None:
    rune = db.session.get_one(User, cast.rune)
    line = record("user.updated", rune, by=rune, before={"a": 1, "b": 2}, after={"a": 1, "b": 3})
    assert (line.before, line.after, line.actor_name) == ({"b": 2}, {"b": 3}, "Rune")


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("", {"user.updated", "user.created"}),
        ("actor=ver", {"user.updated"}),
        ("actor=runsheet", {"user.created"}),
        ("verb=user.created", {"user.created"}),
        ("about=rune", {"user.updated"}),
        ("until=2020-01-01", set()),
        ("since=2020-01-01", {"user.updated", "user.created"}),
        ("since=nonsense", {"user.updated", "user.created"}),
    ],
)
def test_the_page_filters(cast: Cast, client_of: ClientOf, lines: None, query: str, shown: set[str]) -> None:
    text = client_of(cast.ada).get(f"/settings/audit?{query}").text
    assert {verb for verb in ("user.updated", "user.created") if f"<code>{verb}</code>" in text} == shown


def test_the_csv_cannot_run_a_formula(cast: Cast, client_of: ClientOf, lines: None) -> None:
    text = client_of(cast.ada).get("/settings/audit.csv").text
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [row["verb"] for row in rows] == ["user.created", "user.updated"]
    assert rows[0]["note"] == "'@home"


def test_only_those_who_may_read_the_audit_log_do(cast: Cast, client_of: ClientOf) -> None:
    assert client_of(cast.ada).get("/settings/audit").status_code == 200
    assert client_of(cast.rune).get("/settings/audit").status_code == 403


def test_the_page_costs_the_same_for_one_and_for_thirty_lines(
    cast: Cast, client_of: ClientOf, counting_queries: Callable[[], Any]
) -> None:
    ada = client_of(cast.ada)

    def cost(count: int) -> int:
        rune = db.session.get_one(User, cast.rune)
        for _ in range(count):
            record("user.updated", rune, by=rune)
        db.session.commit()
        with counting_queries() as seen:
            assert ada.get("/settings/audit").status_code == 200
        return len(seen)

    assert cost(1) == cost(29)
