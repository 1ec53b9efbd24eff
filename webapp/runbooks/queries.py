"""Reads about runbooks and tasks. `*_for` loads and authorises in one step: 404 unseen, 403 seen but not permitted."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

from flask import abort
from sqlalchemy import Select, and_, bindparam, func, or_, select
from sqlalchemy.orm import joinedload, selectinload

from webapp.accounts.models import User
from webapp.extensions import db
from webapp.fields import queries as fields
from webapp.fields.models import FieldDefinition
from webapp.integrations.models import Action
from webapp.permissions import TABLE, Guarded, Permission, can
from webapp.runbooks.models import (
    Comment,
    Mention,
    Purpose,
    Runbook,
    Stream,
    Task,
    task_assignees,
    task_predecessors,
)
from webapp.runbooks.rows import Before, look_of
from webapp.runbooks.states import ENDED, NOT_STARTED, UNDER_WAY, Completion, RunbookState, TaskState

T = TypeVar("T", bound=Guarded)

# Put together once: it is part of every pull, which does not ask what else the owners may do.
_GUARDED = (
    select(Runbook)
    .where(Runbook.id == bindparam("runbook_id"))
    .options(joinedload(Runbook.workspace), joinedload(Runbook.owners).lazyload("*"))
)


def runbook_for(user: User, runbook_id: int, permission: Permission) -> Runbook:
    """The runbook with its workspace, for someone who holds the permission on it."""
    found = db.session.scalars(_GUARDED, {"runbook_id": runbook_id})
    return permitted(user, found.unique().one_or_none(), permission)


def task_for(user: User, task_id: int, permission: Permission) -> Task:
    """The task with its runbook, stream and action, for someone who holds the permission on it."""
    return permitted(user, db.session.scalar(_detailed().where(Task.id == task_id)), permission)


def task_numbered(user: User, runbook_id: int, number: int, permission: Permission) -> Task:
    """The same, by the number that people see."""
    query = _detailed().where(Task.runbook_id == runbook_id, Task.number == number)
    return permitted(user, db.session.scalar(query), permission)


def fields_of(runbook: Runbook) -> list[FieldDefinition]:
    """The custom fields of the runbook itself; of those restricted to actions, the ones that its tasks have."""
    query = select(Task.action_id).where(
        Task.runbook_id == runbook.id, Task.action_id.is_not(None), Task.deleted_at.is_(None)
    )
    action_ids = [each for each in db.session.scalars(query.distinct()) if each is not None]
    return fields.definitions_for_runbook(runbook.workspace_id, action_ids)


def stream_of(runbook: Runbook, stream_id: int) -> Stream:
    """One of the runbook's streams, or 404."""
    found = db.session.get(Stream, stream_id)
    if found is None or found.runbook_id != runbook.id or found.deleted_at is not None:
        abort(404)
    return found


def streams_of(runbook_id: int) -> list[Stream]:
    """The runbook's streams in their order."""
    query = select(Stream).where(Stream.runbook_id == runbook_id, Stream.deleted_at.is_(None))
    return list(db.session.scalars(query.order_by(Stream.position, Stream.id)))


def comments_of(task_id: int) -> list[Comment]:
    """What was written on the task, oldest first."""
    query = (
        select(Comment)
        .where(Comment.task_id == task_id)
        .options(joinedload(Comment.user), selectinload(Comment.mentions).joinedload(Mention.user))
    )
    return list(db.session.scalars(query.order_by(Comment.id)))


def comment_of(task: Task, comment_id: int) -> Comment:
    """One of the task's comments, or 404."""
    found = db.session.get(Comment, comment_id)
    if found is None or found.task_id != task.id:
        abort(404)
    return found


def neighbours(task: Task) -> tuple[int | None, int | None]:
    """The numbers of the tasks before and after it on the page: stream by stream, in their order."""
    query = (
        select(Task.number)
        .join(Stream, Stream.id == Task.stream_id)
        .where(Task.runbook_id == task.runbook_id, Task.deleted_at.is_(None))
        .order_by(Stream.position, Stream.id, Task.position, Task.id)
    )
    numbers = list(db.session.scalars(query))
    at = numbers.index(task.number) if task.number in numbers else -1
    before = numbers[at - 1] if at > 0 else None
    after = numbers[at + 1] if 0 <= at < len(numbers) - 1 else None
    return before, after


