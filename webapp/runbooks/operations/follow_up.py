"""What follows from an integration run: viewers hear of it, its success may finish the task, its people may be told."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from webapp.accounts.models import User
from webapp.extensions import db
from webapp.integration_runs.models import IntegrationRun
from webapp.integration_runs.signals import run_changed, run_settled
from webapp.integration_runs.states import RunState
from webapp.runbooks.models import Runbook, Task
from webapp.runbooks.operations.changes import leave_to_people, stamp, touch
from webapp.runbooks.operations.execution import finish_task
from webapp.runbooks.operations.notes import add_comment
from webapp.runbooks.refusals import FieldsMissing, PeopleAsked
from webapp.runbooks.states import UNDER_WAY, Completion, TaskState


def tell_viewers(run: IntegrationRun, **_: Any) -> None:
    """A run's state changed: its task looks different now."""
    if run.runbook_id is None or run.task_id is None:
        return
    runbook = db.session.get(Runbook, run.runbook_id)
    if runbook is not None:
        stamp([run.task_id], touch(runbook))


def finish_after_success(run: IntegrationRun, **_: Any) -> None:
    """Finish the task whose call succeeded, where its action says so. Bears hearing the same news twice."""
    if run.task_id is None or run.state != RunState.SUCCEEDED or run.trigger != "task_start":
        return
    query = (
        select(Task)
        .where(Task.id == run.task_id, Task.state == TaskState.IN_PROGRESS, Task.deleted_at.is_(None))
        .options(joinedload(Task.runbook), joinedload(Task.action))
    )
    task = db.session.scalar(query)
    if task is None or task.action is None or task.action_id != run.action_id:
        return
    this_time = task.started_at is not None and run.requested_at >= task.started_at
    if this_time and task.action.finish_on_success and task.runbook.state in UNDER_WAY:
        try:
            finish_task(task, by=None, completion=Completion.INTEGRATION)
        except (FieldsMissing, PeopleAsked) as missing:
            leave_to_people(task, str(missing))


def comment_on_cancel(run: IntegrationRun, by: User | None = None, **_: Any) -> None:
    """Tell the task's people that someone cancelled its call, where its action says so."""
    if (
        by is None
        or run.task_id is None
        or run.state != RunState.CANCELLED
        or not run.action.notify_on_cancel
    ):
        return
    task = db.session.get(Task, run.task_id)
    if task is not None:
        add_comment(task, f"Cancelled the call {run.action.connection.name}: {run.action.name}.", by=by)


def connect() -> None:
    """Listen to the news of integration runs."""
    run_changed.connect(tell_viewers)
    run_settled.connect(finish_after_success)
    run_settled.connect(comment_on_cancel)
