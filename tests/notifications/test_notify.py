"""Telling people: who is told, of what not, and in how many statements."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from tests.cast import Cast
from tests.notifications.conftest import Told
from webapp.accounts.models import User
from webapp.audit.models import AuditLine
from webapp.clock import now
from webapp.extensions import db
from webapp.jobs import swept
from webapp.notifications import operations, queries
from webapp.notifications.models import MutedKind, Notification
from webapp.notifications.operations import News, notify, notify_each

OPEN = News("The bridge is open.", "/runbooks/1")


def many(count: int) -> list[int]:
    people = [User(name=f"Person {each}", email=f"person-{each}@example.com") for each in range(count)]
    db.session.add_all(people)
    db.session.commit()
    return [each.id for each in people]


def test_a_notification_says_who_is_told_what_by_whom_and_where_it_leads(cast: Cast, rune: User) -> None:
    news = News("The bridge is open.", "/runbooks/7?task=3", task_id=40)
    assert notify([cast.vera], "message", news, by=rune, runbook_id=7) == {cast.vera}
    row = db.session.scalars(select(Notification)).one()
    assert (row.user_id, row.kind, row.sentence, row.link) == (
        cast.vera,
        "message",
        "The bridge is open.",
        "/runbooks/7?task=3",
    )
    assert (row.runbook_id, row.task_id, row.sender_id, row.read_at) == (7, 40, cast.rune, None)


def test_nobody_is_told_of_what_they_did_themselves(cast: Cast, rune: User, told: Told) -> None:
    assert notify([cast.rune, cast.vera], "message", OPEN, by=rune) == {cast.vera}
    assert notify([cast.rune], "message", OPEN, by=None) == {cast.rune}
    assert [row[0] for row in told()] == ["Vera", "Rune"]


def test_the_same_thing_within_seconds_is_told_once(cast: Cast, rune: User, told: Told) -> None:
    both = [cast.vera, cast.otto]
    assert notify([cast.vera], "message", OPEN, by=rune) == {cast.vera}
    assert notify(both, "message", OPEN, by=rune) == {cast.otto}
    elsewhere = News(OPEN.sentence, "/runbooks/2")
    assert notify([cast.vera], "message", elsewhere, by=rune) == {cast.vera}
    db.session.execute(update(Notification).values(at=now() - timedelta(seconds=11)))
    assert notify(both, "message", OPEN, by=rune) == {cast.vera, cast.otto}
    assert [row[0] for row in told()] == ["Vera", "Otto", "Vera", "Vera", "Otto"]


def test_two_hundred_people_are_told_in_one_statement(
    rune: User, counting_queries: Callable[[], Any]
) -> None:
    people = many(203)
    db.session.refresh(rune)
    counted = []
    for some in (people[:3], people[3:]):
        with counting_queries() as seen:
            assert notify(some, "message", OPEN, by=rune) == set(some)
        counted.append([statement.split()[0] for statement in seen])
    assert counted == [["SELECT", "SELECT", "INSERT"]] * 2
    assert len(db.session.scalars(select(Notification.id)).all()) == 203


def test_each_can_be_told_something_of_their_own(cast: Cast, told: Told) -> None:
    news = {cast.vera: News("One", "/1"), cast.rune: News("Two", "/2")}
    assert notify_each(news, "task_ready", by=None) == {cast.vera, cast.rune}
    assert told() == [("Rune", "task_ready", "Two", "/2"), ("Vera", "task_ready", "One", "/1")]


def test_an_unknown_kind_is_refused(cast: Cast) -> None:
    with pytest.raises(KeyError):
        notify([cast.vera], "weather", OPEN, by=None)


def test_a_kind_that_is_turned_off_is_not_told_and_that_choice_is_audited(
    cast: Cast, rune: User, told: Told
) -> None:
    operations.choose_kinds(
        rune, {"mention", "task_assigned", "runbook_started", "runbook_news", "message", "template"}
    )
    assert list(db.session.execute(select(MutedKind.user_id, MutedKind.kind))) == [(cast.rune, "task_ready")]
    both = [cast.rune, cast.vera]
    assert notify(both, "task_ready", OPEN, by=None) == {cast.vera}
    assert notify(both, "mention", OPEN, by=None) == set(both)
    operations.choose_kinds(
        rune, {"mention", "task_assigned", "runbook_started", "runbook_news", "message", "template"}
    )
    line = db.session.scalars(select(AuditLine)).one()
    assert (line.verb, line.object_id, line.actor_name) == ("user.notifications_chosen", cast.rune, "Rune")
    assert (line.before, line.after) == ({"turned off": []}, {"turned off": ["Tasks that are ready"]})
    assert len(told()) == 3


def test_nudges_cannot_be_turned_off(cast: Cast, rune: User) -> None:
    operations.choose_kinds(rune, set())
    assert "nudge" not in queries.muted_by(cast.rune)
    db.session.add(MutedKind(user_id=cast.rune, kind="nudge"))
    assert notify([cast.rune], "nudge", OPEN, by=None) == {cast.rune}


def test_all_that_had_come_is_marked_as_read_and_what_comes_after_is_not(cast: Cast, rune: User) -> None:
    for at in range(3):
        notify([cast.rune, cast.vera], "message", News(f"News {at}", "/1"), by=None)
    mine = list(db.session.scalars(select(Notification.id).where(Notification.user_id == cast.rune)))
    operations.mark_all_read(rune, until=mine[1])
    assert queries.bell_of(cast.rune) == queries.Bell(unread=1, latest=mine[2])
    assert queries.bell_of(cast.vera).unread == 3


def test_a_bell_without_anything_is_silent(cast: Cast) -> None:
    assert queries.bell_of(cast.rune) == queries.Bell(unread=0, latest=0)


def test_the_sweeper_throws_away_what_is_older_than_ninety_days(cast: Cast) -> None:
    for days in (91, 89):
        notify([cast.rune], "message", News(f"{days} days ago", "/1"), by=None)
        db.session.execute(
            update(Notification)
            .where(Notification.sentence == f"{days} days ago")
            .values(at=now() - timedelta(days=days))
        )
    db.session.commit()
    swept.send()
    assert list(db.session.scalars(select(Notification.sentence))) == ["89 days ago"]
