"""What people are told of a runbook, each in the transaction of what happened."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection

from sqlalchemy import select

from webapp.accounts.models import User
from webapp.extensions import db
from webapp.notifications.operations import News, notify, notify_each
from webapp.runbooks.addresses import Here
from webapp.runbooks.audiences import audience_of, readers
from webapp.runbooks.context import path_of
from webapp.runbooks.models import Runbook, Task, task_assignees
from webapp.runbooks.queries import Name
from webapp.runbooks.states import TaskState


def tell_audience(runbook: Runbook, kind: str, sentence: str, *, by: User) -> set[int]:
    """Tell those who hear of this rehearsal or live run. The ids of those who were told."""
    people = db.session.scalars(audience_of(runbook).people(runbook))
    return notify(people, kind, News(sentence, path_of(runbook.id)), by=by, runbook_id=runbook.id)


def tell_ready(runbook: Runbook, task_ids: Collection[int], *, by: User | None) -> None:
    """Tell each person of the audience which tasks of theirs can be started now: one notification each, however many."""
    if not task_ids:
        return
    query = (
        select(task_assignees.c.user_id, Task.id, Task.number, Task.title)
        .join(Task, Task.id == task_assignees.c.task_id)
        .where(Task.id.in_(list(task_ids)), Task.state == TaskState.STARTABLE)
        .where(task_assignees.c.user_id.in_(audience_of(runbook).people(runbook)))
        .order_by(Task.number)
    )
    ready: dict[int, list[Name]] = defaultdict(list)
    for user_id, *task in db.session.execute(query):
        ready[user_id].append(Name(*task))
    news = {user_id: _ready(runbook, tasks) for user_id, tasks in ready.items()}
    notify_each(news, "task_ready", by=by, runbook_id=runbook.id)


def _ready(runbook: Runbook, tasks: list[Name]) -> News:
    if len(tasks) == 1:
        [task] = tasks
        sentence = f"#{task.number} {task.title} is ready in “{runbook.name}”."
        return News(sentence, path_of(runbook.id, task.number), task.id)
    mine = Here(path_of(runbook.id)).to(show="mine")
    return News(f"{len(tasks):,} of your tasks are ready in “{runbook.name}”.", mine)


def tell_assigned(task: Task, people: Collection[User], *, by: User) -> None:
    """Tell those who were given a task of a runbook under way."""
    if not people:
        return
    runbook = task.runbook
    ready = " It can be started now." if task.state == TaskState.STARTABLE else ""
    sentence = f"{by.name} assigned {task.audit_name} in “{runbook.name}” to you.{ready}"
    news = News(sentence, path_of(runbook.id, task.number), task.id)
    notify(_who_may_read(runbook, people), "task_assigned", news, by=by, runbook_id=runbook.id)


def tell_mentioned(task: Task, people: Collection[User], *, by: User) -> None:
    """Tell those whom a comment on the task names."""
    if not people:
        return
    sentence = f"{by.name} mentioned you on {task.audit_name} in “{task.runbook.name}”."
    news = News(sentence, path_of(task.runbook_id, task.number), task.id)
    notify(_who_may_read(task.runbook, people), "mention", news, by=by, runbook_id=task.runbook_id)


def _who_may_read(runbook: Runbook, people: Collection[User]) -> list[int]:
    ids = [each.id for each in people]
    return [each for each in db.session.scalars(readers(runbook)) if each in ids]
