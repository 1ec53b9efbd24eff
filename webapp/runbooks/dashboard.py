"""The dashboard of a board: how it stands and why, in figures and short lists. Pure: no Flask, no database."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from webapp.runbooks.board import Board, Lane
from webapp.runbooks.durations import shown
from webapp.runbooks.forecast import Delay, Span, delays
from webapp.runbooks.rows import Person, Row
from webapp.runbooks.states import UNPROVEN, TaskState

MOST_ROWS = 8
MOST_ASKED = 12  # what-ifs that are worked out
A_MINUTE = timedelta(minutes=1)


@dataclass(frozen=True)
class StreamLine:
    """A stream's progress and when it ends."""

    lane: Lane
    span: Span | None
    behind_s: int


@dataclass(frozen=True)
class Cause:
    """What a task did to the finish, in words; `later` is false where it brought it forward."""

    row: Row
    words: str
    later: bool


@dataclass(frozen=True)
class Lever:
    """A task that is still to be done: how much sooner all would end if it took no time."""

    row: Row
    gain: str


@dataclass
class Load:
    """What one person has to do; the person is None for tasks that nobody has. Times are in seconds."""

    person: Person | None
    running: int = 0
    ready: int = 0
    later: int = 0
    done: int = 0
    late: int = 0
    left_s: int = 0

    @property
    def left(self) -> str:
        return shown(self.left_s // 60 * 60)

    @property
    def open(self) -> int:
        return self.running + self.ready + self.later

    @property
    def counts(self) -> dict[str, int]:
        """As a bar draws them."""
        return {"total": self.open + self.done, "done": self.done, "run": self.running, "ready": self.ready}


@dataclass(frozen=True)
class Some:
    """The first rows of a list, and how many there are in all."""

    rows: Sequence[Row]
    total: int

    @property
    def more(self) -> int:
        return self.total - len(self.rows)


@dataclass(frozen=True)
class Dashboard:
    """All that the dashboard shows. Lists hold what the filter wants; figures and streams are of all tasks.

    `start_late_s`: seconds from the planned start to the start, which moved everything; negative where it was early.
    """

    streams: Sequence[StreamLine]
    late: Some
    failed: Some
    unproven: Some
    path: Some
    path_done: int
    milestones: Some
    start_late_s: int
    causes: Sequence[Cause]
    levers: Sequence[Lever]
    people: Sequence[Load]


def draw(board: Board) -> Dashboard:
    """The dashboard. A board's figures are all worked out already; this sorts them by what people ask first."""
    wanted = [row for row in board.rows if row.number in board.matching]
    shown_ids = {row.id for row in wanted}
    by_id = {row.id: row for row in board.rows}
    path = [by_id[task_id] for task_id in board.schedule.now.critical_path if task_id in by_id]
    open_path = [row for row in path if row.state != TaskState.COMPLETE]
    return Dashboard(
        streams=[_stream(lane, board) for lane in board.lanes if lane.whole.total],
        late=_some(sorted((row for row in wanted if row.late_s), key=lambda row: -row.late_s)),
        failed=_some(row for row in wanted if row.failing),
        unproven=_some(row for row in wanted if row.facts.result in UNPROVEN),
        path=_some(row for row in open_path if row.id in shown_ids),
        path_done=len(path) - len(open_path),
        milestones=_some(sorted((row for row in wanted if row.kind.point), key=lambda row: row.span.end)),
        start_late_s=board.schedule.start_late_s,
        causes=[_cause(delay, by_id[delay.task]) for delay in _delays(board)[:MOST_ROWS]],
        levers=list(_levers(board, open_path)),
        people=_people(wanted),
    )


def _some(rows: Iterable[Row]) -> Some:
    found = list(rows)
    return Some(found[:MOST_ROWS], len(found))


def _stream(lane: Lane, board: Board) -> StreamLine:
    rows = [*lane.rows, *(row for sub in lane.subs for row in sub.rows)]
    spans = [board.schedule.span(row.id) for row in rows]
    if not spans:
        return StreamLine(lane, None, 0)
    whole = Span(min(each.start for each in spans), max(each.end for each in spans))
    planned = max(board.schedule.planned(row.id).end for row in rows)
    return StreamLine(lane, whole, int((whole.end - planned).total_seconds()))


def _delays(board: Board) -> list[Delay[int]]:
    schedule = board.schedule
    if schedule.started is None:
        return []
    return delays(schedule.now, begin=schedule.started, at_least=A_MINUTE)


def _cause(delay: Delay[int], row: Row) -> Cause:
    words = []
    if delay.waited >= A_MINUTE:
        waited = _words(delay.waited)
        started = row.facts.started_at is not None
        if started or row.state == TaskState.COMPLETE:
            words.append(f"started {waited} after it could")
        else:
            words.append(f"could have started {waited} ago")
    if delay.overran >= A_MINUTE:
        over = _words(delay.overran)
        running = row.state == TaskState.IN_PROGRESS
        words.append(
            f"is {over} over its planned duration" if running else f"took {over} longer than planned"
        )
    elif delay.overran <= -A_MINUTE:
        words.append(f"took {_words(-delay.overran)} less than planned")
    sentence = ", ".join(words)
    return Cause(row, sentence[:1].upper() + sentence[1:], later=delay.total > timedelta())


def _levers(board: Board, path: Sequence[Row]) -> Iterable[Lever]:
    forecast = board.schedule.now
    finish = forecast.finish
    gains = []
    for row in [row for row in path if row.facts.duration_s][:MOST_ASKED]:
        times = forecast.times[row.id]
        sooner = forecast.finish_with(row.id, replace(times, duration=timedelta()))
        if finish is not None and sooner is not None and finish - sooner >= A_MINUTE:
            gains.append((finish - sooner, row))
    gains.sort(key=lambda each: -each[0])
    return (Lever(row, _words(gain)) for gain, row in gains[:MOST_ROWS])


def _people(rows: Iterable[Row]) -> list[Load]:
    found: dict[int | None, Load] = {}
    for row in rows:
        people: Sequence[Person | None] = row.people or [None]
        for person in people:
            load = found.setdefault(person.id if person else None, Load(person))
            load.running += row.state == TaskState.IN_PROGRESS
            load.ready += row.state == TaskState.STARTABLE
            load.later += row.state == TaskState.NOT_STARTABLE
            load.late += row.late_s > 0
            if row.state == TaskState.COMPLETE:
                load.done += 1
            else:
                load.left_s += row.facts.duration_s
    return sorted(
        found.values(),
        key=lambda load: (load.person is None, -load.open, load.person.name if load.person else ""),
    )


def _words(length: timedelta) -> str:
    return shown(length.total_seconds() // 60 * 60)
