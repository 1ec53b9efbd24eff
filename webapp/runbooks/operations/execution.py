"""Running tasks: start, finish, finish by hand, skip, reopen. Of two people who press at once, one wins.

Where a task's rule asks for the word of several people, a start or finish of one of them is that word, and only the last
one's does it.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import update

from webapp.accounts.models import User
from webapp.audit.operations import record
from webapp.clock import now
from webapp.extensions import db
from webapp.fields import queries as fields
from webapp.integration_runs import queries as integration_runs
from webapp.integration_runs.models import IntegrationRun
from webapp.integration_runs.operations import cancel_run, retry_run
from webapp.integration_runs.states import NotNow as RunNotNow
from webapp.integration_runs.states import RunState
from webapp.runbooks import durations
from webapp.runbooks.models import Runbook, Task
from webapp.runbooks.operations.changes import stamp, touch
from webapp.runbooks.operations.confirmations import forget, given_by_people, press_for, rule_of
from webapp.runbooks.operations.readiness import is_before_its_time, release_followers, settle_readiness
from webapp.runbooks.refusals import FieldsMissing, NotNow, PeopleAsked, ResultMissing, TakenBefore
from webapp.runbooks.rules import Moment, in_words
from webapp.runbooks.states import (
    NOT_STARTED,
    UNDER_WAY,
    UNPROVEN,
    Completion,
    Result,
    RunbookState,
    TaskEvent,
    TaskState,
    sources,
    task_after,
)
from webapp.runbooks.task_types import type_of
from webapp.runbooks.triggers import TRIGGERS
from webapp.zones import local

LONGEST_REASON = 1000


def start_task(task: Task, *, by: User | None, accepted: str = "") -> None:
    """Start it and call its integration; `by` None where it starts by itself. A milestone is complete with it.

    `accepted`: why to start a linked runbook live in spite of what its pre-flight warns about. Raises TakenBefore where
    someone was first, NotNow, FieldsMissing, CannotCall, WarningsToAccept, or integration_runs' RequestInvalid;
    nothing is changed then, once the transaction is rolled back.
    """
    runbook = task.runbook
    seq = touch(runbook)
    _refuse_unless_running(runbook)
    _refuse_unless(task, TaskEvent.START)
    _refuse_before_its_time(task)
    go, note = _said(task, Moment.START, by)
    if not go:
        stamp([task.id], seq)
        return
    kind = type_of(task.type)
    _refuse_missing(task, _needed_to_start(task))
    kind.check_start(task, by)
    TRIGGERS["task_start"].check(task, by)
    moment = {"started_at": now(), "started_by_id": by.id if by else None}
    if kind.point:
        _complete(task, TaskEvent.REACH, seq, by, Completion.NORMALLY, **moment)
        _record("task.reached", task, by, note)
        release_followers(runbook, task.id, seq, by=by)
        return
    _move(task, TaskEvent.START, seq, **moment)
    _record("task.started", task, by, note)
    TRIGGERS["task_start"].call(task, by)
    kind.started(task, by, accepted)


def finish_task(
    task: Task,
    *,
    by: User | None,
    completion: Completion = Completion.NORMALLY,
    result: Result | None = None,
    comment: str = "",
) -> None:
    """Finish it. Where its integration was called, that must have succeeded; a validation needs its `result`.

    Raises TakenBefore, NotNow, FieldsMissing, CannotCall or RequestInvalid, as start_task does, ResultMissing, and
    ValueError for a result without the comment that it needs.
    """
    runbook = task.runbook
    kind = type_of(task.type)
    seq = touch(runbook)
    if completion is Completion.NORMALLY:
        _refuse_unless_running(runbook)
        _refuse_unless(task, TaskEvent.FINISH)
        _refuse_open_call(task)
    kind.check_finish(task)
    go, note = _said(task, Moment.FINISH, by)
    if not go:
        stamp([task.id], seq)
        return
    found = _result(result, comment) if kind.asks_result else {}
    _refuse_missing(task, asked_for(task, "task_finish"))
    _complete(task, TaskEvent.FINISH, seq, by, completion, **found)
    _record("task.finished", task, by, found.get("result_comment") or note)
    TRIGGERS["task_finish"].call(task, by)
    release_followers(runbook, task.id, seq, by=by)


def finish_by_hand(task: Task, reason: str, *, by: User) -> None:
    """Finish a task whose integration is down, because someone did it by hand. Its call is cancelled if it waits.

    Raises ValueError without a reason, TakenBefore or NotNow.
    """
    reason = _reason(reason, "Say what was done by hand, so that others can rely on it.")
    runbook = task.runbook
    seq = touch(runbook)
    _refuse_unless_running(runbook)
    _refuse_unless(task, TaskEvent.FINISH_BY_HAND)
    type_of(task.type).check_by_hand(task)
    started = {} if task.started_at else {"started_at": now(), "started_by_id": by.id}
    _complete(task, TaskEvent.FINISH_BY_HAND, seq, by, Completion.BY_HAND, skip_reason=reason, **started)
    _record("task.finished_by_hand", task, by, note=reason)
    _cancel_call(task, by)
    release_followers(runbook, task.id, seq, by=by)


def skip_task(task: Task, reason: str, *, by: User) -> None:
    """Go on without it. A call that has not been sent yet is cancelled.

    Raises ValueError without a reason, TakenBefore, NotNow, CannotCall or RequestInvalid.
    """
    reason = _reason(reason, "Say why this task is skipped.")
    runbook = task.runbook
    seq = touch(runbook)
    _refuse_unless_running(runbook)
    _refuse_unless(task, TaskEvent.SKIP)
    _complete(task, TaskEvent.SKIP, seq, by, Completion.SKIPPED, skip_reason=reason)
    _record("task.skipped", task, by, note=reason)
    _cancel_call(task, by)
    TRIGGERS["task_skip"].call(task, by)
    release_followers(runbook, task.id, seq, by=by)


def reopen_task(task: Task, reason: str, *, by: User) -> None:
    """Have a complete task done again. What waits for it waits again; what has started meanwhile stays.

    It does not start by itself any more: that would repeat its call without anyone's word.
    Raises ValueError without a reason, or NotNow.
    """
    reason = _reason(reason, "Say why it is opened again.")
    runbook = task.runbook
    seq = touch(runbook)
    _refuse_unless_running(runbook)
    db.session.refresh(task)
    if task.deleted_at is not None:
        raise NotNow("This task was deleted.")
    task_after(task.state, TaskEvent.REOPEN)
    before = {"state": task.state, "completion": task.completion}
    if task.result is not None:
        before["result"] = task.result
    _move(
        task,
        TaskEvent.REOPEN,
        seq,
        completion=None,
        skip_reason="",
        started_at=None,
        started_by_id=None,
        finished_at=None,
        finished_by_id=None,
        result=None,
        result_comment="",
        reopened_at=now(),
    )
    forget(task)
    _record("task.reopened", task, by, note=reason, before=before)
    settle_readiness(runbook, seq, by=by)


def asked_for(task: Task, moment: str) -> list[Any]:
    """The field definitions that are asked for at that moment (task_start or task_finish)."""
    return fields.definitions_for(moment, task.runbook.workspace_id, task.action_id)


def _needed_to_start(task: Task) -> list[Any]:
    planned = fields.definitions_for("task_edit", task.runbook.workspace_id, task.action_id)
    return [*planned, *asked_for(task, "task_start")]


def call_of(task: Task) -> IntegrationRun | None:
    """The task's latest integration run in this execution of its runbook."""
    run = integration_runs.latest_runs([task.id]).get(task.id)
    began = task.calls_since
    return run if run is not None and began is not None and run.requested_at >= began else None


