"""A runbook's plan and forecast beside each other. Pure: no Flask, no database."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from webapp.runbooks.forecast import Forecast, Span, Times
from webapp.runbooks.graph import Links
from webapp.runbooks.rows import Facts


@dataclass(frozen=True)
class Schedule:
    """When everything was to happen and when it does. `now` is `plan` itself until the runbook has started.

    `begin` is the start, actual or planned; where none is known yet (`dated` is false) it is the moment of asking, and
    only the distances from it mean something.
    """

    begin: datetime
    moment: datetime
    dated: bool
    plan: Forecast[int]
    now: Forecast[int]

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
    facts: Iterable[Facts],
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
    begin = started or planned_start
    since = begin or moment
    times = {each.id: Times(timedelta(seconds=each.duration_s), each.planned_start) for each in tasks}
    try:
        plan = Forecast(links, times, begin=since, moment=since)
    except ValueError:
        links = dict.fromkeys(links, ())
        plan = Forecast(links, times, begin=since, moment=since)
    now = plan
    if started is not None:
        actual = {
            each.id: Times(
                timedelta(seconds=each.duration_s), each.planned_start, each.started_at, each.finished_at
            )
            for each in tasks
        }
        now = Forecast(links, actual, begin=started, moment=moment)
    return Schedule(since, moment, begin is not None, plan, now)
