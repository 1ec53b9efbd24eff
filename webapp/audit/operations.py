"""Writing audit lines. Every operation that changes something calls `record` in its own transaction."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

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
    if before is not None and after is not None:
        before, after = changed(before, after)
    line = AuditLine(
        actor_id=by.id if by else None,
        actor_name=by.name if by else "Runsheet",
        verb=verb,
        object_type=thing.__tablename__,
        object_id=thing.id,
        object_name=thing.audit_name[:300],
        workspace_id=workspace_id,
        runbook_id=runbook_id,
        before=dict(before) if before is not None else None,
        after=dict(after) if after is not None else None,
        note=note,
    )
    db.session.add(line)
    return line


def changed(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The entries that differ, on both sides."""
    keys = [key for key in {**before, **after} if before.get(key) != after.get(key)]
    return (
        {key: before[key] for key in keys if key in before},
        {key: after[key] for key in keys if key in after},
    )
