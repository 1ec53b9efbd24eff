"""Moving tasks to another place in the list, in their stream or another."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import select, update
from sqlalchemy.orm import joinedload, lazyload

from webapp.accounts.models import User
from webapp.audit.operations import record_each
from webapp.extensions import db
from webapp.runbooks import queries
from webapp.runbooks.models import Runbook, Stream, Task
from webapp.runbooks.operations.changes import refuse_if_ended, touch
from webapp.runbooks.operations.plan_changes import undoable
from webapp.runbooks.operations.streams import refuse_if_gone
from webapp.runbooks.refusals import NotNow, PlanRefused
from webapp.runbooks.states import NOT_STARTED


@dataclass(frozen=True)
class Placed:
    """Where a task came to stand: the `place` counts from 1."""

    number: int
    stream: str
    place: int


Order = dict[
    int, list[tuple[int, int]]
]  # stream id to (task id, position) of its tasks, in the order of the list


@undoable()
def move_tasks(
    runbook: Runbook, numbers: Collection[int], stream: Stream, after: int | None, *, by: User
) -> list[Placed]:
    """Put the tasks together, in their order, behind task number `after` of the stream, or at its top.

    Answers those that stand elsewhere now. Raises NotNow, PlanRefused for another runbook's stream.
    """
    if stream.runbook_id != runbook.id:
        raise PlanRefused("Choose a stream of this runbook.", "stream_id")
    seq = touch(runbook)
    refuse_if_ended(runbook)
    refuse_if_gone(stream)
    tasks, order = _present(runbook, numbers), _order(runbook)
    return _place(runbook, tasks, order, stream, _id_behind(runbook, order, stream, after), seq, by)


@undoable()
def step_tasks(runbook: Runbook, numbers: Collection[int], step: int, *, by: User) -> list[Placed]:
    """One place up (-1) or down (+1), over the borders of streams; at the end of the list nothing happens.

    Several tasks gather at the first of them on their way up, at the last on their way down. Raises NotNow.
    """
    seq = touch(runbook)
    refuse_if_ended(runbook)
    tasks, order = _present(runbook, numbers), _order(runbook)
    if not tasks:
        return []
    edge = tasks[0] if step < 0 else tasks[-1]
    streams = queries.streams_of(runbook.id)
    here = next(each for each in streams if each.id == edge.stream_id)
    ids = [task_id for task_id, _ in order[here.id]]
    at = ids.index(edge.id)
    if 0 <= at + step < len(ids):
        behind = at + step if step > 0 else at + step - 1
        return _place(runbook, tasks, order, here, ids[behind] if behind >= 0 else None, seq, by)
    beside = streams.index(here) + step
    if not 0 <= beside < len(streams):
        return []
    there = streams[beside]
    last = order[there.id][-1][0] if step < 0 and order[there.id] else None
    return _place(runbook, tasks, order, there, last, seq, by)


def _place(
    runbook: Runbook,
    tasks: Sequence[Task],
    order: Order,
    stream: Stream,
    behind: int | None,
    seq: int,
    by: User,
) -> list[Placed]:
    """`behind`: the id of a task of the stream, or None for its top."""
    before = _stands(order, tasks)
    chosen = {task.id: task for task in tasks}
    for task in tasks:
        if task.stream_id != stream.id and task.state not in NOT_STARTED:
            raise NotNow(f"#{task.number} has started, so it stays in its stream.")
    positions = _positions(stream)
    ids = list(positions)
    at = ids.index(behind) + 1 if behind is not None else 0
    above = [each for each in ids[:at] if each not in chosen]
    new = [*above, *chosen, *(each for each in ids[at:] if each not in chosen)]
    present = chosen.keys() | dict(order[stream.id])
    places = {task_id: place for place, task_id in enumerate((each for each in new if each in present), 1)}
    after = {task_id: {"stream": stream.name, "place": places[task_id]} for task_id in chosen}
    moved = [task for task in tasks if before[task.id] != after[task.id]]
    if not moved:
        return []
    found = [Placed(task.number, stream.name, places[task.id]) for task in moved]
    touched = {stream.id, *(task.stream_id for task in moved)}
    positions |= {task.id: task.position for task in tasks}
    _write(new, positions, {task.id for task in moved}, stream, seq)
    db.session.execute(
        update(Stream)
        .where(Stream.id.in_(touched))
        .values(seq=seq)
        .execution_options(synchronize_session="fetch")
    )
    record_each(
        "task.moved",
        [(task, before[task.id], after[task.id]) for task in moved],
        by=by,
        workspace_id=runbook.workspace_id,
        runbook_id=runbook.id,
    )
    for each in tuple(db.session.identity_map.values()):
        if isinstance(each, Task):
            db.session.expire(each)  # the statements above wrote past the session
    return found


def _write(new: Sequence[int], positions: dict[int, int], moved: set[int], stream: Stream, seq: int) -> None:
    """Give the tasks of `new` rising positions: those that they had, in their new order, as far as that goes."""
    shifted, placed, last = [], [], 0
    for task_id, free in zip(new, sorted(positions[each] for each in new), strict=True):
        last = max(free, last + 1)
        if task_id in moved:
            row = {"id": task_id, "position": last, "stream_id": stream.id}
            placed.append({**row, "seq": seq, "placed_seq": seq})
        elif positions[task_id] != last:
            shifted.append({"id": task_id, "position": last})
    for rows in (shifted, placed):
        if rows:
            db.session.execute(update(Task), rows)


def _present(runbook: Runbook, numbers: Collection[int]) -> list[Task]:
    """The tasks in the order of the list, read under the lock that touch holds. Raises NotNow for a deleted one."""
    query = (
        select(Task)
        .where(Task.runbook_id == runbook.id, Task.number.in_(set(numbers)))
        .join(Task.stream)
        .options(joinedload(Task.stream), lazyload(Task.assignees))
        .order_by(Stream.position, Stream.id, Task.position, Task.id)
        .execution_options(populate_existing=True)
    )
    found = list(db.session.scalars(query))
    for each in found:
        if each.deleted_at is not None:
            raise NotNow("This task was deleted." if len(found) == 1 else f"#{each.number} was deleted.")
    return found


def _order(runbook: Runbook) -> Order:
    found: Order = {each.id: [] for each in queries.streams_of(runbook.id)}
    query = (
        select(Task.stream_id, Task.id, Task.position)
        .where(Task.runbook_id == runbook.id, Task.deleted_at.is_(None))
        .order_by(Task.position, Task.id)
    )
    for stream_id, task_id, position in db.session.execute(query):
        found[stream_id].append((task_id, position))
    return found


def _positions(stream: Stream) -> dict[int, int]:
    """Task id to position, in their order; deleted ones too, which keep their place for when they come back."""
    query = select(Task.id, Task.position).where(Task.stream_id == stream.id)
    return {row.id: row.position for row in db.session.execute(query.order_by(Task.position, Task.id))}


def _id_behind(runbook: Runbook, order: Order, stream: Stream, number: int | None) -> int | None:
    if number is None:
        return None
    query = select(Task.id).where(Task.runbook_id == runbook.id, Task.number == number)
    found = db.session.scalar(query)
    if found is None or found not in dict(order[stream.id]):
        raise NotNow(
            f"#{number} is no longer in {stream.name}. Look where it is now and move the task again."
        )
    return found


def _stands(order: Order, tasks: Sequence[Task]) -> dict[int, dict[str, str | int]]:
    """Task id to where it stands now, in words for the audit log."""
    places = {
        task_id: place
        for stream_id in {task.stream_id for task in tasks}
        for place, (task_id, _) in enumerate(order[stream_id], 1)
    }
    return {task.id: {"stream": task.stream.name, "place": places[task.id]} for task in tasks}
