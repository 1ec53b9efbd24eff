"""A runbook's page, read in a constant number of queries however many tasks it has."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from webapp.accounts.models import User
from webapp.clock import now
from webapp.permissions import Permission, can
from webapp.runbooks import graph, queries
from webapp.runbooks.durations import shown
from webapp.runbooks.models import Runbook, Stream
from webapp.runbooks.queries import Progress
from webapp.runbooks.reads import Reads
from webapp.runbooks.rows import Person, Row, is_failing, late_by, make_row
from webapp.runbooks.states import UNDER_WAY, RunbookState, TaskState

SHOWS = {"mine": "My tasks", "ready": "Ready", "late": "Late", "running": "In progress", "failed": "Failed"}


@dataclass(frozen=True)
class Viewer:
    """Who looks at a runbook, and what they may do with it."""

    user: User
    may_edit: bool
    may_conduct: bool
    may_run: bool
    may_comment: bool

    def may_run_task(self, people: Iterable[Person]) -> bool:
        """Whether they may start and finish a task with those assignees."""
        return self.may_run or any(person.id == self.user.id for person in people)


def viewer_of(user: User, runbook: Runbook) -> Viewer:
    """The viewer of one runbook."""
    return Viewer(
        user=user,
        may_edit=can(user, Permission.EDIT_RUNBOOKS, runbook),
        may_conduct=can(user, Permission.CONDUCT_RUNBOOKS, runbook),
        may_run=can(user, Permission.RUN_TASKS, runbook),
        may_comment=can(user, Permission.COMMENT, runbook),
    )


@dataclass(frozen=True)
class Wanted:
    """The filter of the list: `show` is a key of SHOWS or empty, `text` narrows by name or number."""

    show: str = ""
    text: str = ""

    @property
    def any(self) -> bool:
        return bool(self.show or self.text)


@dataclass
class Lane:
    """A stream with its rows and how far it is."""

    stream: Stream
    progress: Progress = field(default_factory=Progress)
    rows: list[Row] = field(default_factory=list)
    note: str = ""

    @property
    def finished(self) -> bool:
        return self.progress.total > 0 and self.progress.ended == self.progress.total


@dataclass
class Stats:
    """The figures of the strip. `finish` is None where no start is known; `duration_s` is then all there is."""

    progress: Progress = field(default_factory=Progress)
    late: int = 0
    longest_late_s: int = 0
    integrations: int = 0
    unassigned: int = 0
    mine: int = 0
    finish: datetime | None = None
    planned_finish: datetime | None = None
    duration_s: float = 0.0

    @property
    def behind_s(self) -> float:
        """Seconds that the forecast is after the plan; negative before it."""
        if self.finish is None or self.planned_finish is None:
            return 0.0
        return (self.finish - self.planned_finish).total_seconds()

    @property
    def behind(self) -> str:
        """ "11m after plan", or nothing within a minute of it."""
        if abs(self.behind_s) < 60:
            return ""
        return f"{shown(abs(self.behind_s) // 60 * 60)} {'after' if self.behind_s > 0 else 'before'} plan"

    @property
    def longest_late(self) -> str:
        return (
            shown(self.longest_late_s // 60 * 60) if self.longest_late_s >= 60 else f"{self.longest_late_s}s"
        )


@dataclass
class Board:
    """Everything that the page of one runbook shows to one viewer.

    `order` is stream id to the numbers of all its tasks, whatever `wanted` and `only` leave in `lanes`.
    """

    runbook: Runbook
    viewer: Viewer
    base: str
    lanes: list[Lane]
    stats: Stats
    wanted: Wanted
    moment: datetime
    order: dict[int, list[int]] = field(default_factory=dict)

    @property
    def state_key(self) -> str:
        """The key of the runbook's chip: its mode while it runs, else its state."""
        return str(self.runbook.mode) if self.runbook.state == RunbookState.RUNNING else self.runbook.state

    @property
    def under_way(self) -> bool:
        return self.runbook.state in UNDER_WAY

    @property
    def all_done(self) -> bool:
        """Whether nothing is left to do."""
        return 0 < self.stats.progress.total == self.stats.progress.ended

    @property
    def any_rows(self) -> bool:
        return any(lane.rows for lane in self.lanes)

    @property
    def rows(self) -> Iterable[Row]:
        return (row for lane in self.lanes for row in lane.rows)

    def row(self, number: int | None) -> Row | None:
        """The row of that number, where it is on the page."""
        return next((row for row in self.rows if row.number == number), None)


