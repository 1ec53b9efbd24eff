"""Running tasks: what each step writes, who wins of two, and what stands in the way."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import delete, select, update

from tests.runbooks.conftest import (
    MakeAction,
    MakeField,
    MakeRunbook,
    Refuses,
    only_line,
    runs,
    states,
    tables,
    task,
)
from webapp.accounts.models import User
from webapp.audit.models import AuditLine
from webapp.clock import now
from webapp.extensions import db
from webapp.fields import queries as fields
from webapp.fields.kinds import InvalidValue
from webapp.fields.models import FieldDefinition
from webapp.integration_runs.models import IntegrationRun
from webapp.integration_runs.operations import RequestInvalid, retry_run
from webapp.integration_runs.states import NotNow as RunNotNow
from webapp.runbooks import operations
from webapp.runbooks.models import Comment, Runbook, Task
from webapp.runbooks.refusals import CannotCall, FieldsMissing, NotNow, PlanRefused, TakenBefore
from webapp.runbooks.states import Mode


def do(verb: str, found: Task, by: User) -> None:
    {
        "start": lambda: operations.start_task(found, by=by),
        "finish": lambda: operations.finish_task(found, by=by),
        "by hand": lambda: operations.finish_by_hand(found, "Done in the console", by=by),
        "skip": lambda: operations.skip_task(found, "Not needed", by=by),
    }[verb]()


def test_a_start_notes_who_and_when(make_runbook: MakeRunbook, rune: User) -> None:
    runbook = make_runbook("Announce", mode=Mode.LIVE)
    seq, first = runbook.seq, task(runbook, 1)
    operations.start_task(first, by=rune)
    assert (first.state, first.started_by_id, first.completion) == ("in_progress", rune.id, None)
    assert first.started_at is not None
    assert (runbook.seq, first.seq) == (seq + 1, seq + 1)
    line = only_line()
    assert (line.verb, line.object_type, line.object_id, line.object_name, line.actor_name) == (
        "task.started",
        "tasks",
        first.id,
        "#1 Announce",
        "Rune",
    )
    assert (line.before, line.after, line.note) == (None, {"state": "in_progress"}, None)
    assert (line.workspace_id, line.runbook_id) == (runbook.workspace_id, runbook.id)


def test_a_finish_notes_who_and_when_and_how(make_runbook: MakeRunbook, rune: User, vera: User) -> None:
    runbook = make_runbook("Announce", mode=Mode.LIVE)
    first = task(runbook, 1)
    operations.start_task(first, by=rune)
    db.session.execute(delete(AuditLine))
    operations.finish_task(first, by=vera)
    assert (first.state, first.completion, first.skip_reason) == ("complete", "normally", "")
    assert (first.started_by_id, first.finished_by_id) == (rune.id, vera.id)
    assert first.finished_at is not None
    line = only_line()
    assert (line.verb, line.actor_name) == ("task.finished", "Vera")
    assert line.after == {"state": "complete", "completion": "normally"}


@pytest.mark.parametrize("started", [False, True])
def test_what_is_finished_by_hand_keeps_the_reason(
    make_runbook: MakeRunbook, rune: User, started: bool
) -> None:
    runbook = make_runbook("Announce", mode=Mode.LIVE)
    first = task(runbook, 1)
    if started:
        operations.start_task(first, by=rune)
        db.session.execute(delete(AuditLine))
    operations.finish_by_hand(first, "  Posted from a phone ", by=rune)
    assert (first.state, first.completion, first.skip_reason) == (
        "complete",
        "by_hand",
        "Posted from a phone",
    )
    assert (first.started_by_id, first.finished_by_id) == (rune.id, rune.id)
    assert first.started_at is not None
    line = only_line()
    assert (line.verb, line.note) == ("task.finished_by_hand", "Posted from a phone")
    assert line.after == {"state": "complete", "completion": "by_hand"}


def test_a_skip_keeps_the_reason_and_starts_nothing(make_runbook: MakeRunbook, rune: User) -> None:
    runbook = make_runbook("Announce", "Deploy", waits={2: [1]}, mode=Mode.LIVE)
    second = task(runbook, 2)
    operations.skip_task(second, " Not needed ", by=rune)
    assert (second.state, second.completion, second.skip_reason) == ("complete", "skipped", "Not needed")
    assert (second.started_at, second.started_by_id, second.finished_by_id) == (None, None, rune.id)
    line = only_line()
    assert (line.verb, line.note) == ("task.skipped", "Not needed")
    assert line.after == {"state": "complete", "completion": "skipped"}


@pytest.mark.parametrize(
    ("state", "verb", "allowed"),
    [
        ("not_startable", "start", False),
        ("not_startable", "finish", False),
        ("not_startable", "by hand", False),
        ("not_startable", "skip", True),
        ("startable", "start", True),
        ("startable", "finish", False),
        ("startable", "by hand", True),
        ("startable", "skip", True),
        ("in_progress", "start", False),
        ("in_progress", "finish", True),
        ("in_progress", "by hand", True),
        ("in_progress", "skip", True),
        ("complete", "start", False),
        ("complete", "finish", False),
        ("complete", "by hand", False),
        ("complete", "skip", False),
    ],
)
def test_in_each_state_a_step_is_taken_or_refused_and_rolled_back_without_a_trace(
    make_runbook: MakeRunbook, rune: User, state: str, verb: str, allowed: bool
) -> None:
    runbook = make_runbook("Announce", "Deploy", waits={2: [1]}, mode=Mode.LIVE)
    found = task(runbook, 2 if state == "not_startable" else 1)
    for step in {"in_progress": ["start"], "complete": ["start", "finish"]}.get(state, []):
        do(step, found, rune)
    db.session.commit()
    assert found.state == state
    before = tables()
    if allowed:
        do(verb, found, rune)
        assert len(tables()["audit_lines"]) == len(before["audit_lines"]) + 1
    else:
        with pytest.raises(NotNow, match=r"^[A-Z#].*\.$"):
            do(verb, found, rune)
    db.session.rollback()
    assert tables() == before


@pytest.mark.parametrize("verb", ["start", "finish", "by hand", "skip"])
@pytest.mark.parametrize(
    ("state", "sentence"),
    [
        ("planning", "The runbook has not been started yet."),
        ("paused", "The runbook is paused. Resume it first."),
        ("cancelled", "The runbook was cancelled."),
    ],
)
def test_only_a_running_runbook_s_tasks_are_run(
    make_runbook: MakeRunbook, rune: User, refuses: Refuses, state: str, sentence: str, verb: str
) -> None:
    runbook = make_runbook("Announce", mode=None if state == "planning" else Mode.LIVE)
    if state == "paused":
        operations.pause_runbook(runbook, by=rune)
    elif state == "cancelled":
        operations.cancel_runbook(runbook, "The vendor is down", by=rune)
    with refuses(NotNow, sentence):
        do(verb, task(runbook, 1), rune)


@pytest.mark.parametrize(
    ("verb", "sentence"),
    [
        ("skip", "Say why this task is skipped."),
        ("by hand", "Say what was done by hand, so that others can rely on it."),
    ],
)
def test_a_reason_is_asked_for(
    make_runbook: MakeRunbook, rune: User, refuses: Refuses, verb: str, sentence: str
) -> None:
    runbook = make_runbook("Announce", mode=Mode.LIVE)
    operation = {"skip": operations.skip_task, "by hand": operations.finish_by_hand}[verb]
    with refuses(ValueError, sentence):
        operation(task(runbook, 1), " \n", by=rune)


def test_the_second_of_two_who_start_is_told_who_was_first(
    make_runbook: MakeRunbook, make_action: MakeAction, rune: User, vera: User, refuses: Refuses
) -> None:
    runbook = make_runbook("Announce", actions={1: make_action()}, mode=Mode.LIVE)
    first = task(runbook, 1)
    operations.start_task(first, by=rune)
    first.started_at = now() - timedelta(minutes=5, seconds=10)
    with refuses(TakenBefore, "Rune started this 5m ago."):
        operations.start_task(first, by=vera)
    assert len(runs()) == 1


def test_who_starts_from_a_page_that_is_behind_is_told_who_was_first(
    make_runbook: MakeRunbook, make_action: MakeAction, rune: User, vera: User
) -> None:
    runbook = make_runbook("Announce", actions={1: make_action()}, mode=Mode.LIVE)
    first = task(runbook, 1)
    assert first.state == "startable"
    # What another transaction would have committed since the task was loaded.
    db.session.execute(
        update(Task)
        .where(Task.id == first.id)
        .values(state="in_progress", started_by_id=rune.id, started_at=datetime(2020, 1, 1, tzinfo=UTC))
        .execution_options(synchronize_session=False)
    )
    with pytest.raises(TakenBefore, match=r"^Rune started this \d+d .*ago\.$"):
        operations.start_task(first, by=vera)
    assert runs() == []


def test_of_two_people_who_press_start_at_once_one_wins_and_one_run_exists(
    app: Flask, make_runbook: MakeRunbook, make_action: MakeAction, rune: User, vera: User
) -> None:
    runbook = make_runbook("Announce", actions={1: make_action()}, mode=Mode.LIVE)
    task_id, people = task(runbook, 1).id, [rune.id, vera.id]
    db.session.commit()
    together = threading.Barrier(2)
    told: list[str] = []

    def press(user_id: int) -> None:
        with app.app_context():
            together.wait()
            try:
                operations.start_task(db.session.get_one(Task, task_id), by=db.session.get_one(User, user_id))
                db.session.commit()
                told.append("started")
            except TakenBefore as refusal:
                told.append(str(refusal))
                db.session.rollback()
            finally:
                db.session.remove()

    threads = [threading.Thread(target=press, args=(each,)) for each in people]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    db.session.expire_all()
    winner = db.session.get_one(User, task(runbook, 1).started_by_id).name
    assert len(told) == 2
    assert "started" in told
    (refusal,) = (each for each in told if each != "started")
    assert refusal.startswith(f"{winner} started this ")
    assert [run.task_id for run in runs()] == [task_id]
    lines = db.session.scalars(select(AuditLine.verb).order_by(AuditLine.id)).all()
    assert lines == ["task.started", "integration_run.requested"]


def test_a_fixed_start_is_waited_for(
    make_runbook: MakeRunbook, make_action: MakeAction, rune: User, refuses: Refuses
) -> None:
    runbook = make_runbook("Announce", actions={1: make_action(fixed_start=True)}, mode=Mode.LIVE)
    task(runbook, 1).planned_start = datetime(2200, 1, 2, 10, 30, tzinfo=UTC)
    with refuses(NotNow, "This task has a fixed start: 2 Jan 2200, 10:30 in UTC."):
        operations.start_task(task(runbook, 1), by=rune)
    task(runbook, 1).planned_start = datetime(2020, 1, 2, 10, 30, tzinfo=UTC)
    operations.start_task(task(runbook, 1), by=rune)
    assert states(runbook) == {1: "in_progress"}


@pytest.mark.parametrize("place", ["task_edit", "task_start"])
def test_a_required_field_that_is_empty_blocks_the_start(
    make_runbook: MakeRunbook, make_field: MakeField, rune: User, refuses: Refuses, place: str
) -> None:
    runbook = make_runbook("Announce", mode=Mode.LIVE)
    channel = make_field("Slack Channel", displays_on=[place], required=True)
    make_field("Note", displays_on=[place])
    with refuses(FieldsMissing, "Fill in Slack Channel first.") as refusal:
        operations.start_task(task(runbook, 1), by=rune)
    assert [each.name for each in refusal.value.definitions] == ["Slack Channel"]  # type: ignore[attr-defined]
    operations.save_field(task(runbook, 1), channel, ["#general"], by=rune)
    operations.start_task(task(runbook, 1), by=rune)
    assert states(runbook) == {1: "in_progress"}


def test_a_field_required_at_the_finish_blocks_only_the_finish(
    make_runbook: MakeRunbook, make_field: MakeField, rune: User, refuses: Refuses
) -> None:
    result = make_field("Result", displays_on=["task_finish"], required=True)
    runbook = make_runbook("Announce", mode=Mode.LIVE)
    first = task(runbook, 1)
    operations.start_task(first, by=rune)
    with refuses(FieldsMissing, "Fill in Result first."):
        operations.finish_task(first, by=rune)
    operations.save_field(first, result, ["All well"], by=rune)
    operations.finish_task(first, by=rune)
    assert first.state == "complete"


def test_a_field_of_another_action_or_workspace_blocks_nothing(
    make_runbook: MakeRunbook, make_action: MakeAction, make_field: MakeField, rune: User, cast: Any
) -> None:
    from webapp.workspaces.models import Workspace

    treasury = db.session.get_one(Workspace, cast.treasury)
    make_field("Elsewhere", required=True, action_ids=[make_action().id])
    make_field("Account", required=True, is_global=False, workspaces=[treasury])
    runbook = make_runbook("Announce", mode=Mode.LIVE)
    operations.start_task(task(runbook, 1), by=rune)
    assert states(runbook) == {1: "in_progress"}


def test_values_are_locked_once_the_task_has_run_with_them(
    make_runbook: MakeRunbook, make_field: MakeField, rune: User, refuses: Refuses
) -> None:
    message, result = make_field("Message"), make_field("Result", displays_on=["task_finish"])
    runbook = make_runbook("Announce", mode=Mode.LIVE)
    first = task(runbook, 1)
    operations.save_field(first, message, ["Hello"], by=rune)
    db.session.commit()
    line = only_line()
    assert (line.verb, line.object_name, line.before, line.after) == (
        "field_value.changed",
        "#1 Announce",
        {"Message": None},
        {"Message": "Hello"},
    )
    assert (line.workspace_id, line.runbook_id) == (runbook.workspace_id, runbook.id)
    operations.start_task(first, by=rune)
    with refuses(NotNow, "Locked: the task has run with these values."):
        operations.save_field(first, message, ["Bye"], by=rune)
    operations.save_field(first, result, ["All well"], by=rune)
    operations.finish_task(first, by=rune)
    with refuses(NotNow, "Locked: the task has run with these values."):
        operations.save_field(first, result, ["Not so well"], by=rune)
    stored = fields.values_of_task(first.id)
    assert {each: stored[each.id].value for each in (message, result)} == {
        message: "Hello",
        result: "All well",
    }


@pytest.fixture
def failed(
    make_runbook: MakeRunbook, make_action: MakeAction, make_field: MakeField, rune: User
) -> IntegrationRun:
    """The run of a started task that posts its Message, which was refused."""
    action = make_action(body='{"text":"{{CustomField[\'Message\']}}"}')
    message = make_field("Message", required=True)
    runbook = make_runbook("Announce", actions={1: action})
    first = task(runbook, 1)
    operations.save_field(first, message, ["Helo"], by=rune)
    db.session.flush()
    operations.start_runbook(runbook, Mode.LIVE, by=rune)
    operations.start_task(first, by=rune)
    db.session.execute(update(IntegrationRun).values(state="failed"))
    db.session.commit()
    (run,) = runs()
    return run


def test_after_a_failed_call_its_values_can_be_corrected_and_the_next_is_made_of_them(
    failed: IntegrationRun, rune: User, refuses: Refuses
) -> None:
    first = db.session.get_one(Task, failed.task_id)
    message = db.session.scalars(select(FieldDefinition)).one()
    operations.save_field(first, message, ["Hello"], by=rune)
    operations.retry_call(first, failed, by=rune)
    db.session.commit()
    assert [(each.state, each.body) for each in runs()] == [
        ("failed", '{"text":"Helo"}'),
        ("queued", '{"text":"Hello"}'),
    ]
    with refuses(NotNow, "Locked: the task has run with these values."):
        operations.save_field(first, message, ["Bye"], by=rune)


def test_of_two_who_retry_a_failed_call_the_second_is_told(
    failed: IntegrationRun, rune: User, vera: User, refuses: Refuses
) -> None:
    first = db.session.get_one(Task, failed.task_id)
    operations.retry_call(first, failed, by=rune)
    with refuses(NotNow, "It was called again meanwhile. Look at the newest call."):
        operations.retry_call(first, failed, by=vera)


def test_a_call_that_was_made_again_is_not_sent_from_its_log_either(
    failed: IntegrationRun, rune: User, refuses: Refuses
) -> None:
    operations.retry_call(db.session.get_one(Task, failed.task_id), failed, by=rune)
    sentence = "The task's call was made again meanwhile. Only the newest can be retried."
    with refuses(RunNotNow, sentence):
        retry_run(failed, rune)


def test_a_call_is_not_made_again_without_a_required_value(
    failed: IntegrationRun, rune: User, refuses: Refuses
) -> None:
    first = db.session.get_one(Task, failed.task_id)
    message = db.session.scalars(select(FieldDefinition)).one()
    operations.save_field(first, message, [""], by=rune)
    with refuses(FieldsMissing, "Fill in Message first."):
        operations.retry_call(first, failed, by=rune)


def test_a_call_whose_outcome_is_unknown_is_repeated_as_it_was(failed: IntegrationRun, rune: User) -> None:
    failed.state = "unknown"
    db.session.commit()
    operations.retry_call(db.session.get_one(Task, failed.task_id), failed, by=rune)
    db.session.commit()
    assert [(each.id, each.state, each.body) for each in runs()] == [(failed.id, "queued", '{"text":"Helo"}')]


def test_nothing_is_called_again_once_the_runbook_is_over(
    failed: IntegrationRun, rune: User, refuses: Refuses
) -> None:
    first = db.session.get_one(Task, failed.task_id)
    operations.cancel_runbook(first.runbook, "The vendor is down", by=rune)
    with refuses(NotNow, "The runbook is over, so nothing of it is called any more."):
        operations.retry_call(first, failed, by=rune)


def test_values_are_locked_once_the_runbook_has_ended(
    make_runbook: MakeRunbook, make_field: MakeField, rune: User, refuses: Refuses
) -> None:
    message = make_field("Message")
    runbook = make_runbook("Announce", mode=Mode.LIVE)
    operations.cancel_runbook(runbook, "The vendor is down", by=rune)
    with refuses(NotNow, "Locked: the runbook has ended."):
        operations.save_field(task(runbook, 1), message, ["Hello"], by=rune)


def test_a_value_that_does_not_fit_changes_nothing(
    make_runbook: MakeRunbook, make_field: MakeField, rune: User
) -> None:
    field = make_field("Count", kind="number")
    runbook = make_runbook("Announce")
    before = tables()
    with pytest.raises(InvalidValue):
        operations.save_field(task(runbook, 1), field, ["many"], by=rune)
    db.session.rollback()
    assert tables() == before


@pytest.mark.parametrize(
    ("state", "sentence"),
    [
        ("queued", "Its integration has not answered yet. Wait for it, or finish the task by hand."),
        ("sending", "Its integration has not answered yet. Wait for it, or finish the task by hand."),
        ("waiting", "Its integration has not answered yet. Wait for it, or finish the task by hand."),
        ("failed", "Its integration failed. Retry it, or finish the task by hand with a reason."),
        ("unknown", "Nobody knows yet whether its request arrived. Resolve that first."),
    ],
)
def test_a_call_that_has_not_succeeded_blocks_the_finish(
    make_runbook: MakeRunbook,
    make_action: MakeAction,
    rune: User,
    refuses: Refuses,
    state: str,
    sentence: str,
) -> None:
    first = _with_call(make_runbook, make_action, rune, state)
    with refuses(NotNow, sentence):
        operations.finish_task(first, by=rune)


@pytest.mark.parametrize("state", ["succeeded", "cancelled"])
def test_a_call_that_succeeded_or_was_cancelled_does_not(
    make_runbook: MakeRunbook, make_action: MakeAction, rune: User, state: str
) -> None:
    first = _with_call(make_runbook, make_action, rune, state)
    operations.finish_task(first, by=rune)
    assert first.completion == "normally"


@pytest.mark.parametrize("verb", ["by hand", "skip"])
@pytest.mark.parametrize(
    ("state", "afterwards"),
    [
        ("queued", "cancelled"),
        ("sending", "sending"),
        ("waiting", "waiting"),
        ("failed", "failed"),
        ("unknown", "unknown"),
    ],
)
def test_without_its_integration_a_task_goes_on_and_only_a_call_that_has_not_left_is_cancelled(
    make_runbook: MakeRunbook,
    make_action: MakeAction,
    rune: User,
    state: str,
    afterwards: str,
    verb: str,
) -> None:
    first = _with_call(make_runbook, make_action, rune, state)
    do(verb, first, rune)
    db.session.commit()
    assert first.state == "complete"
    assert [run.state for run in runs()] == [afterwards]


def test_a_request_that_cannot_be_made_keeps_the_task_from_starting(
    make_runbook: MakeRunbook, make_action: MakeAction, rune: User, refuses: Refuses
) -> None:
    action = make_action()
    runbook = make_runbook("Announce", actions={1: action}, mode=Mode.LIVE)
    action.body = '{"text":"{{Task.nmae}}"}'
    db.session.commit()
    before = tables()
    with pytest.raises(RequestInvalid) as refusal:
        operations.start_task(task(runbook, 1), by=rune)
    db.session.rollback()
    assert refusal.value.part == "body"
    assert tables() == before


def test_an_archived_action_is_not_called(
    make_runbook: MakeRunbook, make_action: MakeAction, rune: User, refuses: Refuses
) -> None:
    action = make_action()
    runbook = make_runbook("Announce", actions={1: action}, mode=Mode.LIVE)
    action.archived_at = datetime(2026, 11, 23, tzinfo=UTC)
    sentence = "The integration action Post to a channel is archived. Choose another, or finish by hand."
    with refuses(CannotCall, sentence):
        operations.start_task(task(runbook, 1), by=rune)


def test_a_comment_is_stored_and_audited(make_runbook: MakeRunbook, vera: User) -> None:
    runbook = make_runbook("Announce")
    first = task(runbook, 1)
    comment = operations.add_comment(first, "  Ready when you are. ", by=vera)
    stored = db.session.scalars(select(Comment)).one()
    assert (stored.id, stored.task_id, stored.user_id, stored.body) == (
        comment.id,
        first.id,
        vera.id,
        "Ready when you are.",
    )
    assert first.seq == runbook.seq
    line = only_line()
    assert (line.verb, line.object_type, line.object_name, line.actor_name, line.after) == (
        "comment.added",
        "comments",
        "Ready when you are.",
        "Vera",
        {"task": "#1 Announce"},
    )


@pytest.mark.parametrize(
    ("body", "sentence"),
    [(" ", "Write something first."), ("x" * 5001, "A comment may have at most 5000 characters.")],
)
def test_an_empty_or_overlong_comment_is_refused(
    make_runbook: MakeRunbook, vera: User, refuses: Refuses, body: str, sentence: str
) -> None:
    runbook = make_runbook("Announce")
    with refuses(PlanRefused, sentence):
        operations.add_comment(task(runbook, 1), body, by=vera)


def test_a_task_that_is_gone_is_not_run(make_runbook: MakeRunbook, rune: User, refuses: Refuses) -> None:
    runbook = make_runbook("Announce", mode=Mode.LIVE)
    operations.delete_task(task(runbook, 1), by=rune)
    for verb in ("start", "finish", "by hand", "skip"):
        with refuses(NotNow, "This task was deleted."):
            do(verb, task(runbook, 1), rune)


def _with_call(make_runbook: MakeRunbook, make_action: MakeAction, by: User, state: str) -> Task:
    """A task in progress whose call stands there."""
    runbook: Runbook = make_runbook("Announce", actions={1: make_action()}, mode=Mode.LIVE)
    operations.start_task(task(runbook, 1), by=by)
    db.session.execute(update(IntegrationRun).values(state=state))
    db.session.commit()
    return task(runbook, 1)
