"""What every field type answers. Pure: no Flask, no database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


class InvalidValue(Exception):
    """What was typed does not fit the field; the text is a sentence for the person who typed it."""


class FieldKind:
    """One field type.

    `widget` names the macro of templates/fields/_value.html that draws its input. A stored value is JSON: None where
    nothing is filled in.
    """

    key: str
    label: str
    hint: str = ""
    widget: str
    has_options = False

    def parse(self, typed: Sequence[str], options: Sequence[str], people: Mapping[int, str]) -> Any:
        """What the form sent (one text a control) to the stored value; None for nothing.

        `people` maps the ids of those who may be chosen to their names. Raises InvalidValue.
        """
        raise NotImplementedError

    def typed_of(self, texts: Sequence[str], ids: Mapping[str, int]) -> Sequence[str]:
        """What a form would send for the texts of a file, which are those of `for_template`.

        `ids` maps email addresses in small letters to the people who may be chosen. Raises InvalidValue.
        """
        return texts

    def as_typed(self, typed: Sequence[str]) -> Any:
        """What the form sent as the widget draws it again, be it right or wrong."""
        return typed[0] if typed else ""

    def people(self, value: Any) -> Sequence[int]:
        """The ids of the people whom the stored value names."""
        return ()

    def shown(self, value: Any, people: Mapping[int, str]) -> str:
        """The stored value in words."""
        return "" if value is None else str(value)

    def for_audit(self, value: Any, people: Mapping[int, str]) -> Any:
        """The value as the audit log keeps it, which is read when ids say nothing any more."""
        return value

    def for_template(self, value: Any, people_emails: Mapping[int, str]) -> Any:
        """The value as a request template sees it: text, a number, a list of texts, or None."""
        return value

    def sample(self, options: Sequence[str]) -> Any:
        """A value to check a request template with."""
        return "text"


def single(typed: Sequence[str]) -> str:
    """The one text of a single control, without white space around it."""
    return typed[0].strip() if typed else ""
