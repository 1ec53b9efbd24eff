"""The record of what is planned and happens now, read in a constant number of queries however many tasks there are."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import aliased

from webapp.accounts.models import User
from webapp.extensions import db
from webapp.integrations.models import Action, Connection
from webapp.runbooks import queries
from webapp.runbooks.models import Task, task_assignees
from webapp.runbooks.reviews.records import NAMES, Record, StreamRecord, TaskRecord

_COLUMNS = tuple(name for name in NAMES if name in Task.__table__.columns)
BY_ITSELF = "Runsheet"


def present_record(runbook_id: int) -> Record:
    """The runbook's present tasks and streams, deleted ones apart."""
    starter, finisher = aliased(User), aliased(User)
    columns: list[Any] = [getattr(Task, name) for name in _COLUMNS]
    query = (
        select(*columns, starter.name, finisher.name, Connection.name, Action.name)
        .outerjoin(starter, starter.id == Task.started_by_id)
        .outerjoin(finisher, finisher.id == Task.finished_by_id)
        .outerjoin(Action, Action.id == Task.action_id)
        .outerjoin(Connection, Connection.id == Action.connection_id)
        .where(Task.runbook_id == runbook_id, Task.deleted_at.is_(None))
        .order_by(Task.position, Task.id)
    )
    rows = [
        (dict(zip(_COLUMNS, values, strict=True)), (started_by, finished_by, connection, action))
        for *values, started_by, finished_by, connection, action in db.session.execute(query)
    ]
    numbers = {known["id"]: known["number"] for known, _ in rows}
    links, people = queries.links_within(runbook_id), _assignees(runbook_id)
    tasks = [
        TaskRecord(
            **known,
            started_by=started_by or (BY_ITSELF if known["started_at"] else ""),
            finished_by=finished_by or (BY_ITSELF if known["finished_at"] else ""),
            predecessors=tuple(sorted(numbers[before] for before in links[known["id"]])),
            assignees=tuple(people[known["id"]]),
            action=f"{connection}: {action}" if action else "",
        )
        for known, (started_by, finished_by, connection, action) in rows
    ]
    streams = [StreamRecord(each.id, each.full_name, each.color) for each in queries.streams_of(runbook_id)]
    return Record(streams, tasks)


def _assignees(runbook_id: int) -> dict[int, list[str]]:
    query = (
        select(task_assignees.c.task_id, User.name)
        .join(Task, Task.id == task_assignees.c.task_id)
        .join(User, User.id == task_assignees.c.user_id)
        .where(Task.runbook_id == runbook_id)
        .order_by(func.lower(User.name), User.id)
    )
    found: dict[int, list[str]] = defaultdict(list)
    for task_id, name in db.session.execute(query):
        found[task_id].append(name)
    return found
