"""Moving the whole plan in time: to the start, and back after a rehearsal."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import func, select, update

from webapp.accounts.models import User
from webapp.audit.operations import record
from webapp.extensions import db
from webapp.runbooks.models import Runbook, Task
from webapp.runbooks.refusals import NotNow

WORTH_MOVING = timedelta(minutes=1)


def plan_begin(runbook: Runbook) -> datetime | None:
    """The runbook's planned start, else the first planned start of a task; None where nothing has one."""
    if runbook.planned_start is not None:
        return runbook.planned_start
    first = select(func.min(Task.planned_start)).where(
        Task.runbook_id == runbook.id, Task.deleted_at.is_(None)
    )
    return db.session.scalar(first)


def way_to(runbook: Runbook, moment: datetime) -> timedelta | None:
    """How far the plan is from beginning at that moment, in full seconds; None within a minute, or without a plan."""
    begin = plan_begin(runbook)
    if begin is None:
        return None
    way = timedelta(seconds=int((moment - begin).total_seconds()))
    return way if abs(way) >= WORTH_MOVING else None


def move_to_start(runbook: Runbook, moment: datetime, *, by: User) -> timedelta:
    """Have the plan begin at that moment: the planned starts of the runbook and of its tasks move. Says how far.

    Raises NotNow where a planned start would leave the calendar.
    """
    db.session.refresh(runbook, ["planned_start"])  # someone may have changed it while this start waited
    way = way_to(runbook, moment)
    if way is None:
        return timedelta()
    _move(runbook, way, "runbook.rebaselined", by)
    return way


def move_back(runbook: Runbook, shift_s: int, *, by: User) -> None:
    """Undo what the start moved, by as many seconds."""
    if shift_s:
        db.session.refresh(runbook, ["planned_start"])
        _move(runbook, timedelta(seconds=-shift_s), "runbook.baseline_restored", by)


def _move(runbook: Runbook, way: timedelta, verb: str, by: User) -> None:
    before = runbook.planned_start
    # Deleted tasks too: one that is restored stands where it stood among the others.
    query = select(Task.id, Task.planned_start).where(
        Task.runbook_id == runbook.id, Task.planned_start.is_not(None)
    )
    try:
        times = [
            {"id": task_id, "planned_start": planned + way}
            for task_id, planned in db.session.execute(query)
            if planned is not None
        ]
        runbook.planned_start = before + way if before else None
    except OverflowError:
        raise NotNow("The plan cannot move that far. Correct its planned starts first.") from None
    db.session.flush()
    if times:
        db.session.execute(update(Task), times)
    for each in db.session.identity_map.values():
        if isinstance(each, Task) and each.runbook_id == runbook.id:
            db.session.expire(each, ["planned_start"])
    record(
        verb,
        runbook,
        by=by,
        before={"planned_start": before.isoformat() if before else None},
        after={
            "planned_start": runbook.planned_start.isoformat() if runbook.planned_start else None,
            "moved by seconds": int(way.total_seconds()),
            "tasks with a planned start": len(times),
        },
        workspace_id=runbook.workspace_id,
        runbook_id=runbook.id,
    )
