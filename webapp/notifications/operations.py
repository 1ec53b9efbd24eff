"""Verbs about notifications. They are told in the transaction of what they tell of; none commits."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, insert, select, update

from webapp.accounts.models import User
from webapp.audit.operations import record
from webapp.clock import now
from webapp.extensions import db
from webapp.notifications import queries
from webapp.notifications.kinds import KINDS
from webapp.notifications.models import MutedKind, Notification

# The same thing, told again within this time, is a second click and not news.
SAME_WITHIN = timedelta(seconds=10)
KEPT = timedelta(days=90)


@dataclass(frozen=True)
class News:
    """What one person is told: a sentence, and the path on this site where it leads."""

    sentence: str
    link: str
    task_id: int | None = None


def notify(
    user_ids: Iterable[int], kind: str, news: News, *, by: User | None, runbook_id: int | None = None
) -> set[int]:
    """Tell each of these people the same; see notify_each."""
    return notify_each(dict.fromkeys(user_ids, news), kind, by=by, runbook_id=runbook_id)


def notify_each(
    news: Mapping[int, News], kind: str, *, by: User | None, runbook_id: int | None = None
) -> set[int]:
    """Tell people (user id to what) in one statement, however many. The ids of those who were told.

    Nobody is told of what they did themselves, of a kind that they turned off, or the same thing twice within seconds.
    Raises KeyError for an unknown kind.
    """
    others = {user_id for user_id in news if by is None or user_id != by.id}
    if KINDS[kind].may_be_muted:
        others = queries.without_muted(others, kind)
    others -= _told_already({user_id: news[user_id] for user_id in others}, kind)
    if others:
        moment = now()
        rows = [
            {
                "user_id": user_id,
                "kind": kind,
                "sentence": news[user_id].sentence,
                "link": news[user_id].link,
                "runbook_id": runbook_id,
                "task_id": news[user_id].task_id,
                "sender_id": by.id if by else None,
                "at": moment,
            }
            for user_id in sorted(others)
        ]
        db.session.execute(insert(Notification.__table__), rows)  # type: ignore[arg-type]
    return others


def mark_read(notification: Notification) -> None:
    """It was opened or put aside. What one has read is nobody else's business, so it leaves no audit line."""
    if notification.read_at is None:
        notification.read_at = now()


def mark_all_read(user: User, *, until: int) -> None:
    """All that the user has seen of: those up to that id. What has come since stays unread."""
    db.session.execute(
        update(Notification)
        .where(Notification.user_id == user.id, Notification.read_at.is_(None), Notification.id <= until)
        .values(read_at=now())
        .execution_options(synchronize_session=False)
    )


def choose_kinds(user: User, wanted: Collection[str]) -> None:
    """Turn the kinds off that are not wanted, of those that may be."""
    before = queries.muted_by(user.id)
    after = {kind.key for kind in KINDS if kind.may_be_muted and kind.key not in wanted}
    if after == before:
        return
    db.session.execute(delete(MutedKind).where(MutedKind.user_id == user.id))
    if after:
        rows = [{"user_id": user.id, "kind": kind} for kind in sorted(after)]
        db.session.execute(insert(MutedKind.__table__), rows)  # type: ignore[arg-type]
    record(
        "user.notifications_chosen",
        user,
        by=user,
        before={"turned off": _labels(before)},
        after={"turned off": _labels(after)},
    )


def forget_old(moment: datetime) -> None:
    """Throw away what is older than 90 days."""
    db.session.execute(
        delete(Notification)
        .where(Notification.at < moment - KEPT)
        .execution_options(synchronize_session=False)
    )


def _told_already(news: Mapping[int, News], kind: str) -> set[int]:
    if not news:
        return set()
    query = select(Notification.user_id, Notification.sentence, Notification.link).where(
        Notification.at > now() - SAME_WITHIN, Notification.kind == kind, Notification.user_id.in_(news)
    )
    return {
        user_id
        for user_id, sentence, link in db.session.execute(query)
        if (sentence, link) == (news[user_id].sentence, news[user_id].link)
    }


def _labels(keys: Iterable[str]) -> list[str]:
    return [KINDS.label(key) for key in sorted(keys)]
