"""Reads about people."""

from __future__ import annotations

from collections.abc import Collection

from flask import abort
from sqlalchemy import func, select

from webapp.accounts.models import IDLE_LIMIT, GlobalRole, User, UserSession
from webapp.clock import now
from webapp.extensions import db
from webapp.permissions import Role


def user_by_email(email: str) -> User | None:
    """The user with that address, in whatever case it was typed."""
    return db.session.scalar(select(User).where(User.email == email.strip().lower()))


def user_for(user_id: int) -> User:
    """The user, or 404. People are visible to each other by name; what may be changed is the route's permission."""
    return db.session.get(User, user_id) or abort(404)


def all_users(text: str = "") -> list[User]:
    """Everyone, by name; `text` narrows by name or address."""
    query = select(User).order_by(func.lower(User.name))
    if text:
        query = query.where(func.lower(User.name + " " + User.email).contains(text.lower(), autoescape=True))
    return list(db.session.scalars(query))


def users_by_id(user_ids: Collection[int]) -> list[User]:
    """The users with these ids, by name."""
    if not user_ids:
        return []
    return list(
        db.session.scalars(select(User).where(User.id.in_(user_ids)).order_by(func.lower(User.name), User.id))
    )


def active_users() -> list[User]:
    """Everyone who can sign in, by name."""
    return list(db.session.scalars(select(User).where(User.active).order_by(func.lower(User.name))))


def count_active_administrators() -> int:
    """How many people can still give roles."""
    query = (
        select(func.count())
        .select_from(GlobalRole)
        .join(User)
        .where(GlobalRole.role == Role.ADMINISTRATOR, User.active)
    )
    return db.session.scalar(query) or 0


def live_sessions(user_id: int) -> list[UserSession]:
    """The user's sessions that still open the door: neither ended nor idle for too long. Last used first."""
    query = select(UserSession).where(
        UserSession.user_id == user_id,
        UserSession.revoked_at.is_(None),
        UserSession.last_seen_at > now() - IDLE_LIMIT,
    )
    return list(db.session.scalars(query.order_by(UserSession.last_seen_at.desc())))
