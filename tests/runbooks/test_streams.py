"""Streams: add, change, move, delete."""

from __future__ import annotations

from typing import Any

import pytest

from tests.runbooks.conftest import Audit, MakeRunbook, Refuses, only_line, tables, task, undo
from webapp.accounts.models import User
from webapp.extensions import db
from webapp.runbooks import operations, queries
from webapp.runbooks.models import Runbook, Stream
from webapp.runbooks.refusals import NotNow, PlanRefused
from webapp.runbooks.states import Mode

ENDED = "The runbook has ended, so its plan cannot be changed."


def names(runbook: Runbook) -> list[str]:
    return [stream.name for stream in queries.streams_of(runbook.id)]


@pytest.fixture
def runbook(make_runbook: MakeRunbook, rune: User) -> Runbook:
    """A runbook with the streams Tasks (which holds the one task), Database and Network."""
    made = make_runbook("Announce")
    for position, name in enumerate(("Database", "Network"), 2):
        db.session.add(Stream(runbook=made, name=name, color=position, position=position))
    db.session.commit()
    return made


def stream(runbook: Runbook, name: str) -> Stream:
    return next(each for each in runbook.streams if each.name == name)


def test_a_new_stream_comes_last_in_the_next_colour(runbook: Runbook, rune: User) -> None:
    seq = runbook.seq
    added = operations.add_stream(runbook, "  Storage ", by=rune)
    assert (added.name, added.color, added.position) == ("Storage", 3, 4)
    assert (runbook.seq, added.seq, added.placed_seq) == (seq + 1,) * 3
    assert names(runbook) == ["Tasks", "Database", "Network", "Storage"]
    line = only_line()
    assert (line.verb, line.object_type, line.object_id, line.actor_name) == (
        "stream.added",
        "streams",
        added.id,
        "Rune",
    )
    assert (line.before, line.after) == (None, {"name": "Storage", "color": 3})
    assert (line.workspace_id, line.runbook_id) == (runbook.workspace_id, runbook.id)


def test_after_twelve_colours_the_first_comes_again(runbook: Runbook, rune: User) -> None:
    added = [operations.add_stream(runbook, f"Stream {number}", by=rune) for number in range(10)]
    assert [each.color for each in added] == [3, 4, 5, 6, 7, 8, 9, 10, 11, 0]


def test_a_stream_is_renamed_and_recoloured(runbook: Runbook, rune: User) -> None:
    database = stream(runbook, "Database")
    operations.edit_stream(database, name="Databases", color=2, by=rune)
    assert (database.name, database.color, database.seq) == ("Databases", 2, runbook.seq)
    line = only_line()
    assert (line.verb, line.before, line.after) == (
        "stream.changed",
        {"name": "Database"},
        {"name": "Databases"},
    )


@pytest.mark.parametrize("color", [-1, 12])
def test_a_colour_that_there_is_not_is_refused(
    runbook: Runbook, rune: User, refuses: Refuses, color: int
) -> None:
    with refuses(PlanRefused, "Choose one of the colours.") as refusal:
        operations.edit_stream(stream(runbook, "Tasks"), name="Tasks", color=color, by=rune)
    assert refusal.value.field == "color"  # type: ignore[attr-defined]


def test_a_stream_needs_a_name(runbook: Runbook, rune: User, refuses: Refuses) -> None:
    with refuses(PlanRefused, "Type a name for the stream."):
        operations.add_stream(runbook, " ", by=rune)
    with refuses(PlanRefused, "Type a name for the stream.") as refusal:
        operations.edit_stream(stream(runbook, "Tasks"), name="", color=0, by=rune)
    assert refusal.value.field == "name"  # type: ignore[attr-defined]