@dataclass(frozen=True)
class Link:
    """A task at the other end of a predecessor link."""

    id: int
    number: int
    title: str
    state: str
    completion: str | None
    result: str | None

    @property
    def look(self) -> str:
        """The key of its state icon."""
        return look_of(self.state, self.completion, None, self.result)


def predecessors_of(task_id: int) -> list[Link]:
    """What the task waits for, by number, deleted tasks apart."""
    joined = Task.id == task_predecessors.c.predecessor_id
    return _links(joined, task_predecessors.c.task_id == task_id)


def successors_of(task_id: int) -> list[Link]:
    """What waits for the task, by number, deleted tasks apart."""
    joined = Task.id == task_predecessors.c.task_id
    return _links(joined, task_predecessors.c.predecessor_id == task_id)


def links_within(runbook_id: int) -> dict[int, list[int]]:
    """Task id to the ids of its predecessors, for every task of the runbook, deleted ones apart."""
    ids = select(Task.id).where(Task.runbook_id == runbook_id, Task.deleted_at.is_(None))
    found: dict[int, list[int]] = {task_id: [] for task_id in db.session.scalars(ids)}
    pairs = (
        select(task_predecessors.c.task_id, task_predecessors.c.predecessor_id)
        .join(Task, Task.id == task_predecessors.c.task_id)
        .where(Task.runbook_id == runbook_id)
    )
    for task_id, predecessor_id in db.session.execute(pairs):
        if task_id in found and predecessor_id in found:
            found[task_id].append(predecessor_id)
    return found


def assignees_within(runbook_id: int) -> dict[int, list[tuple[str, str]]]:
    """Task id to name and email address of who is assigned, by name; without the tasks of nobody."""
    query = (
        select(task_assignees.c.task_id, User.name, User.email)
        .join(Task, Task.id == task_assignees.c.task_id)
        .join(User, User.id == task_assignees.c.user_id)
        .where(Task.runbook_id == runbook_id)
        .order_by(func.lower(User.name), User.id)
    )
    found: dict[int, list[tuple[str, str]]] = defaultdict(list)
    for task_id, name, email in db.session.execute(query):
        found[task_id].append((name, email))
    return dict(found)


@dataclass(frozen=True)
class Name:
    """A task as it can be picked by number or name."""

    id: int
    number: int
    title: str


def names_within(runbook_id: int) -> list[Name]:
    """Every task of the runbook, by number."""
    query = select(Task.id, Task.number, Task.title).where(
        Task.runbook_id == runbook_id, Task.deleted_at.is_(None)
    )
    return [Name(*row) for row in db.session.execute(query.order_by(Task.number))]


def tasks_by_id(task_ids: Collection[int]) -> list[Task]:
    """Tasks with their action, in no order."""
    query = select(Task).where(Task.id.in_(list(task_ids))).options(joinedload(Task.action))
    return list(db.session.scalars(query))


def done_before(task_id: int) -> list[Before]:
    """What became of the task's predecessors, deleted ones apart."""
    query = (
        select(Task.number, Task.completion, Task.result)
        .join(task_predecessors, task_predecessors.c.predecessor_id == Task.id)
        .where(task_predecessors.c.task_id == task_id, Task.deleted_at.is_(None))
        .order_by(Task.number)
    )
    return [
        Before(number, completion == Completion.SKIPPED, result)
        for number, completion, result in db.session.execute(query)
    ]


def starting_by_themselves(task_ids: Collection[int]) -> list[int]:
    """Those of the tasks that do so, or whose action does, in the order of their numbers."""
    query = (
        select(Task.id)
        .outerjoin(Action, Action.id == Task.action_id)
        .where(Task.id.in_(list(task_ids)), or_(Task.auto_start, Action.auto_start))
    )
    return list(db.session.scalars(query.order_by(Task.number)))


def due_tasks(moment: datetime, runbook_id: int) -> list[int]:
    """The ids of the runbook's tasks that can start since their fixed start has come, and have not been told so yet."""
    return list(db.session.scalars(_due(moment).with_only_columns(Task.id).where(Runbook.id == runbook_id)))


