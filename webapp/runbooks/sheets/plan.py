"""A table and its mapping, checked: the tasks that they stand for, and everything that is wrong with them."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

from webapp.runbooks.rules import Rule
from webapp.runbooks.sheets import values
from webapp.runbooks.sheets.columns import BY_KEY, PlanMapping
from webapp.runbooks.sheets.loops import loops
from webapp.runbooks.sheets.table import Line, Table, letter
from webapp.runbooks.sheets.values import BadValue, short
from webapp.runbooks.sheets.ways import OfferedWays, read_ways

LONGEST_TITLE, LONGEST_STREAM, LONGEST_DESCRIPTION = 300, 120, 10_000
USUAL_DURATION_S = 300
HIGHEST_NUMBER = 999_999
_BETWEEN = re.compile(r"[;\n]")
_WITHIN = re.compile(r"(?<=\S) / (?=\S)")


@dataclass(frozen=True)
class Person:
    """Someone to whom tasks can be assigned."""

    id: int
    name: str
    email: str


@dataclass(frozen=True)
class Problem:
    """What is wrong with a cell, and what to do. `row` is None where the mapping itself is wrong."""

    row: int | None
    column: str
    cause: str
    remedy: str


@dataclass
class PlannedTask:
    """One task of the file. `row` is its row there, `reference` its id there; `before` are rows."""

    row: int
    title: str
    reference: str = ""
    stream: str = ""
    description: str = ""
    start: datetime | None = None
    duration_s: int = USUAL_DURATION_S
    before: list[int] = field(default_factory=list)
    people: list[int] = field(default_factory=list)
    type: str = "normal"
    action_id: int | None = None
    linked_id: int | None = None
    fixed_start: bool = False
    auto_start: bool = False
    start_rule: str = Rule.ANYONE
    start_quorum: int = 1
    finish_rule: str = Rule.ANYONE
    finish_quorum: int = 1


@dataclass(frozen=True)
class Checked:
    """What a file stands for under a mapping. Only where `problems` is empty may it be imported.

    `ask_order`: some date can be read in two ways and nobody has said which; `order` is the one that is used.
    """

    tasks: list[PlannedTask]
    problems: list[Problem]
    ask_order: bool = False
    order: str = ""

    @property
    def bad_rows(self) -> int:
        return len({each.row for each in self.problems if each.row is not None})

    @property
    def numbers(self) -> list[int] | None:
        """The tasks' ids where they can be their numbers: whole numbers from 1. Else None."""
        found = []
        for task in self.tasks:
            if not re.fullmatch(r"[1-9]\d{0,5}", task.reference):
                return None
            found.append(int(task.reference))
        return found

    @property
    def streams(self) -> list[str]:
        """The names of streams, each once whatever its capitals, in the file's order."""
        found: dict[str, str] = {}
        for task in self.tasks:
            if task.stream:
                found.setdefault(task.stream.lower(), task.stream)
        return list(found.values())


def check(table: Table, mapping: PlanMapping, people: Iterable[Person], offered: OfferedWays) -> Checked:
    """Read every row; nothing is skipped but rows that hold nothing in a column that counts."""
    return _Check(table, mapping, list(people), offered).run()


