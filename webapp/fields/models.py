"""Field definitions (what an admin sets up) and field values (what a task or a runbook holds)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, Column, ForeignKey, String, Table, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from webapp.clock import now
from webapp.extensions import Base, UtcDateTime
from webapp.workspaces.models import Workspace

field_workspaces = Table(
    "field_workspaces",
    Base.metadata,
    Column("field_definition_id", ForeignKey("field_definitions.id", ondelete="CASCADE"), primary_key=True),
    Column("workspace_id", ForeignKey("workspaces.id", ondelete="CASCADE"), primary_key=True),
)

DISPLAYS_ON = {
    "task_edit": "Task edit",
    "task_start": "Task start",
    "task_finish": "Task finish",
    "runbook_edit": "Runbook edit",
}


class FieldDefinition(Base):
    """A custom field as an admin defined it.

    `kind` is a key of `fields.kinds.KINDS`; `options` a list of texts for the kinds that choose from options;
    `displays_on` a list of DISPLAYS_ON's keys. Global where `is_global`, else visible in `workspaces`.
    Restricted to integration actions where `restrictions` is not empty.
    """

    __tablename__ = "field_definitions"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(120))
    kind: Mapped[str] = mapped_column(String(40))
    kind_version: Mapped[int] = mapped_column(default=1)
    help_text: Mapped[str] = mapped_column(String(500), default="")
    options: Mapped[list[str]] = mapped_column(JSON, default=list)
    displays_on: Mapped[list[str]] = mapped_column(JSON, default=list)
    is_global: Mapped[bool] = mapped_column(default=True)
    required: Mapped[bool] = mapped_column(default=False)
    transient: Mapped[bool] = mapped_column(default=False)
    position: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)
    archived_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    workspaces: Mapped[list[Workspace]] = relationship(secondary=field_workspaces, lazy="selectin")
    restrictions: Mapped[list[FieldRestriction]] = relationship(
        cascade="all, delete-orphan", lazy="selectin", back_populates="definition"
    )

    @property
    def audit_name(self) -> str:
        return self.name

    @property
    def restricted_action_ids(self) -> list[int]:
        return sorted(restriction.action_id for restriction in self.restrictions)


class FieldRestriction(Base):
    """The field belongs to this integration action only. The action's feature lies above, so only its id is known."""

    __tablename__ = "field_restrictions"
    __table_args__ = (UniqueConstraint("field_definition_id", "action_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    field_definition_id: Mapped[int] = mapped_column(ForeignKey("field_definitions.id", ondelete="CASCADE"))
    action_id: Mapped[int] = mapped_column(
        ForeignKey("integration_actions.id", ondelete="CASCADE"), index=True
    )

    definition: Mapped[FieldDefinition] = relationship(back_populates="restrictions")


class FieldValue(Base):
    """What one task or one runbook holds in one field; the kind decides the shape of `value` (JSON)."""

    __tablename__ = "field_values"
    __table_args__ = (
        UniqueConstraint("field_definition_id", "task_id"),
        UniqueConstraint("field_definition_id", "runbook_id"),
        CheckConstraint("(task_id IS NULL) <> (runbook_id IS NULL)", name="one_holder"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    field_definition_id: Mapped[int] = mapped_column(ForeignKey("field_definitions.id", ondelete="CASCADE"))
    task_id: Mapped[int | None] = mapped_column(ForeignKey("tasks.id", ondelete="CASCADE"), index=True)
    runbook_id: Mapped[int | None] = mapped_column(ForeignKey("runbooks.id", ondelete="CASCADE"), index=True)
    value: Mapped[Any] = mapped_column(JSON)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now, onupdate=now)
    updated_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))

    definition: Mapped[FieldDefinition] = relationship(lazy="joined")
