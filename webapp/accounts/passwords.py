"""Password hashing with argon2id. Pure: no Flask, no database."""

from __future__ import annotations

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from webapp.off_the_loop import off_the_loop

MINIMUM_LENGTH = 12
_hasher = PasswordHasher()
# Verified when the name is unknown, so that the answer takes as long as for a known one.
_DUMMY = _hasher.hash("no such person's password")


def hash_password(password: str) -> str:
    """The argon2id hash with its parameters and salt."""
    return str(off_the_loop(_hasher.hash, password))


def verify(stored: str | None, password: str) -> bool:
    """Whether the password belongs to the hash. None costs the same time and is False."""
    try:
        off_the_loop(_hasher.verify, stored or _DUMMY, password)
    except (VerificationError, InvalidHashError):
        return False
    return stored is not None


def needs_rehash(stored: str) -> bool:
    """Whether the hash was made with weaker parameters than today's."""
    return _hasher.check_needs_rehash(stored)
