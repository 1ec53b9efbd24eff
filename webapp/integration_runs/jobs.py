"""The work in the background: `drain` sends what is due, `sweep` finds what was forgotten.

Stock RQ performs them; the queue is only the wake-up. Each turn of a drain is one transaction, over before anything
is sent.
"""

from __future__ import annotations

import logging
import os
import secrets
import socket
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import TypeVar

from flask import Flask, current_app
from redis.exceptions import RedisError
from rq.cron import CronScheduler
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.orm import lazyload

from webapp import __version__
from webapp.clock import now
from webapp.extensions import db
from webapp.http import Door
from webapp.integration_runs import nudges, operations, queries
from webapp.integration_runs.delivery import Dispatcher
from webapp.integration_runs.exchanges import Claim, Finished, Missing
from webapp.integrations.authorizations import Credential
from webapp.integrations.credentials import CredentialMissing, credential_for
from webapp.integrations.models import Action
from webapp.jobs import QUEUE, job, perform, swept

log = logging.getLogger(__name__)

DRAIN_FOR_S = 20.0
SWEEP_EVERY_S = 5
CONCURRENCY = 64
# Most posts are over before anyone could read that they are being sent.
TELL_AFTER_S = 0.2
_PAUSES_S = (0.05, 0.2, 0.5, 1.0, 2.0, 5.0)

T = TypeVar("T")


@job(nudges.DRAIN)
def drain() -> None:
    """Send what is due until nothing is. After a while it makes room for other jobs and queues itself again."""
    nudges.take_flag()
    app = current_app._get_current_object()  # type: ignore[attr-defined]
    dispatcher = dispatcher_of(app)
    if dispatcher.drain(_DatabaseLedger(app, dispatcher.slots), until=time.monotonic() + DRAIN_FOR_S):
        nudges.nudge()


@job("sweep")
def sweep() -> None:
    """Give up what a lost worker was sending, repeat failed follow-ups, and wake the workers where runs are due."""
    given_up = _in_transaction(lambda: operations.expire_leases(now()))
    if given_up:
        log.warning("%d runs were left by a lost worker; what may have arrived is now unknown.", given_up)
    _in_transaction(lambda: operations.follow_up_again(now()))
    if _in_transaction(lambda: queries.any_due(now())):
        nudges.nudge()
    swept.send()


def dispatcher_of(app: Flask) -> Dispatcher:
    """This process's dispatcher. A forked child makes its own: threads do not survive a fork."""
    made: dict[int, Dispatcher] = app.extensions.setdefault("dispatchers", {})
    if os.getpid() not in made:
        slots, door = app.config.get("CONCURRENCY", CONCURRENCY), app.extensions["door"]
        if slots > CONCURRENCY:  # the app's door keeps connections for the usual number
            door = Door(app.config["EGRESS"], slots=slots, user_agent=f"Runsheet/{__version__}")
        made[os.getpid()] = Dispatcher(door, slots=slots)
    return made[os.getpid()]


def arm(app: Flask) -> threading.Event:
    """Have `sweep` queued every few seconds from now on, first at once. For a worker's start; set the event to stop.

    The clock is RQ's own cron, its state in this process, so a broker that loses everything loses no schedule. Any
    number of workers may do this.
    """
    logging.getLogger("rq.cron").setLevel(logging.WARNING)
    cron = CronScheduler(connection=app.extensions["runsheet_queue"].connection)
    cron.register(
        perform,
        QUEUE,
        args=("sweep",),
        interval=SWEEP_EVERY_S,
        job_timeout=-1,
        result_ttl=0,
        ttl=2 * SWEEP_EVERY_S,
        failure_ttl=86_400,
        name="sweep",
    )
    stopped = threading.Event()
    threading.Thread(target=_tick, args=(cron, stopped), name="sweep-clock", daemon=True).start()
    return stopped


def _tick(cron: CronScheduler, stopped: threading.Event) -> None:
    reachable = True
    while True:
        try:
            cron.enqueue_jobs()
            reachable = True
        except RedisError as error:
            if reachable:
                log.warning("The broker cannot be reached: %s. Trying again every second.", error)
            reachable = False
        if stopped.wait(1.0):
            return


