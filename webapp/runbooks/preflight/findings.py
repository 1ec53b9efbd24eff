"""What a check finds, and the report of all of them. Pure: no Flask, no database."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from webapp.runbooks.states import Mode

MOST_NAMED = 5


class Level(StrEnum):
    """How much a finding matters to a live run."""

    ERROR = "error"  # it does not start
    WARNING = "warning"  # it starts once someone has accepted it, with a reason
    NOTICE = "notice"  # good to know


@dataclass(frozen=True)
class About:
    """A task that a finding is about."""

    number: int
    title: str


@dataclass(frozen=True)
class Finding:
    """One sentence, what to do about it, and the tasks that it is about."""

    level: Level
    text: str
    remedy: str = ""
    tasks: tuple[About, ...] = ()

    @property
    def sentence(self) -> str:
        """The text with the first tasks' numbers, ended like a sentence."""
        text = self.text.rstrip(".")
        if not self.tasks:
            return f"{text}."
        numbers = ", ".join(f"#{each.number}" for each in self.tasks[:MOST_NAMED])
        more = len(self.tasks) - MOST_NAMED
        return f"{text}: {numbers}{f' and {more:,} more' if more > 0 else ''}."


@dataclass(frozen=True)
class Point:
    """One point of the report: what was looked at, and what was found; nothing found is `fine`.

    `always`: its errors stop a rehearsal too.
    """

    title: str
    fine: str
    findings: Sequence[Finding]
    always: bool = False

    @property
    def level(self) -> Level | None:
        """That of the worst finding."""
        levels = {each.level for each in self.findings}
        return next((each for each in Level if each in levels), None)


@dataclass(frozen=True)
class Report:
    """Point by point, in the order of the checks."""

    points: Sequence[Point]

    @property
    def errors(self) -> list[Finding]:
        return self._of(Level.ERROR)

    @property
    def warnings(self) -> list[Finding]:
        return self._of(Level.WARNING)

    @property
    def notices(self) -> list[Finding]:
        return self._of(Level.NOTICE)

    def stops(self, mode: Mode) -> list[Finding]:
        """The errors because of which a start in that mode is refused."""
        points = self.points if mode is Mode.LIVE else [point for point in self.points if point.always]
        return [each for point in points for each in point.findings if each.level is Level.ERROR]

    def _of(self, level: Level) -> list[Finding]:
        return [each for point in self.points for each in point.findings if each.level is level]


def finding(level: Level, tasks: Sequence[About], one: str, many: str, remedy: str = "") -> Sequence[Finding]:
    """The finding about those tasks, counted: "1 task is late" or "3 tasks are late"; nothing where there are none."""
    if not tasks:
        return []
    text = f"1 task {one}" if len(tasks) == 1 else f"{len(tasks):,} tasks {many}"
    return [Finding(level, text, remedy, tuple(tasks))]
