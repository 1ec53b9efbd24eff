"""A runbook's plan as YAML, to be kept beside code and imported elsewhere. Read as text only: no tags, no objects."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import yaml

from webapp.runbooks import durations
from webapp.runbooks.sheets.columns import COLUMNS
from webapp.runbooks.sheets.export import USUAL_TYPE, PlanRow, yes_or_no
from webapp.runbooks.sheets.particulars import (
    ACTION,
    FIELDS,
    PlanParticulars,
    TaskParticulars,
    read_fields,
    read_task,
)
from webapp.runbooks.sheets.table import MOST_ROWS, About, FileRefused, Table, clean, gather

FORMAT = "runbook 1"
MOST_BYTES = 3_000_000
DEEPEST = 5
_BEGINS = re.compile(rb"(?:\xef\xbb\xbf)?(?:[ \t]*(?:#[^\n]*|---)?\r?\n)*runsheet:\s")
_LOADER: Any = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
_SAFE_DUMPER: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
_NAMES = {
    "number": "number",
    "title": "title",
    "stream": "stream",
    "description": "description",
    "predecessors": "predecessors",
    "start": "planned_start",
    "duration": "duration",
    "assignees": "assignees",
    "type": "type",
    "linked": "linked_runbook",
    "fixed": "fixed_start",
    "by_itself": "starts_by_itself",
    "start_rule": "who_starts",
    "finish_rule": "who_finishes",
}
_LISTS = {"predecessors", "assignees"}
NONE_OF_PLAN, NONE_OF_TASK = PlanParticulars(), TaskParticulars()


class _Dumper(_SAFE_DUMPER):
    """Text of several lines as such, so that people can read and compare it."""


_Dumper.add_representer(
    str,
    lambda dumper, text: dumper.represent_scalar(
        "tag:yaml.org,2002:str", text, style="|" if "\n" in text else None
    ),
)


@dataclass(frozen=True)
class PlanHead:
    """What a runbook says of itself. `streams` are (name, colour, parent's name or nothing) in their order."""

    name: str
    description: str = ""
    planned_start: datetime | None = None
    streams: Sequence[tuple[str, int, str]] = ()
    time_zone: str = ""


def is_yaml(data: bytes) -> bool:
    """Whether it is one of our files: the first thing in it is `runsheet:`."""
    return _BEGINS.match(data[:4000]) is not None


def write_yaml(head: PlanHead, rows: Iterable[PlanRow], particulars: PlanParticulars = NONE_OF_PLAN) -> bytes:
    """The plan; times are UTC, what is empty is left out. Integration actions and custom fields are named."""
    tasks = [
        {
            "number": row.number,
            "title": row.title,
            "stream": row.stream,
            "description": row.description,
            "predecessors": list(row.before),
            "planned_start": _moment(row.start),
            "duration": durations.shown(row.duration_s),
            "assignees": list(row.people),
            "type": "" if row.type == USUAL_TYPE or _has_action(particulars, row) else row.type,
            "linked_runbook": row.linked,
            "fixed_start": yes_or_no(row.fixed or None),
            "starts_by_itself": yes_or_no(row.by_itself),
            "who_starts": row.start_rule,
            "who_finishes": row.finish_rule,
            **particulars.tasks.get(row.number, NONE_OF_TASK).entries(),
        }
        for row in rows
    ]
    document = {
        "runsheet": FORMAT,
        "name": head.name,
        **_filled(
            {
                "description": head.description,
                "planned_start": _moment(head.planned_start),
                "time_zone": head.time_zone,
                FIELDS: dict(particulars.fields),
            }
        ),
        "streams": [
            {"name": name, "color": color, **_filled({"parent": parent})}
            for name, color, parent in head.streams
        ],
        "tasks": [_filled(each) for each in tasks],
    }
    text = yaml.dump(document, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=120)
    return str(text).encode()


def read_yaml(data: bytes) -> Table:
    """The file as a table, whose columns are called as those of other exports. Raises FileRefused."""
    if len(data) > MOST_BYTES:
        raise FileRefused(
            f"A YAML file may have at most {MOST_BYTES // 1_000_000} MB. Use CSV or XLSX instead."
        )
    try:
        found = _plain(yaml.parse(data, Loader=_LOADER))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f" from line {mark.line + 1} on" if mark is not None else ""
        raise FileRefused(f"The YAML cannot be read{where}. Mend it, or export the runbook again.") from None
    if not isinstance(found, dict) or found.get("runsheet") != FORMAT:
        raise FileRefused(
            f"This YAML is of another kind; the first line of a runbook’s is “runsheet: {FORMAT}”."
        )
    tasks = found.get("tasks") or []
    if not isinstance(tasks, list) or len(tasks) > MOST_ROWS:
        raise FileRefused(f"“tasks” has to be a list of at most {MOST_ROWS:,} tasks.")
    rows = [[each.heading for each in COLUMNS]]
    particulars = {}
    for number, task in enumerate(tasks, 1):
        rows.append(_row(number, task))
        if said := read_task(number, task):
            particulars[str(len(rows))] = said
    lines = gather(rows)
    name = found.get("name")
    kind = f"YAML of {clean(name)[:80]}" if isinstance(name, str) else "YAML"
    return Table(lines, len(COLUMNS), kind, _about(found, particulars))


def _plain(events: Iterable[yaml.Event]) -> Any:
    """Strings, lists and mappings, out of the parser's events. Raises FileRefused for what our files never hold.

    PyYAML's own composer calls itself for each level, and its C part ends the process where a file nests deeply; and
    an alias to an alias stands for more text than fits into memory.
    """
    top: list[Any] = []
    open_: list[tuple[Any, str | None]] = [(top, None)]

    def put(value: Any) -> None:
        place, name = open_[-1]
        if isinstance(place, list):
            place.append(value)
        elif name is None:
            if not isinstance(value, str):
                raise FileRefused(
                    "The YAML has a list or mapping where a name belongs. Export the runbook again."
                )
            open_[-1] = (place, value)
        else:
            place[name] = value
            open_[-1] = (place, None)

    for event in events:
        if isinstance(event, yaml.AliasEvent):
            raise FileRefused("The YAML has aliases (*), which are not read. Write the values out.")
        if isinstance(event, yaml.ScalarEvent):
            put(event.value)
        elif isinstance(event, yaml.CollectionStartEvent):
            if len(open_) > DEEPEST:
                raise FileRefused("The YAML nests deeper than a runbook does. Export the runbook again.")
            made: Any = [] if isinstance(event, yaml.SequenceStartEvent) else {}
            put(made)
            open_.append((made, None))
        elif isinstance(event, yaml.CollectionEndEvent):
            open_.pop()
    return top[0] if len(top) == 1 else None


def _row(number: int, task: Any) -> list[str]:
    if not isinstance(task, dict) or not set(task) <= {*_NAMES.values(), ACTION, FIELDS}:
        known = ", ".join((*_NAMES.values(), ACTION, FIELDS))
        raise FileRefused(
            f"Task {number} of the file is none. A task has these entries, and no others: {known}."
        )
    cells = []
    for column in COLUMNS:
        name = _NAMES[column.key]
        value = task.get(name, "")
        if column.key in _LISTS and isinstance(value, list):
            if not all(isinstance(each, str) for each in value):
                raise FileRefused(f"“{name}” of task {number} has to be a list of plain values.")
            value = "; ".join(value)
        if not isinstance(value, str):
            raise FileRefused(f"“{name}” of task {number} has to be a plain value.")
        cells.append(value)
    return cells


def _about(found: dict[str, Any], particulars: dict[str, Any]) -> About:
    colors = {}
    streams = found.get("streams")
    for each in streams if isinstance(streams, list) else ():
        if isinstance(each, dict) and isinstance(each.get("name"), str):
            color = each.get("color")
            if isinstance(color, str) and re.fullmatch(r"[0-9]|1[01]", color):
                parent = each.get("parent")
                of = f"{clean(parent)} / " if isinstance(parent, str) and parent else ""
                colors[f"{of}{clean(each['name'])}".lower()] = int(color)
    description = found.get("description", "")
    start, zone = found.get("planned_start", ""), found.get("time_zone", "")
    return About(
        description=clean(description)[:5000] if isinstance(description, str) else "",
        planned_start=start if isinstance(start, str) else "",
        time_zone=clean(zone)[:60] if isinstance(zone, str) else "",
        colors=colors,
        particulars=_filled({"tasks": particulars, "fields": read_fields(f"“{FIELDS}”", found.get(FIELDS))}),
    )


def _has_action(particulars: PlanParticulars, row: PlanRow) -> bool:
    """Whether the task's action is written as such, so that its type goes without saying."""
    return particulars.tasks.get(row.number, NONE_OF_TASK).action is not None


def _filled(entries: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in entries.items() if value not in ("", None, [], {})}


def _moment(value: datetime | None) -> str | None:
    return value.isoformat(sep=" ") if value is not None else None
