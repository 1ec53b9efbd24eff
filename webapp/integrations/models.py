"""Connections, actions, pending OAuth sign-ins, and the authentications they granted."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Column, ForeignKey, Index, LargeBinary, String, Table, Text, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from webapp.accounts.models import User
from webapp.clock import now
from webapp.extensions import Base, UtcDateTime
from webapp.integrations.rehearsals import RehearsalRule
from webapp.workspaces.models import Workspace

action_workspaces = Table(
    "action_workspaces",
    Base.metadata,
    Column("action_id", ForeignKey("integration_actions.id", ondelete="CASCADE"), primary_key=True),
    Column("workspace_id", ForeignKey("workspaces.id", ondelete="CASCADE"), primary_key=True),
)


class Connection(Base):
    """Another system that Runsheet may call. `predefined` is a key of `predefined.PREDEFINED`, or None for custom.

    `rehearsal_rule` is a value of `rehearsals.RehearsalRule`; `sandbox_address` (scheme, host, port) is where its
    calls go in a rehearsal under the rule for that, with `sealed_sandbox_token` (row key
    `integration_connections:<id>`) instead of what the action is authorized with.
    """

    __tablename__ = "integration_connections"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(120))
    image_url: Mapped[str] = mapped_column(String(1000), default="")
    predefined: Mapped[str | None] = mapped_column(String(40))
    rehearsal_rule: Mapped[str] = mapped_column(String(20), default=RehearsalRule.BY_ACTION)
    sandbox_address: Mapped[str] = mapped_column(String(500), default="")
    sealed_sandbox_token: Mapped[bytes | None] = mapped_column(LargeBinary)
    created_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)
    archived_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    created_by: Mapped[User | None] = relationship()
    actions: Mapped[list[Action]] = relationship(
        back_populates="connection", order_by="Action.position, Action.id"
    )

    @property
    def audit_name(self) -> str:
        return self.name

    @property
    def secrets_row_key(self) -> str:
        return f"{self.__tablename__}:{self.id}"


class Action(Base):
    """One call that tasks can make: when it happens, how it is authorized, what is sent, when it counts as done.

    `trigger`, `authorization`, `mode` are keys of their registries; `authorization_settings` and `mode_settings`
    hold what those kinds' forms ask for, secrets apart, which lie sealed in `authorization_secrets` (row key
    `integration_actions:<id>`). `revision` rises with every change of what is sent or how it is authorized.
    """

    __tablename__ = "integration_actions"

    id: Mapped[int] = mapped_column(primary_key=True)
    connection_id: Mapped[int] = mapped_column(ForeignKey("integration_connections.id"), index=True)
    name: Mapped[str] = mapped_column(String(120))
    image_url: Mapped[str] = mapped_column(String(1000), default="")
    position: Mapped[int] = mapped_column(default=0)
    revision: Mapped[int] = mapped_column(default=1)

    trigger: Mapped[str] = mapped_column(String(40), default="task_start")
    is_global: Mapped[bool] = mapped_column(default=True)

    auto_start: Mapped[bool] = mapped_column(default=False)
    fixed_start: Mapped[bool] = mapped_column(default=False)
    cancelable: Mapped[bool] = mapped_column(default=False)
    notify_on_cancel: Mapped[bool] = mapped_column(default=False)
    finish_on_success: Mapped[bool] = mapped_column(default=False)
    execute_in_rehearsal: Mapped[bool] = mapped_column(default=False)
    ok_false_fails: Mapped[bool] = mapped_column(default=True)
    safe_to_repeat: Mapped[bool] = mapped_column(default=False)
    timeout_s: Mapped[int] = mapped_column(default=30)

    authorization: Mapped[str] = mapped_column(String(40), default="none")
    authorization_version: Mapped[int] = mapped_column(default=1)
    authorization_settings: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    authorization_secrets: Mapped[bytes | None] = mapped_column(LargeBinary)
    secrets_saved_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    secrets_saved_by: Mapped[str | None] = mapped_column(String(200))

    method: Mapped[str] = mapped_column(String(10), default="POST")
    url: Mapped[str] = mapped_column(Text, default="")
    headers: Mapped[str] = mapped_column(Text, default="")
    parameters: Mapped[str] = mapped_column(Text, default="")
    body: Mapped[str] = mapped_column(Text, default="")
    mode: Mapped[str] = mapped_column(String(40), default="fire_and_forget")
    mode_version: Mapped[int] = mapped_column(default=1)
    mode_settings: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)

    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)
    archived_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    connection: Mapped[Connection] = relationship(back_populates="actions")
    workspaces: Mapped[list[Workspace]] = relationship(secondary=action_workspaces, lazy="selectin")

    @property
    def audit_name(self) -> str:
        return self.name

    @property
    def secrets_row_key(self) -> str:
        return f"{self.__tablename__}:{self.id}"


class Authentication(Base):
    """A granted token, of the functional user (task and user None) or of one person for one task.

    `token` is sealed under `authentications:<id>`; `identity` is what pages show: team, user, scopes. A token goes
    only to `request_host`, the host that the action's URL had when the token was granted. `refused_at` is set when
    the other side no longer accepts it, `refreshing_until` while one process fetches the next token.
    """

    __tablename__ = "authentications"
    __table_args__ = (
        Index(
            "uq_authentications_functional",
            "action_id",
            unique=True,
            sqlite_where=text("task_id IS NULL"),
            postgresql_where=text("task_id IS NULL"),
        ),
        Index("uq_authentications_task_user", "action_id", "task_id", "user_id", unique=True),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    action_id: Mapped[int] = mapped_column(ForeignKey("integration_actions.id", ondelete="CASCADE"))
    task_id: Mapped[int | None] = mapped_column(ForeignKey("tasks.id", ondelete="CASCADE"), index=True)
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    token: Mapped[bytes | None] = mapped_column(LargeBinary)
    provider_host: Mapped[str] = mapped_column(String(300))
    request_host: Mapped[str] = mapped_column(String(300))
    identity: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    expires_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    refreshing_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    refused_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    refusal: Mapped[str] = mapped_column(String(200), default="")
    granted_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)
    granted_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))

    action: Mapped[Action] = relationship()
    granted_by: Mapped[User | None] = relationship(foreign_keys=[granted_by_id])

    @property
    def audit_name(self) -> str:
        return str(self.identity.get("label") or "authentication")

    @property
    def secrets_row_key(self) -> str:
        return f"{self.__tablename__}:{self.id}"


class PendingAuthentication(Base):
    """An OAuth sign-in that has left for the provider: bound to user, browser session, action and revision; used once."""

    __tablename__ = "pending_authentications"

    id: Mapped[int] = mapped_column(primary_key=True)
    state_hash: Mapped[str] = mapped_column(String(64), unique=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    action_id: Mapped[int] = mapped_column(ForeignKey("integration_actions.id", ondelete="CASCADE"))
    action_revision: Mapped[int]
    task_id: Mapped[int | None] = mapped_column(ForeignKey("tasks.id", ondelete="CASCADE"))
    code_verifier: Mapped[bytes | None] = mapped_column(LargeBinary)
    redirect_uri: Mapped[str] = mapped_column(String(500))
    return_to: Mapped[str] = mapped_column(String(500))
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
