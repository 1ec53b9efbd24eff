"""Messages and who may post where. A message's `ts` names it within its channel, as with Slack."""

from __future__ import annotations

import json
import sqlite3
import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from slack_sandbox.store import Store
from slack_sandbox.workspace import CHANNELS, Channel


@dataclass(frozen=True)
class Author:
    """Who a message is shown as. `is_legacy_app` is the nameless app identity of a v1 user token."""

    user_id: str
    username: str
    is_app: bool
    is_legacy_app: bool = False


@dataclass(frozen=True)
class Message:
    """`revision` grows with each new or changed message of the workspace; `payload` is what was sent."""

    id: int
    channel_id: str
    ts: str
    revision: int
    text: str
    user_id: str
    username: str
    is_app: bool
    edited: bool
    request_id: str
    payload: dict[str, Any]

    @property
    def at(self) -> datetime:
        return datetime.fromtimestamp(float(self.ts), UTC)

    @property
    def initials(self) -> str:
        return self.username[:2].upper()

    @property
    def channel(self) -> Channel:
        return CHANNELS[self.channel_id]

    @property
    def anchor(self) -> str:
        return "p" + self.ts.replace(".", "")


class Messages:
    def __init__(self, store: Store) -> None:
        self._store = store
        row = store.row("SELECT max(revision) AS revision, max(CAST(ts AS REAL)) AS ts FROM messages")
        self._revision: int = (row and row["revision"]) or 0
        self._last_microseconds = int(((row and row["ts"]) or 0) * 1_000_000)

    @property
    def revision(self) -> int:
        return self._revision

    @property
    def epoch(self) -> int:
        """Counts how often the messages were cleared; an open page reloads when it changes."""
        return int(self._store.fact("epoch", 0))

    def add(
        self, channel_id: str, text: str, author: Author, request_id: str, payload: dict[str, Any]
    ) -> Message:
        text, username = _storable(text), _storable(author.username)
        with self._store.locked():
            self._revision += 1
            self._last_microseconds = max(int(time.time() * 1_000_000), self._last_microseconds + 1)
            ts = f"{self._last_microseconds // 1_000_000}.{self._last_microseconds % 1_000_000:06d}"
            number = self._store.insert(
                "INSERT INTO messages (channel_id, ts, revision, text, user_id, username, is_app, request_id,"
                " payload) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                channel_id,
                ts,
                self._revision,
                text,
                author.user_id,
                username,
                author.is_app,
                request_id,
                json.dumps(payload),
            )
            return Message(
                number,
                channel_id,
                ts,
                self._revision,
                text,
                author.user_id,
                username,
                author.is_app,
                False,
                request_id,
                payload,
            )

    def change(self, message: Message, text: str, payload: dict[str, Any]) -> Message:
        text = _storable(text)
        with self._store.locked():
            self._revision += 1
            self._store.write(
                "UPDATE messages SET text = ?, payload = ?, edited = 1, revision = ? WHERE id = ?",
                text,
                json.dumps(payload),
                self._revision,
                message.id,
            )
            return replace(message, text=text, payload=payload, edited=True, revision=self._revision)

    def find(self, channel_id: str, ts: str) -> Message | None:
        row = self._store.row("SELECT * FROM messages WHERE channel_id = ? AND ts = ?", channel_id, ts)
        return _message(row) if row else None

    def latest(self, channel_id: str, limit: int = 200) -> list[Message]:
        """The channel's newest messages, oldest first."""
        rows = self._store.rows(
            "SELECT * FROM messages WHERE channel_id = ? ORDER BY id DESC LIMIT ?", channel_id, limit
        )
        return [_message(row) for row in reversed(rows)]

    def since(self, channel_id: str, revision: int, limit: int = 200) -> list[Message]:
        """Messages of the channel that are new or changed after this revision, oldest change first."""
        rows = self._store.rows(
            "SELECT * FROM messages WHERE channel_id = ? AND revision > ? ORDER BY revision LIMIT ?",
            channel_id,
            revision,
            limit,
        )
        return [_message(row) for row in rows]

    def every(self, channel_id: str | None = None) -> list[Message]:
        """All messages, or all of one channel, in the order they arrived."""
        rows = self._store.rows(
            "SELECT * FROM messages WHERE ?1 IS NULL OR channel_id = ?1 ORDER BY id", channel_id
        )
        return [_message(row) for row in rows]

    def counts(self) -> dict[str, int]:
        """Number of messages of each channel."""
        rows = self._store.rows("SELECT channel_id, count(*) AS n FROM messages GROUP BY channel_id")
        return dict.fromkeys(CHANNELS, 0) | {row["channel_id"]: row["n"] for row in rows}

    def clear(self) -> None:
        with self._store.alone():
            self._store.write("DELETE FROM messages")
            self._store.set_fact("epoch", self.epoch + 1)

    def app_is_member(self, channel: Channel) -> bool:
        row = self._store.row("SELECT is_member FROM memberships WHERE channel_id = ?", channel.id)
        return bool(row["is_member"]) if row else channel.app_is_member

    def set_membership(self, channel: Channel, is_member: bool) -> None:
        self._store.write("INSERT OR REPLACE INTO memberships VALUES (?, ?)", channel.id, is_member)

    def reset_memberships(self) -> None:
        self._store.write("DELETE FROM memberships")


def _message(row: sqlite3.Row) -> Message:
    values = {key: row[key] for key in row.keys()}  # noqa: SIM118 - a Row iterates over values
    values |= {"is_app": bool(row["is_app"]), "edited": bool(row["edited"])}
    return Message(**values | {"payload": json.loads(row["payload"])})


def _storable(text: str) -> str:
    """JSON can spell lone surrogates, UTF-8 cannot."""
    return text.encode("utf-8", "replace").decode("utf-8")
