"""Users, the global roles they hold, and their signed-in sessions."""

from __future__ import annotations

from datetime import datetime, timedelta

from flask_login import UserMixin
from sqlalchemy import ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from webapp.clock import now
from webapp.extensions import Base, UtcDateTime
from webapp.permissions import Role

# A session that nobody used for this long is over.
IDLE_LIMIT = timedelta(hours=12)


class User(UserMixin, Base):
    """A person. `email` is stored lower-cased; `color` is one of the twelve avatar colours, 0 to 11."""

    __tablename__ = "users"

    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(String(254), unique=True)
    name: Mapped[str] = mapped_column(String(200))
    password_hash: Mapped[str | None] = mapped_column(String(200))
    active: Mapped[bool] = mapped_column(default=True)
    theme: Mapped[str] = mapped_column(String(10), default="auto")
    time_zone: Mapped[str] = mapped_column(String(60), default="")
    in_own_zone: Mapped[bool] = mapped_column(default=False)
    single_keys: Mapped[bool] = mapped_column(default=True)
    color: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)

    held_roles: Mapped[list[GlobalRole]] = relationship(
        back_populates="user", cascade="all, delete-orphan", lazy="selectin"
    )

    # The token of the session through which this user was loaded; not a column.
    session_token = ""

    def __eq__(self, other: object) -> bool:
        # UserMixin compares what get_id gives, which is empty for everybody but the one who is signed in.
        return object.__eq__(self, other)

    __hash__ = object.__hash__

    def get_id(self) -> str:
        """What Flask-Login keeps in the cookie: the session's token, so that the session can be revoked."""
        return self.session_token

    @property
    def is_active(self) -> bool:
        return self.active

    @property
    def audit_name(self) -> str:
        return self.name

    @property
    def initials(self) -> str:
        """Up to two capitals for the avatar."""
        words = self.name.split() or ["?"]
        return (words[0][0] + (words[-1][0] if len(words) > 1 else words[0][1:2])).upper()

    @property
    def global_roles(self) -> frozenset[Role]:
        return frozenset(Role(held.role) for held in self.held_roles)

    def workspace_roles(self) -> dict[int, Role]:
        """Workspace id to role. `memberships` is put here by the workspaces feature, which lies above."""
        return {each.workspace_id: Role(each.role) for each in self.memberships}

    def role_in(self, workspace_id: int) -> Role | None:
        return self.workspace_roles().get(workspace_id)


class GlobalRole(Base):
    """One global role that one user holds."""

    __tablename__ = "global_roles"
    __table_args__ = (UniqueConstraint("user_id", "role"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    role: Mapped[str] = mapped_column(String(40))

    user: Mapped[User] = relationship(back_populates="held_roles")


class UserSession(Base):
    """One signed-in browser. The cookie holds a random token, this row its SHA-256, so it can be revoked."""

    __tablename__ = "user_sessions"

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)
    last_seen_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)
    revoked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    address: Mapped[str] = mapped_column(String(64), default="")
    browser: Mapped[str] = mapped_column(String(300), default="")

    user: Mapped[User] = relationship()
