"""Streams: add, change, move, delete."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient

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
    operations.edit_stream(database, name="Databases", color=2, parent=None, by=rune)
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
        operations.edit_stream(stream(runbook, "Tasks"), name="Tasks", color=color, parent=None, by=rune)
    assert refusal.value.field == "color"  # type: ignore[attr-defined]


def test_a_stream_needs_a_name(runbook: Runbook, rune: User, refuses: Refuses) -> None:
    with refuses(PlanRefused, "Type a name for the stream."):
        operations.add_stream(runbook, " ", by=rune)
    with refuses(PlanRefused, "Type a name for the stream.") as refusal:
        operations.edit_stream(stream(runbook, "Tasks"), name="", color=0, parent=None, by=rune)
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
        operations.edit_stream(database, name="Data", color=1, parent=None, by=rune)
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
        "edit": lambda: operations.edit_stream(database, name="Late", color=1, parent=None, by=rune),
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
    operations.edit_stream(database, name="Data", color=9, parent=None, by=rune)
    operations.move_stream(database, 1, by=rune)
    operations.delete_stream(database, by=rune)
    undo(runbook, rune)
    assert len(tables()["audit_lines"]) == 6
    db.session.rollback()
    assert tables() == before


@pytest.fixture
def nested(runbook: Runbook, rune: User) -> Runbook:
    """Tasks with #1; Database with its parts Primary and Replicas; Network."""
    database = stream(runbook, "Database")
    for name in ("Primary", "Replicas"):
        operations.add_stream(runbook, name, parent=database, by=rune)
    db.session.commit()
    return runbook


def full_names(runbook: Runbook) -> list[str]:
    db.session.expire_all()
    return [each.full_name for each in queries.streams_of(runbook.id)]


def test_a_sub_stream_stands_behind_its_parent_in_its_colour(nested: Runbook) -> None:
    assert full_names(nested) == ["Tasks", "Database", "Database / Primary", "Database / Replicas", "Network"]
    assert stream(nested, "Replicas").color == stream(nested, "Database").color


def test_a_stream_becomes_part_of_another_one_and_stands_by_itself_again(nested: Runbook, rune: User) -> None:
    network, database = stream(nested, "Network"), stream(nested, "Database")
    operations.edit_stream(network, name="Network", color=network.color, parent=database, by=rune)
    assert full_names(nested)[-2:] == ["Database / Replicas", "Database / Network"]
    assert (network.placed_seq, database.seq) == (nested.seq, nested.seq)
    operations.edit_stream(network, name="Network", color=network.color, parent=None, by=rune)
    assert full_names(nested)[-2:] == ["Database / Replicas", "Network"]


def test_there_is_one_level_of_sub_streams(nested: Runbook, rune: User, refuses: Refuses) -> None:
    database, primary, network = (stream(nested, each) for each in ("Database", "Primary", "Network"))
    part_of_none = "Choose a stream that is part of no other one."
    with refuses(PlanRefused, part_of_none) as refusal:
        operations.add_stream(nested, "Disk", parent=primary, by=rune)
    assert refusal.value.field == "parent_id"  # type: ignore[attr-defined]
    with refuses(PlanRefused, part_of_none):
        operations.edit_stream(network, name="Network", color=0, parent=network, by=rune)
    with refuses(PlanRefused, "Database has sub-streams itself, so it is part of no other one."):
        operations.edit_stream(database, name="Database", color=0, parent=network, by=rune)


def test_a_stream_of_another_runbook_or_one_that_is_gone_is_no_parent(
    nested: Runbook, make_runbook: MakeRunbook, rune: User, refuses: Refuses
) -> None:
    other, network = make_runbook(name="Other").streams[0], stream(nested, "Network")
    with refuses(PlanRefused, "Choose a stream of this runbook."):
        operations.add_stream(nested, "Disk", parent=other, by=rune)
    operations.delete_stream(network, by=rune)
    with refuses(NotNow, "This stream was deleted."):
        operations.add_stream(nested, "Disk", parent=network, by=rune)


def test_a_name_does_not_hold_what_stands_between_a_stream_and_its_sub_stream(
    runbook: Runbook, rune: User, refuses: Refuses
) -> None:
    with refuses(PlanRefused, "Leave “ / ” out: it stands between a stream and its sub-stream."):
        operations.add_stream(runbook, "Database / Disk", by=rune)


