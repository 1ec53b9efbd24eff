"""Signing in and out: the cookie carries a random token, the database its hash, so a session can be revoked."""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta
from functools import cache
from typing import Any

from flask import Flask, g, request, session
from flask_login import current_user, login_user, logout_user
from sqlalchemy import Select, bindparam, select, update
from sqlalchemy.orm import contains_eager

from webapp.accounts.models import IDLE_LIMIT, User, UserSession
from webapp.audit.operations import record
from webapp.blueprint import to_sign_in
from webapp.clock import now
from webapp.extensions import db, login_manager

SEEN_EVERY = timedelta(minutes=5)


def start(user: User) -> UserSession:
    """Sign the user in on this browser with a fresh cookie (what an attacker planted before is gone)."""
    session.clear()
    token = secrets.token_urlsafe(32)
    row = UserSession(
        user_id=user.id,
        token_hash=hash_token(token),
        address=request.remote_addr or "",
        browser=request.user_agent.string[:300],
    )
    db.session.add(row)
    record("session.started", user, by=user, after={"browser": row.browser[:120], "address": row.address})
    user.session_token = token
    login_user(user)
    return row


def current() -> UserSession | None:
    """This browser's session, or None when signed out."""
    return g.get("user_session") if current_user.is_authenticated else None


def end() -> None:
    """Sign this browser out."""
    row = current()
    if row is not None:
        row.revoked_at = now()
        record("session.ended", row.user, by=row.user, after={"browser": row.browser[:120]})
    logout_user()
    session.clear()


def load(token: str) -> User | None:
    """The user whose live session the token opens; keeps `last_seen_at` fresh to within five minutes."""
    found = db.session.scalars(
        _live_session(), {"token_hash": hash_token(token), "alive": now() - IDLE_LIMIT}
    )
    row = found.unique().one_or_none()
    if row is None:
        return None
    if row.last_seen_at < now() - SEEN_EVERY:
        # On a connection of its own: the page's transaction may be one that only reads.
        with db.engine.begin() as connection:
            connection.execute(update(UserSession).where(UserSession.id == row.id).values(last_seen_at=now()))
    g.user_session = row
    row.user.session_token = token
    return row.user


@cache
def _live_session() -> Select[UserSession]:
    """The session with :token_hash that was seen since :alive, and who it is with all their roles: one query a request,
    put together once."""
    user = contains_eager(UserSession.user)
    return (
        select(UserSession)
        .join(UserSession.user)
        .options(
            user.joinedload(User.held_roles),
            user.joinedload(User.memberships),
        )
        .where(
            UserSession.token_hash == bindparam("token_hash"),
            UserSession.revoked_at.is_(None),
            UserSession.last_seen_at > bindparam("alive"),
            User.active,
        )
    )


def hash_token(token: str) -> str:
    """What the database holds of a session's token."""
    return hashlib.sha256(token.encode()).hexdigest()


def _theme() -> dict[str, Any]:
    if current_user.is_authenticated:
        return {"theme": current_user.theme}
    wanted = request.cookies.get("theme", "")
    return {"theme": wanted if wanted in ("light", "dark") else "auto"}


def init_app(app: Flask) -> None:
    """Teach Flask-Login to read our tokens."""
    login_manager.user_loader(load)
    login_manager.unauthorized_handler(to_sign_in)
    app.context_processor(_theme)
