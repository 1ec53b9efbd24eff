"""What many tasks wait for, changed at once: checked as a whole, written with few statements."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from types import MappingProxyType

from sqlalchemy import delete, select

from webapp.extensions import db
from webapp.runbooks import graph, queries
from webapp.runbooks.models import Runbook, Task, task_predecessors
from webapp.runbooks.operations.many_tasks import insert_pairs
from webapp.runbooks.operations.planning import refuse_as_loop
from webapp.runbooks.refusals import PlanRefused

Ids = Collection[int]

# What becomes of the predecessors of a task, by what was chosen: of those it has, those named, and the selected task
# that stands before it.
LINK_CHANGES: Mapping[str, Callable[[Ids, Ids, Ids], set[int]]] = MappingProxyType(
    {
        "add": lambda present, named, _before: {*present, *named},
        "remove": lambda present, named, _before: set(present) - set(named),
        "replace": lambda _present, named, _before: set(named),
        "chain": lambda present, _named, before: {*present, *before},
    }
)


def link_tasks(runbook: Runbook, tasks: Sequence[Task], how: str, named: Ids) -> None:
    """Change what the tasks, in their order, wait for. `how` is a key of LINK_CHANGES.

    Raises PlanRefused for another runbook's tasks, and for a loop, which it names.
    """
    links = queries.links_within(runbook.id)
    if not set(named) <= set(links):
        raise PlanRefused("Choose tasks of this runbook.", "predecessors")
    ids = [each.id for each in tasks]
    before: list[list[int]] = [[], *([each] for each in ids[:-1])]
    change = LINK_CHANGES[how]
    wanted = {each: change(links[each], named, first) for each, first in zip(ids, before, strict=False)}
    loop = graph.loop_in({**links, **{each: sorted(ids_) for each, ids_ in wanted.items()}})
    if loop:
        refuse_as_loop(runbook, loop)
    table = task_predecessors.c
    # A link to a task that is deleted stays, for the case that it comes back.
    gone = select(Task.id).where(Task.runbook_id == runbook.id, Task.deleted_at.is_not(None))
    db.session.execute(
        delete(task_predecessors).where(table.task_id.in_(ids), table.predecessor_id.not_in(gone))
    )
    insert_pairs(task_predecessors, [(each, other) for each in ids for other in sorted(wanted[each])])


def numbers_waited_for(tasks: Sequence[Task]) -> dict[int, list[int]]:
    """Task id to the numbers of the tasks that it waits for."""
    query = (
        select(task_predecessors.c.task_id, Task.number)
        .join(Task, Task.id == task_predecessors.c.predecessor_id)
        .where(task_predecessors.c.task_id.in_([each.id for each in tasks]), Task.deleted_at.is_(None))
        .order_by(Task.number)
    )
    found = defaultdict(list)
    for task_id, number in db.session.execute(query):
        found[task_id].append(number)
    return found
