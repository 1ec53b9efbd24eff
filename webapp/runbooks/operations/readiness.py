"""Who may start: tasks become startable when their predecessors are complete, and some then start by themselves."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection

from sqlalchemy import select, update

from webapp.accounts.models import User
from webapp.audit.operations import record
from webapp.clock import now
from webapp.extensions import db
from webapp.integration_runs.operations import RequestInvalid
from webapp.runbooks import graph, queries
from webapp.runbooks.models import Runbook, Task, task_predecessors
from webapp.runbooks.operations.changes import stamp, tell_linking_tasks, touch
from webapp.runbooks.operations.confirmations import given_by_people
from webapp.runbooks.operations.telling import tell_ready
from webapp.runbooks.refusals import FieldsMissing, NotNow
from webapp.runbooks.rules import Moment
from webapp.runbooks.states import NOT_STARTED, RunbookState, TaskEvent, TaskState, task_after
from webapp.runbooks.task_types import type_of

_WAITING = "tasks that may start by themselves"


def settle_readiness(runbook: Runbook, seq: int, *, by: User | None) -> None:
    """Work out anew which tasks that have not started may start, after a change of the plan or at the start.

    `by` is who caused it, and is not told of it."""
    links = queries.links_within(runbook.id)
    query = select(Task.id, Task.state).where(Task.runbook_id == runbook.id, Task.deleted_at.is_(None))
    states = {row.id: row.state for row in db.session.execute(query)}
    complete = {task_id for task_id, state in states.items() if state == TaskState.COMPLETE}
    waiting = [task_id for task_id, state in states.items() if state in NOT_STARTED]
    free = graph.startable(links, complete, waiting)
    released = [
        task_id for task_id in waiting if task_id in free and states[task_id] == TaskState.NOT_STARTABLE
    ]
    blocked = [
        task_id for task_id in waiting if task_id not in free and states[task_id] == TaskState.STARTABLE
    ]
    _set(blocked, TaskEvent.BLOCK, TaskState.STARTABLE, seq)
    _release(runbook, released, seq, by)


def release_followers(runbook: Runbook, task_id: int, seq: int, *, by: User | None) -> None:
    """After a task is complete: what waited for it alone may start now; what waits for more shows one less."""
    after = select(task_predecessors.c.task_id).where(task_predecessors.c.predecessor_id == task_id)
    query = select(Task.id, Task.state).where(Task.id.in_(after), Task.deleted_at.is_(None))
    states = {row.id: row.state for row in db.session.execute(query)}
    tell_linking_tasks(runbook)
    if not states:
        return
    still_open = (
        select(task_predecessors.c.task_id)
        .join(Task, Task.id == task_predecessors.c.predecessor_id)
        .where(task_predecessors.c.task_id.in_(states), Task.deleted_at.is_(None))
        .where(Task.state != TaskState.COMPLETE)
    )
    held = set(db.session.scalars(still_open))
    stamp(list(states), seq)
    released = [
        each for each, state in states.items() if state == TaskState.NOT_STARTABLE and each not in held
    ]
    _release(runbook, released, seq, by)


def start_what_is_due(runbook: Runbook, *, by: User) -> None:
    """Start the startable tasks that start by themselves, where nothing keeps them from it, and tell people of theirs."""
    query = select(Task.id).where(
        Task.runbook_id == runbook.id, Task.state == TaskState.STARTABLE, Task.deleted_at.is_(None)
    )
    task_ids = list(db.session.scalars(query))
    _start_by_themselves(task_ids)
    tell_ready(runbook, task_ids, by=by)


def _release(runbook: Runbook, task_ids: Collection[int], seq: int, by: User | None) -> None:
    _set(task_ids, TaskEvent.RELEASE, TaskState.NOT_STARTABLE, seq)
    if runbook.state == RunbookState.RUNNING:
        _start_by_themselves(task_ids)
        tell_ready(runbook, task_ids, by=by)


def _set(task_ids: Collection[int], event: TaskEvent, state: TaskState, seq: int) -> None:
    if task_ids:
        db.session.execute(
            update(Task)
            .where(Task.id.in_(list(task_ids)), Task.state == state)
            .values(state=task_after(state, event), seq=seq)
            .execution_options(synchronize_session="fetch")
        )


def start_at_its_time(runbook_id: int) -> None:
    """What has a fixed start that has come can start now, and what starts by itself does. Once: its `tried_at` is set."""
    runbook = db.session.get_one(Runbook, runbook_id)
    seq = touch(runbook)
    if runbook.state != RunbookState.RUNNING:
        return
    due = queries.due_tasks(now(), runbook_id)
    db.session.execute(
        update(Task)
        .where(Task.id.in_(due))
        .values(tried_at=now(), seq=seq)
        .execution_options(synchronize_session="fetch")
    )
    _start_by_themselves(due)


def is_before_its_time(task: Task) -> bool:
    """Whether the task, or its action, may not start before its planned start, and that is still to come."""
    fixed = task.fixed_start or (task.action is not None and task.action.fixed_start)
    return fixed and task.planned_start is not None and task.planned_start > now()


def _start_by_themselves(task_ids: Collection[int]) -> None:
    """Start those of the tasks that do so. What starts then and what becomes free by it is taken in turn, not in depth."""
    task_ids = queries.starting_by_themselves(task_ids)
    held = db.session().info
    if _WAITING in held:
        held[_WAITING].extend(task_ids)
        return
    waiting = held[_WAITING] = deque(task_ids)
    try:
        while waiting:
            for task in queries.tasks_by_id([waiting.popleft()]):
                _start_by_itself(task)
    finally:
        del held[_WAITING]


def _start_by_itself(task: Task) -> None:
    from webapp.runbooks.operations.execution import start_task  # each starts the other

    kind, runbook = type_of(task.type), task.runbook
    if not kind.may_auto_start or task.reopened_at is not None or is_before_its_time(task):
        return
    if given_by_people(task, Moment.START):
        return
    before = queries.done_before(task.id)
    if kind.point and not before and not task.fixed_start:
        return  # nothing says when it is reached but a person
    task.tried_at = now()
    try:
        if doubt := kind.doubt(before):
            raise NotNow(f"{doubt}, so a person has to decide.")
        with db.session.begin_nested():
            start_task(task, by=None)
    except (NotNow, FieldsMissing, RequestInvalid) as refusal:
        record(
            "task.not_started_by_itself",
            task,
            by=None,
            workspace_id=runbook.workspace_id,
            runbook_id=runbook.id,
            note=str(refusal),
        )
