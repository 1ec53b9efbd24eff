"""Several of the options, chosen from a list."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from webapp.fields.kinds.base import FieldKind, InvalidValue


class MultiSelect(FieldKind):
    key = "multi_select"
    label = "Multi select"
    hint = "Add the options below."
    widget = "multi_select"
    has_options = True

    def parse(self, typed: Sequence[str], options: Sequence[str], people: Mapping[int, str]) -> Any:
        chosen = [text for text in typed if text]
        gone = next((text for text in chosen if text not in options), None)
        if gone is not None:
            raise InvalidValue(f"“{gone[:60]}” is no longer one of the options. Choose again.")
        return [option for option in options if option in chosen] or None

    def as_typed(self, typed: Sequence[str]) -> Any:
        return [text for text in typed if text]

    def shown(self, value: Any, people: Mapping[int, str]) -> str:
        return ", ".join(value or [])

    def for_template(self, value: Any, people_emails: Mapping[int, str]) -> Any:
        return list(value) if value else []

    def sample(self, options: Sequence[str]) -> Any:
        return list(options[:2]) or ["A", "B"]
