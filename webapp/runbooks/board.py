"""A runbook's page, read in a constant number of queries however many tasks it has."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from itertools import takewhile

from webapp.accounts.models import User
from webapp.clock import now
from webapp.permissions import Permission, can
from webapp.runbooks import queries
from webapp.runbooks.addresses import Here, Wanted
from webapp.runbooks.durations import shown
from webapp.runbooks.models import Runbook, Stream
from webapp.runbooks.queries import Progress
from webapp.runbooks.reads import Reads, sign_ins_missing
from webapp.runbooks.reviews.executions import count_rehearsals
from webapp.runbooks.rows import Facts, Looker, Person, Row, is_failing, late_by, make_row
from webapp.runbooks.schedule import Schedule, schedule_of
from webapp.runbooks.states import UNDER_WAY, Result, RunbookState, TaskState
from webapp.runbooks.status import Status, Trouble, status_of
from webapp.runbooks.task_types import Seen, type_of
from webapp.sharing import Shared


@dataclass(frozen=True)
class Viewer:
    """Who looks at a runbook, and what they may do with it."""

    user: User
    may_edit: bool
    may_conduct: bool
    may_run: bool
    may_comment: bool
    may_create: bool

    @property
    def rights(self) -> Hashable:
        """What they may do, without who they are."""
        return tuple(getattr(self, each.name) for each in fields(self) if each.name != "user")

    def may_run_task(self, people: Iterable[Person]) -> bool:
        """Whether they may start and finish a task with those assignees."""
        return self.may_run or any(person.id == self.user.id for person in people)


def viewer_of(user: User, runbook: Runbook) -> Viewer:
    """The viewer of one runbook."""
    return Viewer(
        user=user,
        may_edit=not runbook.frozen and can(user, Permission.EDIT_RUNBOOKS, runbook),
        may_conduct=not runbook.is_plan_only and can(user, Permission.CONDUCT_RUNBOOKS, runbook),
        may_run=can(user, Permission.RUN_TASKS, runbook),
        may_comment=can(user, Permission.COMMENT, runbook),
        may_create=can(user, Permission.CREATE_RUNBOOKS, runbook),
    )


@dataclass
class Lane:
    """A stream with its rows and how far it is; `whole` counts its sub-streams' tasks too."""

    stream: Stream
    progress: Progress = field(default_factory=Progress)
    whole: Progress = field(default_factory=Progress)
    subs: list[Lane] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)
    note: str = ""

    @property
    def finished(self) -> bool:
        return self.whole.total > 0 and self.whole.ended == self.whole.total

    @property
    def any_rows(self) -> bool:
        """Whether it or one of its sub-streams has a row."""
        return bool(self.rows) or any(sub.rows for sub in self.subs)


@dataclass
class Stats:
    """The figures of the strip. `finish` is None where no start is known; `duration_s` is then all there is.

    `status` is None where the runbook is not under way.
    """

    progress: Progress = field(default_factory=Progress)
    late: int = 0
    longest_late_s: int = 0
    failed: int = 0
    integrations: int = 0
    unassigned: int = 0
    mine: int = 0
    finish: datetime | None = None
    planned_finish: datetime | None = None
    duration_s: float = 0.0
    status: Status | None = None

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
    """Everything that the page of one runbook shows to one viewer. `lanes` has sub-streams behind their parents.

    `rehearsals` is how many there have been, told while it is planned.
    `order` is stream id to the numbers of all its tasks, whatever the filter and `only` leave in `lanes`. `links` is task
    id to those of its predecessors. `matching` are the numbers of the rows that the filter wants. `numbers` is task id to
    number, of all tasks.
    """

    runbook: Runbook
    viewer: Viewer
    here: Here
    lanes: list[Lane]
    stats: Stats
    schedule: Schedule
    links: Mapping[int, Sequence[int]]
    moment: datetime
    shared: Snapshot
    rehearsals: int = 0
    order: dict[int, list[int]] = field(default_factory=dict)
    matching: set[int] = field(default_factory=set)
    numbers: Mapping[int, int] = field(default_factory=dict)

    @property
    def base(self) -> str:
        return self.here.base

    @property
    def wanted(self) -> Wanted:
        return self.here.wanted

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
    def starts(self) -> str:
        """When every task starts as planned, for starts.js: "12:+45m", or seconds since 1970 where the start is known."""
        begin, dated = self.schedule.begin, self.schedule.dated
        found = []
        for task_id, number in self.numbers.items():
            at = self.schedule.planned(task_id).start
            text = str(int(at.timestamp())) if dated else f"+{shown((at - begin).total_seconds())}"
            found.append(f"{number}:{text}")
        return ",".join(found)

    @property
    def any_rows(self) -> bool:
        return any(lane.rows for lane in self.lanes)

    @property
    def tops(self) -> list[Lane]:
        """The lanes of streams that are part of no other one."""
        return [lane for lane in self.lanes if lane.stream.parent_id is None]

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
    here: Here,
    only: Collection[int] | None = None,
    hiding: bool = True,
    shared: Snapshot | None = None,
) -> Board:
    """The board. `only` narrows the rows that are worked out to those task ids; figures are of all tasks.

    The filter of `here` hides rows, or with `hiding` false only marks those that it wants.
    `shared` is the runbook's snapshot, where the caller has it.
    """
    wanted = here.wanted
    shared = shared or snapshot_of(runbook)
    lanes = {
        stream.id: Lane(stream, shared.progress.get(stream.id, Progress()))
        for stream in queries.streams_of(runbook.id)
    }
    for lane in lanes.values():
        lane.whole.merge(lane.progress)
        above = lanes.get(lane.stream.parent_id) if lane.stream.parent_id is not None else None
        if above is not None:
            above.subs.append(lane)
            above.whole.merge(lane.progress)
    matching = set()
    for row in shared.rows(viewer, only):
        if row.facts.stream_id not in lanes:
            continue  # deleted since the rest was read, and with its tasks
        if not wanted.any or _matches(row, wanted, viewer):
            matching.add(row.number)
        elif hiding:
            continue
        lanes[row.facts.stream_id].rows.append(row)
    for lane in lanes.values():
        lane.note = _note(lane)
    return Board(
        runbook,
        viewer,
        here,
        list(lanes.values()),
        shared.stats_for(viewer),
        shared.schedule,
        shared.links,
        shared.moment,
        shared,
        count_rehearsals(runbook.id) if runbook.state == RunbookState.PLANNING else 0,
        {stream_id: shared.order.get(stream_id, []) for stream_id in lanes},
        matching,
        shared.numbers,
    )


