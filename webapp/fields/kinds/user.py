"""A person of the workspace."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from webapp.fields.kinds.base import FieldKind, InvalidValue, single


class User(FieldKind):
    """Stored as the user's id; a request template sees the email address."""

    key = "user"
    label = "User"
    widget = "user"

    def parse(self, typed: Sequence[str], options: Sequence[str], people: Mapping[int, str]) -> Any:
        text = single(typed)
        if not text:
            return None
        if not text.isdecimal() or int(text) not in people:
            raise InvalidValue("This person does not belong to the workspace any more. Choose another.")
        return int(text)

    def typed_of(self, texts: Sequence[str], ids: Mapping[str, int]) -> Sequence[str]:
        text = single(texts)
        if text and text.lower() not in ids:
            raise InvalidValue(f"“{text[:60]}” is nobody in this workspace.")
        return [str(ids[text.lower()])] if text else []

    def as_typed(self, typed: Sequence[str]) -> Any:
        text = single(typed)
        return int(text) if text.isdecimal() else text

    def people(self, value: Any) -> Sequence[int]:
        return () if value is None else (value,)

    def shown(self, value: Any, people: Mapping[int, str]) -> str:
        return "" if value is None else people.get(value, "someone who has left")

    def for_audit(self, value: Any, people: Mapping[int, str]) -> Any:
        return value if value is None else people.get(value, f"someone who has left (user {value})")

    def for_template(self, value: Any, people_emails: Mapping[int, str]) -> Any:
        return None if value is None else people_emails.get(value)

    def sample(self, options: Sequence[str]) -> Any:
        return "person@example.com"
