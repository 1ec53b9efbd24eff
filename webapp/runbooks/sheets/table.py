"""A sheet as rows of text, however it was stored, and what no file may exceed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

MOST_BYTES = 10_000_000
MOST_ROWS = 5000
MOST_COLUMNS = 60

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffe\uffff]")


class FileRefused(ValueError):
    """The file cannot be read; the message is a sentence for people, with the remedy."""


@dataclass(frozen=True)
class Line:
    """One row of the file. `number` is the one that a spreadsheet shows beside it, from 1."""

    number: int
    cells: Sequence[str]

    def cell(self, column: int) -> str:
        """The text in that column; a row may be shorter than others."""
        return self.cells[column] if column < len(self.cells) else ""


@dataclass(frozen=True)
class About:
    """What a file says of the whole runbook, for a new one. `colors` are those of streams, by name in small letters.

    `particulars` is what sheets.particulars resolves: of its tasks by their row, and of the runbook.
    """

    description: str = ""
    planned_start: str = ""
    colors: Mapping[str, int] = field(default_factory=dict)
    time_zone: str = ""
    particulars: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Table:
    """The lines that hold anything. `width` is how many columns count; a line with more of them is torn apart."""

    lines: Sequence[Line]
    width: int
    kind: str
    about: About = About()

    def as_json(self) -> dict[str, Any]:
        """What `from_json` reads back."""
        return {
            "kind": self.kind,
            "width": self.width,
            "lines": [[each.number, *each.cells] for each in self.lines],
            "about": asdict(self.about),
        }

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Table:
        lines = [Line(number, cells) for number, *cells in stored["lines"]]
        return cls(lines, stored["width"], stored["kind"], About(**stored["about"]))


def gather(rows: Iterable[Sequence[str]]) -> list[Line]:
    """The rows that hold anything, with their numbers. Raises FileRefused where there are none or too many."""
    found: list[Line] = []
    for number, row in enumerate(rows, 1):
        cells = [clean(cell) for cell in row]
        while cells and not cells[-1]:
            cells.pop()
        if not cells:
            continue
        if len(found) > MOST_ROWS:
            raise FileRefused(
                f"The file has more than {MOST_ROWS:,} rows. Split it, and import one part after the other."
            )
        if len(cells) > MOST_COLUMNS:
            raise FileRefused(
                f"Row {number} has more than {MOST_COLUMNS} columns. Keep the columns of the plan only."
            )
        found.append(Line(number, cells))
    if not found:
        raise FileRefused(
            "The file is empty. Choose one that holds a plan, with its column names in the first row."
        )
    return found


def clean(text: str) -> str:
    """The cell without characters that no database keeps, with one kind of line end, and no white space around it."""
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return _CONTROL.sub("", text).strip()


def letter(column: int) -> str:
    """A, B, …, Z, AA: how spreadsheets name a column, from 0."""
    name = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        name = chr(65 + rest) + name
    return name
