"""Who has a runbook open."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from redis import Redis

from tests.cast import Cast
from tests.runbooks.conftest import MakeRunbook
from tests.running import free_port
from webapp.jobs import queue
from webapp.runbooks import presence
from webapp.runbooks.models import Runbook

HTMX = {"HX-Request": "true"}


@pytest.fixture
def runbook(make_runbook: MakeRunbook) -> Runbook:
    made = make_runbook("Announce")
    queue().connection.delete(presence.key(made.id))
    return made


def names(answer: Any) -> list[str]:
    assert answer.status_code == 200
    return re.findall(r'<span aria-hidden="true">(\w{3,}[^<]*)</span>', answer.text)


def ask(client: FlaskClient, runbook: Runbook, shown: str = "") -> Any:
    return client.get(f"/runbooks/{runbook.id}/watching?shown={shown}", headers=HTMX)


def test_who_looks_sees_who_else_does(client_of: Any, cast: Cast, runbook: Runbook) -> None:
    alone = ask(client_of(cast.rune), runbook)
    assert "1 watching" in alone.text
    assert names(alone) == ["Rune (you)"]
    both = ask(client_of(cast.vera), runbook)
    assert "2 watching" in both.text
    assert names(both) == ["Rune", "Vera (you)"]


def test_a_person_with_two_pages_is_one(client_of: Any, cast: Cast, runbook: Runbook) -> None:
    for _ in range(2):
        answer = ask(client_of(cast.rune), runbook)
    assert names(answer) == ["Rune (you)"]


def test_nothing_is_sent_while_the_same_people_watch(client_of: Any, cast: Cast, runbook: Runbook) -> None:
    ask(client_of(cast.rune), runbook)
    shown = f"{cast.rune}-{cast.vera}"
    assert ask(client_of(cast.vera), runbook, shown).status_code == 204
    assert ask(client_of(cast.vera), runbook, str(cast.vera)).status_code == 200


def test_who_has_not_reported_for_a_while_is_gone(client_of: Any, cast: Cast, runbook: Runbook) -> None:
    ask(client_of(cast.rune), runbook)
    queue().connection.zincrby(presence.key(runbook.id), -presence.KEPT_S - 1, str(cast.rune))
    assert names(ask(client_of(cast.vera), runbook)) == ["Vera (you)"]


def test_a_page_asks_at_once_and_every_twenty_seconds(client_of: Any, cast: Cast, runbook: Runbook) -> None:
    page = client_of(cast.rune).get(f"/runbooks/{runbook.id}").text
    assert 'hx-trigger="load, every 20s"' in page
    assert 'hx-trigger="every 20s"' in ask(client_of(cast.rune), runbook).text


def test_without_a_broker_nobody_is_shown_and_nothing_fails(
    client_of: Any, cast: Cast, runbook: Runbook, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    silent = Redis(port=free_port(), socket_connect_timeout=1)
    monkeypatch.setattr(queue(), "connection", silent)
    assert ask(client_of(cast.rune), runbook).status_code == 204


def test_it_costs_the_same_for_one_and_for_many(
    client_of: Any, cast: Cast, runbook: Runbook, counting_queries: Callable[[], Any]
) -> None:
    def cost() -> int:
        with counting_queries() as seen:
            ask(client_of(cast.rune), runbook)
        return len(seen)

    alone = cost()
    others = (cast.ada, cast.ines, cast.carl, cast.vera, cast.otto)
    queue().connection.zadd(presence.key(runbook.id), {str(each): time.time() for each in others})
    assert cost() == alone
