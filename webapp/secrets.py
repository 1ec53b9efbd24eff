"""Secrets at rest: sealed, authenticated and bound to their row; and what pages show instead."""

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
        """`keys`: Fernet keys, newest first. Raises ValueError for none or a malformed one."""
        if not keys:
            raise ValueError("SECRETS_KEYS has no key; make one with: runsheet secrets new-key.")
        try:
            self._fernet = MultiFernet([Fernet(key) for key in keys])
        except ValueError:
            raise ValueError(
                "SECRETS_KEYS holds a key that is not one; make keys with: runsheet secrets new-key."
            ) from None

    def seal(self, row_key: str, value: Any) -> bytes:
        """The value, sealed for the row `table:id`, so that it cannot be moved to another one.

        What is opened later is what JSON makes of it: tuples become lists. Raises TypeError for what it
        cannot hold.
        """
        return self._fernet.encrypt(json.dumps([row_key, value]).encode())

    def open(self, row_key: str, sealed: bytes) -> Any:
        """The value. Raises Unreadable or SealedElsewhere."""
        try:
            content = json.loads(self._fernet.decrypt(sealed))
        except (InvalidToken, ValueError):
            raise _unreadable() from None
        if not isinstance(content, list) or len(content) != 2:
            raise _unreadable()
        found, value = content
        if found != row_key:
            raise SealedElsewhere(f"a stored secret of {found} lies in {row_key}")
        return value

    def rotate(self, sealed: bytes) -> bytes:
        """The same value, sealed with the first key. Raises Unreadable."""
        try:
            return self._fernet.rotate(sealed)
        except InvalidToken:
            raise _unreadable() from None


def generate_key() -> str:
    """A new key for SECRETS_KEYS."""
    return Fernet.generate_key().decode()


def mask(text: str) -> str:
    """What stands for a secret on a page: always the same, so not even its length or last characters show."""
    return MASK


def _unreadable() -> Unreadable:
    return Unreadable("a stored secret cannot be opened with the given SECRETS_KEYS")
