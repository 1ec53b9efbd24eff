"""Reads about plans that come in or go out as sheets."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime

from flask import abort
from sqlalchemy import func, select
from sqlalchemy.orm import joinedload

from webapp.accounts.models import User
from webapp.extensions import db
from webapp.permissions import Permission
from webapp.runbooks import queries
from webapp.runbooks.models import PlanImport, Runbook, Stream, Task, task_assignees, task_predecessors
from webapp.runbooks.sheets.export import PlanRow
from webapp.runbooks.sheets.plan import Person
from webapp.runbooks.sheets.table import Table
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
    people: dict[int, list[str]] = defaultdict(list)
    assigned = (
        select(task_assignees.c.task_id, User.email)
        .join(Task, Task.id == task_assignees.c.task_id)
        .join(User, User.id == task_assignees.c.user_id)
        .where(Task.runbook_id == runbook_id)
        .order_by(func.lower(User.name), User.id)
    )
    for task_id, email in db.session.execute(assigned):
        people[task_id].append(email)
    tasks = (
        select(
            Task.id,
            Task.number,
            Task.title,
            Task.stream_id,
            Task.description,
            Task.planned_start,
            Task.duration_s,
        )
        .join(Stream, Stream.id == Task.stream_id)
        .where(Task.runbook_id == runbook_id, Task.deleted_at.is_(None))
        .order_by(Stream.position, Stream.id, Task.position, Task.id)
    )
    names = {each.id: each.full_name for each in queries.streams_of(runbook_id)}
    return [
        PlanRow(number, title, names[stream_id], description, links[id_], start, duration_s, people[id_])
        for id_, number, title, stream_id, description, start, duration_s in db.session.execute(tasks)
    ]
