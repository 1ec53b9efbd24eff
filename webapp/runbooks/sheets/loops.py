"""Every loop of a plan that has not been saved yet."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from webapp.runbooks import graph


def loops(predecessors: Mapping[int, Collection[int]]) -> list[list[int]]:
    """A shortest loop of each knot of tasks that wait for each other, as task, …, task. Linear but for the loops."""
    found = []
    for knot in _knots(predecessors):
        members = set(knot)
        links = {task: [each for each in predecessors[task] if each in members] for task in knot}
        loop = graph.loop_through(links, min(knot), links[min(knot)])
        if loop:
            found.append(loop)
    return sorted(found)


def _knots(predecessors: Mapping[int, Collection[int]]) -> list[list[int]]:
    """Tarjan's strongly connected components of more than one task, without recursion: a chain may be long."""
    index: dict[int, int] = {}
    low: dict[int, int] = {}
    stack: list[int] = []
    on_stack: set[int] = set()
    knots = []
    for root in predecessors:
        if root in index:
            continue
        work = [(root, iter(predecessors[root]))]
        index[root] = low[root] = len(index)
        stack.append(root)
        on_stack.add(root)
        while work:
            task, rest = work[-1]
            for before in rest:
                if before not in predecessors:
                    continue
                if before not in index:
                    index[before] = low[before] = len(index)
                    stack.append(before)
                    on_stack.add(before)
                    work.append((before, iter(predecessors[before])))
                    break
                if before in on_stack:
                    low[task] = min(low[task], index[before])
            else:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[task])
                if low[task] == index[task]:
                    knot = []
                    while True:
                        member = stack.pop()
                        on_stack.discard(member)
                        knot.append(member)
                        if member == task:
                            break
                    if len(knot) > 1:
                        knots.append(knot)
    return knots
