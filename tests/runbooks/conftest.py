"""Runbooks, actions and fields to test operations with, and what the tables hold before and after."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import pytest
from sqlalchemy import delete, select

from tests.cast import Cast
from webapp.accounts.models import User
from webapp.audit.models import AuditLine
from webapp.extensions import Base, db
from webapp.fields import operations as fields
from webapp.fields.models import FieldDefinition
from webapp.integration_runs.models import IntegrationRun
from webapp.integrations.models import Action, Connection
from webapp.notifications.models import Notification
from webapp.runbooks import operations
from webapp.runbooks.models import PlanChange, Runbook, Task
from webapp.runbooks.states import Mode
from webapp.runbooks.undo.history import history_of
from webapp.workspaces.models import Workspace

MakeRunbook = Callable[..., Runbook]
MakeAction = Callable[..., Action]
MakeField = Callable[..., FieldDefinition]
Refuses = Callable[..., AbstractContextManager[pytest.ExceptionInfo[Exception]]]
Audit = Callable[[], list[tuple[str, str, str]]]
Told = Callable[[], list[tuple[str, str, str, str]]]
Tables = dict[str, list[tuple[Any, ...]]]

KEPT = (
    "runbooks",
    "runbook_owners",
    "executions",
    "streams",
    "tasks",
    "task_assignees",
    "task_predecessors",
    "task_confirmations",
    "comments",
    "plan_changes",
    "comment_mentions",
    "notifications",
    "field_values",
    "integration_runs",
    "audit_lines",
    "runbook_templates",
    "template_versions",
    "template_uses",
)


@pytest.fixture
def rune(cast: Cast) -> User:
    return db.session.get_one(User, cast.rune)


@pytest.fixture
def vera(cast: Cast) -> User:
    return db.session.get_one(User, cast.vera)


@pytest.fixture
def make_runbook(cast: Cast, rune: User) -> MakeRunbook:
    """A committed runbook of Rune's in Payments, with a task for each title.

    `waits` maps a task's number to the numbers of its predecessors, `actions` to its action. With `mode` it is started.
    The audit log is empty afterwards and nothing can be undone, so that a test sees only what it did itself.
    """

    def make(
        *titles: str,
        name: str = "Release 12",
        waits: Mapping[int, Sequence[int]] | None = None,
        actions: Mapping[int, Action] | None = None,
        mode: Mode | None = None,
        workspace_id: int | None = None,
    ) -> Runbook:
        workspace = db.session.get_one(Workspace, workspace_id or cast.payments)
        runbook = operations.create_runbook(name=name, workspace=workspace, by=rune)
        tasks = [operations.add_task(runbook, runbook.streams[0], title, by=rune) for title in titles]
        for number, before in (waits or {}).items():
            tasks[number - 1].predecessors = [tasks[each - 1] for each in before]
        for number, action in (actions or {}).items():
            tasks[number - 1].action = action
        db.session.commit()
        if mode is not None:
            operations.start_runbook(runbook, mode, by=rune)
        db.session.execute(delete(AuditLine))
        db.session.execute(delete(PlanChange))
        db.session.commit()
        return runbook

    return make


@pytest.fixture
def make_action(app: Any) -> MakeAction:
    """An action that posts {"text"} to an address where nobody answers; nothing is sent without a worker."""

    def make(trigger: str = "task_start", **values: Any) -> Action:
        settings = {
            "name": "Post to a channel",
            "url": "http://127.0.0.1:9/post",
            "headers": '{"Content-Type":"application/json"}',
            "body": '{"text":"{{Task.name}}"}',
            **values,
        }
        action = Action(connection=Connection(name="Slack"), trigger=trigger, **settings)
        db.session.add(action)
        db.session.commit()
        return action

    return make


@pytest.fixture
def make_field(app: Any) -> MakeField:
    """A committed text field."""

    def make(name: str = "Slack Message", **values: Any) -> FieldDefinition:
        definition = fields.create_definition(name=name, kind=values.pop("kind", "text"), by=None, **values)
        db.session.execute(delete(AuditLine))
        db.session.commit()
        return definition

    return make


@pytest.fixture
def audit(app: Any) -> Audit:
    """The audit lines in their order: verb, thing, who."""

    def lines() -> list[tuple[str, str, str]]:
        query = select(AuditLine).order_by(AuditLine.id)
        return [(each.verb, each.object_name, each.actor_name) for each in db.session.scalars(query)]

    return lines


@pytest.fixture
def told(cast: Cast) -> Told:
    """What people were told, in its order: to whom, its kind, its sentence, its link."""

    def found() -> list[tuple[str, str, str, str]]:
        query = (
            select(User.name, Notification.kind, Notification.sentence, Notification.link)
            .join(User, User.id == Notification.user_id)
            .order_by(Notification.id)
        )
        return [(row[0], row[1], row[2], row[3]) for row in db.session.execute(query)]

    return found


@pytest.fixture
def refuses(app: Any) -> Refuses:
    """A context manager in which exactly that refusal is raised, and after whose rollback every row is as it was."""

    @contextmanager
    def refusing(error: type[Exception], sentence: str) -> Iterator[pytest.ExceptionInfo[Exception]]:
        db.session.commit()
        before = tables()
        with pytest.raises(error) as refusal:
            yield refusal
        assert type(refusal.value) is error
        assert str(refusal.value) == sentence
        db.session.rollback()
        assert tables() == before

    return refusing


def tables() -> Tables:
    """Every row of the tables that operations of runbooks write."""
    found = {}
    for name in KEPT:
        table = Base.metadata.tables[name]
        rows = db.session.execute(select(table).order_by(*table.primary_key.columns))
        found[name] = [tuple(row) for row in rows]
    return found


def task(runbook: Runbook, number: int) -> Task:
    """The runbook's task of that number."""
    query = select(Task).where(Task.runbook_id == runbook.id, Task.number == number)
    return db.session.scalars(query).one()


def states(runbook: Runbook) -> dict[int, str]:
    """Number to state, as the rows have it."""
    query = select(Task.number, Task.state).where(Task.runbook_id == runbook.id).order_by(Task.number)
    return {row.number: row.state for row in db.session.execute(query)}


def runs() -> list[IntegrationRun]:
    """Every integration run, in the order in which they were asked for."""
    return list(db.session.scalars(select(IntegrationRun).order_by(IntegrationRun.id)))


def undo(runbook: Runbook, by: User) -> str:
    """Undo that person's last change of the plan."""
    change = history_of(runbook.id, by.id).undo
    return operations.undo_change(runbook, change.id if change else 0, by=by)


def redo(runbook: Runbook, by: User) -> str:
    """Do again what that person undid last."""
    change = history_of(runbook.id, by.id).redo
    return operations.redo_change(runbook, change.id if change else 0, by=by)


def only_line() -> AuditLine:
    """The one line of the audit log."""
    return db.session.scalars(select(AuditLine)).one()
