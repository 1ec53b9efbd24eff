"""The life of a runbook: made, started as a rehearsal or live, paused, completed, cancelled."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.orm import joinedload

from webapp.accounts.models import User
from webapp.audit.operations import record
from webapp.clock import now
from webapp.extensions import db
from webapp.integration_runs.operations import RequestInvalid
from webapp.integrations.models import Action
from webapp.runbooks.audiences import USUAL, audience_of
from webapp.runbooks.models import Runbook, Stream, Task
from webapp.runbooks.operations import baseline
from webapp.runbooks.operations.changes import place_streams_anew, stamp_states, tell_linking_tasks, touch
from webapp.runbooks.operations.confirmations import forget_all
from webapp.runbooks.operations.linked import finish_linking_tasks, leave_linking_tasks_open
from webapp.runbooks.operations.readiness import settle_readiness, start_what_is_due
from webapp.runbooks.operations.recording import (
    begin_execution,
    end_execution,
    keep,
    present_execution,
)
from webapp.runbooks.operations.telling import tell_audience
from webapp.runbooks.preflight import Report, preflight
from webapp.runbooks.refusals import CannotCall, NotNow, WarningsToAccept
from webapp.runbooks.states import (
    UNDER_WAY,
    Mode,
    RunbookEvent,
    TaskEvent,
    TaskState,
    runbook_after,
    task_after,
)
from webapp.runbooks.triggers import TRIGGERS
from webapp.workspaces.models import Workspace

FIRST_STREAM = "Tasks"
_MODE_WORDS = {Mode.REHEARSAL: "rehearsal", Mode.LIVE: "live run"}


def create_runbook(
    *, name: str, workspace: Workspace, by: User | None, description: str = "", time_zone: str = "UTC"
) -> Runbook:
    """A new runbook in planning, with one stream, owned by whoever makes it."""
    runbook = Runbook(
        name=name,
        description=description,
        workspace=workspace,
        time_zone=time_zone,
        created_by_id=by.id if by else None,
    )
    runbook.owners = [by] if by else []
    runbook.streams = [Stream(name=FIRST_STREAM, color=0, position=1)]
    db.session.add(runbook)
    db.session.flush()
    _record(
        "runbook.created",
        runbook,
        by,
        after={"name": name, "workspace": workspace.name, "time_zone": time_zone},
    )
    return runbook


def rename_runbook(
    runbook: Runbook,
    *,
    name: str,
    description: str,
    planned_start: datetime | None,
    time_zone: str | None = None,
    by: User,
) -> None:
    """Change its name, description, planned start and, where one is given, its time zone, with which no time moves."""
    touch(runbook)
    before = _said(runbook)
    runbook.name, runbook.description = name, description
    runbook.planned_start, runbook.time_zone = planned_start, time_zone or runbook.time_zone
    after = _said(runbook)
    _record("runbook.changed", runbook, by, before=before, after=after)


def _said(runbook: Runbook) -> dict[str, str | None]:
    return {
        "name": runbook.name,
        "description": runbook.description,
        "planned_start": _moment(runbook.planned_start),
        "time_zone": runbook.time_zone,
    }


def set_message(runbook: Runbook, text: str, *, by: User) -> None:
    """Show the message to everybody who looks at the runbook; an empty one takes it down."""
    touch(runbook)
    db.session.refresh(runbook, ["message"])
    text = text.strip()
    before = runbook.message
    if before == text:
        return
    runbook.message = text
    runbook.message_by, runbook.message_at = (by.name, now()) if text else (None, None)
    _record("runbook.message_changed", runbook, by, before={"message": before}, after={"message": text})
    if text and runbook.state in UNDER_WAY:
        tell_audience(runbook, "message", f"{by.name} to everyone in “{runbook.name}”: {text}", by=by)


def start_runbook(
    runbook: Runbook,
    mode: Mode,
    *,
    by: User,
    accepted: str = "",
    rebaseline: bool = False,
    audience: str | None = None,
) -> None:
    """Begin a rehearsal or the live run. `accepted`: why to start live in spite of what pre-flight warns about.
    `audience`, a key of AUDIENCES, says who hears of it; without one the usual one of that mode does.

    `rebaseline` has the plan begin now: its planned times move, and after a rehearsal they move back. Without it the plan
    stays, and lateness is told against it. Raises NotNow, also for what pre-flight finds.
    """
    seq = touch(runbook, frozen_too=True)
    if runbook.is_plan_only:
        raise NotNow("This is the plan of a template. Make a runbook from it, and start that.")
    state = runbook_after(runbook.state, RunbookEvent.START)
    accepted = accepted.strip()[:1000]
    warnings = _refuse_unless_ready(preflight(runbook, mode).report, mode, accepted)
    started = now()
    shift = baseline.move_to_start(runbook, started, by=by) if rebaseline else timedelta()
    runbook.state, runbook.mode, runbook.started_at, runbook.ended_at = state, mode, started, None
    runbook.audience = audience or USUAL[mode]
    db.session.flush()
    begin_execution(runbook, by=by, shift=shift)
    stamp_states(runbook, TaskState, seq)
    place_streams_anew(runbook, seq)
    told = _tell(runbook, "runbook_started", "started", by)
    after: dict[str, Any] = {
        "mode": mode,
        "state": runbook.state,
        "notified": audience_of(runbook).label,
        "people notified": len(told),
    }
    if warnings:
        after["accepted warnings"] = warnings
    _record("runbook.started", runbook, by, after=after, note=accepted if warnings else None)
    settle_readiness(runbook, seq, by=by)
    _call_for_all(runbook, "runbook_start", by)


def pause_runbook(runbook: Runbook, *, by: User) -> None:
    """Hold everything: nothing is started or finished until it is resumed. Raises NotNow."""
    _move(runbook, RunbookEvent.PAUSE, "runbook.paused", by)
    tell_linking_tasks(runbook)
    _tell(runbook, "runbook_news", "paused", by)


def resume_runbook(runbook: Runbook, *, by: User) -> None:
    """Go on after a pause. Raises NotNow."""
    seq = _move(runbook, RunbookEvent.RESUME, "runbook.resumed", by)
    _tell(runbook, "runbook_news", "resumed", by)
    settle_readiness(runbook, seq, by=by)
    start_what_is_due(runbook, by=by)
    tell_linking_tasks(runbook)


def complete_runbook(runbook: Runbook, *, by: User) -> None:
    """End it, once every task is complete. Raises NotNow, naming how many are not."""
    touch(runbook)
    query = (
        select(func.count()).select_from(Task).where(Task.runbook_id == runbook.id, Task.deleted_at.is_(None))
    )
    still_open = db.session.scalar(query.where(Task.state != TaskState.COMPLETE)) or 0
    if still_open and runbook.state == "running":
        noun = "1 task is" if still_open == 1 else f"{still_open} tasks are"
        raise NotNow(f"{noun} not done. Finish or skip what is left, or cancel the {mode_words(runbook)}.")
    _move(runbook, RunbookEvent.COMPLETE, "runbook.completed", by, ended_at=now())
    end_execution(runbook, by=by)
    _tell(runbook, "runbook_news", "completed", by)
    _call_for_all(runbook, "runbook_finish", by)
    finish_linking_tasks(runbook)


def cancel_runbook(runbook: Runbook, reason: str, *, by: User) -> None:
    """Give it up. Raises NotNow, or ValueError without a reason."""
    reason = reason.strip()[:1000]
    if not reason:
        raise ValueError("Say why it is cancelled.")
    _move(runbook, RunbookEvent.CANCEL, "runbook.cancelled", by, note=reason, ended_at=now())
    end_execution(runbook, by=by, reason=reason)
    _tell(runbook, "runbook_news", "cancelled", by, reason)
    leave_linking_tasks_open(runbook)


def plan_again(runbook: Runbook, *, by: User) -> None:
    """Take a rehearsal that has ended back to planning: every task and planned time as before. Raises NotNow.

    What happened is kept with the rehearsal.
    """
    if runbook.mode != Mode.REHEARSAL:
        raise NotNow("Only a rehearsal can go back to planning. A live run stays as it happened.")
    seq = _move(
        runbook,
        RunbookEvent.PLAN_AGAIN,
        "runbook.planned_again",
        by,
        mode=None,
        audience=None,
        started_at=None,
        ended_at=None,
    )
    execution = present_execution(runbook)
    keep(execution)  # one that ended before ends were kept
    db.session.flush()
    baseline.move_back(runbook, execution.shift_s, by=by)
    db.session.execute(
        update(Task)
        .where(Task.runbook_id == runbook.id)
        .values(
            state=task_after(TaskState.COMPLETE, TaskEvent.PLAN_AGAIN),
            completion=None,
            skip_reason="",
            started_at=None,
            started_by_id=None,
            finished_at=None,
            finished_by_id=None,
            result=None,
            result_comment="",
            tried_at=None,
            reopened_at=None,
            seq=seq,
        )
        .execution_options(synchronize_session="fetch")
    )
    place_streams_anew(runbook, seq)
    forget_all(runbook)
    tell_linking_tasks(runbook)


def _refuse_unless_ready(report: Report, mode: Mode, accepted: str) -> list[str]:
    """The warnings that are accepted with the start. Raises NotNow."""
    stops = report.stops(mode)
    if stops:
        first = f"{stops[0].sentence} {stops[0].remedy}".strip()
        if len(stops) == 1:
            raise NotNow(first)
        raise NotNow(
            f"Pre-flight found {len(stops)} problems that must be solved first. One of them: {first}"
        )
    warnings = [each.sentence for each in report.warnings] if mode is Mode.LIVE else []
    if warnings and not accepted:
        raise WarningsToAccept(f"{warnings[0]} Say why it may start anyway.")
    return warnings


def mode_words(runbook: Runbook) -> str:
    """ "rehearsal" or "live run", for sentences."""
    return _MODE_WORDS.get(Mode(runbook.mode), "") if runbook.mode else "runbook"


def _tell(runbook: Runbook, kind: str, done: str, by: User, reason: str = "") -> set[int]:
    end = f": {reason}" if reason else "."
    sentence = f"{by.name} {done} the {mode_words(runbook)} of “{runbook.name}”{end}"
    return tell_audience(runbook, kind, sentence, by=by)


def _move(
    runbook: Runbook, event: RunbookEvent, verb: str, by: User, *, note: str | None = None, **values: Any
) -> int:
    seq = touch(runbook)
    before = runbook.state
    runbook.state = runbook_after(runbook.state, event)
    for name, value in values.items():
        setattr(runbook, name, value)
    db.session.flush()
    stamp_states(runbook, (TaskState.STARTABLE, TaskState.IN_PROGRESS), seq)
    _record(verb, runbook, by, before={"state": before}, after={"state": runbook.state}, note=note)
    return seq


def _call_for_all(runbook: Runbook, trigger: str, by: User) -> None:
    query = (
        select(Task)
        .join(Task.action)
        .where(Task.runbook_id == runbook.id, Task.deleted_at.is_(None), Action.trigger == trigger)
        .options(joinedload(Task.stream), joinedload(Task.action).joinedload(Action.connection))
        .order_by(Task.number)
    )
    for task in db.session.scalars(query):
        try:
            TRIGGERS[trigger].call(task, by)
        except (CannotCall, RequestInvalid) as refusal:
            raise NotNow(f"#{task.number} {task.title}: {refusal}") from None


def _moment(value: datetime | None) -> str | None:
    return value.isoformat() if value else None


def _record(
    verb: str,
    runbook: Runbook,
    by: User | None,
    *,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
    note: str | None = None,
) -> None:
    record(
        verb,
        runbook,
        by=by,
        before=before,
        after=after,
        workspace_id=runbook.workspace_id,
        runbook_id=runbook.id,
        note=note,
    )
