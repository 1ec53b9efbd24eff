"""The worker process: a stock RQ worker that performs jobs in this very process, so that pools and slots are kept.

RQ's default worker forks for each job, which would throw away the connections and the threads that send. A job here is
short or ends by itself (`drain` makes room after a while), so nothing needs RQ's timeout, which a fork would enforce.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable

from redis import Redis
from redis.exceptions import RedisError
from rq import SimpleWorker

from webapp.broker import wait_until_ready
from webapp.jobs import QUEUE

log = logging.getLogger(__name__)

# How long a blocked look at the queue lasts and how often the scheduler is checked: after a kill -9 its lock, or after
# a broker's restart its process, is gone until the next check.
TTL_S = 30
CHECK_EVERY_S = 15
BROKER_WAIT_S = 5.0


class Worker(SimpleWorker):
    """RQ's worker, and what it has to do besides when it is asked to stop."""

    max_connection_wait_time = BROKER_WAIT_S

    def __init__(self, connection: Redis, on_stop: Callable[[], None]) -> None:
        super().__init__([QUEUE], connection=connection, worker_ttl=TTL_S, maintenance_interval=CHECK_EVERY_S)
        self.stopping = False
        self._on_stop = on_stop

    def handle_warm_shutdown_request(self) -> None:
        """Called by RQ in its signal handler."""
        self.stopping = True
        self._on_stop()


def work(redis_url: str, *, on_stop: Callable[[], None]) -> None:
    """Perform jobs until SIGTERM or SIGINT, within the caller's app context. A broker that goes away is waited for.

    `on_stop` is called in the signal handler, so that a job that runs then can come to an end.
    """
    connection = Redis.from_url(redis_url)
    # The scheduler's process outlives a killed worker for a moment. Had it inherited the socket on which the worker
    # waits, the broker would hand a job to the dead.
    os.register_at_fork(before=lambda: connection.connection_pool.disconnect(inuse_connections=False))
    while not _work_once(connection, redis_url, on_stop):
        time.sleep(1)
        log.info("Starting again after the broker went away.")


def _work_once(connection: Redis, redis_url: str, on_stop: Callable[[], None]) -> bool:
    """One life of an RQ worker, which ends when the broker fails at a bad moment. Whether it was asked to stop."""
    while not wait_until_ready(redis_url, seconds=BROKER_WAIT_S):
        log.warning("The broker cannot be reached. Trying again.")
    try:
        worker = Worker(connection, on_stop)
    except RedisError:
        return False
    try:
        worker.work(with_scheduler=True)
    except RedisError as error:
        log.warning("The broker went away: %s", error)
    return worker.stopping
