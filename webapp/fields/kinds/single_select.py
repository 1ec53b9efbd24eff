"""One of the options."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from webapp.fields.kinds.base import FieldKind, InvalidValue, single


class SingleSelect(FieldKind):
    key = "single_select"
    label = "Single select"
    hint = "Add the options below."
    widget = "single_select"
    has_options = True

    def parse(self, typed: Sequence[str], options: Sequence[str], people: Mapping[int, str]) -> Any:
        text = single(typed)
        if not text:
            return None
        if text not in options:
            raise InvalidValue(f"“{text[:60]}” is no longer one of the options. Choose another.")
        return text

    def sample(self, options: Sequence[str]) -> Any:
        return options[0] if options else "option"
