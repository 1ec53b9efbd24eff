"""Who may start: tasks become startable when their predecessors are complete, and some then start by themselves."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import select, update

from webapp.accounts.models import User
from webapp.audit.operations import record
from webapp.clock import now
from webapp.extensions import db
from webapp.integration_runs.operations import RequestInvalid
from webapp.runbooks import graph, queries
from webapp.runbooks.models import Runbook, Task, task_predecessors
from webapp.runbooks.operations.changes import stamp
from webapp.runbooks.operations.telling import tell_ready
from webapp.runbooks.refusals import FieldsMissing, NotNow
from webapp.runbooks.states import NOT_STARTED, RunbookState, TaskEvent, TaskState, task_after


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
    _start_by_themselves(runbook, task_ids)
    tell_ready(runbook, task_ids, by=by)


def _release(runbook: Runbook, task_ids: Collection[int], seq: int, by: User | None) -> None:
    _set(task_ids, TaskEvent.RELEASE, TaskState.NOT_STARTABLE, seq)
    if runbook.state == RunbookState.RUNNING:
        _start_by_themselves(runbook, task_ids)
        tell_ready(runbook, task_ids, by=by)


def _set(task_ids: Collection[int], event: TaskEvent, state: TaskState, seq: int) -> None:
    if task_ids:
        db.session.execute(
            update(Task)
            .where(Task.id.in_(list(task_ids)), Task.state == state)
            .values(state=task_after(state, event), seq=seq)
            .execution_options(synchronize_session="fetch")
        )


def _start_by_themselves(runbook: Runbook, task_ids: Collection[int]) -> None:
    from webapp.runbooks.operations.execution import start_task  # each starts the other

    for task in sorted(queries.tasks_by_id(task_ids), key=lambda each: each.number):
        action = task.action
        if action is None or not action.auto_start or task.reopened_at is not None:
            continue
        if action.fixed_start and task.planned_start is not None and task.planned_start > now():
            continue
        try:
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
