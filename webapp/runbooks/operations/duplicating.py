"""Copies of a task, a stream or a whole runbook: what was planned, and nothing of what happened.

A copy has the values of custom fields that are not transient, and no authentications: whoever starts it signs in anew.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Table, select

from webapp.accounts.models import User
from webapp.audit.operations import record
from webapp.extensions import db
from webapp.fields import operations as fields
from webapp.runbooks import linking, queries
from webapp.runbooks.models import (
    PLAN_COLUMNS,
    Purpose,
    Runbook,
    Stream,
    Task,
    task_assignees,
    task_predecessors,
)
from webapp.runbooks.operations.changes import refuse_if_ended, touch
from webapp.runbooks.operations.many_tasks import insert_pairs, insert_tasks
from webapp.runbooks.operations.plan_changes import undoable
from webapp.runbooks.operations.planning import place_after, refuse_if_gone
from webapp.runbooks.operations.readiness import settle_readiness
from webapp.runbooks.operations.streams import COLORS, arrange
from webapp.runbooks.operations.streams import refuse_if_gone as refuse_if_stream_gone
from webapp.runbooks.refusals import NotNow
from webapp.runbooks.states import UNDER_WAY
from webapp.workspaces import queries as workspaces

_MARK = " (copy)"
_LONGEST = {Task: 300, Stream: 120, Runbook: 200}


@undoable("Duplicated {}", alone=True)
def duplicate_task(task: Task, *, by: User) -> Task:
    """A copy right after the task, which waits for the same tasks. Raises NotNow."""
    runbook = task.runbook
    seq = touch(runbook, task.stream)
    refuse_if_ended(runbook)
    refuse_if_gone(task)
    [number] = take_numbers(runbook, 1)
    copies = copy_tasks(
        [task],
        [placed(task.stream_id, number, place_after(runbook, task), seq, title=copy_name(task, task.title))],
        into=runbook,
        may_wait_for=_tasks_of(runbook),
    )
    copy = db.session.get_one(Task, copies[task.id])
    _record("task.added", copy, runbook, by, {"title": copy.title, "copy of": task.audit_name})
    if runbook.state in UNDER_WAY:
        settle_readiness(runbook, seq, by=by)
    return copy


@undoable("Duplicated {}", alone=True)
def duplicate_stream(stream: Stream, *, by: User) -> Stream:
    """A copy right after the stream, with its sub-streams and all tasks, which wait for one another as those do.

    Raises NotNow.
    """
    runbook = stream.runbook
    seq = touch(runbook)
    refuse_if_ended(runbook)
    refuse_if_stream_gone(stream)
    order = queries.streams_of(runbook.id)
    color = stream.color if stream.parent else len(order) % COLORS
    copy = Stream(runbook=runbook, parent=stream.parent, name=copy_name(stream, stream.name), color=color)
    copied = {stream: copy}
    for each in order:
        if each.parent_id == stream.id:
            copied[each] = Stream(runbook=runbook, parent=copy, name=each.name, color=each.color)
    for each in copied.values():
        each.seq = each.placed_seq = seq
    db.session.add_all(copied.values())
    order.insert(order.index(stream) + 1, copy)
    arrange([*order, *(each for each in copied.values() if each is not copy)])
    db.session.flush()
    ids = {old.id: new.id for old, new in copied.items()}
    tasks = planned_tasks(runbook, ids)
    numbers = take_numbers(runbook, len(tasks))
    first = place_after(runbook, None)
    places = [
        placed(ids[task.stream_id], number, first + at, seq)
        for at, (task, number) in enumerate(zip(tasks, numbers, strict=True))
    ]
    copy_tasks(tasks, places, into=runbook, may_wait_for=_tasks_of(runbook))
    _record("stream.added", copy, runbook, by, {"name": copy.name, "copy of": stream.name, "tasks": numbers})
    if runbook.state in UNDER_WAY:
        settle_readiness(runbook, seq, by=by)
    return copy


def duplicate_runbook(
    runbook: Runbook, *, name: str, planned_start: datetime | None, keep_assignees: bool, by: User
) -> Runbook:
    """A new runbook in planning with the same plan and the tasks' numbers, owned by whoever makes it.

    Where both have a planned start, the tasks' planned starts move by the time between them. Raises NotNow.
    """
    if runbook.is_plan_only:
        raise NotNow("This is the plan of a template. Make a runbook from an approved version of it.")
    copy = copy_plan(runbook, name=name, planned_start=planned_start, keep_assignees=keep_assignees, by=by)
    tasks = len(_tasks_of(copy))
    facts = {"name": name, "workspace": copy.workspace.name, "copy of": runbook.name, "tasks": tasks}
    _record("runbook.created", copy, copy, by, facts)
    return copy


def copy_plan(
    runbook: Runbook,
    *,
    name: str,
    planned_start: datetime | None,
    keep_assignees: bool,
    by: User | None,
    purpose: Purpose = Purpose.RUNBOOK,
) -> Runbook:
    """The same plan once more, in planning, with the tasks' numbers. Not audited: who calls it says what it is."""
    begins = runbook.planned_start
    tasks = planned_tasks(runbook)
    if begins is None and purpose is Purpose.RUNBOOK and runbook.is_plan_only:
        begins = min((each.planned_start for each in tasks if each.planned_start), default=None)
    moved = planned_start - begins if planned_start and begins else timedelta()
    copy = Runbook(
        name=name,
        description=runbook.description,
        workspace=runbook.workspace,
        purpose=purpose,
        planned_start=planned_start,
        time_zone=runbook.time_zone,
        next_task_number=runbook.next_task_number,
        created_by_id=by.id if by else None,
        owners=[by] if by else [],
    )
    originals = queries.streams_of(runbook.id)
    copy.streams = copy_streams(originals)
    db.session.add(copy)
    db.session.flush()
    stream_ids = {old.id: new.id for old, new in zip(originals, copy.streams, strict=True)}
    places = [
        placed(
            stream_ids[each.stream_id],
            each.number,
            each.position,
            copy.seq,
            planned_start=each.planned_start + moved if each.planned_start else None,
        )
        for each in tasks
    ]
    copy_tasks(tasks, places, into=copy, keep_assignees=keep_assignees)
    fields.copy_runbook_values(runbook.id, copy.id)
    return copy


