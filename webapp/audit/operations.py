"""Writing audit lines. Every operation that changes something calls `record` in its own transaction."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Protocol

from sqlalchemy import insert

from webapp.audit.models import AuditLine
from webapp.extensions import db


class Audited(Protocol):
    """A row that audit lines can be about: its table gives the type, its `audit_name` the words."""

    __tablename__: str
    id: Any

    @property
    def audit_name(self) -> str: ...


class Actor(Protocol):
    """Who did it."""

    id: Any
    name: Any


Change = tuple[Audited, Mapping[str, Any] | None, Mapping[str, Any] | None]


def record(
    verb: str,
    thing: Audited,
    *,
    by: Actor | None,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    workspace_id: int | None = None,
    runbook_id: int | None = None,
    note: str | None = None,
) -> AuditLine:
    """Add one line to the open transaction; never commits.

    `verb` is `noun.past_participle`, as `task.started`. `by` None means Runsheet itself (a worker, the sweeper).
    `before` and `after` are JSON-able and already without secrets; where both are given, equal entries are dropped.
    """
    facts = _facts(verb, thing, by, before, after)
    line = AuditLine(**facts, workspace_id=workspace_id, runbook_id=runbook_id, note=note)
    db.session.add(line)
    return line


def record_each(
    verb: str,
    changes: Iterable[Change],
    *,
    by: Actor | None,
    workspace_id: int | None = None,
    runbook_id: int | None = None,
) -> None:
    """Write one line for each of many things, in one statement. Each is `record`'s thing, before and after."""
    place = {"workspace_id": workspace_id, "runbook_id": runbook_id, "note": None}
    lines = [{**_facts(verb, thing, by, before, after), **place} for thing, before, after in changes]
    if lines:
        db.session.execute(insert(AuditLine.__table__), lines)  # type: ignore[arg-type]


def _facts(
    verb: str,
    thing: Audited,
    by: Actor | None,
    before: Mapping[str, Any] | None,
    after: Mapping[str, Any] | None,
) -> dict[str, Any]:
    if before is not None and after is not None:
        before, after = changed(before, after)
    return {
        "actor_id": by.id if by else None,
        "actor_name": by.name if by else "Runsheet",
        "verb": verb,
        "object_type": thing.__tablename__,
        "object_id": thing.id,
        "object_name": thing.audit_name[:300],
        "before": dict(before) if before is not None else None,
        "after": dict(after) if after is not None else None,
    }


def changed(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The entries that differ, on both sides."""
    keys = [key for key in {**before, **after} if before.get(key) != after.get(key)]
    return (
        {key: before[key] for key in keys if key in before},
        {key: after[key] for key in keys if key in after},
    )
