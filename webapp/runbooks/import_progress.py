"""How far an import is, for those who wait for it: kept by the broker, because its own transaction shows nothing yet."""

from __future__ import annotations

import logging

from redis.exceptions import RedisError

from webapp.jobs import queue

log = logging.getLogger(__name__)

KEPT_S = 600


def tell(import_id: int, done: int) -> None:
    """So many rows are written. A broker that is down costs the bar, not the import."""
    try:
        queue().connection.set(_key(import_id), done, ex=KEPT_S)
    except RedisError as error:
        log.warning("The broker cannot be reached: %s. The import goes on without a progress bar.", error)


def told(import_id: int) -> int:
    """How many rows are written, as far as is known."""
    try:
        return int(queue().connection.get(_key(import_id)) or 0)
    except RedisError:
        return 0


def _key(import_id: int) -> str:
    return f"runsheet:import:{import_id}"