def copy_streams(originals: Sequence[Stream]) -> list[Stream]:
    """Streams for another plan, in the same order; a sub-stream whose parent is not among them stands by itself."""
    copies = {each.id: Stream(name=each.name, color=each.color, position=each.position) for each in originals}
    for each in originals:
        if each.parent_id is not None:
            copies[each.id].parent = copies.get(each.parent_id)
    return list(copies.values())


def copy_name(copied: Task | Stream | Runbook, name: str) -> str:
    """The name that a copy gets, shortened to what its column holds."""
    return name[: _LONGEST[type(copied)] - len(_MARK)] + _MARK


def copy_tasks(
    tasks: Sequence[Task],
    places: Sequence[Mapping[str, Any]],
    *,
    into: Runbook,
    may_wait_for: Collection[int] = (),
    keep_assignees: bool = True,
) -> dict[int, int]:
    """Task id to its copy's id. `may_wait_for`: ids of tasks that copies wait for although they are not copied.

    A linked runbook that `into` may not start (it would close a loop, say) is left out; pre-flight asks for another.
    """
    may_start = linking.that_may_be_started(into, {each.linked_runbook_id for each in tasks})
    rows = [
        {
            "runbook_id": into.id,
            **{name: getattr(task, name) for name in PLAN_COLUMNS},
            "linked_runbook_id": task.linked_runbook_id if task.linked_runbook_id in may_start else None,
            **place,
        }
        for task, place in zip(tasks, places, strict=True)
    ]
    by_number = insert_tasks(rows)
    copies = {task.id: by_number[row["number"]] for task, row in zip(tasks, rows, strict=True)}
    known = {**{each: each for each in may_wait_for}, **copies}
    links = _pairs(task_predecessors, copies)
    insert_pairs(
        task_predecessors, [(copies[after], known[before]) for after, before in links if before in known]
    )
    if keep_assignees:
        members = {each.id for each in workspaces.members_of(into.workspace_id)}
        held = _pairs(task_assignees, copies)
        insert_pairs(
            task_assignees, [(copies[task_id], person) for task_id, person in held if person in members]
        )
    fields.copy_task_values(copies)
    return copies


def placed(stream_id: int, number: int, position: int, seq: int, **changed: Any) -> dict[str, Any]:
    """Where a copy goes, and what of it differs from its original."""
    return {
        "stream_id": stream_id,
        "number": number,
        "position": position,
        "seq": seq,
        "placed_seq": seq,
        **changed,
    }


def _pairs(table: Table, copies: Mapping[int, int]) -> list[tuple[int, int]]:
    query = select(*table.columns).where(table.c.task_id.in_(list(copies)))
    return [(first, second) for first, second in db.session.execute(query)]


def planned_tasks(runbook: Runbook, stream_ids: Collection[int] | None = None) -> list[Task]:
    """What is in the plan, or in those streams of it, in its order."""
    query = select(Task).where(Task.runbook_id == runbook.id, Task.deleted_at.is_(None))
    if stream_ids is not None:
        query = query.where(Task.stream_id.in_(stream_ids))
    return list(db.session.scalars(query.order_by(Task.position, Task.id)))


def _tasks_of(runbook: Runbook) -> set[int]:
    return {each.id for each in queries.names_within(runbook.id)}


def take_numbers(runbook: Runbook, count: int) -> list[int]:
    """The next free numbers, read anew under the lock that touch holds."""
    db.session.refresh(runbook, ["next_task_number"])
    first = runbook.next_task_number
    runbook.next_task_number = first + count
    return list(range(first, first + count))


def _record(
    verb: str, copy: Task | Stream | Runbook, runbook: Runbook, by: User, after: dict[str, Any]
) -> None:
    record(verb, copy, by=by, after=after, workspace_id=runbook.workspace_id, runbook_id=runbook.id)
