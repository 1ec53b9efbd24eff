"""Rehearsals and live runs are kept: what was planned and what happened stays as it was, whatever becomes of the plan."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some
from sqlalchemy import select

from tests.runbooks.conftest import MakeAction, MakeRunbook, runs, states, task
from tests.runbooks.test_readiness import VERBS, walk_one_step
from webapp.accounts.models import User
from webapp.audit.models import AuditLine
from webapp.clock import now
from webapp.extensions import db
from webapp.integration_runs.states import RunState
from webapp.runbooks import operations
from webapp.runbooks.models import Execution, Runbook
from webapp.runbooks.operations.follow_up import finish_after_success
from webapp.runbooks.refusals import NotNow, PlanRefused
from webapp.runbooks.reviews.executions import executions_of, record_of, window_of
from webapp.runbooks.reviews.record_reads import present_record
from webapp.runbooks.reviews.records import Record, StreamRecord, TaskRecord
from webapp.runbooks.reviews.review_reads import load_review, load_told
from webapp.runbooks.states import Mode


def rehearse(runbook: Runbook, by: User, reason: str = "Enough for today") -> None:
    """A rehearsal that is cancelled, and the way back to planning."""
    operations.start_runbook(runbook, Mode.REHEARSAL, by=by)
    operations.cancel_runbook(runbook, reason, by=by)
    operations.plan_again(runbook, by=by)
    db.session.commit()


def kept(runbook: Runbook) -> dict[str, tuple[Any, ...]]:
    """What is stored of each rehearsal or live run that has ended."""
    db.session.flush()
    query = select(Execution.__table__).where(
        Execution.runbook_id == runbook.id, Execution.ending.is_not(None)
    )
    return {f"{row.kind}-{row.number}": tuple(row) for row in db.session.execute(query)}


def lines(verb: str) -> list[AuditLine]:
    return list(db.session.scalars(select(AuditLine).where(AuditLine.verb == verb).order_by(AuditLine.id)))


def test_each_start_is_kept_with_who_and_when_and_counts_within_its_kind(
    make_runbook: MakeRunbook, rune: User
) -> None:
    runbook = make_runbook("Announce")
    rehearse(runbook, rune)
    rehearse(runbook, rune, "The bridge was down")
    operations.start_runbook(runbook, Mode.LIVE, by=rune)
    db.session.commit()
    found = executions_of(runbook.id)
    assert [(each.label, each.standing, each.started_by, each.ended_by, each.reason) for each in found] == [
        ("Rehearsal 1", "cancelled", "Rune", "Rune", "Enough for today"),
        ("Rehearsal 2", "cancelled", "Rune", "Rune", "The bridge was down"),
        ("Live run", "under way", "Rune", "", ""),
    ]
    assert [each.slug for each in found] == ["rehearsal-1", "rehearsal-2", "live-1"]
    assert (found[2].started_at, found[2].ended_at) == (runbook.started_at, None)


def test_a_start_that_is_refused_leaves_no_execution(make_runbook: MakeRunbook, rune: User) -> None:
    runbook = make_runbook("Announce")
    operations.delete_task(task(runbook, 1), by=rune)
    db.session.commit()
    with pytest.raises(NotNow):
        operations.start_runbook(runbook, Mode.LIVE, by=rune)
    db.session.rollback()
    assert executions_of(runbook.id) == []


def test_the_end_keeps_the_plan_and_what_happened(make_runbook: MakeRunbook, rune: User, vera: User) -> None:
    runbook = make_runbook("Announce", "Deploy", waits={2: [1]}, mode=Mode.REHEARSAL)
    task(runbook, 1).assignees = [vera, rune]
    operations.start_task(task(runbook, 1), by=rune)
    operations.finish_task(task(runbook, 1), by=vera)
    operations.skip_task(task(runbook, 2), "Not needed", by=rune)
    operations.complete_runbook(runbook, by=rune)
    db.session.commit()
    first, second = (task(runbook, number) for number in (1, 2))
    [execution] = executions_of(runbook.id)
    assert (execution.ending, execution.ended_at) == ("complete", runbook.ended_at)
    assert record_of(execution) == Record(
        [StreamRecord(first.stream_id, "Tasks", 0)],
        [
            TaskRecord(
                id=first.id,
                number=1,
                title="Announce",
                stream_id=first.stream_id,
                duration_s=300,
                state="complete",
                completion="normally",
                started_at=first.started_at,
                finished_at=first.finished_at,
                started_by="Rune",
                finished_by="Vera",
                assignees=("Rune", "Vera"),
            ),
            TaskRecord(
                id=second.id,
                number=2,
                title="Deploy",
                stream_id=second.stream_id,
                duration_s=300,
                state="complete",
                completion="skipped",
                skip_reason="Not needed",
                finished_at=second.finished_at,
                finished_by="Rune",
                predecessors=(1,),
            ),
        ],
    )


def test_what_was_kept_bears_a_plan_that_changes_completely(make_runbook: MakeRunbook, rune: User) -> None:
    runbook = make_runbook("Announce", "Deploy", mode=Mode.REHEARSAL)
    operations.start_task(task(runbook, 1), by=rune)
    operations.cancel_runbook(runbook, "Enough for today", by=rune)
    before = kept(runbook)
    operations.plan_again(runbook, by=rune)
    task(runbook, 1).title = "Announce it in the channel"
    operations.edit_stream(runbook.streams[0], name="Bridge", color=4, parent=None, by=rune)
    operations.delete_task(task(runbook, 2), by=rune)
    operations.add_task(runbook, runbook.streams[0], "Verify", by=rune)
    rehearse(runbook, rune)
    after = kept(runbook)
    assert after["rehearsal-1"] == before["rehearsal-1"]
    first, second = (record_of(each) for each in executions_of(runbook.id))
    assert [each.title for each in first.tasks] == ["Announce", "Deploy"]
    assert [each.title for each in second.tasks] == ["Announce it in the channel", "Verify"]
    assert ([each.name for each in first.streams], [each.name for each in second.streams]) == (
        ["Tasks"],
        ["Bridge"],
    )


def test_a_rehearsal_that_ended_before_ends_were_kept_is_kept_on_its_way_back_to_planning(
    make_runbook: MakeRunbook, rune: User
) -> None:
    runbook = make_runbook("Announce", mode=Mode.REHEARSAL)
    operations.skip_task(task(runbook, 1), "Not needed", by=rune)
    operations.complete_runbook(runbook, by=rune)
    [execution] = executions_of(runbook.id)
    expected = record_of(execution)
    execution.kept = None
    db.session.commit()
    assert record_of(execution) == expected
    operations.plan_again(runbook, by=rune)
    db.session.commit()
    assert record_of(execution) == expected
    assert states(runbook) == {1: "not_startable"}


def test_a_call_that_is_answered_after_the_end_is_told_in_its_own_rehearsal_and_finishes_nothing(
    make_runbook: MakeRunbook, make_action: MakeAction, rune: User
) -> None:
    action = make_action(execute_in_rehearsal=True, finish_on_success=True)
    runbook = make_runbook("Announce", actions={1: action}, mode=Mode.REHEARSAL)
    operations.start_task(task(runbook, 1), by=rune)
    operations.cancel_runbook(runbook, "Enough for today", by=rune)
    db.session.commit()
    before, [call] = kept(runbook), runs()
    operations.plan_again(runbook, by=rune)
    operations.start_runbook(runbook, Mode.REHEARSAL, by=rune)
    operations.start_task(task(runbook, 1), by=rune)
    call.state = RunState.SUCCEEDED
    finish_after_success(call)
    db.session.commit()
    among = executions_of(runbook.id)
    told = [load_told(load_review(runbook, each, among), among).calls for each in among]
    assert [[(each.id, each.state) for each in calls] for calls in told] == [
        [(call.id, "succeeded")],
        [(runs()[1].id, "queued")],
    ]
    assert states(runbook) == {1: "in_progress"}
    assert kept(runbook) == before
    assert load_review(runbook, among[0], among).review.tasks[0].ending == "Not finished"


def test_a_lesson_belongs_to_what_was_started_last_and_is_told_again_later(
    make_runbook: MakeRunbook, rune: User
) -> None:
    runbook = make_runbook("Announce")

    def learn(words: str) -> None:
        noted = operations.add_comment(task(runbook, 1), words, by=rune)
        operations.mark_lesson(task(runbook, 1), noted, True, by=rune)
        db.session.commit()

    learn("while planning")
    rehearse(runbook, rune)
    learn("after the first")
    rehearse(runbook, rune)
    learn("after the second")
    among = executions_of(runbook.id)
    told = [load_told(load_review(runbook, each, among), among) for each in among]
    assert [([each.body for each in one.lessons], [each.body for each in one.earlier]) for one in told] == [
        (["while planning", "after the first"], []),
        (["after the second"], ["while planning", "after the first"]),
    ]
    first = window_of(among[0], among)
    assert (first.before, first.until) == (None, among[1].started_at)
    assert window_of(among[1], among).before == among[0].ended_at


MOMENTS = some.none() | some.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1)).map(
    lambda each: each.replace(tzinfo=now().tzinfo)
)
TASKS = some.builds(
    TaskRecord,
    planned_start=MOMENTS,
    started_at=MOMENTS,
    finished_at=MOMENTS,
    reopened_at=MOMENTS,
    predecessors=some.lists(some.integers()).map(tuple),
    assignees=some.lists(some.text()).map(tuple),
)


@given(some.lists(some.builds(StreamRecord)), some.lists(TASKS))
def test_a_record_is_read_as_it_was_written(streams: list[StreamRecord], tasks: list[TaskRecord]) -> None:
    record = Record(streams, tasks)
    assert Record.from_json(record.as_json()) == record


def test_a_record_of_an_older_and_of_a_newer_version_is_read() -> None:
    written = Record([], [TaskRecord(1, 1, "Announce", 1, 300, "complete", skip_reason="Because")]).as_json()
    at = written["fields"].index("skip_reason")
    written["fields"][at] = "something_new"
    assert Record.from_json(written).tasks == [TaskRecord(1, 1, "Announce", 1, 300, "complete")]


def planned(runbook: Runbook) -> list[datetime | None]:
    """The planned start of the runbook, and of each task, deleted ones too."""
    db.session.expire_all()
    return [
        runbook.planned_start,
        *(each.planned_start for each in sorted(runbook.tasks, key=lambda t: t.number)),
    ]


@pytest.fixture
def planned_earlier(make_runbook: MakeRunbook, rune: User) -> Runbook:
    """A runbook that should have begun two hours ago; task 1 has no planned start of its own, task 3 is deleted."""
    runbook = make_runbook("Announce", "Deploy", "Verify")
    runbook.planned_start = now() - timedelta(hours=2)
    task(runbook, 2).planned_start = runbook.planned_start + timedelta(minutes=30)
    task(runbook, 3).planned_start = runbook.planned_start + timedelta(minutes=45)
    operations.delete_task(task(runbook, 3), by=rune)
    db.session.commit()
    return runbook


def test_a_rehearsal_may_move_the_plan_to_its_start_and_going_back_to_planning_moves_it_back(
    planned_earlier: Runbook, rune: User
) -> None:
    runbook, before = planned_earlier, planned(planned_earlier)
    operations.start_runbook(runbook, Mode.REHEARSAL, by=rune, rebaseline=True)
    db.session.commit()
    [execution] = executions_of(runbook.id)
    moved, shift = planned(runbook), timedelta(seconds=execution.shift_s)
    assert moved == [each + shift if each else None for each in before]
    assert runbook.planned_start is not None
    assert timedelta() <= execution.started_at - runbook.planned_start < timedelta(seconds=1)
    assert execution.planned_start == runbook.planned_start
    [line] = lines("runbook.rebaselined")
    assert line.after == {
        "planned_start": runbook.planned_start.isoformat(),
        "moved by seconds": execution.shift_s,
        "tasks with a planned start": 2,
    }
    operations.cancel_runbook(runbook, "Enough for today", by=rune)
    operations.plan_again(runbook, by=rune)
    db.session.commit()
    assert planned(runbook) == before
    assert [each.after["moved by seconds"] for each in lines("runbook.baseline_restored") if each.after] == [
        -execution.shift_s
    ]
    found = load_review(runbook, execution, [execution])
    assert (found.planned_start is None or found.schedule.start_late_s == 0, found.review.late) == (True, [])


def test_a_plan_that_is_kept_counts_everything_as_late(planned_earlier: Runbook, rune: User) -> None:
    runbook, before = planned_earlier, planned(planned_earlier)
    operations.start_runbook(runbook, Mode.LIVE, by=rune)
    operations.start_task(task(runbook, 1), by=rune)
    db.session.commit()
    assert planned(runbook) == before
    assert (lines("runbook.rebaselined"), executions_of(runbook.id)[0].shift_s) == ([], 0)
    among = executions_of(runbook.id)
    found = load_review(runbook, among[0], among)
    assert found.schedule.start_late_s // 60 == 120
    assert [(each.task.number, each.held_by, each.late_s // 60) for each in found.review.late] == [
        (1, None, 120),
        (2, None, 90),
    ]
    assert found.review.late[0].held == "Waited for the start of the runbook, 2h after the task's plan."


def test_without_a_planned_start_the_first_of_the_tasks_is_what_moves(
    planned_earlier: Runbook, rune: User
) -> None:
    runbook = planned_earlier
    runbook.planned_start = None
    db.session.commit()
    operations.start_runbook(runbook, Mode.LIVE, by=rune, rebaseline=True)
    db.session.commit()
    _, _, second, third = planned(runbook)
    assert runbook.planned_start is None
    assert second is not None and third is not None and runbook.started_at is not None
    assert timedelta() <= runbook.started_at - second < timedelta(seconds=1)
    assert third - second == timedelta(minutes=15)


def test_a_plan_that_begins_now_does_not_move(make_runbook: MakeRunbook, rune: User) -> None:
    runbook = make_runbook("Announce")
    runbook.planned_start = now() - timedelta(seconds=30)
    before = planned(runbook)
    operations.start_runbook(runbook, Mode.LIVE, by=rune, rebaseline=True)
    db.session.commit()
    assert (planned(runbook), lines("runbook.rebaselined")) == (before, [])


def test_a_plan_does_not_move_out_of_the_calendar(make_runbook: MakeRunbook, rune: User) -> None:
    runbook = make_runbook("Announce")
    runbook.planned_start = now() - timedelta(days=365)
    task(runbook, 1).planned_start = datetime(9999, 12, 1, tzinfo=now().tzinfo)
    db.session.commit()
    with pytest.raises(NotNow, match="cannot move that far"):
        operations.start_runbook(runbook, Mode.LIVE, by=rune, rebaseline=True)


@settings(
    max_examples=10,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    derandomize=True,
)
@given(
    steps=some.lists(
        some.tuples(
            some.sampled_from([*VERBS, "end", "end", "again", "again", "rehearse", "rehearse"]),
            some.integers(1, 5),
            some.integers(1, 5),
        ),
        min_size=15,
        max_size=50,
    )
)
def test_on_any_walk_what_was_kept_stays_as_it_was(
    make_runbook: MakeRunbook, rune: User, vera: User, steps: list[tuple[str, int, int]]
) -> None:
    runbook = make_runbook("A", "B", "C", "D", "E", waits={2: [1], 3: [1], 4: [2, 3]})
    runbook.planned_start = now() - timedelta(hours=1)
    plan_before: list[datetime | None] = []
    ends = {
        "end": lambda: operations.cancel_runbook(runbook, "Enough", by=rune),
        "again": lambda: operations.plan_again(runbook, by=rune),
        "rehearse": lambda: operations.start_runbook(runbook, Mode.REHEARSAL, by=rune, rebaseline=True),
    }
    for verb, number, other in steps:
        before, state = kept(runbook), runbook.state
        at = [runbook.planned_start]
        try:
            with db.session.begin_nested():
                if verb in ends:
                    ends[verb]()
                else:
                    walk_one_step(verb, runbook, task(runbook, number), task(runbook, other), rune, vera)
        except (NotNow, PlanRefused):
            db.session.refresh(runbook)
            assert (kept(runbook), runbook.state) == (before, state)
            continue
        after = kept(runbook)
        assert {name: after[name] for name in before} == before
        assert len(after) - len(before) == (verb == "end")
        if verb == "end":
            newest = executions_of(runbook.id)[-1]
            assert record_of(newest) == present_record(runbook.id)
        elif verb == "rehearse":
            plan_before = at
            assert len(executions_of(runbook.id)) == len(before) + 1
        elif verb == "again":
            assert [runbook.planned_start] == plan_before
    db.session.rollback()
