"""A number, whole or decimal."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from webapp.fields.kinds.base import FieldKind, InvalidValue, single


class Number(FieldKind):
    key = "number"
    label = "Number"
    widget = "number"

    def parse(self, typed: Sequence[str], options: Sequence[str], people: Mapping[int, str]) -> Any:
        text = single(typed)
        if not text:
            return None
        try:
            number = float(text)
        except ValueError:
            raise InvalidValue(
                f"“{text[:40]}” is not a number. Write digits, with a point for decimals."
            ) from None
        if not math.isfinite(number) or abs(number) > 1e15:
            raise InvalidValue("This number is too large.")
        return int(number) if number.is_integer() else number

    def sample(self, options: Sequence[str]) -> Any:
        return 1
