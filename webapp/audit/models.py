"""The audit table. Rows are only ever added; triggers that a migration makes refuse anything else."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from webapp.clock import now
from webapp.extensions import Base, UtcDateTime


class AuditLine(Base):
    """One change or one attempt, written in the transaction of what it tells about.

    People and things are kept by id and by the name they had then, without foreign keys: the line must outlive
    them. `before` and `after` hold only what changed, and never a secret.
    """

    __tablename__ = "audit_lines"
    __table_args__ = (
        Index(None, "object_type", "object_id"),
        Index(None, "actor_id"),
        Index(None, "runbook_id"),
        Index(None, "at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)
    actor_id: Mapped[int | None]
    actor_name: Mapped[str] = mapped_column(String(200))
    verb: Mapped[str] = mapped_column(String(60), index=True)
    object_type: Mapped[str] = mapped_column(String(60))
    object_id: Mapped[int | None]
    object_name: Mapped[str] = mapped_column(String(300))
    workspace_id: Mapped[int | None] = mapped_column(index=True)
    runbook_id: Mapped[int | None]
    before: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    after: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    note: Mapped[str | None] = mapped_column(Text)
