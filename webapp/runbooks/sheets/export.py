"""A plan as the rows of a sheet that `check` reads back."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from webapp.runbooks import durations
from webapp.runbooks.sheets.columns import COLUMNS
from webapp.runbooks.sheets.csv_files import write_csv
from webapp.runbooks.sheets.xlsx_files import write_xlsx

WIDTHS = (8, 48, 24, 60, 16, 20, 12, 36, 24, 30, 12, 16, 16, 16)


USUAL_TYPE = "Task"


@dataclass(frozen=True)
class PlanRow:
    """One task as it is exported. `start` aware; `before` are numbers, `people` emails; `type` and `linked` are names.

    `by_itself` is None where it is as new tasks of its type are, and a rule is empty where it is the usual one.
    """

    number: int
    title: str
    stream: str
    description: str = ""
    before: Sequence[int] = ()
    start: datetime | None = None
    duration_s: int = 0
    people: Sequence[str] = ()
    type: str = USUAL_TYPE
    linked: str = ""
    fixed: bool = False
    by_itself: bool | None = None
    start_rule: str = ""
    finish_rule: str = ""


def as_csv(rows: Iterable[PlanRow], zone: ZoneInfo) -> bytes:
    """The plan as CSV; times are local in `zone`, whose name stands in the heading."""
    body = [[str(cell) for cell in _cells(row, _written(row.start, zone))] for row in rows]
    return write_csv([_headings(zone), *body])


def as_xlsx(rows: Iterable[PlanRow], zone: ZoneInfo, *, title: str) -> bytes:
    """The same as a workbook of one sheet, with date cells."""
    body = [_cells(row, _dated(row.start, zone)) for row in rows]
    return write_xlsx([_headings(zone), *body], title=title, widths=WIDTHS)


def _headings(zone: ZoneInfo) -> list[str]:
    return [f"{each.heading} ({zone.key})" if each.key == "start" else each.heading for each in COLUMNS]


def _cells(row: PlanRow, start: str | datetime) -> list[str | datetime]:
    found: dict[str, str | datetime] = {
        "number": str(row.number),
        "title": row.title,
        "stream": row.stream,
        "description": row.description,
        # Semicolons: a spreadsheet would take 3,5 for a number.
        "predecessors": "; ".join(str(each) for each in row.before),
        "start": start,
        "duration": durations.shown(row.duration_s),
        "assignees": "; ".join(row.people),
        "type": row.type,
        "linked": row.linked,
        "fixed": "Yes" if row.fixed else "",
        "by_itself": yes_or_no(row.by_itself),
        "start_rule": row.start_rule,
        "finish_rule": row.finish_rule,
    }
    return [found[each.key] for each in COLUMNS]


def yes_or_no(value: bool | None) -> str:
    """As a cell says it; nothing for None."""
    return "" if value is None else "Yes" if value else "No"


def _written(start: datetime | None, zone: ZoneInfo) -> str:
    local = _dated(start, zone)
    if isinstance(local, str):
        return local
    return local.isoformat(sep=" ", timespec="seconds" if local.second else "minutes")


def _dated(start: datetime | None, zone: ZoneInfo) -> str | datetime:
    """Local time; with its offset where the hour is gone through twice or has fractions of a second."""
    if start is None:
        return ""
    local = start.astimezone(zone)
    if local.fold or local.microsecond:
        return local.isoformat(sep=" ")
    return local.replace(tzinfo=None)
