"""Runs (one call that was asked for; the outbox) and their attempts (one HTTP exchange each)."""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from webapp.clock import now
from webapp.extensions import Base, UtcDateTime
from webapp.integrations.models import Action
from webapp.permissions import Role
from webapp.redaction import redact


class IntegrationRun(Base):
    """One call that was asked for, with the request rendered at that moment, and how it ended.

    `state` is a value of `states.RunState`, assigned only in operations. `outcome` holds what people read:
    code, sentence, remedy, who acts. The request holds no credential; that is added when it is sent.
    `to_sandbox`: it goes to the connection's sandbox address, without what the action is authorized with.
    `asked_by_*` is who asked for the next or latest attempt, and whose sign-in it uses; a test request sends with
    the credential of `credential_task_id` without belonging to that task. `follow_up_error` says that what should
    follow the settlement (the task's end) did not work out; the sweeper tries it again for a while.
    """

    __tablename__ = "integration_runs"
    __table_args__ = (
        Index("ix_integration_runs_due", "state", "due_at"),
        Index(None, "task_id"),
        Index(None, "requested_at"),
        Index("ix_integration_runs_lease", "state", "lease_until"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    reference: Mapped[str] = mapped_column(String(36), unique=True)
    action_id: Mapped[int] = mapped_column(ForeignKey("integration_actions.id"), index=True)
    workspace_id: Mapped[int | None] = mapped_column(ForeignKey("workspaces.id"))
    runbook_id: Mapped[int | None] = mapped_column(ForeignKey("runbooks.id", ondelete="CASCADE"), index=True)
    task_id: Mapped[int | None] = mapped_column(ForeignKey("tasks.id", ondelete="CASCADE"))
    trigger: Mapped[str] = mapped_column(String(40))
    requested_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    requested_by_name: Mapped[str] = mapped_column(String(200), default="Runsheet")
    requested_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)
    asked_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    asked_by_name: Mapped[str] = mapped_column(String(200), default="Runsheet")
    credential_task_id: Mapped[int | None] = mapped_column(ForeignKey("tasks.id", ondelete="SET NULL"))

    to_sandbox: Mapped[bool] = mapped_column(default=False)

    state: Mapped[str] = mapped_column(String(20), default="queued")
    due_at: Mapped[datetime | None] = mapped_column(UtcDateTime, default=now)
    claimed_by: Mapped[str | None] = mapped_column(String(100))
    lease_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    attempt_count: Mapped[int] = mapped_column(default=0)
    automatic_retries: Mapped[int] = mapped_column(default=0)
    settled_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    outcome: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    follow_up_error: Mapped[str | None] = mapped_column(Text)

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
        return request_name(self.method, self.url)

    @property
    def guard_workspace_id(self) -> int:
        return self.workspace_id or 0

    def roles_of(self, user_id: int) -> frozenset[Role]:
        return frozenset()


class Attempt(Base):
    """One HTTP exchange of a run: what left (redacted), what came back (redacted, capped), how long it took.

    `state` is sending, or how it ended: succeeded, failed or unknown. Assigned only in operations.
    """

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


@lru_cache(maxsize=1024)
def request_name(method: str, url: str) -> str:
    """What the audit log calls a request: without the secrets that an address may carry. Remembered, as most repeat."""
    return redact(f"{method} {url}")
