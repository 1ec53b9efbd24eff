"""Planning many tasks at once: one change of the runbook, with as many statements for 500 tasks as for 5."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from types import MappingProxyType
from typing import Any

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.orm import joinedload, selectinload

from webapp.accounts.models import User
from webapp.audit.operations import Change, record_each
from webapp.clock import now
from webapp.extensions import db
from webapp.runbooks.models import Runbook, Stream, Task, task_assignees, task_predecessors
from webapp.runbooks.operations.changes import stamp, touch
from webapp.runbooks.operations.plan_changes import undoable
from webapp.runbooks.operations.predecessors import link_tasks, numbers_waited_for
from webapp.runbooks.operations.streams import refuse_if_gone
from webapp.runbooks.refusals import NotNow, PlanRefused
from webapp.runbooks.states import RunbookState

People = Collection[User]

# What becomes of the people of a task, by what was chosen.
PEOPLE_CHANGES: Mapping[str, Callable[[People, People], set[User]]] = MappingProxyType(
    {
        "add": lambda present, chosen: {*present, *chosen},
        "remove": lambda present, chosen: set(present) - set(chosen),
        "replace": lambda _present, chosen: set(chosen),
    }
)


@dataclass(frozen=True)
class BulkEdit:
    """What to change in each task; what is None, empty or 0 stays. Durations and the shift are in seconds.

    `people_how` is a key of PEOPLE_CHANGES, `links_how` one of LINK_CHANGES.
    """

    stream: Stream | None = None
    duration_s: int | None = None
    shift_s: int = 0
    people_how: str = ""
    people: Sequence[User] = ()
    links_how: str = ""
    predecessor_ids: Sequence[int] = ()


@dataclass
class BulkOutcome:
    """The numbers of the tasks: changed, those that were so already, and, by reason, those left as they are."""

    changed: list[int] = field(default_factory=list)
    same: list[int] = field(default_factory=list)
    refused: dict[str, list[int]] = field(default_factory=dict)

    def refuse(self, number: int, reason: str) -> None:
        self.refused.setdefault(reason, []).append(number)


@undoable()
def edit_tasks(runbook: Runbook, numbers: Collection[int], edit: BulkEdit, *, by: User) -> BulkOutcome:
    """Change every task that can be changed that way and name the others.

    Raises PlanRefused for another runbook's stream or a loop, which it names; NotNow where nothing can be planned in
    bulk any more.
    """
    if edit.stream is not None and edit.stream.runbook_id != runbook.id:
        raise PlanRefused("Choose a stream of this runbook.", "stream_id")
    seq = touch(runbook)
    _refuse_unless_planning(runbook)
    if edit.stream is not None:
        refuse_if_gone(edit.stream)
    outcome = BulkOutcome()
    tasks = _present(runbook, numbers, outcome)
    if edit.shift_s:
        for each in [each for each in tasks if each.planned_start is None]:
            outcome.refuse(each.number, "no planned start to shift")
            tasks.remove(each)
    before = _all_facts(tasks)
    _plan_anew(runbook, tasks, edit, seq)
    after = _all_facts(tasks)
    changed = [each for each in tasks if before[each.id] != after[each.id]]
    outcome.changed = [each.number for each in changed]
    outcome.same = [each.number for each in tasks if before[each.id] == after[each.id]]
    _record(runbook, "task.changed", [(each, before[each.id], after[each.id]) for each in changed], by)
    ids = {each.id for each in changed}
    stamp(ids | _successors(ids), seq)
    if edit.stream is not None:
        stream_ids = {edit.stream.id, *(facts["stream_id"] for facts in before.values())}
        db.session.execute(
            update(Stream)
            .where(Stream.id.in_(stream_ids))
            .values(seq=seq)
            .execution_options(synchronize_session="fetch")
        )
    return outcome


@undoable()
def delete_tasks(runbook: Runbook, numbers: Collection[int], *, by: User) -> BulkOutcome:
    """Take the tasks out of the plan. Raises NotNow."""
    seq = touch(runbook)
    _refuse_unless_planning(runbook)
    outcome = BulkOutcome()
    tasks = _present(runbook, numbers, outcome)
    ids = {each.id for each in tasks}
    if ids:
        db.session.execute(
            update(Task)
            .where(Task.id.in_(ids))
            .values(deleted_at=now(), seq=seq)
            .execution_options(synchronize_session="fetch")
        )
        stamp(_successors(ids), seq)
    outcome.changed = [each.number for each in tasks]
    _record(runbook, "task.deleted", [(each, None, None) for each in tasks], by)
    return outcome


def _present(runbook: Runbook, numbers: Collection[int], outcome: BulkOutcome) -> list[Task]:
    """The tasks in the order of the list, read under the lock that touch holds; deleted ones are refused."""
    query = (
        select(Task)
        .where(Task.runbook_id == runbook.id, Task.number.in_(set(numbers)))
        .join(Task.stream)
        .options(joinedload(Task.stream), selectinload(Task.assignees))
        .order_by(Stream.position, Stream.id, Task.position, Task.id)
        .execution_options(populate_existing=True)
    )
    found = list(db.session.scalars(query))
    for each in found:
        if each.deleted_at is not None:
            outcome.refuse(each.number, "deleted meanwhile")
    return [each for each in found if each.deleted_at is None]


def _plan_anew(runbook: Runbook, tasks: Sequence[Task], edit: BulkEdit, seq: int) -> None:
    stream = edit.stream
    moved = [each for each in tasks if stream is not None and each.stream_id != stream.id]
    if moved:
        last = db.session.scalar(select(func.max(Task.position)).where(Task.runbook_id == runbook.id)) or 0
        places = [
            {"id": each.id, "stream_id": stream.id, "position": last + at, "placed_seq": seq}  # type: ignore[union-attr]
            for at, each in enumerate(moved, 1)
        ]
        db.session.execute(update(Task), places)
    if edit.duration_s is not None:
        _set(tasks, duration_s=edit.duration_s)
    if edit.shift_s:
        shift = timedelta(seconds=edit.shift_s)
        times = [{"id": each.id, "planned_start": _shifted(each, shift)} for each in tasks]
        if times:
            db.session.execute(update(Task), times)
    if edit.people_how:
        _assign(tasks, edit)
    if edit.links_how:
        link_tasks(runbook, tasks, edit.links_how, edit.predecessor_ids)
    _read_again(tasks)


def _shifted(task: Task, shift: timedelta) -> Any:
    if task.planned_start is None:
        raise ValueError("a task without a planned start cannot be shifted")
    try:
        return task.planned_start + shift
    except OverflowError:
        raise PlanRefused("That shift leads out of the calendar. Write a shorter one.", "shift") from None


def _assign(tasks: Sequence[Task], edit: BulkEdit) -> None:
    change = PEOPLE_CHANGES[edit.people_how]
    wanted = {each.id: change(each.assignees, edit.people) for each in tasks}
    new = [{"task_id": task_id, "user_id": user.id} for task_id, users in wanted.items() for user in users]
    db.session.execute(delete(task_assignees).where(task_assignees.c.task_id.in_(wanted)))
    if new:
        db.session.execute(insert(task_assignees), new)


def _set(tasks: Sequence[Task], **values: Any) -> None:
    db.session.execute(
        update(Task)
        .where(Task.id.in_([each.id for each in tasks]))
        .values(**values)
        .execution_options(synchronize_session=False)
    )


def _read_again(tasks: Sequence[Task]) -> None:
    """What the statements above wrote, into the objects, in two queries."""
    query = (
        select(Task)
        .where(Task.id.in_([each.id for each in tasks]))
        .options(joinedload(Task.stream), selectinload(Task.assignees))
        .execution_options(populate_existing=True)
    )
    db.session.scalars(query).all()


def _successors(task_ids: Collection[int]) -> set[int]:
    query = select(task_predecessors.c.task_id).where(task_predecessors.c.predecessor_id.in_(task_ids))
    return set(db.session.scalars(query))


def _all_facts(tasks: Sequence[Task]) -> dict[int, dict[str, Any]]:
    waits_for = numbers_waited_for(tasks)
    return {each.id: {**_facts(each), "predecessors": waits_for.get(each.id, [])} for each in tasks}


def _facts(task: Task) -> dict[str, Any]:
    return {
        "stream_id": task.stream_id,
        "stream": task.stream.name,
        "duration_s": task.duration_s,
        "planned_start": task.planned_start.isoformat() if task.planned_start else None,
        "assignees": sorted(each.name for each in task.assignees),
    }


def _refuse_unless_planning(runbook: Runbook) -> None:
    if runbook.state != RunbookState.PLANNING:
        raise NotNow(
            "Several tasks can only be changed at once while the runbook is being planned, and this one has been "
            "started. Change them one by one."
        )


def _record(runbook: Runbook, verb: str, changes: Sequence[Change], by: User) -> None:
    record_each(verb, changes, by=by, workspace_id=runbook.workspace_id, runbook_id=runbook.id)
