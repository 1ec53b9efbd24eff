"""Slack's posting limit: about one message a second in a channel, short bursts tolerated."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from threading import Lock

BURST = 4
PER_SECOND = 1.0


class PostingLimit:
    """One bucket a channel: it holds `BURST` posts and is refilled by `PER_SECOND` posts each second."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = Lock()
        self._buckets: dict[str, tuple[float, float]] = {}

    def wait_before(self, channel_id: str) -> int:
        """0 if a post may go now (and it is counted), else whole seconds to wait before the next."""
        with self._lock:
            now = self._clock()
            level, since = self._buckets.get(channel_id, (float(BURST), now))
            level = min(float(BURST), level + (now - since) * PER_SECOND)
            if level < 1:
                self._buckets[channel_id] = (level, now)
                return max(1, math.ceil((1 - level) / PER_SECOND))
            self._buckets[channel_id] = (level - 1, now)
            return 0

    def forget(self) -> None:
        with self._lock:
            self._buckets.clear()
