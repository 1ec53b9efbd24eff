"""Copies of a task, a stream and a runbook: what they have of the original, and what stays behind."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from tests.cast import Cast
from tests.runbooks.conftest import (
    MakeAction,
    MakeField,
    MakeRunbook,
    Refuses,
    only_line,
    task,
)
from webapp.accounts.models import User
from webapp.extensions import db
from webapp.fields import operations as field_operations
from webapp.fields import queries as fields
from webapp.fields.models import FieldDefinition
from webapp.integrations.models import Action
from webapp.runbooks import operations, queries
from webapp.runbooks.models import Comment, Runbook, Stream, Task
from webapp.runbooks.refusals import NotNow
from webapp.runbooks.states import Mode
from webapp.workspaces.models import Membership

TEN = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
ENDED = "The runbook has ended, so its plan cannot be changed."


def titles(runbook: Runbook, stream: Stream | None = None) -> list[str]:
    """What is in the plan, in the order of the list."""
    query = select(Task).where(Task.runbook_id == runbook.id, Task.deleted_at.is_(None))
    if stream is not None:
        query = query.where(Task.stream_id == stream.id)
    return [each.title for each in db.session.scalars(query.order_by(Task.position, Task.id))]


def waits(runbook: Runbook) -> dict[int, list[int]]:
    """Task number to the numbers of its predecessors."""
    db.session.expire_all()
    return {
        each.number: sorted(before.number for before in each.predecessors)
        for each in runbook.tasks
        if each.predecessors
    }


@pytest.fixture
def action(make_action: MakeAction) -> Action:
    return make_action()


@pytest.fixture
def runbook(make_runbook: MakeRunbook, action: Action, rune: User) -> Runbook:
    """Announce, then Switch, then Check; Announce is Rune's and has everything that a plan can say."""
    made = make_runbook("Announce", "Switch", "Check", waits={2: [1], 3: [2]}, actions={1: action})
    first = task(made, 1)
    first.description, first.duration_s, first.planned_start = "Say it", 900, TEN
    first.assignees = [rune]
    made.description, made.planned_start = "The yearly failover", TEN
    db.session.commit()
    return made


@pytest.fixture
def kept(make_field: MakeField, runbook: Runbook, rune: User) -> FieldDefinition:
    """The one of Announce's two filled fields whose value goes along; the other is transient."""
    channel, message = make_field("Slack Channel"), make_field("Slack Message", transient=True)
    for definition, value in ((channel, "#ops"), (message, "Going live")):
        field_operations.save_value(definition, [value], by=rune, task=task(runbook, 1))
    db.session.commit()
    return channel


def values(found: Task) -> dict[int, Any]:
    return {key: value.value for key, value in fields.values_of_task(found.id).items()}


def test_the_copy_of_a_task_comes_right_after_it_and_waits_for_the_same(runbook: Runbook, rune: User) -> None:
    copy = operations.duplicate_task(task(runbook, 2), by=rune)
    db.session.commit()
    assert (copy.number, copy.title) == (4, "Switch (copy)")
    assert titles(runbook) == ["Announce", "Switch", "Switch (copy)", "Check"]
    assert waits(runbook) == {2: [1], 3: [2], 4: [1]}
    assert runbook.next_task_number == 5


def test_the_copy_of_a_task_says_what_the_plan_says(
    runbook: Runbook, rune: User, action: Action, kept: FieldDefinition
) -> None:
    copy = operations.duplicate_task(task(runbook, 1), by=rune)
    assert (copy.description, copy.duration_s, copy.planned_start) == ("Say it", 900, TEN)
    assert (copy.action_id, copy.assignees) == (action.id, [rune])
    assert values(copy) == {kept.id: "#ops"}


def test_a_copy_is_audited_with_what_it_is_a_copy_of(runbook: Runbook, rune: User) -> None:
    copy = operations.duplicate_task(task(runbook, 2), by=rune)
    line = only_line()
    assert (line.verb, line.object_id, line.actor_name) == ("task.added", copy.id, "Rune")
    assert line.after == {"title": "Switch (copy)", "copy of": "#2 Switch"}


def test_the_copy_of_a_long_name_keeps_its_mark(runbook: Runbook, rune: User) -> None:
    task(runbook, 1).title = "x" * 300
    copy = operations.duplicate_task(task(runbook, 1), by=rune)
    assert copy.title == "x" * 293 + " (copy)"


