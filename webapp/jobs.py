"""Work for the background: named jobs, put on the queue once the transaction that asked for them is committed.

The queue is a wake-up and may lose everything; the truth is in the database. So a broker that is down at that
moment costs a log line, never an error for the person who clicked: the sweeper finds the row.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from blinker import Signal
from flask import Flask, current_app
from redis.exceptions import RedisError
from rq import Queue
from sqlalchemy import event
from sqlalchemy.orm import Session

from webapp.extensions import db

log = logging.getLogger(__name__)

QUEUE = "runsheet"
_WAITING = "jobs waiting for the commit"

JOBS: dict[str, Callable[..., None]] = {}

# Sent by each turn of the sweeper, in a job and outside a transaction, for features that have forgotten work to find.
swept = Signal()


def job(name: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Register a function as the job `name`. It takes JSON-able ids and owns its transactions."""

    def register(function: Callable[..., None]) -> Callable[..., None]:
        if name in JOBS:
            raise ValueError(f"two jobs are named {name!r}")
        JOBS[name] = function
        return function

    return register


def enqueue_after_commit(name: str, *arguments: Any) -> None:
    """Queue the job when the open transaction commits; forget it when it rolls back.

    The same job with the same arguments is queued once a transaction. Raises KeyError for an unknown name.
    """
    JOBS[name]
    waiting: dict[tuple[str, tuple[Any, ...]], None] = db.session().info.setdefault(_WAITING, {})
    waiting[(name, arguments)] = None


def enqueue(name: str, *arguments: Any) -> bool:
    """Queue the job now. False, and a log line, where the broker cannot be reached."""
    try:
        queue().enqueue(perform, name, *arguments, result_ttl=0, failure_ttl=86_400, job_timeout=-1)
    except RedisError as error:
        log.warning("The broker did not take %s: %s. The sweeper will find the work.", name, error)
        return False
    return True


def perform(name: str, *arguments: Any) -> None:
    """The single function that RQ calls. The worker's process holds the app context."""
    JOBS[name](*arguments)


def queue() -> Queue:
    """The one queue, on the app's broker connection."""
    found: Queue = current_app.extensions["runsheet_queue"]
    return found


def init_app(app: Flask, connection: Any) -> None:
    """Bind the queue to the app's broker connection."""
    app.extensions["runsheet_queue"] = Queue(QUEUE, connection=connection)


@event.listens_for(Session, "after_commit")
def _flush_jobs(session: Session) -> None:
    for name, arguments in session.info.pop(_WAITING, {}):
        enqueue(name, *arguments)


@event.listens_for(Session, "after_rollback")
def _forget_jobs(session: Session) -> None:
    session.info.pop(_WAITING, None)
