"""A runbook's plan and forecast beside each other. Pure: no Flask, no database.

The plan counts from its planned start, whenever the runbook was really started: lateness is told against what people
agreed on. Whoever wants it to count from the start moves the plan there when starting (operations.baseline).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from webapp.runbooks.forecast import Forecast, Span, Times
from webapp.runbooks.graph import Links


class Planned(Protocol):
    """A task, as far as its times are concerned."""

    @property
    def id(self) -> int: ...

    @property
    def duration_s(self) -> int: ...

    @property
    def planned_start(self) -> datetime | None: ...

    @property
    def started_at(self) -> datetime | None: ...

    @property
    def finished_at(self) -> datetime | None: ...


@dataclass(frozen=True)
class Schedule:
    """When everything was to happen and when it does. `now` is `plan` itself until the runbook has started.

    `begin` is where the plan begins: its planned start, or else the start itself, or what the planned starts of tasks say.
    Where none is known yet (`dated` is false) it is the moment of asking, and only the distances from it mean something.
    `started` is None before the start.
    """

    begin: datetime
    started: datetime | None
    moment: datetime
    dated: bool
    plan: Forecast[int]
    now: Forecast[int]

    @property
    def start_late_s(self) -> int:
        """Seconds from the planned to the actual start; negative where it was early, 0 before it and without a plan."""
        return int((self.started - self.begin).total_seconds()) if self.started else 0

    @property
    def planned_finish(self) -> datetime:
        return self.plan.finish or self.begin

    @property
    def finish(self) -> datetime:
        return self.now.finish or self.begin

    def planned(self, task_id: int) -> Span:
        return self.plan.spans[task_id]

    def span(self, task_id: int) -> Span:
        return self.now.spans[task_id]

    def behind(self, task_id: int) -> timedelta:
        """How much later than planned the task ends; negative where it is early."""
        return self.span(task_id).end - self.planned(task_id).end


def schedule_of(
    facts: Iterable[Planned],
    links: Links[int],
    *,
    started: datetime | None,
    planned_start: datetime | None,
    moment: datetime,
) -> Schedule:
    """The schedule of a runbook's tasks. `moment`: now, or when it ended.

    A loop cannot be saved, but no page fails on one: the tasks then count as if none waited.
    """
    tasks = list(facts)
    lengths = {each.id: timedelta(seconds=each.duration_s) for each in tasks}
    times = {each.id: Times(lengths[each.id], each.planned_start) for each in tasks}
    try:
        begin = planned_begin(tasks, links, planned_start, started)
        since = begin or moment
        plan = Forecast(links, times, begin=since, moment=since)
    except ValueError:
        unlinked = dict.fromkeys(links, ())
        return schedule_of(tasks, unlinked, started=started, planned_start=planned_start, moment=moment)
    now = plan
    if started is not None:
        actual = {
            each.id: Times(lengths[each.id], each.planned_start, each.started_at, each.finished_at)
            for each in tasks
        }
        now = Forecast(links, actual, begin=started, moment=moment)
    return Schedule(since, started, moment, begin is not None, plan, now)


def planned_begin(
    tasks: list[Planned], links: Links[int], planned_start: datetime | None, started: datetime | None = None
) -> datetime | None:
    """Where the plan begins; None where nothing says so.

    A runbook without a planned start that was started begins with it, or with the first planned start of a task that is
    earlier: that task was due, and is late. Before that it begins as late as all planned starts of its tasks allow.
    """
    own = {each.id: each.planned_start for each in tasks if each.planned_start}
    if planned_start is not None or not own:
        return planned_start or started
    if started is not None:
        return min(started, *own.values())
    any_day = min(own.values())
    free = {each.id: Times(timedelta(seconds=each.duration_s)) for each in tasks}
    spans = Forecast(links, free, begin=any_day, moment=any_day).spans
    return min(at - (spans[task_id].start - any_day) for task_id, at in own.items())
