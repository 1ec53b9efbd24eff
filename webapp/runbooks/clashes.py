"""Two people changed the same field: what the later one is told, and what they choose between."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

LONGEST_SHOWN = 60
LONGEST_ON_BUTTON = 20


@dataclass(frozen=True)
class Clash:
    """A field of a form that someone else was first to change.

    `keep` is what the field shows by now, as JSON, for whoever keeps it. `was` is what a page sends to say that it has
    seen that, and so to save what was typed over it.
    """

    sentence: str
    keep_words: str
    save_words: str
    keep: str
    was: str


def clashes_of(typed: Any, present: Any, news: Mapping[str, str]) -> dict[str, Clash]:
    """Field name to its clash, of a TaskForm as it was sent and the same form as it would be shown now.

    `news` maps parts of a Plan to who changed them and when, as ChangedMeanwhile has it.
    """
    found = {}
    for field in present:
        said = news.get(present.part_of(field.short_name))
        if said is None:
            continue
        theirs, mine = _words(field), _words(typed[field.short_name])
        short = max(len(theirs), len(mine)) <= LONGEST_ON_BUTTON
        found[field.short_name] = Clash(
            sentence=f"{said} to {_quoted(field, theirs)}; you {_verb(field)} {_quoted(field, mine)}.",
            keep_words=f"Keep {theirs}" if short else "Keep theirs",
            save_words=f"Save {mine}" if short else "Save mine",
            keep=json.dumps(_value(field)),
            was=field.render_kw["data-was"],
        )
    return found


def _words(field: Any) -> str:
    """What the field holds, as people read it."""
    value = field.data
    if getattr(field, "choices", None) is not None:
        chosen = {str(each) for each in (value if isinstance(value, (list, tuple)) else [value])}
        labels = [str(choice.label) for choice in field.iter_choices() if str(choice.value) in chosen]
        return ", ".join(labels) or "nobody"
    if isinstance(value, datetime):
        return f"{value:%-d %b, %H:%M}"
    return " ".join(str(value or "").split()) or "nothing"


def _verb(field: Any) -> str:
    return "typed" if getattr(field, "choices", None) is None else "chose"


def _quoted(field: Any, words: str) -> str:
    """Free text in quotes, and not all of a long one."""
    if field.short_name not in ("title", "description") or not field.data:
        return words
    return f"“{words if len(words) <= LONGEST_SHOWN else words[: LONGEST_SHOWN - 1] + '…'}”"


def _value(field: Any) -> str | list[str]:
    """What its control has to hold to show the same."""
    if isinstance(field.data, (list, tuple)):
        return [str(each) for each in field.data]
    return str(field._value()) if hasattr(field, "_value") else str(field.data)
