"""Reading the audit log."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, func, or_, select

from webapp.audit.models import AuditLine
from webapp.extensions import db

PAGE_SIZE = 50


@dataclass(frozen=True)
class Filter:
    """What the page asks for; empty means all. `until` is exclusive."""

    actor: str = ""
    verb: str = ""
    about: str = ""
    since: datetime | None = None
    until: datetime | None = None
    runbook_id: int | None = None


def lines(wanted: Filter, page: int) -> tuple[list[AuditLine], int]:
    """One page of lines, newest first, and the number of pages (at least 1)."""
    query = _narrowed(select(AuditLine), wanted)
    total = db.session.scalar(_narrowed(select(func.count(AuditLine.id)), wanted)) or 0
    rows = db.session.scalars(
        query.order_by(AuditLine.id.desc()).limit(PAGE_SIZE).offset((page - 1) * PAGE_SIZE)
    )
    return list(rows), max(1, -(-total // PAGE_SIZE))


def all_lines(wanted: Filter) -> Iterator[AuditLine]:
    """Every matching line, newest first, without holding them all in memory."""
    query = _narrowed(select(AuditLine), wanted).order_by(AuditLine.id.desc())
    yield from db.session.scalars(query.execution_options(yield_per=500))


def verbs() -> list[str]:
    """The verbs that occur, for the filter."""
    return list(db.session.scalars(select(AuditLine.verb).distinct().order_by(AuditLine.verb)))


def lines_about(object_type: str, object_id: int) -> list[AuditLine]:
    """What happened to one thing, oldest first."""
    query = select(AuditLine).where(AuditLine.object_type == object_type, AuditLine.object_id == object_id)
    return list(db.session.scalars(query.order_by(AuditLine.id)))


def lines_of_runbook(
    runbook_id: int, *, since: datetime | None = None, until: datetime | None = None
) -> list[AuditLine]:
    """What happened in one runbook, to it and its tasks, oldest first. `until` is exclusive."""
    query = _narrowed(select(AuditLine), Filter(runbook_id=runbook_id, since=since, until=until))
    return list(db.session.scalars(query.order_by(AuditLine.id)))


def _narrowed(query: Select[Any], wanted: Filter) -> Select[Any]:
    if wanted.actor:
        query = query.where(func.lower(AuditLine.actor_name).contains(wanted.actor.lower(), autoescape=True))
    if wanted.verb:
        query = query.where(AuditLine.verb == wanted.verb)
    if wanted.about:
        text = wanted.about.lower()
        query = query.where(
            or_(
                func.lower(AuditLine.object_name).contains(text, autoescape=True),
                func.lower(AuditLine.object_type).contains(text.replace(" ", "_"), autoescape=True),
            )
        )
    if wanted.since:
        query = query.where(AuditLine.at >= wanted.since)
    if wanted.until:
        query = query.where(AuditLine.at < wanted.until)
    if wanted.runbook_id:
        query = query.where(AuditLine.runbook_id == wanted.runbook_id)
    return query
