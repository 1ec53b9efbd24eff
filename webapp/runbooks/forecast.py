"""When everything would happen, what decides it, and how much room there is. Pure: standard library only.

A Forecast holds the graph and each task's span. A change of one task works out anew only the tasks after it, and stops
where a task starts and ends as before.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from copy import copy
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from heapq import heapify, heappop, heappush
from typing import Generic

from webapp.runbooks.graph import Links, T, followers_of, in_order


@dataclass(frozen=True, slots=True)
class Times:
    """What is known of one task. `fixed_start`: not before that moment. Actual times are None until they happen."""

    duration: timedelta
    fixed_start: datetime | None = None
    started: datetime | None = None
    finished: datetime | None = None


@dataclass(frozen=True, slots=True)
class Span:
    """When a task starts and ends, or would."""

    start: datetime
    end: datetime


class Forecast(Generic[T]):
    """When each task starts and ends: as it happened, and for the rest as early as its predecessors let it.

    Nothing starts before `begin`; what has not happened yet does not happen before `moment`. For the plan itself give
    Times without actual times and the same moment twice. Raises ValueError for a loop.
    """

    def __init__(
        self, predecessors: Links[T], times: Mapping[T, Times], *, begin: datetime, moment: datetime
    ) -> None:
        self._before = {
            task: tuple(each for each in dict.fromkeys(before) if each in predecessors)
            for task, before in predecessors.items()
        }
        self._times = {task: times[task] for task in self._before}
        self._earliest, self._moment = max(begin, moment), moment
        self._spans: dict[T, Span] = {}
        self._sort()
        for task in self._place:
            self._spans[task] = self._worked_out(task)

    @property
    def spans(self) -> Mapping[T, Span]:
        """Each task's span; do not change it."""
        return self._spans

    @property
    def times(self) -> Mapping[T, Times]:
        """What is known of each task; do not change it."""
        return self._times

    @cached_property
    def finish(self) -> datetime | None:
        """When the last task ends; None where there are none."""
        return max((span.end for span in self._spans.values()), default=None)

    def change(
        self, task: T, times: Times | None = None, predecessors: Collection[T] | None = None
    ) -> set[T]:
        """Tell of one task's new times or predecessors. Returns the tasks whose spans changed.

        Raises ValueError where the predecessors would close a loop; nothing is changed then.
        """
        if predecessors is not None:
            self._link(task, predecessors)
        if times is not None:
            self._times[task] = times
        changed = self._settle([task])
        for name in ("finish", "critical_path", "_latest_ends"):
            self.__dict__.pop(name, None)  # worked out anew when asked for
        return changed

    def finish_with(self, task: T, times: Times) -> datetime | None:
        """When the last task would end with other times of that one; the forecast stays as it is."""
        other = copy(self)
        other._times, other._spans = dict(self._times), dict(self._spans)
        other.change(task, times)
        return other.finish

    @cached_property
    def critical_path(self) -> list[T]:
        """The chain of tasks that decides the finish, first to last.

        From the task that ends last it leads back to the predecessor that ended last, until a task that waits for none
        or that its fixed start holds back longer than all of them. It includes what is done already.
        """
        if not self._spans:
            return []
        task = max(self._spans, key=lambda each: (self._spans[each].end, -self._place[each]))
        path = [task]
        while (held_by := self.held_by(task)) is not None:
            task = held_by
            path.append(task)
        return path[::-1]

    def held_by(self, task: T) -> T | None:
        """The predecessor after which the task starts; None where nothing or its fixed start decides that."""
        before = self._before[task]
        if not before:
            return None
        last = max(before, key=lambda each: (self._spans[each].end, -self._place[each]))
        fixed = self._times[task].fixed_start
        return None if fixed is not None and fixed > self._spans[last].end else last

    def slack(self, task: T) -> timedelta | None:
        """How much later the task can end without moving the finish; None for one that is done."""
        if self._times[task].finished is not None:
            return None
        return self._latest_ends[task] - self._spans[task].end

    @cached_property
    def _latest_ends(self) -> dict[T, datetime]:
        found: dict[T, datetime] = {}
        finish = self.finish
        if finish is None:
            return found
        for task in reversed(self._place):
            latest = finish
            for after in self._after[task]:
                times = self._times[after]
                if times.started is None and times.finished is None:  # else it waits for nobody any more
                    latest = min(latest, found[after] - times.duration)
            found[task] = latest
        return found

    def _worked_out(self, task: T) -> Span:
        known, spans = self._times[task], self._spans
        if known.finished is not None:
            return Span(known.started or known.finished, known.finished)
        if known.started is not None:
            return Span(known.started, max(known.started + known.duration, self._moment))
        start = self._earliest
        for before in self._before[task]:
            end = spans[before].end
            if end > start:
                start = end
        if known.fixed_start is not None and known.fixed_start > start:
            start = known.fixed_start
        return Span(start, start + known.duration)

    def _settle(self, tasks: Iterable[T]) -> set[T]:
        """Work out these tasks and, in order, those after them, as far as a change reaches."""
        place = self._place
        named = {place[task]: task for task in tasks}
        waiting = list(named)
        heapify(waiting)
        changed = set()
        while waiting:
            task = named.pop(heappop(waiting))
            found = self._worked_out(task)
            if found == self._spans[task]:
                continue
            self._spans[task] = found
            changed.add(task)
            for after in self._after[task]:
                if place[after] not in named:
                    named[place[after]] = after
                    heappush(waiting, place[after])
        return changed

    def _link(self, task: T, predecessors: Collection[T]) -> None:
        kept = self._before[task]
        found = tuple(each for each in dict.fromkeys(predecessors) if each in self._before)
        self._before[task] = found
        if any(self._place[each] >= self._place[task] for each in found):
            try:
                self._sort()
            except ValueError:
                self._before[task] = kept
                raise
            return
        for each in kept:
            self._after[each].remove(task)
        for each in found:
            self._after[each].append(task)

    def _sort(self) -> None:
        self._place = {task: number for number, task in enumerate(in_order(self._before))}
        self._after = followers_of(self._before)


@dataclass(frozen=True)
class Delay(Generic[T]):
    """What one task on the critical path added to the finish: it waited, it took longer, or (negative) it was quicker.

    `waited`: from when it could start until it did, or has not yet. `overran`: over its planned duration.
    """

    task: T
    waited: timedelta
    overran: timedelta

    @property
    def total(self) -> timedelta:
        return self.waited + self.overran


def delays(found: Forecast[T], *, begin: datetime, at_least: timedelta) -> list[Delay[T]]:
    """Why the finish is where it is: the critical path's tasks that moved it by that much or more, the most first."""
    moved = []
    ready = begin
    for task in found.critical_path:
        times, span = found.times[task], found.spans[task]
        if times.fixed_start is not None:
            ready = max(ready, times.fixed_start)
        delay = Delay(task, span.start - ready, span.end - span.start - times.duration)
        if abs(delay.waited) >= at_least or abs(delay.overran) >= at_least:
            moved.append(delay)
        ready = span.end
    return sorted(moved, key=lambda each: -abs(each.total))