def retry_call(task: Task, run: IntegrationRun, *, by: User) -> None:
    """Call the task's integration once more.

    A call that failed is made anew, of the values and the action as they are now: it may have failed for them. One
    whose outcome is unknown is repeated as it was. Raises NotNow, FieldsMissing, integration_runs' NotNow, CannotCall
    or RequestInvalid.
    """
    touch(task.runbook, task)
    if task.runbook.state not in UNDER_WAY:
        raise NotNow("The runbook is over, so nothing of it is called any more.")
    latest = call_of(task)
    if latest is None or latest.id != run.id:
        raise NotNow("It was called again meanwhile. Look at the newest call.")
    db.session.refresh(run, ["state"])
    if run.state == RunState.FAILED:
        _refuse_missing(task, _needed_to_start(task))
        if TRIGGERS[run.trigger].call(task, by) is not None:
            return
    retry_run(run, by)


def _said(task: Task, moment: Moment, by: User | None) -> tuple[bool, str | None]:
    """Whether the task goes on now, and what its audit line says besides. Raises NotNow."""
    if by is not None:
        return press_for(task, moment, by)
    if given_by_people(task, moment):
        asked = rule_of(task, moment)
        raise PeopleAsked(f"Who has to {moment} it: {in_words(asked.rule, asked.quorum).lower()}.")
    return True, None


def _result(result: Result | None, comment: str) -> dict[str, Any]:
    if result is None:
        raise ResultMissing("Say what the validation found.")
    comment = comment.strip()[:LONGEST_REASON]
    if result in UNPROVEN and not comment:
        raise ValueError("Say what failed, or why it was not tested, so that others can decide.")
    return {"result": result, "result_comment": comment}