class _DatabaseLedger:
    """Claims and settles runs in this process's database, and tells listeners what is being sent for longer."""

    def __init__(self, app: Flask, slots: int) -> None:
        self._app, self._slots = app, slots
        self._worker = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(3)}"[:100]
        # Run id to when listeners hear that it is being sent, unless it is settled before.
        self._untold: dict[int, float] = {}

    def turn(self, finished: Sequence[Finished], free: int, busy: Mapping[str, int]) -> list[Claim]:
        """Settle, tell and claim in one transaction; where that fails for good, settle one by one, so that one run
        cannot hold up the others."""
        for each in finished:
            self._untold.pop(each.claim.run_id, None)
        moment = time.monotonic()
        lasting = [run_id for run_id, due in self._untold.items() if due <= moment]
        if not finished and not lasting and free <= 0:
            return []
        next_due: datetime | None = None
        claims: list[Claim] = []

        def work() -> None:
            nonlocal next_due, claims
            next_due = operations.settle_runs(finished)
            operations.tell(lasting)
            claims = self._claimed(free, busy) if free > 0 else []

        try:
            _in_transaction(work)
        except OperationalError:
            raise  # the database is gone: what is finished is kept, and settled by the next drain
        except Exception:
            if not finished:
                raise
            log.exception("A batch of %d runs could not be settled; settling them one by one.", len(finished))
            claims = []
            for each in finished:
                self._settle_alone(each)
        for run_id in lasting:
            del self._untold[run_id]
        self._untold.update({claim.run_id: moment + TELL_AFTER_S for claim in claims if claim.told})
        if next_due is not None:
            nudges.nudge_at(next_due)
        return claims

    def _claimed(self, free: int, busy: Mapping[str, int]) -> list[Claim]:
        return operations.claim_runs(
            self._worker, free=free, busy=busy, slots=self._slots, credential_of=_Credentials(self._app)
        )

    def _settle_alone(self, finished: Finished) -> None:
        try:
            _in_transaction(lambda: operations.settle_runs([finished]))
        except Exception:
            log.exception(
                "Run %s could not be settled; the sweeper will give it up.", finished.claim.reference
            )


class _Credentials:
    """Credentials for one batch of claims: each is looked up once, by the first thread that needs it."""

    def __init__(self, app: Flask) -> None:
        self._app = app
        self._lock = threading.Lock()
        self._locks: dict[tuple[int, int | None, int | None], threading.Lock] = {}
        self._found: dict[tuple[int, int | None, int | None], Credential | Missing] = {}

    def __call__(self, action_id: int, task_id: int | None, user_id: int | None) -> Credential:
        key = (action_id, task_id, user_id)
        with self._lock:
            mine = self._locks.setdefault(key, threading.Lock())
        with mine:
            if key not in self._found:
                self._found[key] = self._looked_up(*key)
        found = self._found[key]
        if isinstance(found, Missing):
            raise found
        return found

    def _looked_up(self, action_id: int, task_id: int | None, user_id: int | None) -> Credential | Missing:
        with self._app.app_context():
            try:
                action = db.session.get_one(Action, action_id, options=[lazyload(Action.workspaces)])
                return credential_for(action, task_id=task_id, user_id=user_id)
            except CredentialMissing as missing:
                return Missing(missing.code, missing.sentence, missing.remedy)
            finally:
                db.session.rollback()


def _in_transaction(work: Callable[[], T]) -> T:
    """Do the work and commit; again after a pause where the database was busy, gone, or chose us as a deadlock's victim."""
    for pause_s in (*_PAUSES_S, None):
        try:
            result = work()
            db.session.commit()
            return result
        except DBAPIError as error:
            db.session.rollback()
            if pause_s is None or not (isinstance(error, OperationalError) or error.connection_invalidated):
                raise
            log.warning("The database is not ready (%s); trying again in %g s.", error.orig, pause_s)
            time.sleep(pause_s)
        except BaseException:
            db.session.rollback()
            raise
    raise AssertionError("unreachable")
