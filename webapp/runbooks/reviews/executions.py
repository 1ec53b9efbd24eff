"""Reads about rehearsals and live runs of runbooks."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from flask import abort
from sqlalchemy import func, select

from webapp.extensions import db
from webapp.runbooks.models import Execution, Runbook
from webapp.runbooks.reviews.record_reads import present_record
from webapp.runbooks.reviews.records import Record
from webapp.runbooks.states import Mode


def executions_of(runbook_id: int) -> list[Execution]:
    """All of them, oldest first, without what was kept of them."""
    query = select(Execution).where(Execution.runbook_id == runbook_id).order_by(Execution.id)
    return list(db.session.scalars(query))


def latest_execution(runbook_id: int) -> Execution | None:
    """The one that was started last."""
    query = select(Execution).where(Execution.runbook_id == runbook_id).order_by(Execution.id.desc())
    return db.session.scalar(query.limit(1))


def latest_executions(runbook_ids: Collection[int]) -> dict[int, Execution]:
    """Runbook id to the one that was started last, in one query."""
    newest = (
        select(func.max(Execution.id))
        .where(Execution.runbook_id.in_(list(runbook_ids)))
        .group_by(Execution.runbook_id)
    )
    found = db.session.scalars(select(Execution).where(Execution.id.in_(newest)))
    return {each.runbook_id: each for each in found}


def count_rehearsals(runbook_id: int) -> int:
    query = select(func.count()).where(Execution.runbook_id == runbook_id, Execution.kind == Mode.REHEARSAL)
    return db.session.scalar(query) or 0


def execution_called(found: Sequence[Execution], slug: str) -> Execution:
    """The one with that part of an address, or 404."""
    wanted = next((each for each in found if each.slug == slug), None)
    if wanted is None:
        abort(404)
    return wanted


def two_to_compare(found: Sequence[Execution]) -> tuple[Execution, Execution] | None:
    """Which two people mostly want beside each other: the last rehearsal and the live run, else the last two.

    The earlier one comes first. None where there are not two.
    """
    if len(found) < 2:
        return None
    return found[-2], found[-1]


def record_of(execution: Execution) -> Record:
    """What was planned and what happened: as it was kept, or, of one that has not ended, as it stands now."""
    if execution.kept is None:
        return present_record(execution.runbook_id)
    return Record.from_json(execution.kept)


def planned_start_of(execution: Execution, runbook: Runbook) -> datetime | None:
    """What its plan counts from; of one that is under way the runbook's, which may still be changed."""
    return execution.planned_start if execution.ending else runbook.planned_start


@dataclass(frozen=True)
class Window:
    """What belongs to an execution by its time: from its start until the next one starts.

    `before`: when the one before it ended, None for the first; what was planned in between led to it.
    """

    since: datetime
    until: datetime | None
    before: datetime | None

    def holds(self, moment: datetime) -> bool:
        return moment >= self.since and (self.until is None or moment < self.until)


def window_of(execution: Execution, found: Sequence[Execution]) -> Window:
    """The window of one among all of a runbook, which are oldest first."""
    at = found.index(execution)
    later, earlier = found[at + 1 :], found[:at]
    return Window(
        since=execution.started_at,
        until=later[0].started_at if later else None,
        before=(earlier[-1].ended_at or earlier[-1].started_at) if earlier else None,
    )
