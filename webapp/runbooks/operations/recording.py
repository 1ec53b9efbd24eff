"""Keeping rehearsals and live runs: a row with each start, and with its end what was planned and what happened.

What was kept is never changed again, whatever becomes of the plan.
"""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import func, select

from webapp.accounts.models import User
from webapp.extensions import db
from webapp.runbooks.models import Execution, Runbook
from webapp.runbooks.reviews.executions import latest_execution
from webapp.runbooks.reviews.record_reads import present_record


def begin_execution(runbook: Runbook, *, by: User, shift: timedelta) -> Execution:
    """The row of what was just started. `shift`: how far the start moved the planned times."""
    if runbook.mode is None or runbook.started_at is None:
        raise ValueError("only a runbook that was started is executed")
    last = select(func.max(Execution.number)).where(
        Execution.runbook_id == runbook.id, Execution.kind == runbook.mode
    )
    execution = Execution(
        runbook_id=runbook.id,
        kind=runbook.mode,
        number=(db.session.scalar(last) or 0) + 1,
        planned_start=runbook.planned_start,
        shift_s=int(shift.total_seconds()),
        started_at=runbook.started_at,
        started_by=by.name,
    )
    db.session.add(execution)
    db.session.flush()
    return execution


def end_execution(runbook: Runbook, *, by: User, reason: str = "") -> None:
    """Keep what was planned and what happened, as it stands in the moment of the end."""
    execution = present_execution(runbook)
    execution.ended_at, execution.ended_by = runbook.ended_at, by.name
    execution.ending, execution.reason = runbook.state, reason
    execution.planned_start = runbook.planned_start
    keep(execution)


def keep(execution: Execution) -> None:
    """Keep what happened, where that was not done yet."""
    if execution.kept is None:
        execution.kept = present_record(execution.runbook_id).as_json()


def present_execution(runbook: Runbook) -> Execution:
    """The rehearsal or live run that the runbook is in, or has just been."""
    found = latest_execution(runbook.id)
    if found is None:
        raise LookupError(f"runbook {runbook.id} was started, but has no execution")
    return found
