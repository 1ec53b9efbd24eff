"""What stands in the way of a start, as far as the start dialog says it: a first, small pre-flight."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import joinedload

from webapp.extensions import db
from webapp.fields import queries as fields
from webapp.integrations.credentials import sign_in_states
from webapp.integrations.models import Action, Connection
from webapp.integrations.rehearsals import Destination, destination_in_rehearsal
from webapp.runbooks.models import Runbook, Task

MOST_NAMED = 5


@dataclass(frozen=True)
class Finding:
    """One sentence, and the numbers of the tasks that it is about."""

    text: str
    numbers: tuple[int, ...]


def findings(runbook: Runbook) -> list[Finding]:
    """What people should know before they start; empty where nothing was found."""
    query = (
        select(Task)
        .where(Task.runbook_id == runbook.id, Task.deleted_at.is_(None))
        .options(joinedload(Task.action).joinedload(Action.connection))
        .order_by(Task.number)
    )
    tasks = list(db.session.scalars(query).unique())
    found = [
        _about(
            _without_values(runbook, tasks),
            "has required fields that are empty",
            "have required fields that are empty",
        ),
        _about(
            _not_signed_in(tasks),
            "calls an integration whose functional user has not signed in",
            "call integrations whose functional user has not signed in",
        ),
        _about(
            _archived(tasks), "calls an integration that is archived", "call integrations that are archived"
        ),
        _about(
            [task for task in tasks if not task.assignees], "is assigned to nobody", "are assigned to nobody"
        ),
    ]
    return [each for each in found if each is not None]


def rehearsed(runbook: Runbook) -> Counter[Destination]:
    """How many tasks' actions a rehearsal calls for real, at their sandbox, or not at all."""
    query = (
        select(Connection.rehearsal_rule, Action.execute_in_rehearsal, func.count())
        .join(Action, Action.connection_id == Connection.id)
        .join(Task, Task.action_id == Action.id)
        .where(Task.runbook_id == runbook.id, Task.deleted_at.is_(None))
        .group_by(Connection.rehearsal_rule, Action.execute_in_rehearsal)
    )
    found: Counter[Destination] = Counter()
    for rule, execute, count in db.session.execute(query):
        found[destination_in_rehearsal(rule, execute)] += count
    return found


def _about(tasks: Sequence[Task], one: str, many: str) -> Finding | None:
    if not tasks:
        return None
    text = f"1 task {one}" if len(tasks) == 1 else f"{len(tasks)} tasks {many}"
    return Finding(text, tuple(task.number for task in tasks[:MOST_NAMED]))


def _without_values(runbook: Runbook, tasks: Sequence[Task]) -> list[Task]:
    values = fields.values_of_tasks([task.id for task in tasks])
    shared = fields.values_of_runbook(runbook.id)
    definitions = {
        action_id: fields.definitions_for("task_edit", runbook.workspace_id, action_id)
        for action_id in {task.action_id for task in tasks}
    }
    return [
        task
        for task in tasks
        if fields.missing_required(
            definitions[task.action_id], fields.in_force(values.get(task.id, {}), shared)
        )
    ]


def _not_signed_in(tasks: Sequence[Task]) -> list[Task]:
    asking = [(task.id, task.action) for task in tasks if task.action is not None]
    standings = sign_in_states(asking, None)
    return [
        task
        for task in tasks
        if task.id in standings and standings[task.id].as_ == "functional" and standings[task.id].needed
    ]


def _archived(tasks: Sequence[Task]) -> list[Task]:
    return [
        task
        for task in tasks
        if task.action is not None and (task.action.archived_at or task.action.connection.archived_at)
    ]
