"""What many ask for at once: made once, for a while, and never from before a commit of this process."""

from __future__ import annotations

import threading

import pytest
from flask import Flask
from sqlalchemy import text

from webapp.extensions import db
from webapp.sharing import Shared


def test_of_many_who_ask_at_once_the_first_makes_it_and_the_others_wait() -> None:
    shared: Shared[str] = Shared(most=4, lives_s=60)
    making, go_on, found = threading.Event(), threading.Event(), []
    made = []

    def make() -> str:
        making.set()
        assert go_on.wait(30)
        made.append("once")
        return "the news"

    def ask() -> None:
        found.append(shared.get("key", make))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for each in threads:
        each.start()
    assert making.wait(30)
    go_on.set()
    for each in threads:
        each.join()
    assert made == ["once"]
    assert found == ["the news"] * 8


def test_where_making_it_fails_the_next_one_makes_it() -> None:
    shared: Shared[str] = Shared(most=4, lives_s=60)

    def fail() -> str:
        raise RuntimeError("no database")

    with pytest.raises(RuntimeError, match="no database"):
        shared.get("key", fail)
    assert shared.get("key", lambda: "the news") == "the news"


def test_it_is_made_anew_after_its_lifetime() -> None:
    shared: Shared[int] = Shared(most=4, lives_s=0)
    assert [shared.get("key", lambda: 1), shared.get("key", lambda: 2)] == [1, 2]


def test_the_oldest_goes_where_there_are_too_many() -> None:
    shared: Shared[int] = Shared(most=2, lives_s=60)
    for number in (1, 2, 3):
        shared.get(number, lambda number=number: number)  # type: ignore[misc]
    assert [shared.get(number, lambda: 0) for number in (3, 2, 1)] == [3, 2, 0]


def test_a_commit_of_this_process_forgets_everything(app: Flask) -> None:
    shared: Shared[int] = Shared(most=4, lives_s=60)
    assert shared.get("key", lambda: 1) == 1
    db.session.execute(text("SELECT 1"))
    db.session.rollback()
    assert shared.get("key", lambda: 2) == 1
    db.session.execute(text("SELECT 1"))
    db.session.commit()
    assert shared.get("key", lambda: 3) == 3