def load_board(
    runbook: Runbook,
    viewer: Viewer,
    *,
    base: str,
    wanted: Wanted | None = None,
    only: Collection[int] | None = None,
) -> Board:
    """The board. `only` narrows the rows that are worked out to those task ids; figures are of all tasks."""
    wanted = wanted or Wanted()
    moment = now()
    reads = Reads([runbook], only, viewer.user)
    rows = _Rows(runbook, viewer, reads, moment)
    lanes = {stream.id: Lane(stream) for stream in queries.streams_of(runbook.id)}
    stats = rows.stats()
    order: dict[int, list[int]] = {stream_id: [] for stream_id in lanes}
    for each in reads.facts[runbook.id]:
        failing = is_failing(each.state, reads.calls.get(each.id))
        lanes[each.stream_id].progress.add(each.state, each.completion, failing=failing)
        order[each.stream_id].append(each.number)
    for row in rows.make():
        if not wanted.any or _matches(row, wanted, viewer):
            lanes[row.facts.stream_id].rows.append(row)
    for lane in lanes.values():
        lane.note = _note(lane)
    return Board(runbook, viewer, base, list(lanes.values()), stats, wanted, moment, order)


def rows_of(user: User, wanted: Mapping[Runbook, Collection[int]]) -> dict[int, Row]:
    """Task id to its row, for those tasks of those runbooks, in a constant number of queries."""
    moment = now()
    reads = Reads(wanted, {task_id for task_ids in wanted.values() for task_id in task_ids}, user)
    return {
        row.id: row
        for runbook in wanted
        for row in _Rows(runbook, viewer_of(user, runbook), reads, moment).make()
    }


class _Rows:
    """Makes the rows of one runbook out of what was read."""

    def __init__(self, runbook: Runbook, viewer: Viewer, reads: Reads, moment: datetime) -> None:
        self._runbook, self._viewer, self._reads, self._moment = runbook, viewer, reads, moment
        self._facts = reads.facts[runbook.id]
        self._begin = runbook.started_at or runbook.planned_start
        self._plan = self._forecast(self._begin or moment, planned=True)

    def make(self) -> list[Row]:
        begin = self._begin or self._moment
        reads = self._reads
        found = []
        for each in reads.chosen[self._runbook.id]:
            people = reads.people.get(each.id, [])
            span = self._plan.get(each.id)
            found.append(
                make_row(
                    each,
                    runbook_state=self._runbook.state,
                    may_run=self._viewer.may_run_task(people),
                    waits_for=sorted(
                        reads.by_id[before].number
                        for before in reads.links[each.id]
                        if reads.by_id[before].state != TaskState.COMPLETE
                    ),
                    people=people,
                    comments=reads.comments.get(each.id, 0),
                    action=reads.actions.get(each.id),
                    call=reads.calls.get(each.id),
                    plan=span if self._begin else None,
                    offset_s=(span.start - begin).total_seconds() if span else None,
                    moment=self._moment,
                )
            )
        return found

    def stats(self) -> Stats:
        stats = Stats()
        for each in self._facts:
            failing = is_failing(each.state, self._reads.calls.get(each.id))
            stats.progress.add(each.state, each.completion, failing=failing)
            late_s = late_by(each, self._moment) if self._runbook.state in UNDER_WAY else 0
            stats.late += late_s > 0
            stats.longest_late_s = max(stats.longest_late_s, late_s)
            stats.integrations += each.action_id is not None
            stats.unassigned += each.id not in self._reads.people
            stats.mine += any(
                person.id == self._viewer.user.id for person in self._reads.people.get(each.id, ())
            )
        if self._plan:
            last = max(span.end for span in self._plan.values())
            stats.duration_s = (last - (self._begin or self._moment)).total_seconds()
            if self._begin is not None:
                stats.planned_finish = stats.finish = last
            if self._runbook.state in UNDER_WAY and self._begin is not None:
                spans = self._forecast(self._begin, planned=False)
                stats.finish = max(span.end for span in spans.values())
        return stats

    def _forecast(self, begin: datetime, *, planned: bool) -> dict[int, graph.Span]:
        times = {
            each.id: graph.Times(
                timedelta(seconds=each.duration_s),
                each.planned_start,
                None if planned else each.started_at,
                None if planned else each.finished_at,
            )
            for each in self._facts
        }
        links = {each.id: self._reads.links[each.id] for each in self._facts}
        try:
            return graph.forecast(links, times, begin=begin, moment=begin if planned else self._moment)
        except ValueError:
            return {}  # a loop cannot be saved, but a page must not fail on one


def _matches(row: Row, wanted: Wanted, viewer: Viewer) -> bool:
    if wanted.text:
        text = wanted.text.lower().removeprefix("#")
        if text not in row.title.lower() and text != str(row.number):
            return False
    checks = {
        "mine": lambda: any(person.id == viewer.user.id for person in row.people),
        "ready": lambda: row.state == TaskState.STARTABLE,
        "late": lambda: row.late_s > 0,
        "running": lambda: row.state == TaskState.IN_PROGRESS,
        "failed": lambda: row.look == "failed",
    }
    return checks[wanted.show]() if wanted.show in checks else True


def _note(lane: Lane) -> str:
    running = lane.progress.counts["run"]
    if running:
        return "1 task in progress" if running == 1 else f"{running} tasks in progress"
    ready = lane.progress.counts["ready"]
    if ready:
        return "1 task ready" if ready == 1 else f"{ready} tasks ready"
    return ""
