"""Reads about notifications. Everybody reads their own; a foreign one is 404."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from flask import abort
from sqlalchemy import func, select

from webapp.accounts.models import User
from webapp.extensions import db
from webapp.notifications.models import MutedKind, Notification

PAGE_SIZE = 50
# What a page that slept through a busy night is told one by one; the rest waits at the bell.
MOST_NEWS = 5


@dataclass(frozen=True)
class Bell:
    """How many notifications are unread, and the id of the latest one, 0 where there is none."""

    unread: int
    latest: int


def bell_of(user_id: int) -> Bell:
    """What the bell shows, in one query."""
    unread = (
        select(func.count())
        .select_from(Notification)
        .where(Notification.user_id == user_id, Notification.read_at.is_(None))
    )
    latest = select(func.max(Notification.id)).where(Notification.user_id == user_id)
    found = db.session.execute(select(unread.scalar_subquery(), latest.scalar_subquery())).one()
    return Bell(found[0], found[1] or 0)


def notification_for(user: User, notification_id: int) -> Notification:
    """One of the user's own, or 404."""
    found = db.session.get(Notification, notification_id)
    if found is None or found.user_id != user.id:
        abort(404)
    return found


def notifications_of(user_id: int, *, unread: bool, page: int) -> tuple[list[Notification], int]:
    """One page of the user's notifications, newest first, and how many pages there are. Pages count from 1."""
    of_user = select(Notification).where(Notification.user_id == user_id)
    if unread:
        of_user = of_user.where(Notification.read_at.is_(None))
    total = db.session.scalar(select(func.count()).select_from(of_user.subquery())) or 0
    query = of_user.order_by(Notification.id.desc()).limit(PAGE_SIZE).offset((page - 1) * PAGE_SIZE)
    return list(db.session.scalars(query)), max(1, -(-total // PAGE_SIZE))


def news_after(user_id: int, after: int) -> list[Notification]:
    """The user's unread notifications with a higher id: the latest few, oldest first."""
    query = (
        select(Notification)
        .where(Notification.user_id == user_id, Notification.id > after, Notification.read_at.is_(None))
        .order_by(Notification.id.desc())
        .limit(MOST_NEWS)
    )
    return list(db.session.scalars(query))[::-1]


def muted_by(user_id: int) -> frozenset[str]:
    """The keys of the kinds that the user has turned off."""
    return frozenset(db.session.scalars(select(MutedKind.kind).where(MutedKind.user_id == user_id)))


def without_muted(user_ids: Collection[int], kind: str) -> set[int]:
    """Those of the users who want to be told of that kind."""
    if not user_ids:
        return set()
    query = select(MutedKind.user_id).where(MutedKind.kind == kind, MutedKind.user_id.in_(user_ids))
    return set(user_ids) - set(db.session.scalars(query))


def last_told(kind: str, runbook_id: int) -> dict[int, datetime]:
    """User id to when they were last told that kind of thing about the runbook."""
    query = (
        select(Notification.user_id, func.max(Notification.at))
        .where(Notification.runbook_id == runbook_id, Notification.kind == kind)
        .group_by(Notification.user_id)
    )
    return {row[0]: row[1] for row in db.session.execute(query)}


def latest_since(moment: datetime) -> Sequence[tuple[int, int]]:
    """(user id, id of their latest notification) of everybody who was told something since then."""
    query = (
        select(Notification.user_id, func.max(Notification.id))
        .where(Notification.at > moment)
        .group_by(Notification.user_id)
    )
    return [(user_id, latest) for user_id, latest in db.session.execute(query)]