def runbooks_with_due_tasks(moment: datetime) -> list[int]:
    """The ids of the running runbooks that have any such task."""
    return list(db.session.scalars(_due(moment).with_only_columns(Runbook.id).distinct()))


def _due(moment: datetime) -> Select[Task]:
    return (
        select(Task)
        .join(Runbook, Runbook.id == Task.runbook_id)
        .outerjoin(Action, Action.id == Task.action_id)
        .where(
            Runbook.state == RunbookState.RUNNING,
            Task.state == TaskState.STARTABLE,
            Task.deleted_at.is_(None),
            Task.planned_start <= moment,
            or_(Task.tried_at.is_(None), Task.tried_at < Task.planned_start),
            or_(Task.fixed_start, Action.fixed_start),
        )
    )


@dataclass
class Progress:
    """How many tasks stand where, by the keys of a progress bar: total, done, skip, fail, run, ready."""

    counts: dict[str, int] = field(default_factory=lambda: defaultdict(int))

    def add(self, state: str, completion: str | None, count: int = 1, *, failing: bool = False) -> None:
        if failing:
            key = "fail"
        elif completion == Completion.SKIPPED:
            key = "skip"
        else:
            key = {
                TaskState.COMPLETE: "done",
                TaskState.IN_PROGRESS: "run",
                TaskState.STARTABLE: "ready",
            }.get(TaskState(state), "todo")
        self.counts[key] += count
        self.counts["total"] += count

    def merge(self, other: Progress) -> None:
        """Count what the other counts too."""
        for key, count in other.counts.items():
            self.counts[key] += count

    @property
    def total(self) -> int:
        return self.counts["total"]

    @property
    def ended(self) -> int:
        """Done or skipped."""
        return self.counts["done"] + self.counts["skip"]

    @property
    def percent(self) -> int:
        return self.ended * 100 // self.total if self.total else 0


TABS = {
    "live": ("Live now", UNDER_WAY),
    "planned": ("Planned", frozenset({RunbookState.PLANNING})),
    "done": ("Done", ENDED),
}


def places_of(user: User) -> frozenset[int]:
    """The workspaces whose runbooks the user may read."""
    held = user.workspace_roles()
    return frozenset(ws for ws, role in held.items() if Permission.READ_RUNBOOKS in TABLE[role])


def runbooks_in(
    places: Collection[int], states: Collection[str], *, limit: int | None = None
) -> list[Runbook]:
    """The runbooks of those workspaces that stand in one of the states, last changed first."""
    query = (
        select(Runbook)
        .where(Runbook.workspace_id.in_(places), Runbook.state.in_(states), Runbook.archived_at.is_(None))
        .where(Runbook.purpose == Purpose.RUNBOOK)
        .options(joinedload(Runbook.workspace))
        .order_by(Runbook.updated_at.desc(), Runbook.id.desc())
        .limit(limit)
    )
    return list(db.session.scalars(query))


def starting_next(places: Collection[int], since: datetime, *, limit: int) -> list[Runbook]:
    """The runbooks of those workspaces in planning that are to start after `since`, the first one first."""
    query = (
        select(Runbook)
        .where(Runbook.workspace_id.in_(places), Runbook.state == RunbookState.PLANNING)
        .where(Runbook.archived_at.is_(None), Runbook.planned_start > since)
        .where(Runbook.purpose == Purpose.RUNBOOK)
        .options(joinedload(Runbook.workspace))
        .order_by(Runbook.planned_start, Runbook.id)
        .limit(limit)
    )
    return list(db.session.scalars(query))


def count_runbooks(places: Collection[int]) -> dict[str, int]:
    """Tab to how many runbooks stand there."""
    query = (
        select(Runbook.state, func.count())
        .where(Runbook.workspace_id.in_(places), Runbook.archived_at.is_(None))
        .where(Runbook.purpose == Purpose.RUNBOOK)
        .group_by(Runbook.state)
    )
    found = dict.fromkeys(TABS, 0)
    for state, count in db.session.execute(query):
        for tab, (_, states) in TABS.items():
            if state in states:
                found[tab] += count
    return found