def test_a_stream_moves_with_its_sub_streams_and_they_among_themselves(nested: Runbook, rune: User) -> None:
    operations.move_stream(stream(nested, "Database"), 1, by=rune)
    assert full_names(nested) == ["Tasks", "Network", "Database", "Database / Primary", "Database / Replicas"]
    operations.move_stream(stream(nested, "Replicas"), -1, by=rune)
    operations.move_stream(stream(nested, "Replicas"), -1, by=rune)
    assert full_names(nested)[2:] == ["Database", "Database / Replicas", "Database / Primary"]


def test_a_stream_with_sub_streams_is_not_deleted(nested: Runbook, rune: User, refuses: Refuses) -> None:
    with refuses(NotNow, "Database still has sub-streams. Move or delete them first."):
        operations.delete_stream(stream(nested, "Database"), by=rune)


def test_a_stream_is_duplicated_with_its_sub_streams_and_their_tasks(nested: Runbook, rune: User) -> None:
    operations.add_task(nested, stream(nested, "Replicas"), "Stop", by=rune)
    operations.duplicate_stream(stream(nested, "Database"), by=rune)
    assert full_names(nested)[4:7] == [
        "Database (copy)",
        "Database (copy) / Primary",
        "Database (copy) / Replicas",
    ]
    assert task(nested, 3).stream.full_name == "Database (copy) / Replicas"
    copy = operations.duplicate_runbook(
        nested, name="Again", planned_start=None, keep_assignees=True, by=rune
    )
    assert full_names(copy) == full_names(nested)


def test_the_head_of_a_stream_counts_what_its_sub_streams_hold(
    nested: Runbook, rune: User, client_of: Callable[[int], FlaskClient]
) -> None:
    replicas = stream(nested, "Replicas")
    operations.add_task(nested, stream(nested, "Database"), "Freeze", by=rune)
    since = nested.seq
    operations.add_task(nested, replicas, "Stop", by=rune)
    client, url = client_of(rune.id), f"/runbooks/{nested.id}"
    database = stream(nested, "Database").id
    page = client.get(url).text
    head = page[page.index(f'id="s-{database}-h"') :]
    assert '<span class="count">2</span>' in head[: head.index("</h2>")]
    assert page.index(f'id="s-{database}-subs"') < page.index(f'id="s-{replicas.id}"')
    pulled = client.get(f"{url}/changes?since={since}", headers={"HX-Request": "true"}).text
    assert [f'id="s-{each}-h"' in pulled for each in (database, replicas.id)] == [True, True]


def test_a_sub_stream_is_drawn_into_its_parent_where_it_got_another_place(
    nested: Runbook, rune: User, client_of: Callable[[int], FlaskClient]
) -> None:
    since = nested.seq
    operations.move_stream(stream(nested, "Replicas"), -1, by=rune)
    pulled = client_of(rune.id).get(
        f"/runbooks/{nested.id}/changes?since={since}", headers={"HX-Request": "true"}
    )
    database, replicas = stream(nested, "Database").id, stream(nested, "Replicas").id
    assert f'hx-swap-oob="afterbegin:#s-{database}-subs"' in pulled.text
    assert f'hx-swap-oob="afterend:#s-{replicas}"' in pulled.text


def test_the_dialog_of_a_sub_stream_takes_its_parent_s_colour_and_keeps_what_is_typed(
    nested: Runbook, rune: User, client_of: Callable[[int], FlaskClient]
) -> None:
    database = stream(nested, "Database")
    url = f"/runbooks/{nested.id}/streams"
    asked = client_of(rune.id).get(
        f"{url}/new?parent_id={database.id}&name=Disk", headers={"HX-Request": "true"}
    )
    assert f'value="{database.color}" checked' in asked.text
    assert 'value="Disk"' in asked.text
    assert f'<option selected value="{database.id}">Database</option>' in asked.text
    client_of(rune.id).post(url, data={"name": "Disk", "color": "4", "parent_id": database.id})
    assert full_names(nested)[4] == "Database / Disk"
    refused = client_of(rune.id).post(
        url, data={"name": "A / B", "color": "4"}, headers={"HX-Request": "true"}
    )
    assert (refused.status_code, "Leave “ / ” out" in refused.text) == (422, True)
