"""One SQLite connection for the whole process, behind one lock.

One process owns a store. In write-ahead mode with synchronous=NORMAL a stored message survives the death of
the process, and a commit costs tens of microseconds.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import RLock
from typing import Any

SCHEMA = """
CREATE TABLE IF NOT EXISTS facts (key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS memberships (channel_id TEXT PRIMARY KEY, is_member INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS codes (
    code_hash TEXT PRIMARY KEY, version INTEGER NOT NULL, person_id TEXT NOT NULL, scope TEXT NOT NULL,
    user_scope TEXT NOT NULL, redirect_uri TEXT, challenge TEXT, created REAL NOT NULL, used INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS grants (
    id INTEGER PRIMARY KEY AUTOINCREMENT, token_hash TEXT NOT NULL UNIQUE, refresh_hash TEXT UNIQUE,
    kind TEXT NOT NULL, version INTEGER NOT NULL, person_id TEXT NOT NULL, scope TEXT NOT NULL,
    created REAL NOT NULL, expires REAL, revoked INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE IF NOT EXISTS messages (
    id INTEGER PRIMARY KEY AUTOINCREMENT, channel_id TEXT NOT NULL, ts TEXT NOT NULL,
    revision INTEGER NOT NULL, text TEXT NOT NULL, user_id TEXT NOT NULL, username TEXT NOT NULL,
    is_app INTEGER NOT NULL, edited INTEGER NOT NULL DEFAULT 0, request_id TEXT NOT NULL,
    payload TEXT NOT NULL,
    UNIQUE (channel_id, ts)
);
CREATE INDEX IF NOT EXISTS messages_by_revision ON messages (revision);
CREATE INDEX IF NOT EXISTS messages_by_channel ON messages (channel_id, revision);
"""


class Store:
    """The state that outlives a restart."""

    def __init__(self, path: str | None) -> None:
        if path:
            Path(path).parent.mkdir(parents=True, exist_ok=True)
        self._lock = RLock()
        self._connection = sqlite3.connect(path or ":memory:", check_same_thread=False, isolation_level=None)
        self._connection.row_factory = sqlite3.Row
        self._connection.execute("PRAGMA journal_mode=WAL")
        self._connection.execute("PRAGMA synchronous=NORMAL")
        self._connection.executescript(SCHEMA)

    def close(self) -> None:
        with self._lock:
            self._connection.close()

    def rows(self, sql: str, *values: Any) -> list[sqlite3.Row]:
        with self._lock:
            return self._connection.execute(sql, values).fetchall()

    def row(self, sql: str, *values: Any) -> sqlite3.Row | None:
        with self._lock:
            found: sqlite3.Row | None = self._connection.execute(sql, values).fetchone()
            return found

    def write(self, sql: str, *values: Any) -> int:
        """Run one statement; the number of rows it changed."""
        with self._lock:
            return self._connection.execute(sql, values).rowcount

    def insert(self, sql: str, *values: Any) -> int:
        """Run one INSERT; the number of the new row."""
        with self._lock:
            number = self._connection.execute(sql, values).lastrowid
            return number or 0

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the store while something in memory and one statement must agree."""
        with self._lock:
            yield

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Hold the store for several statements that must see nobody else in between."""
        with self._lock:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")

    def fact(self, key: str, default: Any) -> Any:
        """A small JSON value kept under a name."""
        row = self.row("SELECT value FROM facts WHERE key = ?", key)
        return json.loads(row["value"]) if row else default

    def set_fact(self, key: str, value: Any) -> None:
        self.write("INSERT OR REPLACE INTO facts VALUES (?, ?)", key, json.dumps(value))
