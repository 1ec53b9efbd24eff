"""Templates and snippets, their versions, and where they were used. The plan of a version is a row of runbooks."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from webapp.accounts.models import User
from webapp.clock import now
from webapp.extensions import Base, UtcDateTime
from webapp.permissions import Role
from webapp.runbooks.models import Runbook
from webapp.workspaces.models import Workspace


class TemplateKind(StrEnum):
    """A template becomes a new runbook; a snippet is inserted into a plan."""

    TEMPLATE = "template"
    SNIPPET = "snippet"


class RunbookTemplate(Base):
    """A plan to make runbooks from, or a few tasks to insert into plans, in versions. `kind` is a TemplateKind."""

    __tablename__ = "runbook_templates"

    id: Mapped[int] = mapped_column(primary_key=True)
    workspace_id: Mapped[int] = mapped_column(ForeignKey("workspaces.id"), index=True)
    kind: Mapped[str] = mapped_column(String(20), default=TemplateKind.TEMPLATE)
    name: Mapped[str] = mapped_column(String(200))
    description: Mapped[str] = mapped_column(Text, default="")
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)
    archived_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    workspace: Mapped[Workspace] = relationship()
    versions: Mapped[list[TemplateVersion]] = relationship(
        back_populates="template", order_by="TemplateVersion.number.desc()", cascade="all, delete-orphan"
    )

    @property
    def audit_name(self) -> str:
        return self.name

    @property
    def guard_workspace_id(self) -> int:
        return self.workspace_id

    def roles_of(self, user_id: int) -> frozenset[Role]:
        """Nobody owns a template: it is its workspace's."""
        return frozenset()


class TemplateVersion(Base):
    """One version of a template. `runbook` holds its plan; `state` is a value of `versions.VersionState`.

    `note` says what changed against the version before. `reason` is why it was sent back, until it is submitted again.
    """

    __tablename__ = "template_versions"
    __table_args__ = (UniqueConstraint("template_id", "number"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    template_id: Mapped[int] = mapped_column(ForeignKey("runbook_templates.id", ondelete="CASCADE"))
    number: Mapped[int]
    runbook_id: Mapped[int] = mapped_column(ForeignKey("runbooks.id"), unique=True)
    state: Mapped[str] = mapped_column(String(20), default="draft", index=True)
    note: Mapped[str] = mapped_column(Text, default="")
    reason: Mapped[str] = mapped_column(Text, default="")
    author_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)
    submitted_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    submitted_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    decided_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    decided_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    template: Mapped[RunbookTemplate] = relationship(back_populates="versions")
    runbook: Mapped[Runbook] = relationship()
    author: Mapped[User | None] = relationship(foreign_keys=[author_id])
    submitted_by: Mapped[User | None] = relationship(foreign_keys=[submitted_by_id])
    decided_by: Mapped[User | None] = relationship(foreign_keys=[decided_by_id])

    @property
    def audit_name(self) -> str:
        return f"{self.template.name}, version {self.number}"


class TemplateUse(Base):
    """That a version became a runbook (`whole`), or was inserted into one."""

    __tablename__ = "template_uses"

    id: Mapped[int] = mapped_column(primary_key=True)
    version_id: Mapped[int] = mapped_column(ForeignKey("template_versions.id"), index=True)
    runbook_id: Mapped[int] = mapped_column(ForeignKey("runbooks.id", ondelete="CASCADE"), index=True)
    whole: Mapped[bool]
    by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)

    version: Mapped[TemplateVersion] = relationship()
