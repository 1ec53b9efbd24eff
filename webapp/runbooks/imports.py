"""Reads about plans that come in or go out as sheets."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime

from flask import abort
from sqlalchemy import select
from sqlalchemy.orm import aliased, joinedload, lazyload

from webapp.accounts.models import User
from webapp.extensions import db
from webapp.integrations import queries as integrations
from webapp.integrations.models import Action, Connection
from webapp.permissions import Permission
from webapp.runbooks import linking, queries
from webapp.runbooks.models import PlanImport, Runbook, Stream, Task, task_predecessors
from webapp.runbooks.rules import unusual_in_words
from webapp.runbooks.sheets.export import PlanRow
from webapp.runbooks.sheets.plan import Person
from webapp.runbooks.sheets.table import Table
from webapp.runbooks.sheets.ways import OfferedRunbook, OfferedType, OfferedWays
from webapp.runbooks.task_types import TASK_TYPES, type_of
from webapp.workspaces import queries as workspaces


def import_for(user: User, import_id: int) -> PlanImport:
    """The user's own import, while they may still change what it goes into. 404 for anyone else's."""
    query = (
        select(PlanImport)
        .where(PlanImport.id == import_id, PlanImport.user_id == user.id)
        .options(joinedload(PlanImport.runbook).joinedload(Runbook.workspace))
    )
    found = db.session.scalar(query)
    if found is None:
        abort(404)
    if found.runbook_id is not None:
        queries.runbook_for(user, found.runbook_id, Permission.EDIT_RUNBOOKS)
    else:
        workspaces.workspace_for(user, found.workspace_id, Permission.CREATE_RUNBOOKS)
    return found


def table_of(plan_import: PlanImport) -> Table | None:
    """The uploaded rows; None once they were imported."""
    return Table.from_json(plan_import.rows) if plan_import.rows is not None else None


def people_in(workspace_id: int) -> list[Person]:
    """Those to whom a task can be assigned there."""
    return [Person(each.id, each.name, each.email) for each in workspaces.members_of(workspace_id)]


def ways_in(workspace_id: int, runbook: Runbook | None = None) -> OfferedWays:
    """The types and runbooks that tasks can have there; `runbook` is the one that the tasks go into, where it exists."""
    types = {
        each.label.lower(): OfferedType(
            each.key,
            point=each.point,
            links=each.links,
            auto_start=each.auto_start,
            may_auto_start=each.may_auto_start,
        )
        for each in TASK_TYPES
        if each.plain
    }
    for action in integrations.actions_in(workspace_id):
        name = f"{action.connection.name}: {action.name}"
        types.setdefault(" ".join(name.lower().split()), OfferedType("integration", action.id))
    starts = linking.Starts(workspace_id)
    runbooks: dict[str, list[OfferedRunbook]] = defaultdict(list)
    for each in linking.runbooks_in(workspace_id, but=runbook):
        refusal = starts.loop(runbook, each) if runbook is not None else ""
        runbooks[" ".join(each.name.lower().split())].append(OfferedRunbook(each.id, refusal))
    return OfferedWays(types, runbooks)


def forgotten_imports(before: datetime) -> Sequence[PlanImport]:
    """Imports that were queued before that moment and are waiting still."""
    query = select(PlanImport).where(PlanImport.state == "queued", PlanImport.queued_at < before)
    return list(db.session.scalars(query))


def plan_rows(runbook_id: int) -> list[PlanRow]:
    """The runbook's tasks in the order of its page, in three queries however many there are."""
    links: dict[int, list[int]] = defaultdict(list)
    before = (
        select(task_predecessors.c.task_id, Task.number)
        .join(Task, Task.id == task_predecessors.c.predecessor_id)
        .where(Task.runbook_id == runbook_id, Task.deleted_at.is_(None))
        .order_by(Task.number)
    )
    for task_id, number in db.session.execute(before):
        links[task_id].append(number)
    people = queries.assignees_within(runbook_id)
    linked = aliased(Runbook)
    tasks = (
        select(Task, Action.name, Connection.name, linked.name)
        .join(Stream, Stream.id == Task.stream_id)
        .outerjoin(Action, Action.id == Task.action_id)
        .outerjoin(Connection, Connection.id == Action.connection_id)
        .outerjoin(linked, linked.id == Task.linked_runbook_id)
        .options(lazyload(Task.assignees))
        .where(Task.runbook_id == runbook_id, Task.deleted_at.is_(None))
        .order_by(Stream.position, Stream.id, Task.position, Task.id)
    )
    names = {each.id: each.full_name for each in queries.streams_of(runbook_id)}
    return [
        PlanRow(
            task.number,
            task.title,
            names[task.stream_id],
            task.description,
            links[task.id],
            task.planned_start,
            task.duration_s,
            [email for _, email in people.get(task.id, ())],
            type_of(task.type).label if action is None else f"{connection}: {action}",
            linked_name or "",
            task.fixed_start,
            None if task.auto_start == type_of(task.type).auto_start else task.auto_start,
            unusual_in_words(task.start_rule, task.start_quorum),
            unusual_in_words(task.finish_rule, task.finish_quorum),
        )
        for task, action, connection, linked_name in db.session.execute(tasks)
    ]
