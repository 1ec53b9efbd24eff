"""A day."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from typing import Any

from webapp.fields.kinds.base import FieldKind, InvalidValue, single


class Date(FieldKind):
    """Stored and sent as ISO 8601, YYYY-MM-DD."""

    key = "date"
    label = "Date"
    widget = "date"

    def parse(self, typed: Sequence[str], options: Sequence[str], people: Mapping[int, str]) -> Any:
        text = single(typed)
        if not text:
            return None
        try:
            return datetime.date.fromisoformat(text).isoformat()
        except ValueError:
            raise InvalidValue(f"“{text[:40]}” is not a date. Write it as 2026-11-23.") from None

    def sample(self, options: Sequence[str]) -> Any:
        return "2026-01-31"
