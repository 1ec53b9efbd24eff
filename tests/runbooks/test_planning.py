"""Planning tasks: what each change writes, what it says in the audit log, and what is refused."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import delete, update
from werkzeug.exceptions import Forbidden, NotFound

from tests.cast import Cast
from tests.runbooks.conftest import (
    Audit,
    MakeAction,
    MakeRunbook,
    Refuses,
    only_line,
    states,
    tables,
    task,
    undo,
)
from webapp.accounts.models import User
from webapp.audit.models import AuditLine
from webapp.extensions import db
from webapp.permissions import Permission
from webapp.runbooks import operations, queries
from webapp.runbooks.models import Runbook, Task
from webapp.runbooks.operations import Plan
from webapp.runbooks.refusals import NotNow, PlanRefused
from webapp.runbooks.states import Mode

ENDED = "The runbook has ended, so its plan cannot be changed."
TEN = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)


def plan_of(found: Task) -> Plan:
    """The plan as it stands."""
    return operations.plan_of(found, [each.id for each in found.predecessors])


def order(runbook: Runbook) -> list[int]:
    """The numbers in the order of the list."""
    kept = [each for each in runbook.tasks if each.deleted_at is None]
    return [each.number for each in sorted(kept, key=lambda each: (each.position, each.id))]


def test_a_new_task_gets_the_next_number_and_waits_to_be_planned(
    make_runbook: MakeRunbook, rune: User
) -> None:
    runbook = make_runbook("Announce", "Deploy")
    seq = runbook.seq
    added = operations.add_task(runbook, runbook.streams[0], "  Verify  ", by=rune)
    assert (added.number, added.title, added.state, added.duration_s) == (3, "Verify", "not_startable", 300)
    assert (added.runbook_id, added.stream_id) == (runbook.id, runbook.streams[0].id)
    assert (runbook.seq, added.seq, added.placed_seq, runbook.next_task_number) == (seq + 1,) * 3 + (4,)
    line = only_line()
    assert (line.verb, line.object_type, line.object_id, line.object_name) == (
        "task.added",
        "tasks",
        added.id,
        "#3 Verify",
    )
    assert (line.before, line.after) == (None, {"title": "Verify", "stream": "Tasks"})
    assert (line.actor_name, line.workspace_id, line.runbook_id) == (
        "Rune",
        runbook.workspace_id,
        runbook.id,
    )


def test_a_task_added_after_another_comes_right_after_it(make_runbook: MakeRunbook, rune: User) -> None:
    runbook = make_runbook("Announce", "Deploy", "Verify")
    operations.add_task(runbook, runbook.streams[0], "Wait", by=rune, after=task(runbook, 1))
    db.session.commit()
    assert order(runbook) == [1, 4, 2, 3]


def test_a_task_added_to_a_running_runbook_may_start_at_once(make_runbook: MakeRunbook, rune: User) -> None:
    runbook = make_runbook("Announce", mode=Mode.LIVE)
    operations.add_task(runbook, runbook.streams[0], "Deploy", by=rune)
    assert states(runbook) == {1: "startable", 2: "startable"}


def test_numbers_stay_unique_when_someone_else_added_a_task_since_the_page_was_loaded(
    make_runbook: MakeRunbook, rune: User
) -> None:
    runbook = make_runbook("Announce")
    assert runbook.next_task_number == 2
    # What another transaction would have committed while this one waited for the lock.
    _behind_the_session(Runbook, runbook.id, next_task_number=7)
    assert operations.add_task(runbook, runbook.streams[0], "Deploy", by=rune).number == 7
    db.session.commit()
    assert runbook.next_task_number == 8


def test_a_task_needs_a_name(make_runbook: MakeRunbook, rune: User, refuses: Refuses) -> None:
    runbook = make_runbook("Announce")
    with refuses(PlanRefused, "Type a task name.") as refusal:
        operations.add_task(runbook, runbook.streams[0], " ", by=rune)
    assert refusal.value.field == "title"  # type: ignore[attr-defined]


def test_a_change_writes_the_row_and_only_what_changed_into_the_audit_log(
    make_runbook: MakeRunbook, make_action: MakeAction, rune: User, vera: User
) -> None:
    runbook = make_runbook("Announce", "Deploy")
    second = task(runbook, 2)
    action = make_action()
    plan = replace(
        plan_of(second),
        title="Deploy 12",
        duration_s=900,
        planned_start=TEN,
        assignees=[vera],
        predecessor_ids=[task(runbook, 1).id],
        action=action,
    )
    operations.edit_task(second, plan, by=rune)
    db.session.commit()
    assert (second.title, second.duration_s, second.planned_start) == ("Deploy 12", 900, TEN)
    assert (second.assignees, second.predecessors, second.action) == ([vera], [task(runbook, 1)], action)
    assert second.seq == runbook.seq
    line = only_line()
    assert (line.verb, line.object_id, line.actor_id) == ("task.changed", second.id, rune.id)
    assert line.before == {
        "title": "Deploy",
        "duration_s": 300,
        "planned_start": None,
        "assignees": [],
        "predecessors": [],
        "type": "Task",
    }
    assert line.after == {
        "title": "Deploy 12",
        "duration_s": 900,
        "planned_start": "2026-11-23T10:00:00+00:00",
        "assignees": ["Vera"],
        "predecessors": [1],
        "type": "Slack: Post to a channel",
    }


def test_saving_what_already_stands_leaves_no_audit_line(
    make_runbook: MakeRunbook, rune: User, audit: Audit
) -> None:
    runbook = make_runbook("Announce")
    operations.edit_task(task(runbook, 1), plan_of(task(runbook, 1)), by=rune)
    assert audit() == []


def test_a_task_moves_to_another_stream_at_its_end(make_runbook: MakeRunbook, rune: User) -> None:
    runbook = make_runbook("Announce", "Deploy")
    other = operations.add_stream(runbook, "Database", by=rune)
    first = task(runbook, 1)
    operations.edit_task(first, replace(plan_of(first), stream=other), by=rune)
    db.session.commit()
    assert (first.stream, first.placed_seq) == (other, runbook.seq)
    assert order(runbook) == [2, 1]


def test_a_loop_is_refused_and_named(make_runbook: MakeRunbook, rune: User, refuses: Refuses) -> None:
    runbook = make_runbook("Announce", "Deploy", "Verify", waits={2: [1], 3: [2]})
    first, third = task(runbook, 1), task(runbook, 3)
    with refuses(PlanRefused, "That would be a loop: #1 waits for #3 waits for #2 waits for #1.") as refusal:
        operations.edit_task(first, replace(plan_of(first), predecessor_ids=[third.id]), by=rune)
    assert refusal.value.field == "predecessors"  # type: ignore[attr-defined]


def test_a_task_cannot_wait_for_itself(make_runbook: MakeRunbook, rune: User, refuses: Refuses) -> None:
    runbook = make_runbook("Announce")
    first = task(runbook, 1)
    with refuses(PlanRefused, "That would be a loop: #1 waits for #1."):
        operations.edit_task(first, replace(plan_of(first), predecessor_ids=[first.id]), by=rune)


def test_what_has_started_keeps_its_plan_but_may_be_described_anew(
    make_runbook: MakeRunbook, rune: User, vera: User, refuses: Refuses
) -> None:
    runbook = make_runbook("Announce", mode=Mode.LIVE)
    first = task(runbook, 1)
    operations.start_task(first, by=rune)
    db.session.commit()
    db.session.execute(delete(AuditLine))
    sentence = "The task has started, so only its name, description and people can be changed."
    with refuses(NotNow, sentence):
        operations.edit_task(first, replace(plan_of(first), duration_s=60), by=rune)
    plan = replace(plan_of(first), title="Tell everyone", description="In the channel", assignees=[vera])
    operations.edit_task(first, plan, by=rune)
    db.session.commit()
    assert (first.title, first.description, first.assignees) == ("Tell everyone", "In the channel", [vera])
    assert only_line().after == {
        "title": "Tell everyone",
        "description": "In the channel",
        "assignees": ["Vera"],
    }


def test_a_task_that_someone_started_since_the_page_was_loaded_keeps_its_plan(
    make_runbook: MakeRunbook, rune: User
) -> None:
    runbook = make_runbook("Announce", mode=Mode.LIVE)
    first = task(runbook, 1)
    plan = replace(plan_of(first), duration_s=60)
    assert first.state == "startable"
    _behind_the_session(Task, first.id, state="in_progress")
    with pytest.raises(NotNow, match=r"^The task has started, so only"):
        operations.edit_task(first, plan, by=rune)
    db.session.rollback()
    assert first.state == "startable"
    _behind_the_session(Task, first.id, state="in_progress")
    with pytest.raises(NotNow, match=r"^A task that has started cannot be deleted\. Skip it instead\.$"):
        operations.delete_task(first, by=rune)


def test_a_new_predecessor_of_a_running_runbook_holds_the_task_back(
    make_runbook: MakeRunbook, rune: User
) -> None:
    runbook = make_runbook("Announce", "Deploy", mode=Mode.LIVE)
    first, second = task(runbook, 1), task(runbook, 2)
    operations.edit_task(second, replace(plan_of(second), predecessor_ids=[first.id]), by=rune)
    assert states(runbook) == {1: "startable", 2: "not_startable"}
    operations.edit_task(second, replace(plan_of(second), predecessor_ids=[]), by=rune)
    assert states(runbook) == {1: "startable", 2: "startable"}


def test_a_deleted_task_no_longer_holds_what_waited_for_it_until_that_is_undone(
    make_runbook: MakeRunbook, rune: User, audit: Audit
) -> None:
    runbook = make_runbook("Announce", "Deploy", waits={2: [1]}, mode=Mode.LIVE)
    first = task(runbook, 1)
    operations.delete_task(first, by=rune)
    db.session.commit()
    assert first.deleted_at is not None
    assert (order(runbook), states(runbook)[2]) == ([2], "startable")
    undo(runbook, rune)
    db.session.commit()
    assert first.deleted_at is None
    assert (order(runbook), states(runbook)[2]) == ([1, 2], "not_startable")
    assert audit() == [
        ("task.deleted", "#1 Announce", "Rune"),
        ("task.restored", "#1 Announce", "Rune"),
        ("plan.undone", "Release 12", "Rune"),
    ]


def test_what_has_started_cannot_be_deleted(make_runbook: MakeRunbook, rune: User, refuses: Refuses) -> None:
    runbook = make_runbook("Announce", mode=Mode.LIVE)
    operations.start_task(task(runbook, 1), by=rune)
    with refuses(NotNow, "A task that has started cannot be deleted. Skip it instead."):
        operations.delete_task(task(runbook, 1), by=rune)


def test_a_task_that_is_gone_cannot_be_changed_moved_or_deleted_again(
    make_runbook: MakeRunbook, rune: User, refuses: Refuses
) -> None:
    runbook = make_runbook("Announce", "Deploy")
    first = task(runbook, 1)
    operations.delete_task(first, by=rune)
    with refuses(NotNow, "This task was deleted."):
        operations.edit_task(first, plan_of(first), by=rune)
    with refuses(NotNow, "This task was deleted."):
        operations.step_tasks(runbook, [1], 1, by=rune)
    with refuses(NotNow, "This task was deleted."):
        operations.delete_task(first, by=rune)


@pytest.mark.parametrize("verb", ["add", "edit", "move", "delete", "undo"])
def test_the_plan_of_a_runbook_that_has_ended_stays(
    make_runbook: MakeRunbook, rune: User, refuses: Refuses, verb: str
) -> None:
    runbook = make_runbook("Announce", "Deploy", "Verify", mode=Mode.LIVE)
    first = task(runbook, 1)
    operations.delete_task(task(runbook, 3), by=rune)
    operations.cancel_runbook(runbook, "The vendor is down", by=rune)
    changes: dict[str, Any] = {
        "add": lambda: operations.add_task(runbook, runbook.streams[0], "Late", by=rune),
        "edit": lambda: operations.edit_task(first, replace(plan_of(first), title="Late"), by=rune),
        "move": lambda: operations.step_tasks(runbook, [1], 1, by=rune),
        "delete": lambda: operations.delete_task(first, by=rune),
        "undo": lambda: undo(runbook, rune),
    }
    with refuses(NotNow, ENDED):
        changes[verb]()


def test_a_task_cannot_wait_for_a_task_of_another_runbook(
    make_runbook: MakeRunbook, rune: User, cast: Cast, refuses: Refuses
) -> None:
    runbook, other = make_runbook("Announce"), make_runbook("Count", workspace_id=cast.treasury)
    first, stranger = task(runbook, 1), task(other, 1)
    with refuses(PlanRefused, "Choose tasks of this runbook.") as refusal:
        operations.edit_task(first, replace(plan_of(first), predecessor_ids=[stranger.id]), by=rune)
    assert refusal.value.field == "predecessors"  # type: ignore[attr-defined]


def test_a_task_cannot_go_into_a_stream_of_another_runbook(
    make_runbook: MakeRunbook, rune: User, cast: Cast, refuses: Refuses
) -> None:
    runbook, other = make_runbook("Announce"), make_runbook("Count", workspace_id=cast.treasury)
    first = task(runbook, 1)
    with refuses(PlanRefused, "Choose a stream of this runbook.") as refusal:
        operations.edit_task(first, replace(plan_of(first), stream=other.streams[0]), by=rune)
    assert refusal.value.field == "stream_id"  # type: ignore[attr-defined]
    with refuses(PlanRefused, "Choose a stream of this runbook."):
        operations.add_task(runbook, other.streams[0], "Deploy", by=rune)


def test_another_workspace_s_ids_find_nothing(make_runbook: MakeRunbook, cast: Cast) -> None:
    runbook = make_runbook("Announce")
    other = make_runbook("Count", workspace_id=cast.treasury)
    otto = db.session.get_one(User, cast.otto)
    with pytest.raises(NotFound):
        queries.runbook_for(otto, runbook.id, Permission.READ_RUNBOOKS)
    with pytest.raises(NotFound):
        queries.task_for(otto, task(runbook, 1).id, Permission.RUN_TASKS)
    with pytest.raises(NotFound):
        queries.task_numbered(otto, runbook.id, 1, Permission.RUN_TASKS)
    with pytest.raises(NotFound):
        queries.stream_of(other, runbook.streams[0].id)
    assert queries.task_for(otto, task(other, 1).id, Permission.RUN_TASKS).title == "Count"


def test_who_may_only_view_is_told_that_it_is_forbidden(make_runbook: MakeRunbook, vera: User) -> None:
    runbook = make_runbook("Announce")
    assert queries.runbook_for(vera, runbook.id, Permission.READ_RUNBOOKS) == runbook
    with pytest.raises(Forbidden):
        queries.task_for(vera, task(runbook, 1).id, Permission.RUN_TASKS)


def test_what_is_not_committed_leaves_neither_rows_nor_audit_lines(
    make_runbook: MakeRunbook, rune: User
) -> None:
    runbook = make_runbook("Announce", "Deploy", "Verify")
    before = tables()
    operations.add_task(runbook, runbook.streams[0], "Late", by=rune)
    operations.edit_task(task(runbook, 1), replace(plan_of(task(runbook, 1)), title="Tell"), by=rune)
    operations.step_tasks(runbook, [2], 1, by=rune)
    operations.delete_task(task(runbook, 2), by=rune)
    undo(runbook, rune)
    assert len(tables()["audit_lines"]) == 6
    db.session.rollback()
    assert tables() == before


def _behind_the_session(model: type[Runbook | Task], row_id: int, **values: Any) -> None:
    statement = update(model).where(model.id == row_id).values(**values)
    db.session.execute(statement.execution_options(synchronize_session=False))
