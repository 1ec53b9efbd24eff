"""Waking the workers: one queue entry for a burst of starts, and never none.

A nudge puts `drain` on the queue and a flag beside it; while the flag stands, further nudges do nothing. The drain takes
the flag away first and looks for due runs afterwards. So a nudge that found the flag standing was made, and its run
committed, before that look; one made later finds no flag and queues a drain of its own. The flag ends by itself after a
few seconds, in case the queue entry is lost.
"""

from __future__ import annotations

import logging
from datetime import datetime

from flask import current_app
from redis.exceptions import RedisError
from sqlalchemy import event
from sqlalchemy.orm import Session

from webapp import jobs
from webapp.clock import now
from webapp.extensions import db

log = logging.getLogger(__name__)

DRAIN = "drain"
FLAG = "runsheet:drain-wanted"
FLAG_S = 5
_WAITING = "nudge waiting for the commit"


def nudge_after_commit() -> None:
    """Nudge when the open transaction commits; forget it when it rolls back."""
    db.session().info[_WAITING] = True


def nudge() -> None:
    """See that a worker looks for due runs. A broker that is down costs a log line; the sweeper finds the runs."""
    try:
        if not jobs.queue().connection.set(FLAG, "1", nx=True, ex=FLAG_S):
            return
        if not jobs.enqueue(DRAIN):
            take_flag()
    except RedisError as error:
        log.warning("The broker cannot be reached: %s. The sweeper will find the work.", error)


def take_flag() -> None:
    """Let the next nudge through. For the drain, before its first look."""
    try:
        jobs.queue().connection.delete(FLAG)
    except RedisError as error:
        log.warning("The broker cannot be reached: %s. The flag of the last nudge ends by itself.", error)


def nudge_at(moment: datetime) -> None:
    """Have a worker look again at that moment, through RQ's scheduler; without it the sweeper is a little later."""
    try:
        jobs.queue().enqueue_at(
            max(moment, now()), jobs.perform, DRAIN, result_ttl=0, failure_ttl=86_400, job_timeout=-1
        )
    except RedisError as error:
        log.warning("The broker did not take a wake-up: %s. The sweeper will find the work.", error)


# SQLAlchemy sends both events for savepoints too; only the end of the whole transaction counts.


@event.listens_for(Session, "after_commit")
def _flush(session: Session) -> None:
    if not session.in_nested_transaction() and session.info.pop(_WAITING, False) and current_app:
        nudge()


@event.listens_for(Session, "after_rollback")
def _forget(session: Session) -> None:
    if not session.in_nested_transaction():
        session.info.pop(_WAITING, None)
