"""What every trigger answers: whether a task's action is called at a moment, and the call itself."""

from __future__ import annotations

from typing import ClassVar

from webapp.accounts.models import User
from webapp.integration_runs.models import IntegrationRun
from webapp.integration_runs.operations import request_run
from webapp.integrations.credentials import sign_in_state
from webapp.integrations.models import Action
from webapp.integrations.rehearsals import Destination, destination_in_rehearsal
from webapp.runbooks.context import context_of
from webapp.runbooks.models import Task
from webapp.runbooks.refusals import CannotCall
from webapp.runbooks.states import Mode


class Trigger:
    """One moment at which a task's action may be called.

    `short` stands on the task's chip, `when` completes "runs …" on its card.
    """

    key: ClassVar[str]
    label: ClassVar[str]
    hint: ClassVar[str]
    short: ClassVar[str]
    when: ClassVar[str]

    def concerns(self, task: Task) -> bool:
        """Whether the task has an action that is called at this moment, in this kind of run."""
        action = task.action
        return (
            action is not None
            and action.trigger == self.key
            and destination_of(action, task.runbook.mode) != Destination.NOWHERE
        )

    def check(self, task: Task, by: User | None) -> None:
        """Raises CannotCall where the call could not be authorized, or its action is gone."""
        action = task.action
        if action is None or not self.concerns(task):
            return
        if action.archived_at is not None or action.connection.archived_at is not None:
            raise CannotCall(
                f"The integration action {action.name} is archived. Choose another, or finish by hand."
            )
        if destination_of(action, task.runbook.mode) != Destination.REAL:
            return
        standing = sign_in_state(action, task_id=task.id, user_id=by.id if by else None)
        if standing.needed:
            raise CannotCall(standing.sentence)

    def call(self, task: Task, by: User | None) -> IntegrationRun | None:
        """Ask for the call, in the open transaction; None where there is none to make.

        Raises CannotCall, or integration_runs' RequestInvalid.
        """
        action = task.action
        if action is None or not self.concerns(task):
            return None
        self.check(task, by)
        return request_run(
            action,
            trigger=self.key,
            context=context_of(task, by),
            by=by,
            workspace_id=task.runbook.workspace_id,
            runbook_id=task.runbook_id,
            task_id=task.id,
            to_sandbox=destination_of(action, task.runbook.mode) == Destination.SANDBOX,
        )


def destination_of(action: Action, mode: str | None) -> Destination:
    """Where the action's call goes in a rehearsal or a live run."""
    if mode != Mode.REHEARSAL:
        return Destination.REAL
    return destination_in_rehearsal(action.connection.rehearsal_rule, action.execute_in_rehearsal)
