"""What a person may undo or do again in a runbook."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import joinedload, undefer

from webapp.extensions import db
from webapp.runbooks.models import PlanChange


@dataclass(frozen=True)
class History:
    """The person's last change that stands, and the one that they undid last; None where there is none."""

    undo: PlanChange | None
    redo: PlanChange | None


def history_of(runbook_id: int, user_id: int) -> History:
    """What they may undo and do again. A new change makes what was undone before it final."""
    query = (
        select(PlanChange)
        .where(PlanChange.runbook_id == runbook_id, PlanChange.user_id == user_id)
        .order_by(PlanChange.id.desc())
    )
    redo = None
    for each in db.session.scalars(query):
        if each.undone_at is None:
            return History(each, redo)
        redo = each
    return History(None, redo)


def changes_after(change: PlanChange) -> list[PlanChange]:
    """What others have changed in the same runbook since and not undone, last first."""
    query = (
        select(PlanChange)
        .where(PlanChange.runbook_id == change.runbook_id, PlanChange.id > change.id)
        .where(PlanChange.user_id != change.user_id, PlanChange.undone_at.is_(None))
        .order_by(PlanChange.id.desc())
        .options(undefer(PlanChange.rows), joinedload(PlanChange.user))
    )
    return list(db.session.scalars(query))