def test_the_copy_of_a_finished_task_is_one_to_do(make_runbook: MakeRunbook, rune: User) -> None:
    live = make_runbook("Announce", "Switch", mode=Mode.LIVE)
    operations.start_task(task(live, 1), by=rune)
    operations.finish_task(task(live, 1), by=rune)
    copy = operations.duplicate_task(task(live, 1), by=rune)
    assert (copy.state, copy.started_at, copy.completion) == ("startable", None, None)


def test_who_is_no_longer_a_member_is_not_assigned_to_the_copy(
    runbook: Runbook, rune: User, vera: User, cast: Cast
) -> None:
    task(runbook, 1).assignees = [rune, vera]
    held = db.session.scalars(
        select(Membership).where(
            Membership.user_id == vera.id, Membership.workspace_id == runbook.workspace_id
        )
    ).one()
    db.session.delete(held)
    db.session.commit()
    assert operations.duplicate_task(task(runbook, 1), by=rune).assignees == [rune]


def test_a_stream_is_copied_with_its_tasks_and_the_links_between_them(
    runbook: Runbook, rune: User, kept: FieldDefinition
) -> None:
    later = Stream(runbook=runbook, name="Network", color=1, position=2)
    db.session.add(later)
    db.session.flush()
    task(runbook, 3).stream = later
    db.session.commit()
    copy = operations.duplicate_stream(runbook.streams[0], by=rune)
    db.session.commit()
    assert [each.name for each in queries.streams_of(runbook.id)] == ["Tasks", "Tasks (copy)", "Network"]
    assert titles(runbook, copy) == ["Announce", "Switch"]
    assert waits(runbook) == {2: [1], 3: [2], 5: [4]}
    assert values(task(runbook, 4)) == {kept.id: "#ops"}


def test_a_copied_task_still_waits_for_those_outside_its_stream(runbook: Runbook, rune: User) -> None:
    later = Stream(runbook=runbook, name="Network", color=1, position=2)
    db.session.add(later)
    db.session.flush()
    task(runbook, 3).stream = later
    db.session.commit()
    operations.duplicate_stream(later, by=rune)
    db.session.commit()
    assert waits(runbook) == {2: [1], 3: [2], 4: [2]}


def test_the_copy_of_a_stream_is_audited_once(runbook: Runbook, rune: User) -> None:
    operations.duplicate_stream(runbook.streams[0], by=rune)
    line = only_line()
    assert line.verb == "stream.added"
    assert line.after == {"name": "Tasks (copy)", "copy of": "Tasks", "tasks": [4, 5, 6]}


@pytest.mark.parametrize("what", ["task", "stream"])
def test_nothing_is_copied_within_an_ended_runbook(
    make_runbook: MakeRunbook, rune: User, refuses: Refuses, what: str
) -> None:
    ended = make_runbook("Announce", mode=Mode.LIVE)
    operations.cancel_runbook(ended, "Called off", by=rune)
    db.session.commit()
    with refuses(NotNow, ENDED):
        if what == "task":
            operations.duplicate_task(task(ended, 1), by=rune)
        else:
            operations.duplicate_stream(ended.streams[0], by=rune)


def duplicate(runbook: Runbook, by: User, **changed: Any) -> Runbook:
    wanted = {"name": "Release 13", "planned_start": runbook.planned_start, "keep_assignees": True, **changed}
    copy = operations.duplicate_runbook(runbook, by=by, **wanted)
    db.session.commit()
    return copy


def test_a_runbook_is_copied_with_its_plan(
    runbook: Runbook, rune: User, action: Action, kept: FieldDefinition
) -> None:
    copy = duplicate(runbook, rune)
    assert (copy.name, copy.description, copy.state, copy.mode) == (
        "Release 13",
        "The yearly failover",
        "planning",
        None,
    )
    assert (copy.workspace_id, copy.owners, copy.next_task_number) == (runbook.workspace_id, [rune], 4)
    assert [(each.name, each.color) for each in queries.streams_of(copy.id)] == [("Tasks", 0)]
    assert titles(copy) == ["Announce", "Switch", "Check"]
    assert waits(copy) == {2: [1], 3: [2]}
    first = task(copy, 1)
    assert (first.action_id, first.assignees, first.planned_start) == (action.id, [rune], TEN)
    assert values(first) == {kept.id: "#ops"}


