"""What each person was told, and the kinds that they do not want."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from webapp.clock import now
from webapp.extensions import Base, UtcDateTime


class Notification(Base):
    """One sentence to one person, with the page that it leads to.

    `kind` is a key of kinds.KINDS. `link` is a path on this site, without the prefix of a proxy. `runbook_id` and
    `task_id` are plain numbers, because what they name lies in a feature above. `sender_id` is who caused it; None where
    Runsheet did. `read_at` is None until the person opens it or marks it.
    """

    __tablename__ = "notifications"
    __table_args__ = (
        Index(None, "user_id", "id"),
        Index(None, "user_id", "read_at"),
        Index(None, "at"),
        Index(None, "runbook_id", "kind"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    kind: Mapped[str] = mapped_column(String(40))
    sentence: Mapped[str] = mapped_column(Text)
    link: Mapped[str] = mapped_column(String(500))
    runbook_id: Mapped[int | None]
    task_id: Mapped[int | None]
    sender_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)
    read_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class MutedKind(Base):
    """A kind of notification that a person has turned off."""

    __tablename__ = "muted_kinds"

    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    kind: Mapped[str] = mapped_column(String(40), primary_key=True)
