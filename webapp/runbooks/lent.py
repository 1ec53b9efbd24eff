"""What runbooks lend to the features below: the gate to a task, where an action is used, values to preview with."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import joinedload

from webapp.accounts.models import User
from webapp.clock import now
from webapp.extensions import db
from webapp.integration_runs.models import IntegrationRun
from webapp.integration_runs.offered import Place
from webapp.integrations.offered import SampleTask, Usage
from webapp.permissions import Guarded, Permission, can
from webapp.runbooks import queries
from webapp.runbooks.context import context_of, path_of
from webapp.runbooks.models import Purpose, Runbook, Task
from webapp.runbooks.states import UNDER_WAY

# Longer than any transaction, and than the clocks of two machines may differ.
LATELY = timedelta(seconds=60)
MOST_SAMPLES = 50


@dataclass
class GatedTask:
    """The task that someone signs in for."""

    id: int
    action_id: int | None
    runbook_id: int
    page_url: str
    guard_workspace_id: int


def task_gate(user: User, task_id: int) -> GatedTask:
    """The task, for someone who may run it; 404 or 403 otherwise."""
    task = queries.task_for(user, task_id, Permission.RUN_TASKS)
    page_url = path_of(task.runbook_id, task.number)
    return GatedTask(task.id, task.action_id, task.runbook_id, page_url, task.guard_workspace_id)


def usage(action_ids: Collection[int]) -> Usage:
    """How many tasks in how many runbooks use any of the actions; how many of those runbooks are under way."""
    used = (
        select(Task.runbook_id, func.count().label("tasks"))
        .where(Task.action_id.in_(list(action_ids)), Task.deleted_at.is_(None))
        .group_by(Task.runbook_id)
        .subquery()
    )
    query = select(used.c.tasks, Runbook.state).join(Runbook, Runbook.id == used.c.runbook_id)
    query = query.where(Runbook.purpose == Purpose.RUNBOOK)
    rows = db.session.execute(query).all()
    return Usage(
        tasks=sum(row.tasks for row in rows),
        runbooks=len(rows),
        live=sum(1 for row in rows if row.state in UNDER_WAY),
    )


def sample_tasks(user: User, action_id: int) -> Sequence[SampleTask]:
    """The tasks with that action that the user may see, last changed runbooks first."""
    query = (
        select(Task)
        .join(Task.runbook)
        .where(Task.action_id == action_id, Task.deleted_at.is_(None))
        .where(Runbook.workspace_id.in_(queries.places_of(user)), Runbook.archived_at.is_(None))
        .where(Runbook.purpose == Purpose.RUNBOOK)
        .options(joinedload(Task.runbook))
        .order_by(Runbook.updated_at.desc(), Task.number)
        .limit(MOST_SAMPLES)
    )
    return [
        SampleTask(task.id, f"{task.runbook.name}: {task.audit_name}") for task in db.session.scalars(query)
    ]


def sample_context(user: User, task_id: int) -> Mapping[str, Any]:
    """What a template would read of that task if the user started it; 404 where it is not theirs to see."""
    return context_of(queries.task_for(user, task_id, Permission.READ_RUNBOOKS), user)


def guard_of(run: IntegrationRun) -> Guarded:
    """Who may see and act on a run: whoever may do so with its task."""
    task = db.session.get(Task, run.task_id) if run.task_id is not None else None
    return task if task is not None else run


def places(user: User, runs: Collection[IntegrationRun]) -> Mapping[int, Place]:
    """Run id to the task it was asked for, with a link for those who may open it."""
    query = (
        select(Task)
        .where(Task.id.in_({run.task_id for run in runs if run.task_id is not None}))
        .options(joinedload(Task.runbook))
    )
    tasks = {task.id: task for task in db.session.scalars(query)}
    found = {}
    for run in runs:
        task = tasks.get(run.task_id or 0)
        if task is not None:
            visible = can(user, Permission.READ_RUNBOOKS, task)
            text = f"{task.runbook.name}: {task.audit_name}"
            found[run.id] = Place(text, path_of(task.runbook_id, task.number) if visible else None)
    return found


class RunbookSignals:
    """The source of live signals: runbooks by workspace."""

    def places(self, viewer: User) -> frozenset[int]:
        """The workspaces whose runbooks the viewer may read."""
        return queries.places_of(viewer)

    def changed(self, places: Collection[int]) -> Iterable[tuple[int, int, int]]:
        """(workspace id, runbook id, seq) of what changed lately."""
        return queries.changed_lately(places, now() - LATELY)
