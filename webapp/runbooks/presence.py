"""Who has a runbook open: kept by the broker, because it holds for seconds only. Its pages report every 20 s."""

from __future__ import annotations

import logging
import time

from redis.exceptions import RedisError

from webapp.jobs import queue

log = logging.getLogger(__name__)

# Two reports may fail to come before somebody counts as gone.
KEPT_S = 50


def watching(runbook_id: int, user_id: int) -> list[int]:
    """Note that the user looks at the runbook; the ids of all who do. Nobody, where the broker is down."""
    at = time.time()
    try:
        with queue().connection.pipeline(transaction=False) as broker:
            broker.zadd(key(runbook_id), {str(user_id): at})
            broker.zremrangebyscore(key(runbook_id), "-inf", at - KEPT_S)
            broker.expire(key(runbook_id), KEPT_S)
            broker.zrange(key(runbook_id), 0, -1)
            found = broker.execute()[-1]
    except RedisError as error:
        log.warning("The broker cannot be reached: %s. Nobody sees who watches.", error)
        return []
    return [int(each) for each in found]


def key(runbook_id: int) -> str:
    """Its sorted set: user id by the time of the last report, in seconds since 1970."""
    return f"runsheet:watching:{runbook_id}"