def rows_of(user: User, wanted: Mapping[Runbook, Collection[int]]) -> dict[int, Row]:
    """Task id to its row, for those tasks of those runbooks, in a constant number of queries."""
    moment = now()
    reads = Reads(wanted)
    chosen = {task_id for task_ids in wanted.values() for task_id in task_ids}
    missing = sign_ins_missing({each: reads.asking[each] for each in chosen & reads.asking.keys()}, user)
    return {
        row.id: row
        for runbook in wanted
        for row in Snapshot(runbook, reads, moment).rows(viewer_of(user, runbook), chosen, missing)
    }


def stats_of(user: User, runbooks: Collection[Runbook]) -> dict[int, Stats]:
    """Runbook id to its figures, in a constant number of queries."""
    moment = now()
    reads = Reads(runbooks)
    return {each.id: Snapshot(each, reads, moment).stats_for(viewer_of(user, each)) for each in runbooks}


def snapshot_of(runbook: Runbook) -> Snapshot:
    """The runbook as it is now, worked out once for all who look at it."""
    # updated_at tells apart what a transaction saw that was rolled back.
    key = (runbook.id, runbook.seq, runbook.updated_at)
    return _snapshots.get(key, lambda: Snapshot(runbook, Reads([runbook]), now()))


class Snapshot:
    """A runbook at one moment: all that is the same for everyone who looks at it, and what each one's board is made of.

    Boards share it, so nothing in it belongs to a viewer or a database session, and nobody changes it. `progress` and
    `order` (numbers) are by stream id. `pieces` are the pieces of pages that were made of it (views/kept.py).
    """

    def __init__(self, runbook: Runbook, reads: Reads, moment: datetime) -> None:
        self._state, self._reads, self.moment = runbook.state, reads, moment
        self._facts = reads.facts[runbook.id]
        self.numbers = {each.id: each.number for each in self._facts}
        self.pieces: dict[Hashable, str] = {}
        self.links = {each.id: reads.links[each.id] for each in self._facts}
        self.schedule = schedule_of(
            self._facts,
            self.links,
            started=runbook.started_at,
            planned_start=runbook.planned_start,
            moment=runbook.ended_at or moment,
        )
        self._critical = frozenset(self.schedule.now.critical_path)
        self.progress: dict[int, Progress] = defaultdict(Progress)
        self.order: dict[int, list[int]] = defaultdict(list)
        for each in self._facts:
            failing = is_failing(each.state, reads.calls.get(each.id))
            self.progress[each.stream_id].add(each.state, each.completion, failing=failing)
            self.order[each.stream_id].append(each.number)
        self._stats = self._worked_out()
        self._placed, self._planners = reads.placed.get(runbook.id, 0), reads.planners.get(runbook.id, set())
        self._newest = sorted(self._facts, key=lambda each: each.seq, reverse=True)
        self._mine = Counter(person.id for each in self._facts for person in reads.people.get(each.id, ()))

    def rows(
        self, viewer: Viewer, only: Collection[int] | None = None, missing: Mapping[int, str] | None = None
    ) -> list[Row]:
        """The rows as that viewer sees them, of all tasks or of those ids; `missing` are their missing sign-ins, if known."""
        schedule, reads = self.schedule, self._reads
        chosen = [each for each in self._facts if only is None or each.id in only]
        if missing is None:
            asking = {each.id: reads.asking[each.id] for each in chosen if each.id in reads.asking}
            missing = sign_ins_missing(asking, viewer.user)
        found = []
        for each in chosen:
            people = reads.people.get(each.id, [])
            kind = type_of(each.type)
            action, call = reads.actions.get(each.id), reads.calls.get(each.id)
            if action is not None and each.id in missing:
                action = replace(action, sign_in=missing[each.id])
            linked = reads.linked.get(each.id)
            found.append(
                make_row(
                    each,
                    kind=kind,
                    chip=kind.chip(Seen(each, action, call, linked)),
                    runbook_state=self._state,
                    looker=Looker(viewer.user.id, viewer.may_run_task(people), viewer.may_conduct),
                    waits_for=sorted(
                        reads.by_id[before].number
                        for before in reads.links[each.id]
                        if reads.by_id[before].state != TaskState.COMPLETE
                    ),
                    people=people,
                    ready=reads.ready.get(each.id, ()),
                    comments=reads.comments.get(each.id, 0),
                    action=action,
                    call=call,
                    linked=linked,
                    plan=schedule.planned(each.id),
                    span=schedule.span(each.id),
                    slack=schedule.now.slack(each.id),
                    critical=each.id in self._critical,
                    begin=schedule.begin if schedule.dated else None,
                    moment=schedule.moment,
                )
            )
        return found

    def apart(self, viewer: Viewer, since: int, here: Here) -> Hashable:
        """What changes after `since` look like to that viewer at that place, and not to all others with the same rights:
        the number of their tasks, and who they are where one of the changes, or what they may undo, is about them.

        A task is about those who are assigned, started it or gave their word for it, and where a sign-in is due before it,
        about everybody. With a filter, or with streams that are drawn anew, every task counts as changed.
        """
        who = viewer.user.id
        whole = here.wanted.any or self._placed > since
        changed = takewhile(lambda each: whole or each.seq > since, self._newest)
        personal = who in self._planners or any(self._is_about(each, who) for each in changed)
        return (self._mine[who], who if personal else None)

    def _is_about(self, task: Facts, who: int) -> bool:
        reads = self._reads
        return (
            task.id in reads.asking
            or task.started_by_id == who
            or who in reads.ready.get(task.id, ())
            or any(person.id == who for person in reads.people.get(task.id, ()))
        )

    def stats_for(self, viewer: Viewer) -> Stats:
        """The figures, with the viewer's own."""
        return replace(self._stats, mine=self._mine[viewer.user.id])

    def _worked_out(self) -> Stats:
        stats = Stats()
        under_way = self._state in UNDER_WAY
        late, failed, unproven = [], [], []
        for each in self._facts:
            failing = is_failing(each.state, self._reads.calls.get(each.id))
            stats.progress.add(each.state, each.completion, failing=failing)
            late_s = late_by(each, self.schedule.planned(each.id), self.moment) if under_way else 0
            if failing:
                failed.append(Trouble(each.number, each.id in self._critical))
            elif each.result == Result.FAIL:
                unproven.append(Trouble(each.number, each.id in self._critical))
            elif late_s:
                late.append(Trouble(each.number, each.id in self._critical, late_s))
            stats.late += late_s > 0
            stats.failed += failing or each.result == Result.FAIL
            stats.longest_late_s = max(stats.longest_late_s, late_s)
            stats.integrations += each.action_id is not None
            stats.unassigned += each.id not in self._reads.people
        if self._facts:
            schedule = self.schedule
            stats.duration_s = (schedule.planned_finish - schedule.begin).total_seconds()
            if schedule.dated:
                stats.planned_finish = schedule.planned_finish
                stats.finish = schedule.finish if under_way else schedule.planned_finish
        if under_way:
            stats.status = status_of(
                behind_s=stats.behind_s,
                planned_s=stats.duration_s,
                late=late,
                failed=failed,
                unproven=unproven,
                start_late_s=self.schedule.start_late_s,
            )
        return stats


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
        "failed": lambda: row.failed,
    }
    return checks[wanted.show]() if wanted.show in checks else True


def _note(lane: Lane) -> str:
    running = lane.whole.counts["run"]
    if running:
        return "1 task in progress" if running == 1 else f"{running} tasks in progress"
    ready = lane.whole.counts["ready"]
    if ready:
        return "1 task ready" if ready == 1 else f"{ready} tasks ready"
    return ""


# A second is short for who reloads a page, and long where hundreds do because much has changed.
_snapshots: Shared[Snapshot] = Shared(most=16, lives_s=1.0)