def progress_of(runbook_ids: Collection[int]) -> dict[int, Progress]:
    """Runbook id to its progress, in one query."""
    found = {runbook_id: Progress() for runbook_id in runbook_ids}
    query = (
        select(Task.runbook_id, Task.state, Task.completion, func.count())
        .where(Task.runbook_id.in_(list(runbook_ids)), Task.deleted_at.is_(None))
        .group_by(Task.runbook_id, Task.state, Task.completion)
    )
    for runbook_id, state, completion, count in db.session.execute(query):
        found[runbook_id].add(state, completion, count)
    return found


@dataclass(frozen=True)
class Mine:
    """My tasks in one runbook: what can be done now, and what comes next."""

    runbook: Runbook
    now: tuple[int, ...]
    next: tuple[int, ...]


def tasks_of(user: User, places: Collection[int]) -> list[Mine]:
    """The user's tasks in runbooks that are under way: Now is startable or in progress, Next not startable yet."""
    query = (
        select(Task.id, Task.state, Runbook)
        .join(task_assignees, task_assignees.c.task_id == Task.id)
        .join(Runbook, Runbook.id == Task.runbook_id)
        .where(task_assignees.c.user_id == user.id, Runbook.workspace_id.in_(places))
        .where(Runbook.state.in_(UNDER_WAY), Runbook.archived_at.is_(None), Task.deleted_at.is_(None))
        .where(or_(Task.state.in_(NOT_STARTED), Task.state == TaskState.IN_PROGRESS))
        .order_by(Runbook.started_at.desc(), Runbook.id, Task.position, Task.id)
    )
    grouped: dict[Runbook, tuple[list[int], list[int]]] = {}
    for task_id, state, runbook in db.session.execute(query):
        now_, next_ = grouped.setdefault(runbook, ([], []))
        (next_ if state == TaskState.NOT_STARTABLE else now_).append(task_id)
    return [Mine(runbook, tuple(now_), tuple(next_)) for runbook, (now_, next_) in grouped.items()]


def count_tasks_now(user: User) -> int:
    """How many tasks of the user's may be started or are in progress."""
    query = (
        select(func.count())
        .select_from(Task)
        .join(task_assignees, task_assignees.c.task_id == Task.id)
        .join(Runbook, Runbook.id == Task.runbook_id)
        .where(task_assignees.c.user_id == user.id, Runbook.workspace_id.in_(places_of(user)))
        .where(Runbook.state.in_(UNDER_WAY), Runbook.archived_at.is_(None), Task.deleted_at.is_(None))
        .where(Task.state.in_((TaskState.STARTABLE, TaskState.IN_PROGRESS)))
    )
    return db.session.scalar(query) or 0


def changed_lately(places: Collection[int], since: datetime) -> Sequence[tuple[int, int, int]]:
    """(workspace id, runbook id, seq) of runbooks in those workspaces that changed since that moment."""
    query = select(Runbook.workspace_id, Runbook.id, Runbook.seq).where(
        Runbook.workspace_id.in_(list(places)), Runbook.updated_at > since
    )
    return [(place, runbook_id, seq) for place, runbook_id, seq in db.session.execute(query)]


def _detailed() -> Select[Task]:
    return (
        select(Task)
        .where(Task.deleted_at.is_(None))
        .options(
            joinedload(Task.runbook).joinedload(Runbook.workspace),
            joinedload(Task.stream),
            joinedload(Task.action).joinedload(Action.connection),
            joinedload(Task.started_by),
            joinedload(Task.finished_by),
        )
    )


def permitted(user: User, thing: T | None, permission: Permission) -> T:
    """The thing; 404 for someone who may not see it, 403 for someone who may not do that with it."""
    if thing is None or not can(user, Permission.READ_RUNBOOKS, thing):
        abort(404)
    if not can(user, permission, thing):
        abort(403)
    return thing


def _links(joined: Any, chosen: Any) -> list[Link]:
    query = (
        select(Task.id, Task.number, Task.title, Task.state, Task.completion, Task.result)
        .join(task_predecessors, and_(joined, chosen))
        .where(Task.deleted_at.is_(None))
        .order_by(Task.number)
    )
    return [Link(*row) for row in db.session.execute(query)]
