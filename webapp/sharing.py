"""What many ask for at the same moment, worked out once in this process.

What this process commits is seen at once: every commit of its own forgets everything. What others commit is seen as soon
as the key says so (let it hold a seq), and otherwise after the lifetime at the latest.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar
from weakref import WeakSet

from flask import Flask
from sqlalchemy import event

T = TypeVar("T")


@dataclass
class _Entry(Generic[T]):
    born: float
    lock: threading.Lock = field(default_factory=threading.Lock)
    values: list[T] = field(default_factory=list)  # none yet, or one


class Shared(Generic[T]):
    """At most `most` values, each for `lives_s` seconds. They belong to everyone: keep nothing of a session in them."""

    def __init__(self, *, most: int, lives_s: float) -> None:
        self._most, self._lives_s = most, lives_s
        self._lock = threading.Lock()
        self._entries: dict[Hashable, _Entry[T]] = {}
        _all.add(self)

    def get(self, key: Hashable, make: Callable[[], T]) -> T:
        """The value of the key. The first who asks makes it, the others wait; where that fails, the next one makes it."""
        entry = self._entry(key)
        with entry.lock:
            if not entry.values:
                entry.values.append(make())
            return entry.values[0]

    def forget(self) -> None:
        """Make everything anew from now on."""
        with self._lock:
            self._entries = {}

    def _entry(self, key: Hashable) -> _Entry[T]:
        with self._lock:
            at = time.monotonic()
            found = self._entries.get(key)
            if found is not None and at - found.born < self._lives_s:
                return found
            kept = {each: entry for each, entry in self._entries.items() if at - entry.born < self._lives_s}
            while len(kept) >= self._most:
                del kept[next(iter(kept))]  # the oldest
            kept[key] = made = _Entry[T](at)
            self._entries = kept
            return made


_all: WeakSet[Shared[Any]] = WeakSet()


def init_app(app: Flask) -> None:
    """Forget everything with each commit of this process."""
    from webapp.extensions import db

    with app.app_context():
        event.listen(db.engine, "commit", lambda _connection: forget_all())


def forget_all() -> None:
    """Make everything anew from now on."""
    for each in list(_all):
        each.forget()
