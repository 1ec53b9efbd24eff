"""Tasks as a graph: loops, order, and who may start. Pure: standard library only.

Tasks are any hashable ids; `predecessors` maps a task to those that must be complete before it starts. A predecessor
that is no key of the mapping does not count (it was deleted).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Hashable, Iterable, Mapping
from typing import TypeVar

T = TypeVar("T", bound=Hashable)
Links = Mapping[T, Collection[T]]


def loop_through(predecessors: Links[T], task: T, wanted: Collection[T]) -> list[T] | None:
    """The loop that giving `task` the predecessors `wanted` would close, as task, …, task; None where it closes none.

    The rest of the graph is taken as free of loops. Of several loops it is a shortest one. Read from left to right
    each waits for the next.
    """
    came_from: dict[T, T] = {}
    waiting = deque(dict.fromkeys(wanted))
    for each in waiting:
        came_from[each] = task
    while waiting:
        here = waiting.popleft()
        if here == task:
            path = [task]
            step = came_from[task]
            while step != task:
                path.append(step)
                step = came_from[step]
            return [task, *reversed(path)] if len(path) > 1 else [task, task]
        for before in predecessors.get(here, ()):
            if before not in came_from:
                came_from[before] = here
                waiting.append(before)
    return None


def loop_in(predecessors: Links[T]) -> list[T] | None:
    """A loop among the tasks, as task, …, task, each waiting for the next; None where there is none."""
    free = set(_free(predecessors))
    here = next((task for task in predecessors if task not in free), None)
    if here is None:
        return None
    path: list[T] = []
    while here not in path:
        path.append(here)
        here = next(each for each in predecessors[here] if each in predecessors and each not in free)
    return [*path[path.index(here) :], here]


def in_order(predecessors: Links[T]) -> list[T]:
    """Every task after its predecessors, otherwise in the mapping's order. Raises ValueError for a loop."""
    found = _free(predecessors)
    if len(found) < len(predecessors):
        raise ValueError("the tasks wait for each other in a loop")
    return found


def _free(predecessors: Links[T]) -> list[T]:
    """The tasks that neither are in a loop nor wait for one, each after its predecessors."""
    open_count = {
        task: sum(1 for each in set(before) if each in predecessors) for task, before in predecessors.items()
    }
    followers = followers_of(predecessors)
    ready = deque(task for task, count in open_count.items() if not count)
    found = []
    while ready:
        task = ready.popleft()
        found.append(task)
        for after in followers[task]:
            open_count[after] -= 1
            if not open_count[after]:
                ready.append(after)
    return found


def followers_of(predecessors: Links[T]) -> dict[T, list[T]]:
    """Task to those that wait for it."""
    found: dict[T, list[T]] = {task: [] for task in predecessors}
    for task, before in predecessors.items():
        for each in dict.fromkeys(before):
            if each in found:
                found[each].append(task)
    return found


def startable(predecessors: Links[T], complete: Collection[T], tasks: Iterable[T]) -> set[T]:
    """Those of `tasks` whose predecessors are all complete."""
    done = complete if isinstance(complete, (set, frozenset)) else set(complete)
    return {
        task
        for task in tasks
        if all(before in done for before in predecessors.get(task, ()) if before in predecessors)
    }