def test_a_stream_moves_one_place_and_both_are_told(runbook: Runbook, rune: User) -> None:
    operations.move_stream(stream(runbook, "Network"), -1, by=rune)
    db.session.commit()
    assert names(runbook) == ["Tasks", "Network", "Database"]
    assert [each.placed_seq == runbook.seq for each in queries.streams_of(runbook.id)] == [False, True, True]
    line = only_line()
    assert (line.verb, line.before, line.after) == ("stream.moved", {"place": 3}, {"place": 2})


@pytest.mark.parametrize(("name", "step"), [("Tasks", -1), ("Network", 1)])
def test_at_the_end_nothing_moves(runbook: Runbook, rune: User, audit: Audit, name: str, step: int) -> None:
    operations.move_stream(stream(runbook, name), step, by=rune)
    assert (names(runbook), audit()) == (["Tasks", "Database", "Network"], [])


def test_an_empty_stream_is_deleted(runbook: Runbook, rune: User, audit: Audit) -> None:
    database = stream(runbook, "Database")
    operations.delete_stream(database, by=rune)
    db.session.commit()
    assert database.deleted_at is not None
    assert names(runbook) == ["Tasks", "Network"]
    assert audit() == [("stream.deleted", "Database", "Rune")]


def test_a_stream_that_holds_tasks_is_not_deleted(runbook: Runbook, rune: User, refuses: Refuses) -> None:
    with refuses(NotNow, "Tasks still holds tasks. Move or delete them first."):
        operations.delete_stream(stream(runbook, "Tasks"), by=rune)


def test_the_last_stream_is_not_deleted(make_runbook: MakeRunbook, rune: User, refuses: Refuses) -> None:
    empty = make_runbook()
    with refuses(NotNow, "A runbook needs at least one stream."):
        operations.delete_stream(empty.streams[0], by=rune)


def test_a_stream_that_is_gone_cannot_be_changed_moved_or_deleted_again(
    runbook: Runbook, rune: User, refuses: Refuses
) -> None:
    database = stream(runbook, "Database")
    operations.delete_stream(database, by=rune)
    with refuses(NotNow, "This stream was deleted."):
        operations.edit_stream(database, name="Data", color=1, by=rune)
    with refuses(NotNow, "This stream was deleted."):
        operations.move_stream(database, 1, by=rune)
    with refuses(NotNow, "This stream was deleted."):
        operations.delete_stream(database, by=rune)
    with refuses(NotNow, "This stream was deleted."):
        operations.add_task(runbook, database, "Lost", by=rune)


@pytest.mark.parametrize("verb", ["add", "edit", "move", "delete", "undo"])
def test_the_streams_of_a_runbook_that_has_ended_stay(
    runbook: Runbook, rune: User, refuses: Refuses, verb: str
) -> None:
    database = stream(runbook, "Database")
    operations.delete_stream(stream(runbook, "Network"), by=rune)
    operations.start_runbook(runbook, Mode.LIVE, by=rune)
    operations.skip_task(task(runbook, 1), "Not needed", by=rune)
    operations.complete_runbook(runbook, by=rune)
    changes: dict[str, Any] = {
        "add": lambda: operations.add_stream(runbook, "Late", by=rune),
        "edit": lambda: operations.edit_stream(database, name="Late", color=1, by=rune),
        "move": lambda: operations.move_stream(database, -1, by=rune),
        "delete": lambda: operations.delete_stream(database, by=rune),
        "undo": lambda: undo(runbook, rune),
    }
    with refuses(NotNow, ENDED):
        changes[verb]()


def test_what_is_not_committed_leaves_neither_rows_nor_audit_lines(runbook: Runbook, rune: User) -> None:
    before = tables()
    database = stream(runbook, "Database")
    operations.add_stream(runbook, "Storage", by=rune)
    operations.edit_stream(database, name="Data", color=9, by=rune)
    operations.move_stream(database, 1, by=rune)
    operations.delete_stream(database, by=rune)
    undo(runbook, rune)
    assert len(tables()["audit_lines"]) == 6
    db.session.rollback()
    assert tables() == before
