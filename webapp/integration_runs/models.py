"""Runs (one call that was asked for; the outbox) and their attempts (one HTTP exchange each)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from webapp.clock import now
from webapp.extensions import Base, UtcDateTime
from webapp.integrations.models import Action


class IntegrationRun(Base):
    """One call that was asked for, with the request rendered at that moment, and how it ended.

    `state` is a value of `states.RunState`, assigned only in operations. `outcome` holds what people read:
    code, sentence, remedy, who acts. The request holds no credential; that is added when it is sent.
    """

    __tablename__ = "integration_runs"
    __table_args__ = (
        Index("ix_integration_runs_due", "state", "due_at"),
        Index(None, "task_id"),
        Index(None, "requested_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    reference: Mapped[str] = mapped_column(String(36), unique=True)
    action_id: Mapped[int] = mapped_column(ForeignKey("integration_actions.id"), index=True)
    workspace_id: Mapped[int | None] = mapped_column(ForeignKey("workspaces.id"))
    runbook_id: Mapped[int | None] = mapped_column(
        ForeignKey("runbooks.id", ondelete="CASCADE"), index=True
    )
    task_id: Mapped[int | None] = mapped_column(ForeignKey("tasks.id", ondelete="CASCADE"))
    trigger: Mapped[str] = mapped_column(String(40))
    requested_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    requested_by_name: Mapped[str] = mapped_column(String(200), default="Runsheet")
    requested_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)

    state: Mapped[str] = mapped_column(String(20), default="queued")
    due_at: Mapped[datetime | None] = mapped_column(UtcDateTime, default=now)
    claimed_by: Mapped[str | None] = mapped_column(String(100))
    lease_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    attempt_count: Mapped[int] = mapped_column(default=0)
    automatic_retries: Mapped[int] = mapped_column(default=0)
    settled_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    outcome: Mapped[dict[str, Any] | None] = mapped_column(JSON)

    method: Mapped[str] = mapped_column(String(10))
    url: Mapped[str] = mapped_column(Text)
    host: Mapped[str] = mapped_column(String(300))
    headers: Mapped[dict[str, str]] = mapped_column(JSON, default=dict)
    body: Mapped[str | None] = mapped_column(Text)
    context: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)

    action: Mapped[Action] = relationship()
    attempts: Mapped[list[Attempt]] = relationship(
        back_populates="run", order_by="Attempt.number", cascade="all, delete-orphan"
    )

    @property
    def audit_name(self) -> str:
        return f"{self.method} {self.url}"


class Attempt(Base):
    """One HTTP exchange of a run: what left (redacted), what came back (redacted, capped), how long it took."""

    __tablename__ = "attempts"
    __table_args__ = (UniqueConstraint("run_id", "number"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    run_id: Mapped[int] = mapped_column(ForeignKey("integration_runs.id", ondelete="CASCADE"))
    number: Mapped[int]
    asked_by: Mapped[str] = mapped_column(String(200), default="Runsheet")
    state: Mapped[str] = mapped_column(String(20), default="sending")
    started_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)
    finished_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    duration_ms: Mapped[int | None]
    credential: Mapped[str] = mapped_column(String(300), default="")
    request_headers: Mapped[dict[str, str]] = mapped_column(JSON, default=dict)
    status: Mapped[int | None]
    response_headers: Mapped[dict[str, str]] = mapped_column(JSON, default=dict)
    response_body: Mapped[str | None] = mapped_column(Text)
    response_truncated: Mapped[bool] = mapped_column(default=False)
    code: Mapped[str] = mapped_column(String(80), default="")
    sentence: Mapped[str] = mapped_column(Text, default="")

    run: Mapped[IntegrationRun] = relationship(back_populates="attempts")
