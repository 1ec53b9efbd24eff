"""Authorization codes and tokens. Only their SHA-256 is kept: a token can be recognised, never read back."""

from __future__ import annotations

import hashlib
import secrets
import sqlite3
import time
from dataclasses import dataclass
from typing import Any

from slack_sandbox.store import Store

CODE_LIFETIME = 600.0  # seconds


@dataclass(frozen=True)
class Code:
    """What somebody allowed, waiting to be exchanged. `version` is the OAuth version, 1 or 2."""

    version: int
    person_id: str
    scope: tuple[str, ...]
    user_scope: tuple[str, ...]
    redirect_uri: str | None
    challenge: str | None
    used: bool
    expired: bool


@dataclass(frozen=True)
class Grant:
    """A token that was handed out. `kind` is "bot" or "user"; `created` and `expires` are Unix seconds."""

    id: int
    kind: str
    version: int
    person_id: str
    scope: tuple[str, ...]
    created: float
    expires: float | None
    revoked: bool

    @property
    def expired(self) -> bool:
        return self.expires is not None and self.expires <= time.time()

    @property
    def is_legacy(self) -> bool:
        return self.version == 1


@dataclass(frozen=True)
class Minted:
    """The secrets of a new grant, seen once. `expires_in` is in seconds; None when tokens do not rotate."""

    access_token: str
    refresh_token: str | None
    expires_in: int | None


class Grants:
    """Grants that were looked up stay in memory until one is revoked: every call of the API needs one."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._known: dict[str, Grant] = {}

    def issue_code(
        self,
        version: int,
        person_id: str,
        scope: list[str],
        user_scope: list[str],
        redirect_uri: str | None,
        challenge: str | None,
    ) -> str:
        code = f"{secrets.randbelow(10**13)}.{secrets.randbelow(10**13)}.{secrets.token_hex(32)}"
        self._store.write(
            "INSERT INTO codes VALUES (?, ?, ?, ?, ?, ?, ?, ?, 0)",
            _hash(code),
            version,
            person_id,
            " ".join(scope),
            " ".join(user_scope),
            redirect_uri,
            challenge,
            time.time(),
        )
        return code

    def code(self, code: str) -> Code | None:
        row = self._store.row("SELECT * FROM codes WHERE code_hash = ?", _hash(code))
        if row is None:
            return None
        return Code(
            version=row["version"],
            person_id=row["person_id"],
            scope=tuple(row["scope"].split()),
            user_scope=tuple(row["user_scope"].split()),
            redirect_uri=row["redirect_uri"],
            challenge=row["challenge"],
            used=bool(row["used"]),
            expired=time.time() - row["created"] > CODE_LIFETIME,
        )

    def use_code(self, code: str) -> bool:
        """Take the code; False if somebody else took it first."""
        return (
            self._store.write("UPDATE codes SET used = 1 WHERE code_hash = ? AND used = 0", _hash(code)) == 1
        )

    def mint(
        self,
        kind: str,
        version: int,
        person_id: str,
        scope: tuple[str, ...],
        lifetime: int | None = None,
    ) -> Minted:
        """Hand out a token. With a `lifetime` in seconds it rotates: it ends and has a refresh token."""
        prefix = {"bot": "xoxb", "user": "xoxp"}[kind]
        unique = f"{secrets.randbelow(10**11)}-{secrets.randbelow(10**11)}-{secrets.token_hex(16)}"
        now = time.time()
        minted = (
            Minted(f"{prefix}-{unique}", None, None)
            if lifetime is None
            else Minted(f"xoxe.{prefix}-1-{unique}", f"xoxe-1-{secrets.token_hex(32)}", lifetime)
        )
        self._store.write(
            "INSERT INTO grants (token_hash, refresh_hash, kind, version, person_id, scope, created, expires)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            _hash(minted.access_token),
            _hash(minted.refresh_token) if minted.refresh_token else None,
            kind,
            version,
            person_id,
            " ".join(scope),
            now,
            now + lifetime if lifetime is not None else None,
        )
        return minted

    def take_refresh(self, refresh_token: str) -> Grant | None:
        """The grant this refresh token belongs to, once: from now on the refresh token is dead."""
        with self._store.alone():
            row = self._store.row(
                "SELECT * FROM grants WHERE refresh_hash = ? AND revoked = 0", _hash(refresh_token)
            )
            if row is None:
                return None
            self._store.write("UPDATE grants SET refresh_hash = NULL WHERE id = ?", row["id"])
            return _grant(row)

    def find(self, token: str) -> Grant | None:
        known = self._known.get(token)
        if known is not None:
            return known
        with self._store.locked():  # nothing is revoked between the look and the note
            row = self._store.row("SELECT * FROM grants WHERE token_hash = ?", _hash(token))
            if row is None:
                return None
            self._known[token] = _grant(row)
            return self._known[token]

    def active(self, limit: int = 50) -> list[Grant]:
        """Tokens that still work, newest first."""
        rows = self._store.rows(
            "SELECT * FROM grants WHERE revoked = 0 AND (expires IS NULL OR expires > ?)"
            " ORDER BY id DESC LIMIT ?",
            time.time(),
            limit,
        )
        return [_grant(row) for row in rows]

    def revoke(self, grant_id: int) -> None:
        self._change("UPDATE grants SET revoked = 1 WHERE id = ?", grant_id)

    def revoke_all(self) -> int:
        """How many tokens stopped working."""
        return self._change("UPDATE grants SET revoked = 1 WHERE revoked = 0")

    def forget_all(self) -> None:
        """As if nobody had ever allowed the app: tokens are no longer revoked but unknown."""
        self._change("DELETE FROM grants")
        self._change("DELETE FROM codes")

    def _change(self, sql: str, *values: Any) -> int:
        with self._store.locked():
            self._known.clear()
            return self._store.write(sql, *values)


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def _grant(row: sqlite3.Row) -> Grant:
    values: dict[str, Any] = {
        key: row[key] for key in ("id", "kind", "version", "person_id", "created", "expires")
    }
    return Grant(**values, scope=tuple(row["scope"].split()), revoked=bool(row["revoked"]))
