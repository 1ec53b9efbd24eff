"""The timeline of a board: each task's plan under what happened or is forecast. Pure: no Flask, no database."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from statistics import median
from zoneinfo import ZoneInfo

from webapp.runbooks.board import Board, Lane
from webapp.runbooks.durations import shown
from webapp.runbooks.forecast import Span
from webapp.runbooks.rows import LATE_START_S, Row
from webapp.runbooks.states import NOT_STARTED, TaskState

ROW, LANE_ROW, AXIS = 32, 34, 36
EDGE = 24  # pixels before the first and after the last bar
NARROWEST, WIDEST = 900, 6000
USUAL_BAR, TICK = 30, 92
STEPS_S = (60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400, 172_800, 604_800)


@dataclass(frozen=True)
class Piece:
    """A rectangle from left to right, in pixels."""

    x: float
    width: float


@dataclass(frozen=True)
class Bar:
    """One task: its plan below, what happened or is forecast above.

    `rest`: what is still to come of a task in progress. `over`: what a task took over its planned duration. `late`: it
    will start later than planned. A milestone is a point, not a piece.
    """

    row: Row
    y: int
    plan: Piece
    done: Piece
    rest: Piece | None
    over: Piece | None
    late: bool
    milestone: bool
    words: str


@dataclass(frozen=True)
class ChartLane:
    """A stream's head with its summary from first start to last end, and its bars."""

    lane: Lane
    y: int
    summary: Piece
    bars: Sequence[Bar]


@dataclass(frozen=True)
class Tick:
    """A line of the grid. `moment` is None on a chart without dates; `offset` then says how long after the start."""

    x: float
    moment: datetime | None
    offset: str
    midnight: bool


@dataclass(frozen=True)
class Chart:
    """The drawing, in pixels. `now` is None where the runbook is not under way; `second` is a second's width."""

    width: int
    height: int
    lanes: Sequence[ChartLane]
    ticks: Sequence[Tick]
    now: float | None
    second: float
    moment: datetime
    row: int = ROW
    lane_row: int = LANE_ROW
    axis: int = AXIS


def draw(board: Board, zone: ZoneInfo) -> Chart:
    """The chart of the rows that the filter wants; ticks are at round times of that zone."""
    schedule = board.schedule
    spans = [span for row in board.rows for span in (schedule.planned(row.id), schedule.span(row.id))]
    begin = min((span.start for span in spans), default=schedule.begin)
    end = max((span.end for span in spans), default=schedule.finish)
    moment = board.moment
    if board.under_way:
        begin, end = min(begin, moment), max(end, moment)
    scale = _Scale(begin, end, _width(board, begin, end))
    lanes, y = [], 0
    for lane in board.lanes:
        if not lane.rows:
            continue
        bars = [_bar(row, board, scale, y + LANE_ROW + at * ROW) for at, row in enumerate(lane.rows)]
        lane_spans = [schedule.span(row.id) for row in lane.rows]
        whole = Span(min(each.start for each in lane_spans), max(each.end for each in lane_spans))
        lanes.append(ChartLane(lane, y, scale.piece(whole.start, whole.end), bars))
        y += LANE_ROW + len(bars) * ROW
    return Chart(
        width=round(scale.width + 2 * EDGE),
        height=y,
        lanes=lanes,
        ticks=list(_ticks(scale, schedule.begin, zone if schedule.dated else None)),
        now=scale.x(moment) if board.under_way else None,
        second=round(scale.second, 6),
        moment=moment,
    )


@dataclass(frozen=True)
class _Scale:
    begin: datetime
    end: datetime
    width: float

    @property
    def second(self) -> float:
        return self.width / max(1.0, (self.end - self.begin).total_seconds())

    def x(self, moment: datetime) -> float:
        return round(EDGE + (moment - self.begin).total_seconds() * self.second, 1)

    def piece(self, start: datetime, end: datetime, least: float = 3) -> Piece:
        x = self.x(start)
        return Piece(x, round(max(least, self.x(end) - x), 1))


def _width(board: Board, begin: datetime, end: datetime) -> float:
    """Wide enough that a usual task can be seen, within bounds."""
    lengths = [row.facts.duration_s for row in board.rows if row.facts.duration_s]
    usual = median(lengths) if lengths else 600
    return min(WIDEST, max(NARROWEST, (end - begin).total_seconds() / usual * USUAL_BAR))


def _bar(row: Row, board: Board, scale: _Scale, y: int) -> Bar:
    plan, span, facts = board.schedule.planned(row.id), board.schedule.span(row.id), row.facts
    moment, due = board.schedule.moment, span.start + timedelta(seconds=facts.duration_s)
    running = facts.state == TaskState.IN_PROGRESS
    done_until = min(span.end, moment) if running else span.end
    took_longer = facts.finished_at is not None and facts.started_at is not None and due < span.end
    late = facts.state in NOT_STARTED and row.behind_s >= LATE_START_S and board.under_way
    return Bar(
        row=row,
        y=y,
        plan=scale.piece(plan.start, plan.end),
        done=scale.piece(span.start, done_until),
        rest=scale.piece(done_until, span.end) if running and span.end > moment else None,
        over=scale.piece(due, span.end, least=1) if took_longer else None,
        late=late,
        milestone=row.kind.point,
        words=_words(row, late=late),
    )


def _words(row: Row, *, late: bool) -> str:
    words = f"#{row.number} {row.title}"
    if row.late_s:
        return f"{words}: late by {shown(row.late_s // 60 * 60) if row.late_s >= 60 else f'{row.late_s}s'}"
    if late:
        return f"{words}: forecast {shown(row.behind_s // 60 * 60)} after its plan"
    return words


def _ticks(scale: _Scale, start: datetime, zone: ZoneInfo | None) -> Iterable[Tick]:
    step = next((each for each in STEPS_S if each * scale.second >= TICK), STEPS_S[-1])
    if zone is None:
        for number in range(int((scale.end - start).total_seconds() // step) + 1):
            at = start + timedelta(seconds=number * step)
            yield Tick(scale.x(at), None, f"+{shown(number * step)}" if number else "Start", midnight=False)
        return
    # Steps from the day's first moment there; a day that changes its clocks is off by that hour at most.
    day = scale.begin.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
    at = day.astimezone(UTC)
    at += timedelta(seconds=-(-(scale.begin - at).total_seconds() // step) * step)
    while at <= scale.end:
        there = at.astimezone(zone)
        yield Tick(scale.x(at), at, "", midnight=(there.hour, there.minute) == (0, 0))
        at += timedelta(seconds=step)
