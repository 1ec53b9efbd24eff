"""One line of text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from webapp.fields.kinds.base import FieldKind, InvalidValue, single

LONGEST = 1_000


class Text(FieldKind):
    key = "text"
    label = "Text"
    widget = "text"

    def parse(self, typed: Sequence[str], options: Sequence[str], people: Mapping[int, str]) -> Any:
        text = single(typed)
        if len(text) > LONGEST:
            raise InvalidValue(
                f"This is {len(text):,} characters long; {LONGEST:,} fit. Use a text area for more."
            )
        return text or None
