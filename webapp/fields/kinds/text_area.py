"""Several lines of text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from webapp.fields.kinds.base import FieldKind, InvalidValue

LONGEST = 40_000


class TextArea(FieldKind):
    key = "text_area"
    label = "Text area"
    widget = "text_area"

    def parse(self, typed: Sequence[str], options: Sequence[str], people: Mapping[int, str]) -> Any:
        # Browsers send CRLF for every line break; what people mean is a line break.
        text = (typed[0] if typed else "").replace("\r\n", "\n").strip()
        if len(text) > LONGEST:
            raise InvalidValue(f"This is {len(text):,} characters long; {LONGEST:,} fit.")
        return text or None
