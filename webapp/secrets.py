"""Secrets at rest: sealed with authenticated encryption, bound to their row, and masked on pages."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

MASK = "••••••"


class Unreadable(Exception):
    """The sealed value was not made with any of SECRETS_KEYS, or was altered."""


class SealedElsewhere(Exception):
    """The sealed value belongs to another row: someone copied it."""


class Vault:
    """Seals JSON-able values. The first key seals, all of them open, so keys can be rotated."""

    def __init__(self, keys: Sequence[str]) -> None:
        """`keys` as Fernet keys, newest first. Raises ValueError for a malformed one."""
        self._fernet = MultiFernet([Fernet(key) for key in keys])

    def seal(self, row_key: str, value: Any) -> bytes:
        """The value, sealed for the row `table:id` (so it cannot be moved to another one)."""
        return self._fernet.encrypt(json.dumps([row_key, value]).encode())

    def open(self, row_key: str, sealed: bytes) -> Any:
        """The value. Raises Unreadable or SealedElsewhere."""
        try:
            found, value = json.loads(self._fernet.decrypt(sealed))
        except InvalidToken:
            raise Unreadable("a stored secret cannot be opened with the given SECRETS_KEYS") from None
        if found != row_key:
            raise SealedElsewhere(f"a stored secret of {found} lies in {row_key}")
        return value

    def rotate(self, sealed: bytes) -> bytes:
        """The same value, sealed with the first key. Raises Unreadable."""
        try:
            return self._fernet.rotate(sealed)
        except InvalidToken:
            raise Unreadable("a stored secret cannot be opened with the given SECRETS_KEYS") from None


def generate_key() -> str:
    """A new key for SECRETS_KEYS."""
    return Fernet.generate_key().decode()
