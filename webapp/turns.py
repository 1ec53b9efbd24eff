"""Turns: how long each of many who ask again and again had better wait before the next time, so that others get a word in."""

from __future__ import annotations

import threading
import time


class Turns:
    """At most `per_s` turns a second in this process, handed out one after the other, none further away than `most_s`.

    Where few ask, the next turn is there at once. The more there are, the later it comes, and all get as often a turn.
    """

    def __init__(self, *, per_s: float, most_s: float) -> None:
        self._each_s, self._most_s = 1 / per_s, most_s
        self._lock = threading.Lock()
        self._last = 0.0

    def next_s(self, at: float | None = None) -> float:
        """Take a turn; seconds until it comes. `at` is the time of a clock that only goes on."""
        at = time.monotonic() if at is None else at
        with self._lock:
            self._last = min(max(self._last, at) + self._each_s, at + self._most_s)
            return self._last - at
