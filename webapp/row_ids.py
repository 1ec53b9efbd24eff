"""Numbers out of addresses and forms that name a row or a page: those that are too long name nothing.

Without this bound SQLite refuses them with OverflowError, PostgreSQL from 2**31 on with DataError: 500 instead of 404.
"""

from __future__ import annotations

import re

from werkzeug.routing import IntegerConverter

DIGITS = "[0-9]{1,9}"


class RowIdConverter(IntegerConverter):
    """`<int:…>` in a rule; an address with a longer number is not found."""

    # By its pattern: with `max`, a rule that exists for GET and POST answers one of them with 405 instead of 404.
    regex = DIGITS


def row_id(typed: str) -> int:
    """What was typed as an id or a page's number, from 0. Raises ValueError, as `type=` of Werkzeug's get expects."""
    if not re.fullmatch(DIGITS, typed):
        raise ValueError("not the number of anything")
    return int(typed)
