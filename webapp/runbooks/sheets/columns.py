"""What a column of a sheet can mean for a plan, and which of the file's columns probably does."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Column:
    """One thing that a plan says of a task. `heading` is what exports write, `names` what other files call it."""

    key: str
    heading: str
    hint: str
    names: frozenset[str]


def _column(key: str, heading: str, hint: str, names: str) -> Column:
    return Column(key, heading, hint, frozenset(names.split("|")) | {heading.lower()})


COLUMNS = (
    _column(
        "number",
        "ID",
        "What predecessors refer to",
        "number|no|no.|nr|nr.|#|task id|task number|task no|wbs|key",
    ),
    _column(
        "title",
        "Title",
        "The task’s name",
        "task|task name|name|task title|activity|step|summary|action|vorgang|vorgangsname|aufgabe|titel",
    ),
    _column(
        "stream",
        "Stream",
        "One that is not there yet is added; Database / Replicas is a sub-stream",
        "workstream|work stream|team|phase|group|section|lane|swimlane|track|bereich",
    ),
    _column(
        "description",
        "Description",
        "Any text",
        "details|notes|note|instructions|comment|comments|beschreibung|notizen",
    ),
    _column(
        "predecessors",
        "Predecessors",
        "IDs or row numbers, separated by commas or semicolons",
        "predecessor|depends on|dependencies|dependency|waits for|after|blocked by|predecessor id|predecessor ids"
        "|vorgänger",
    ),
    _column(
        "start",
        "Planned start",
        "Not before that moment",
        "start|when|start time|start date|planned start time|planned start date|begin|starts at|scheduled start"
        "|anfang|beginn|startzeit",
    ),
    _column(
        "duration",
        "Duration",
        "1h 30m, 90 (minutes) or 1:30",
        "planned duration|how long|takes|estimate|estimated duration|length|minutes|duration (min)|duration min"
        "|duration (minutes)|dauer",
    ),
    _column(
        "assignees",
        "Assignees",
        "Emails or names, separated by commas or semicolons",
        "assignee|assigned to|owner|owners|responsible|people|person|who|resource|resources|resource names|email|emails"
        "|zuständig|verantwortlich",
    ),
    _column(
        "type",
        "Task type",
        "Task, Milestone, Validation, Linked runbook, or an integration action’s name",
        "tasktype|type of task|vorgangsart",
    ),
    _column(
        "linked",
        "Linked runbook",
        "The name of the runbook that the task starts",
        "linked runbook name|child runbook",
    ),
    _column(
        "fixed",
        "Fixed start",
        "Yes: not before the planned start",
        "fixed|start is fixed|must not start before",
    ),
    _column(
        "by_itself",
        "Starts by itself",
        "Yes: as soon as it can",
        "auto start|autostart|automatic start",
    ),
    _column(
        "start_rule",
        "Who starts",
        "Anyone, Everyone assigned, or At least 2",
        "start rule|started by rule|who starts it",
    ),
    _column(
        "finish_rule",
        "Who finishes",
        "Anyone, Everyone assigned, At least 2, or Who started it",
        "finish rule|who finishes it|end rule",
    ),
)
BY_KEY = {each.key: each for each in COLUMNS}
DATE_ORDERS = {"dmy": "Day first: 24/12/2026", "mdy": "Month first: 12/24/2026"}
REFERENCES = {"number": "the ID column", "row": "row numbers of the file"}
_ZONE = re.compile(r"\(([A-Za-z0-9_+\-]+(?:/[A-Za-z0-9_+\-]+)*)\)\s*$")


@dataclass(frozen=True)
class PlanMapping:
    """What each column of a file means, as a person settled it.

    `columns` has a key of COLUMNS, or nothing, for each column. `date_order` is a key of DATE_ORDERS or empty where
    nobody has said; `references` a key of REFERENCES; `zone` is the time zone in which the file's times are.
    """

    columns: tuple[str, ...]
    zone: str
    headings: bool = True
    date_order: str = ""
    references: str = "number"

    def as_json(self) -> dict[str, Any]:
        """What `from_json` reads back."""
        return asdict(self) | {"columns": list(self.columns)}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> PlanMapping:
        return cls(**{**stored, "columns": tuple(stored["columns"])})

    def at(self, key: str) -> int | None:
        """The first column that means that, or None."""
        return self.columns.index(key) if key in self.columns else None


def guess(headings: Sequence[str], width: int) -> tuple[str, ...]:
    """A key for each column whose heading is known, or is one with something in brackets after it."""
    found = [""] * width
    taken: set[str] = set()
    for plain in (False, True):
        for at, heading in enumerate(headings[:width]):
            words = _words(heading, plain=plain)
            for column in COLUMNS:
                if words in column.names and column.key not in taken and not found[at]:
                    found[at] = column.key
                    taken.add(column.key)
    return tuple(found)


def zone_in(heading: str) -> str | None:
    """The time zone that an export writes into a heading: “Planned start (Europe/Berlin)”."""
    match = _ZONE.search(heading)
    return match[1] if match else None


def _words(heading: str, *, plain: bool) -> str:
    text = heading.replace("_", " ").strip().lower()
    return re.sub(r"\s*[(\[].*$", "", text) if plain else " ".join(text.split())