def _move(task: Task, event: TaskEvent, seq: int, **values: Any) -> None:
    """The conditional UPDATE that decides who was first."""
    changed = db.session.scalar(
        update(Task)
        .where(Task.id == task.id, Task.state.in_(sources(event)), Task.deleted_at.is_(None))
        .values(state=task_after(min(sources(event)), event), seq=seq, **values)
        .returning(Task.id)
        .execution_options(synchronize_session=False)
    )
    db.session.refresh(task)
    if changed is None:
        raise TakenBefore(_who_was_first(task))


def _complete(
    task: Task, event: TaskEvent, seq: int, by: User | None, completion: Completion, **values: Any
) -> None:
    _move(
        task,
        event,
        seq,
        completion=completion,
        finished_at=now(),
        finished_by_id=by.id if by else None,
        **values,
    )


def _refuse_unless_running(runbook: Runbook) -> None:
    if runbook.state != RunbookState.RUNNING:
        sentences = {
            RunbookState.PLANNING: "The runbook has not been started yet.",
            RunbookState.PAUSED: "The runbook is paused. Resume it first.",
            RunbookState.COMPLETE: "The runbook is complete.",
            RunbookState.CANCELLED: "The runbook was cancelled.",
        }
        raise NotNow(sentences[RunbookState(runbook.state)])


def _refuse_unless(task: Task, event: TaskEvent) -> None:
    db.session.refresh(task)  # under the lock that touch holds
    if task.deleted_at is not None:
        raise NotNow("This task was deleted.")
    if task.state in sources(event):
        return
    if task.state in NOT_STARTED:
        task_after(task.state, event)  # raises NotNow with the sentence of that state
    raise TakenBefore(_who_was_first(task))


def _who_was_first(task: Task) -> str:
    moment = now()
    if task.state == TaskState.COMPLETE:
        verb = "skipped" if task.completion == Completion.SKIPPED else "finished"
        return _first(task.finished_by, verb, task.finished_at, moment)
    if task.state == TaskState.IN_PROGRESS:
        return _first(task.started_by, "started", task.started_at, moment)
    return "The task waits for other tasks again."


def _first(who: User | None, verb: str, when: datetime | None, moment: datetime) -> str:
    span = durations.ago((moment - when).total_seconds() if when else 0)
    return f"{who.name if who else 'Runsheet'} {verb} this {span}."


def _refuse_before_its_time(task: Task) -> None:
    if task.planned_start is not None and is_before_its_time(task):
        zone = task.runbook.time_zone
        raise NotNow(
            f"This task has a fixed start: {local(task.planned_start, zone):%-d %b %Y, %H:%M} in {zone}."
        )


def _refuse_missing(task: Task, definitions: list[Any]) -> None:
    unique = list({definition.id: definition for definition in definitions}.values())
    values = fields.in_force(fields.values_of_task(task.id), fields.values_of_runbook(task.runbook_id))
    missing = fields.missing_required(unique, values)
    if missing:
        raise FieldsMissing(missing)


def _refuse_open_call(task: Task) -> None:
    run = call_of(task)
    if run is None or run.trigger != "task_start" or run.state in (RunState.SUCCEEDED, RunState.CANCELLED):
        return
    said = {
        RunState.FAILED: "Its integration failed. Retry it, or finish the task by hand with a reason.",
        RunState.UNKNOWN: "Nobody knows yet whether its request arrived. Resolve that first.",
    }.get(
        RunState(run.state), "Its integration has not answered yet. Wait for it, or finish the task by hand."
    )
    raise NotNow(said)


def _cancel_call(task: Task, by: User) -> None:
    run = call_of(task)
    if run is not None and run.state in (RunState.QUEUED, RunState.WAITING):
        try:
            cancel_run(run, by)
        except RunNotNow:
            pass  # a worker was faster; its outcome stays on the card


def _reason(typed: str, sentence: str) -> str:
    reason = typed.strip()[:LONGEST_REASON]
    if not reason:
        raise ValueError(sentence)
    return reason


def _record(
    verb: str,
    task: Task,
    by: User | None,
    note: str | None = None,
    before: dict[str, Any] | None = None,
) -> None:
    after = {"state": task.state, "completion": task.completion, "result": task.result}
    record(
        verb,
        task,
        by=by,
        before=before,
        after={name: value for name, value in after.items() if value is not None},
        workspace_id=task.runbook.workspace_id,
        runbook_id=task.runbook_id,
        note=note,
    )
