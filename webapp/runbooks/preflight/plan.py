"""A runbook's whole plan as pre-flight looks at it: read in a constant number of queries, however many tasks."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import joinedload, selectinload

from webapp.accounts.models import User
from webapp.clock import now
from webapp.extensions import db
from webapp.fields import queries as fields
from webapp.fields.models import FieldDefinition
from webapp.integrations.credentials import SignIn, missing_sign_ins, sign_in_states
from webapp.integrations.models import Action
from webapp.integrations.rehearsals import Destination
from webapp.integrations.request import template_of
from webapp.integrations.settings import moved_to
from webapp.runbooks import queries
from webapp.runbooks.context import contexts_of
from webapp.runbooks.forecast import Forecast, Times
from webapp.runbooks.models import Runbook, Task
from webapp.runbooks.states import Mode
from webapp.runbooks.triggers import destination_of
from webapp.templating import RenderedRequest, TemplateError


@dataclass
class Plan:
    """What is to be started, in `mode`. `calling` are the tasks whose action that mode calls, real or at a sandbox."""

    runbook: Runbook
    mode: Mode
    tasks: Sequence[Task]
    definitions: Mapping[int | None, Sequence[FieldDefinition]]
    values: Mapping[int, fields.Values]
    shared: fields.Values
    finish: datetime
    calling: Sequence[Task] = field(default_factory=list)

    def action(self, task: Task) -> Action:
        """The action of one of the `calling` tasks."""
        assert task.action is not None
        return task.action

    def destination(self, task: Task) -> Destination:
        """Where the task's action is called."""
        return destination_of(self.action(task), self.mode)

    @cached_property
    def requests(self) -> Mapping[int, RenderedRequest | TemplateError]:
        """Task id to its request with the values of now, or why it cannot be made, of the tasks that call."""
        contexts = contexts_of(self.runbook, self.calling, None)
        return {task.id: _rendered(self.action(task), contexts[task.id]) for task in self.calling}

    def address(self, task: Task) -> str:
        """Where the request of one of the `calling` tasks goes; "" where it cannot be made."""
        made = self.requests[task.id]
        if isinstance(made, TemplateError):
            return ""
        if self.destination(task) == Destination.SANDBOX:
            return moved_to(self.action(task).connection.sandbox_address, made.url)
        return made.url

    @cached_property
    def authorized(self) -> Sequence[Task]:
        """The tasks that call for real, with what their action is authorized with."""
        return [task for task in self.calling if self.destination(task) == Destination.REAL]

    @cached_property
    def sign_ins(self) -> Mapping[int, SignIn]:
        """Task id to how the functional user stands, of the `authorized` tasks."""
        return sign_in_states([(task.id, self.action(task)) for task in self.authorized], None)

    @cached_property
    def roll_call(self) -> Mapping[User, Sequence[Task]]:
        """Who has yet to authenticate for which of the tasks that are assigned to them, by name."""
        asked = [
            (task, person)
            for task in self.authorized
            if self.sign_ins[task.id].as_ == "task"
            for person in task.assignees
        ]
        missing = missing_sign_ins((task.id, self.action(task), person.id) for task, person in asked)
        found: dict[User, list[Task]] = defaultdict(list)
        for task, person in asked:
            if (task.id, person.id) in missing:
                found[person].append(task)
        return dict(sorted(found.items(), key=lambda each: each[0].name.lower()))


def _rendered(action: Action, context: Mapping[str, Any]) -> RenderedRequest | TemplateError:
    try:
        return template_of(action).render(context)
    except TemplateError as error:
        return error


def load_plan(runbook: Runbook, mode: Mode) -> Plan:
    """The plan as it stands now."""
    query = (
        select(Task)
        .where(Task.runbook_id == runbook.id, Task.deleted_at.is_(None))
        .options(
            joinedload(Task.action).joinedload(Action.connection),
            joinedload(Task.stream),
            joinedload(Task.linked_runbook),
            selectinload(Task.assignees),
        )
        .order_by(Task.number)
    )
    tasks = list(db.session.scalars(query).unique())
    begin = max(runbook.planned_start or now(), now())
    times = {task.id: Times(timedelta(seconds=task.duration_s), task.planned_start) for task in tasks}
    return Plan(
        runbook,
        mode,
        tasks,
        definitions=fields.definitions_by_action(runbook.workspace_id, {task.action_id for task in tasks}),
        values=fields.values_of_tasks([task.id for task in tasks]),
        shared=fields.values_of_runbook(runbook.id),
        finish=Forecast(queries.links_within(runbook.id), times, begin=begin, moment=begin).finish or begin,
        calling=[
            task
            for task in tasks
            if task.action is not None and destination_of(task.action, mode) != Destination.NOWHERE
        ],
    )