def test_a_runbook_s_own_values_go_along_but_for_transient_ones(
    runbook: Runbook, rune: User, make_field: MakeField
) -> None:
    change = make_field("Change", displays_on=["runbook_edit"])
    bridge = make_field("Bridge", displays_on=["runbook_edit"], transient=True)
    for definition in (change, bridge):
        operations.save_runbook_field(runbook, definition, ["CHG-1"], by=rune)
    db.session.commit()
    copied = fields.values_of_runbook(duplicate(runbook, rune).id)
    assert {key: value.value for key, value in copied.items()} == {change.id: "CHG-1"}


def test_planned_starts_move_with_the_runbook_s(runbook: Runbook, rune: User) -> None:
    copy = duplicate(runbook, rune, planned_start=TEN + timedelta(days=7))
    assert (copy.planned_start, task(copy, 1).planned_start) == (TEN + timedelta(days=7),) * 2


def test_assignees_can_stay_behind(runbook: Runbook, rune: User) -> None:
    assert task(duplicate(runbook, rune, keep_assignees=False), 1).assignees == []


def test_what_happened_and_what_was_deleted_stay_behind(runbook: Runbook, rune: User) -> None:
    operations.add_comment(task(runbook, 1), "Well done", by=rune)
    operations.delete_task(task(runbook, 2), by=rune)
    db.session.commit()
    operations.start_runbook(runbook, Mode.REHEARSAL, by=rune)
    operations.cancel_runbook(runbook, "Enough", by=rune)
    db.session.commit()
    copy = duplicate(runbook, rune)
    assert titles(copy) == ["Announce", "Check"]
    assert waits(copy) == {}
    assert {each.state for each in copy.tasks} == {"not_startable"}
    ids = [each.id for each in copy.tasks]
    assert db.session.scalars(select(Comment).where(Comment.task_id.in_(ids))).all() == []
    assert (copy.started_at, copy.ended_at) == (None, None)


def test_the_copy_of_a_runbook_is_audited(runbook: Runbook, rune: User) -> None:
    copy = duplicate(runbook, rune)
    line = only_line()
    assert (line.verb, line.object_id, line.runbook_id) == ("runbook.created", copy.id, copy.id)
    assert line.after == {"name": "Release 13", "workspace": "Payments", "copy of": "Release 12", "tasks": 3}


def test_copying_costs_the_same_for_three_and_for_thirty_tasks(
    make_runbook: MakeRunbook, rune: User, counting_queries: Callable[[], Any]
) -> None:
    def cost(count: int) -> int:
        made = make_runbook(*(f"Task {number}" for number in range(count)), waits={2: [1], 3: [2]})
        db.session.expire_all()
        with counting_queries() as seen:
            duplicate(made, rune)
        return len(seen)

    assert cost(3) == cost(30)


def test_the_dialog_proposes_a_name_and_leads_to_the_copy(
    client_of: Any, runbook: Runbook, cast: Cast
) -> None:
    client = client_of(cast.rune)
    asked = client.get(f"/runbooks/{runbook.id}/duplicate").text
    assert 'value="Release 12 (copy)"' in asked
    answer = client.post(
        f"/runbooks/{runbook.id}/duplicate",
        data={"name": "Release 13", "planned_start": "", "keep_assignees": "y"},
        follow_redirects=True,
    )
    assert "Release 13 is created, with the plan of Release 12." in answer.text
    assert "Announce" in answer.text


def test_a_copy_without_a_name_is_asked_for_again_with_what_was_typed(
    client_of: Any, runbook: Runbook, cast: Cast
) -> None:
    answer = client_of(cast.rune).post(
        f"/runbooks/{runbook.id}/duplicate", data={"name": " ", "planned_start": "2026-12-24T18:00"}
    )
    assert answer.status_code == 422
    assert "Enter a name." in answer.text
    assert 'value="2026-12-24T18:00"' in answer.text


def test_who_may_not_make_runbooks_is_not_offered_a_copy(
    client_of: Any, runbook: Runbook, cast: Cast
) -> None:
    assert "Duplicate…" in client_of(cast.rune).get(f"/runbooks/{runbook.id}").text
    assert "Duplicate…" not in client_of(cast.vera).get(f"/runbooks/{runbook.id}").text
