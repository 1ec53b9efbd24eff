"""Plan against what happened, per task, per stream and as a whole. Pure: no Flask, no database.

It reads a record, which is the same whether it comes from the present rows or was kept at the end. The plan counts
from where the schedule says, as everywhere in Runsheet.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property

from webapp.runbooks.forecast import Span
from webapp.runbooks.reviews.differences import length, moved, sentence, stretched, worth_saying
from webapp.runbooks.reviews.records import Record, TaskRecord
from webapp.runbooks.rows import LATE_START_S, Person, look_of
from webapp.runbooks.schedule import Schedule
from webapp.runbooks.states import UNPROVEN, Completion, Result, TaskState

_ENDINGS = {
    Completion.SKIPPED: "Skipped",
    Completion.BY_HAND: "Finished by hand",
    Completion.INTEGRATION: "Finished by its integration",
    Completion.RUNBOOK: "Finished by its linked runbook",
}
_OPEN = {
    TaskState.NOT_STARTABLE: "Not started",
    TaskState.STARTABLE: "Not started",
    TaskState.IN_PROGRESS: "Not finished",
}


@dataclass(frozen=True)
class Reviewed:
    """One task: its plan, what happened, and who did it."""

    facts: TaskRecord
    plan: Span

    @property
    def number(self) -> int:
        return self.facts.number

    @property
    def title(self) -> str:
        return self.facts.title

    @property
    def name(self) -> str:
        return f"#{self.number} {self.title}"

    @property
    def skipped(self) -> bool:
        return self.facts.completion == Completion.SKIPPED

    @property
    def by_hand(self) -> bool:
        return self.facts.completion == Completion.BY_HAND

    @property
    def done(self) -> bool:
        """Whether it was finished rather than skipped."""
        return self.facts.state == TaskState.COMPLETE and not self.skipped

    @property
    def look(self) -> str:
        """The key of its state icon."""
        return look_of(self.facts.state, self.facts.completion, None, self.facts.result)

    @property
    def unproven(self) -> bool:
        """Whether it is a validation that failed or was not tested."""
        return self.facts.result in UNPROVEN

    @property
    def ending(self) -> str:
        """How it ended, in words."""
        if self.facts.state != TaskState.COMPLETE:
            return _OPEN[TaskState(self.facts.state)]
        if self.facts.result is not None:
            return f"Validation: {Result(self.facts.result).word.lower()}"
        return _ENDINGS.get(Completion(self.facts.completion or Completion.NORMALLY), "Finished")

    @property
    def started_late_s(self) -> int | None:
        """Seconds from its planned to its actual start; None where it was never started."""
        return _between(self.plan.start, self.facts.started_at)

    @property
    def finished_late_s(self) -> int | None:
        """Seconds from its planned to its actual finish; None where it was not finished, or skipped."""
        return _between(self.plan.end, self.facts.finished_at) if self.done else None

    @property
    def took_s(self) -> int | None:
        """How long it took; None where it was not both started and finished."""
        return _between(self.facts.started_at, self.facts.finished_at) if self.done else None

    @property
    def over_s(self) -> int | None:
        """Seconds over its planned duration; negative where it was quicker."""
        return None if self.took_s is None else self.took_s - self.facts.duration_s

    @property
    def difference(self) -> str:
        """How it differed from its plan: "Started 12m late, took 5m longer, finished 17m late"."""
        if not self.done:
            return self.ending
        parts = []
        if self.started_late_s is not None and worth_saying(self.started_late_s):
            parts.append(f"started {moved(self.started_late_s)}")
        if self.over_s is not None and worth_saying(self.over_s):
            parts.append(f"took {stretched(self.over_s)}")
        if self.finished_late_s is not None and worth_saying(self.finished_late_s):
            parts.append(f"finished {moved(self.finished_late_s)}")
        return sentence(", ".join(parts)) or "As planned"


@dataclass(frozen=True)
class LateStart:
    """A task that was started after its plan, or could have been and was not.

    `late_s` is `held_s` (it could not start, because `held_by` ended late, or, where that is None, because the runbook
    itself was not started yet) plus `waited_s` (it could start since `since`, and nobody did it).
    `paused_s`: how much of the waiting the runbook was paused. `started`: whether it was started at all.
    """

    task: Reviewed
    late_s: int
    held_s: int
    waited_s: int
    paused_s: int
    since: datetime
    held_by: Reviewed | None
    started: bool

    @property
    def lateness(self) -> str:
        return moved(self.late_s) if self.started else f"not started, {length(self.late_s)} after its plan"

    @property
    def held(self) -> str:
        """What kept it from starting on time; empty where nothing did."""
        if not worth_saying(self.held_s):
            return ""
        if self.held_by is None:
            return f"Waited for the start of the runbook, {length(self.held_s)} after the task's plan."
        return f"Waited for {self.held_by.name}, which {_why_late(self.held_by)}."

    @property
    def waited(self) -> str:
        """How long it lay there although it could start, as the beginning of a sentence that ends with since when."""
        if not worth_saying(self.waited_s):
            return ""
        paused = (
            f", {length(self.paused_s)} of it while the runbook was paused"
            if worth_saying(self.paused_s)
            else ""
        )
        verb = "Nobody started it for" if self.started else "Nobody has started it for"
        return f"{verb} {length(self.waited_s)}{paused}, although it could start since"


@dataclass(frozen=True)
class Summary:
    """A stream, or the whole runbook (`stream_id` 0): its tasks counted, its plan, and what happened.

    `begun` and `ended` are None where no task of it was started or none is complete.
    """

    stream_id: int
    name: str
    color: int
    total: int
    done: int
    skipped: int
    by_hand: int
    late_starts: int
    plan: Span
    begun: datetime | None
    ended: datetime | None

    @property
    def open(self) -> int:
        """How many tasks were neither finished nor skipped."""
        return self.total - self.done - self.skipped

    @property
    def planned_s(self) -> int:
        return _seconds(self.plan.start, self.plan.end)

    @property
    def took_s(self) -> int | None:
        return _between(self.begun, self.ended)

    @property
    def difference(self) -> str:
        """How its end differed from the plan, in words."""
        if self.open:
            return "Not all done"
        late_s = _between(self.plan.end, self.ended)
        if late_s is None:
            return "Nothing was done"
        return f"Finished {moved(late_s)}"

    @property
    def tone(self) -> str:
        """ "late", "early" or neither, by its end."""
        late_s = _between(self.plan.end, self.ended)
        if self.open or late_s is None or not worth_saying(late_s):
            return ""
        return "late" if late_s > 0 else "early"

    @property
    def counts(self) -> dict[str, int]:
        """As a bar draws them."""
        return {"total": self.total, "done": self.done, "skip": self.skipped}


@dataclass(frozen=True)
class Call:
    """One integration run: which action was called for which task (None: for the runbook), and how it ended."""

    id: int
    task_id: int | None
    number: int | None
    title: str
    action: str
    state: str
    attempts: int
    code: str
    sentence: str
    at: datetime
    by: str


@dataclass(frozen=True)
class Lesson:
    """A comment that was marked as a lesson."""

    task_id: int
    number: int
    title: str
    body: str
    author: Person
    at: datetime


@dataclass(frozen=True)
class Step:
    """What happened to the runbook as a whole: started, paused, resumed, ended; the note is a reason."""

    at: datetime
    words: str
    icon: str
    by: str
    note: str


@dataclass(frozen=True)
class Review:
    """The whole review. `tasks` are stream by stream, in their order there; `late` as planned, so causes come first."""

    tasks: Sequence[Reviewed]
    streams: Sequence[tuple[Summary, Sequence[Reviewed]]]
    whole: Summary
    late: Sequence[LateStart]

    @cached_property
    def skipped(self) -> Sequence[Reviewed]:
        return [each for each in self.tasks if each.skipped]

    @cached_property
    def unproven(self) -> Sequence[Reviewed]:
        return [each for each in self.tasks if each.unproven]

    @cached_property
    def by_hand(self) -> Sequence[Reviewed]:
        return [each for each in self.tasks if each.by_hand]

    @cached_property
    def late_by_id(self) -> Mapping[int, LateStart]:
        return {each.task.facts.id: each for each in self.late}


def review(record: Record, schedule: Schedule, pauses: Sequence[Span] = ()) -> Review:
    """The review of a rehearsal or live run.

    `schedule.moment` is its end, or now; what has not happened by then counts until then.
    """
    links = record.links
    by_id = {each.id: Reviewed(each, schedule.planned(each.id)) for each in record.tasks}
    late = [
        found
        for task in by_id.values()
        if (found := _late_start(task, links.get(task.facts.id, ()), by_id, schedule, pauses)) is not None
    ]
    late_ids = {each.task.facts.id for each in late}
    lanes: dict[int, list[Reviewed]] = {each.id: [] for each in record.streams}
    for task in by_id.values():
        lanes[task.facts.stream_id].append(task)
    summaries = [
        (_summary(each.id, each.name, each.color, lanes[each.id], late_ids), lanes[each.id])
        for each in record.streams
        if lanes[each.id]
    ]
    ordered = [task for _, tasks in summaries for task in tasks]
    return Review(
        tasks=ordered,
        streams=summaries,
        whole=_summary(0, "", 0, ordered, late_ids, schedule),
        late=sorted(late, key=lambda each: (each.task.plan.start, each.since, each.task.number)),
    )


def pauses_within(changes: Iterable[tuple[datetime, bool]], end: datetime) -> list[Span]:
    """The pauses among changes (when, whether it stood paused from then on), oldest first; an open one until `end`."""
    found, since = [], None
    for at, paused in changes:
        if paused and since is None:
            since = at
        elif not paused and since is not None:
            found.append(Span(since, at))
            since = None
    if since is not None:
        found.append(Span(since, max(since, end)))
    return found


def _late_start(
    task: Reviewed,
    before: Sequence[int],
    by_id: Mapping[int, Reviewed],
    schedule: Schedule,
    pauses: Sequence[Span],
) -> LateStart | None:
    facts = task.facts
    if facts.started_at is None and facts.state != TaskState.STARTABLE:
        return None
    start = facts.started_at or schedule.moment
    planned = task.plan.start
    late_s = _seconds(planned, start)
    if late_s < LATE_START_S:
        return None
    ended = [
        (by_id[each].facts.finished_at, -by_id[each].number, by_id[each]) for each in before if each in by_id
    ]
    last = max(((at, number, each) for at, number, each in ended if at is not None), default=None)
    ready = max(planned, schedule.started or planned)
    # A predecessor that was given to it later may have ended after it started.
    since = min(start, max(ready, last[0]) if last else ready)
    held_s = _seconds(planned, since)
    return LateStart(
        task=task,
        late_s=late_s,
        held_s=held_s,
        waited_s=late_s - held_s,
        paused_s=_overlap(since, start, pauses),
        since=since,
        held_by=last[2] if last and last[0] > ready else None,
        started=facts.started_at is not None,
    )


def _why_late(task: Reviewed) -> str:
    facts = task.facts
    late = moved(_seconds(task.plan.end, facts.finished_at or task.plan.end))
    if task.skipped:
        return f"was skipped {late}"
    over_s, began_s = task.over_s or 0, task.started_late_s or 0
    if not worth_saying(max(over_s, began_s)):
        return f"ended {late}"
    why = f"it took {stretched(over_s)}" if over_s >= began_s else f"it started {moved(began_s)}"
    return f"ended {late} because {why}"


def _summary(
    stream_id: int,
    name: str,
    color: int,
    tasks: Sequence[Reviewed],
    late: Iterable[int],
    whole: Schedule | None = None,
) -> Summary:
    late = set(late)
    spans = [each.plan for each in tasks] + ([Span(whole.begin, whole.begin)] if whole else [])
    begun = [each.facts.started_at for each in tasks if each.facts.started_at]
    ended = [each.facts.finished_at for each in tasks if each.facts.finished_at]
    return Summary(
        stream_id=stream_id,
        name=name,
        color=color,
        total=len(tasks),
        done=sum(each.done for each in tasks),
        skipped=sum(each.skipped for each in tasks),
        by_hand=sum(each.by_hand for each in tasks),
        late_starts=sum(each.facts.id in late for each in tasks),
        plan=Span(min(each.start for each in spans), max(each.end for each in spans)),
        begun=whole.started if whole else min(begun, default=None),
        ended=max(ended, default=None),
    )


def _overlap(start: datetime, end: datetime, spans: Iterable[Span]) -> int:
    none = timedelta()
    return int(
        sum((max(none, min(end, each.end) - max(start, each.start)) for each in spans), none).total_seconds()
    )


def _seconds(start: datetime, end: datetime) -> int:
    return int((end - start).total_seconds())


def _between(start: datetime | None, end: datetime | None) -> int | None:
    return None if start is None or end is None else _seconds(start, end)