class _Check:
    def __init__(
        self, table: Table, mapping: PlanMapping, people: Sequence[Person], offered: OfferedWays
    ) -> None:
        self._table, self._mapping, self._offered = table, mapping, offered
        self._lines = list(table.lines[1:] if mapping.headings else table.lines)
        self._headings = table.lines[0] if mapping.headings else Line(0, [])
        self._zone = ZoneInfo(mapping.zone)
        self._problems: list[Problem] = []
        self._order = mapping.date_order
        self._by_email = {each.email.lower(): each.id for each in people}
        self._by_name: dict[str, list[int]] = defaultdict(list)
        for each in people:
            self._by_name[" ".join(each.name.lower().split())].append(each.id)

    def run(self) -> Checked:
        self._check_mapping()
        ask = self._settle_order()
        if self._mapping.at("title") is None:
            return Checked([], self._problems, ask, self._order)
        used = [at for at, key in enumerate(self._mapping.columns) if key]
        tasks = []
        for line in self._lines:
            if any(line.cell(at) for at in used):
                tasks.append(self._task(line))
        if not tasks and not self._problems:
            self._wrong(
                None,
                "",
                "The file has no task.",
                "Add a row under the column names, and choose the file again.",
            )
        self._link(tasks)
        order = {line.number: at for at, line in enumerate(self._lines)}
        self._problems.sort(key=lambda each: -1 if each.row is None else order.get(each.row, 0))
        return Checked(tasks, self._problems, ask, self._order)

    def _check_mapping(self) -> None:
        counts: dict[str, list[int]] = defaultdict(list)
        for at, key in enumerate(self._mapping.columns):
            if key:
                counts[key].append(at)
        if "title" not in counts:
            self._wrong(
                None,
                "",
                "No column is chosen for the title.",
                "Choose the column that holds the tasks’ names.",
            )
        for key, columns in counts.items():
            if len(columns) > 1:
                letters = " and ".join(letter(at) for at in columns)
                self._wrong(
                    None,
                    "",
                    f"Columns {letters} are both chosen for {BY_KEY[key].heading}.",
                    "Keep one of them, and leave the others out.",
                )

    def _settle_order(self) -> bool:
        """Whether the order of day and month must be asked for. One that the dates themselves show is taken."""
        at = self._mapping.at("start")
        if at is None:
            return False
        typed = [line.cell(at) for line in self._lines]
        possible = values.orders_of(typed)
        doubtful = next((each for each in typed if values.needs_order(each)), None)
        if len(possible) == 1 and (doubtful is None or not self._order):
            self._order = next(iter(possible))
        elif doubtful is not None and not self._order:
            self._wrong(
                None,
                self._column(at),
                f"“{short(doubtful)}” can be read with the day or with the month first.",
                "Choose which of them comes first in this file.",
            )
        self._order = self._order or "dmy"
        return doubtful is not None or not possible

    def _task(self, line: Line) -> PlannedTask:
        if len(line.cells) > self._table.width:
            self._wrong(
                line.number,
                "",
                f"The row has {len(line.cells)} cells, but there are {self._table.width} columns.",
                "Put quotes around text that holds the separator.",
            )
        task = PlannedTask(line.number, self._text(line, "title", LONGEST_TITLE, one_line=True))
        if not task.title:
            self._wrong(line.number, self._named("title"), "The title is missing.", "Write the task’s name.")
        task.reference = _reference(self._cell(line, "number"))
        task.stream = self._stream(line)
        task.description = self._text(line, "description", LONGEST_DESCRIPTION)
        if typed := self._cell(line, "start"):
            try:
                task.start = values.moment(typed, order=self._order, zone=self._zone)
            except BadValue as bad:
                self._wrong(line.number, self._named("start"), bad.cause, bad.remedy)
        if typed := self._cell(line, "duration"):
            try:
                task.duration_s = values.duration(typed)
            except BadValue as bad:
                self._wrong(line.number, self._named("duration"), bad.cause, bad.remedy)
        if typed := self._cell(line, "assignees"):
            task.people = self._people(line.number, typed)
        read_ways(
            task,
            lambda key: self._cell(line, key),
            lambda key, cause, remedy: self._wrong(line.number, self._named(key), cause, remedy),
            self._offered,
        )
        return task

    def _stream(self, line: Line) -> str:
        """A stream, or its name and that of its sub-stream."""
        names = _WITHIN.split(" ".join(self._cell(line, "stream").split()))
        if any(len(each) > LONGEST_STREAM for each in names):
            self._wrong(
                line.number,
                self._named("stream"),
                f"A stream’s name has {max(map(len, names)):,} characters; {LONGEST_STREAM:,} are allowed.",
                "Shorten it.",
            )
        if len(names) > 2:
            self._wrong(
                line.number,
                self._named("stream"),
                f"“{short(' / '.join(names), 60)}” is a stream in a stream in a stream.",
                "Write a stream, or a stream and its sub-stream: Database / Replicas.",
            )
        return " / ".join(names)

    def _people(self, row: int, typed: str) -> list[int]:
        found: list[int] = []
        for part in self._names_in(typed):
            matched = self._matching(part)
            if len(matched) == 1:
                if matched[0] not in found:
                    found.append(matched[0])
                continue
            column = self._named("assignees")
            if matched:
                self._wrong(
                    row,
                    column,
                    f"{len(matched)} people are called “{short(part)}”.",
                    "Write the email instead.",
                )
            else:
                self._wrong(
                    row,
                    column,
                    f"“{short(part)}” is nobody in this workspace.",
                    "Write the email or the full name of a member, or have the person added to the workspace.",
                )
        return found

    def _names_in(self, typed: str) -> list[str]:
        found = []
        for part in _BETWEEN.split(typed):
            # A comma may be part of a name: “Doe, Jane”.
            pieces = [part] if self._matching(part) else part.split(",")
            found += [each.strip() for each in pieces if each.strip()]
        return found

    def _matching(self, typed: str) -> list[int]:
        text = " ".join(typed.lower().split())
        if bracketed := re.fullmatch(r".*<([^<>\s]+@[^<>\s]+)>", text):
            text = bracketed[1]
        if text in self._by_email:
            return [self._by_email[text]]
        return self._by_name.get(text, [])

    def _link(self, tasks: list[PlannedTask]) -> None:
        rows = {str(task.row): task for task in tasks}
        by_reference = self._by_reference(tasks)
        by_row = self._mapping.references == "row" or self._mapping.at("number") is None
        known: Mapping[str, PlannedTask] = rows if by_row else by_reference
        column = self._named("predecessors")
        lines = {line.number: line for line in self._lines}
        for task in tasks:
            for typed in _references(self._cell(lines[task.row], "predecessors"), known):
                wanted = known.get(_reference(typed).lower())
                if wanted is None:
                    what = "row" if by_row else "ID"
                    self._wrong(
                        task.row,
                        column,
                        f"There is no task with the {what} {short(typed)}.",
                        f"Write the {what} of a task in this file, or choose above what the predecessors refer to.",
                    )
                elif wanted is task:
                    self._wrong(
                        task.row, column, "The task waits for itself.", "Take it out of its own predecessors."
                    )
                elif wanted.row not in task.before:
                    task.before.append(wanted.row)
        for loop in loops({task.row: task.before for task in tasks}):
            names = [self._called(rows[str(row)], by_row) for row in loop]
            self._wrong(
                loop[0],
                column,
                f"A loop: {' waits for '.join(names)}.",
                "Take one of these predecessors away.",
            )

    def _by_reference(self, tasks: list[PlannedTask]) -> dict[str, PlannedTask]:
        found: dict[str, PlannedTask] = {}
        for task in tasks:
            if not task.reference:
                continue
            first = found.setdefault(task.reference.lower(), task)
            if first is not task:
                self._wrong(
                    task.row,
                    self._named("number"),
                    f"The ID {short(task.reference)} is also that of row {first.row}.",
                    "Give each task an ID of its own.",
                )
        return found

    def _called(self, task: PlannedTask, by_row: bool) -> str:
        name = f"row {task.row}" if by_row or not task.reference else f"#{short(task.reference, 20)}"
        return f"{name} {short(task.title, 40)}".strip()

    def _cell(self, line: Line, key: str) -> str:
        at = self._mapping.at(key)
        return "" if at is None else line.cell(at)

    def _text(self, line: Line, key: str, most: int, *, one_line: bool = False) -> str:
        text = self._cell(line, key)
        if one_line:
            text = " ".join(text.split("\n"))
        if len(text) > most:
            self._wrong(
                line.number,
                self._named(key),
                f"{BY_KEY[key].heading} has {len(text):,} characters; {most:,} are allowed.",
                "Shorten it." if key != "title" else "Shorten it, and put the rest into the description.",
            )
        return text

    def _named(self, key: str) -> str:
        at = self._mapping.at(key)
        return "" if at is None else self._column(at)

    def _column(self, at: int) -> str:
        heading = short(self._headings.cell(at), 30)
        return f"{letter(at)} {heading}".strip()

    def _wrong(self, row: int | None, column: str, cause: str, remedy: str) -> None:
        self._problems.append(Problem(row, column, cause, remedy))


def _reference(typed: str) -> str:
    """An id without the # that pages write before it."""
    return typed.strip().removeprefix("#").lstrip()


def _references(typed: str, known: Mapping[str, PlannedTask]) -> list[str]:
    if not typed or _reference(typed).lower() in known:
        return [typed] if typed else []
    parts = re.split(r"[,;\n]", typed)
    if len(parts) == 1 and re.fullmatch(r"[#\d\s]+", typed):
        parts = typed.split()
    return [each.strip() for each in parts if each.strip()]
