"""What rows of tasks are made of, read in a constant number of queries however many runbooks and tasks there are."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping

from sqlalchemy import func, select
from sqlalchemy.orm import joinedload, lazyload

from webapp.accounts.models import User
from webapp.extensions import db
from webapp.integration_runs.models import IntegrationRun
from webapp.integrations import models as integrations
from webapp.integrations.credentials import sign_in_states, signs_in
from webapp.integrations.rehearsals import Destination
from webapp.runbooks import linking
from webapp.runbooks.models import (
    Comment,
    Confirmation,
    PlanChange,
    Runbook,
    Stream,
    Task,
    task_assignees,
    task_predecessors,
)
from webapp.runbooks.rows import Action, Call, Facts, Linked, Person
from webapp.runbooks.rules import Moment
from webapp.runbooks.states import NOT_STARTED, UNDER_WAY, TaskState
from webapp.runbooks.triggers import TRIGGERS, destination_of

_COLUMNS = [getattr(Task, name) for name in Facts._fields]


class Reads:
    """What the rows of these runbooks are made of, whoever looks. All is by task id, but by runbook id `facts`, `planners`
    (the ids of those who changed its plan and may undo that) and `placed` (its seq when one of its streams last got its place).

    `asking` is the action of those tasks before which a sign-in may stand. Nothing here belongs to a session: boards share it.
    """

    def __init__(self, runbooks: Collection[Runbook]) -> None:
        ids = [each.id for each in runbooks]
        self.facts = _facts(ids)
        self.by_id = {each.id: each for facts in self.facts.values() for each in facts}
        self.links = _links(ids, self.by_id)
        self.calls = _calls(ids)
        self.people = _people(ids)
        self.comments = _comment_counts(ids)
        self.ready = _ready(ids, self.by_id)
        self.planners = _planners(ids)
        self.placed = _placed(ids)
        self.linked = _linked(self.facts.values())
        self.actions, self.asking = _actions([(each, self.facts[each.id]) for each in runbooks])


def _facts(runbook_ids: Collection[int]) -> dict[int, list[Facts]]:
    """Runbook id to its tasks in their order."""
    found: dict[int, list[Facts]] = {runbook_id: [] for runbook_id in runbook_ids}
    query = (
        select(Task.runbook_id, *_COLUMNS)
        .where(Task.runbook_id.in_(runbook_ids), Task.deleted_at.is_(None))
        .order_by(Task.position, Task.id)
    )
    for runbook_id, *columns in db.session.execute(query):
        found[runbook_id].append(Facts(*columns))
    return found


def _links(runbook_ids: Collection[int], known: Collection[int]) -> dict[int, list[int]]:
    found: dict[int, list[int]] = {task_id: [] for task_id in known}
    query = (
        select(task_predecessors.c.task_id, task_predecessors.c.predecessor_id)
        .join(Task, Task.id == task_predecessors.c.task_id)
        .where(Task.runbook_id.in_(runbook_ids))
    )
    for task_id, before in db.session.execute(query):
        if task_id in found and before in found:
            found[task_id].append(before)
    return found


def _people(runbook_ids: Collection[int]) -> dict[int, list[Person]]:
    query = (
        select(task_assignees.c.task_id, User.id, User.name, User.color)
        .join(Task, Task.id == task_assignees.c.task_id)
        .join(User, User.id == task_assignees.c.user_id)
        .where(Task.runbook_id.in_(runbook_ids))
        .order_by(func.lower(User.name))
    )
    found: dict[int, list[Person]] = defaultdict(list)
    known: dict[int, Person] = {}
    for task_id, user_id, name, color in db.session.execute(query):
        found[task_id].append(known.setdefault(user_id, Person(user_id, name, color)))
    return found


def _comment_counts(runbook_ids: Collection[int]) -> dict[int, int]:
    query = (
        select(Comment.task_id, func.count())
        .join(Task, Task.id == Comment.task_id)
        .where(Task.runbook_id.in_(runbook_ids))
        .group_by(Comment.task_id)
    )
    return {row[0]: row[1] for row in db.session.execute(query)}


def _ready(runbook_ids: Collection[int], tasks: Mapping[int, Facts]) -> dict[int, set[int]]:
    """The ids of those who have given their word for the task's next step, its start or its finish."""
    query = (
        select(Confirmation.task_id, Confirmation.user_id, Confirmation.moment)
        .join(Task, Task.id == Confirmation.task_id)
        .where(Task.runbook_id.in_(runbook_ids))
    )
    found: dict[int, set[int]] = defaultdict(set)
    for task_id, user_id, moment in db.session.execute(query):
        task = tasks.get(task_id)
        if task is not None and moment == (
            Moment.FINISH if task.state == TaskState.IN_PROGRESS else Moment.START
        ):
            found[task_id].add(user_id)
    return found


def _planners(runbook_ids: Collection[int]) -> dict[int, set[int]]:
    query = (
        select(PlanChange.runbook_id, PlanChange.user_id)
        .where(PlanChange.runbook_id.in_(runbook_ids))
        .distinct()
    )
    found: dict[int, set[int]] = defaultdict(set)
    for runbook_id, user_id in db.session.execute(query):
        found[runbook_id].add(user_id)
    return found


def _placed(runbook_ids: Collection[int]) -> dict[int, int]:
    query = (
        select(Stream.runbook_id, func.max(Stream.placed_seq))
        .where(Stream.runbook_id.in_(runbook_ids))
        .group_by(Stream.runbook_id)
    )
    return {row[0]: row[1] for row in db.session.execute(query)}


def _linked(chosen: Iterable[list[Facts]]) -> dict[int, Linked]:
    """Task id to the runbook that it starts."""
    links = {each.id: each.linked_runbook_id for facts in chosen for each in facts}
    known = linking.linked_by_id({each for each in links.values() if each is not None})
    return {task_id: known[each] for task_id, each in links.items() if each is not None}


def _calls(runbook_ids: Collection[int]) -> dict[int, Call]:
    """The latest call of each task since its runbook was started, or the task was reopened."""
    newest = (
        select(func.max(IntegrationRun.id))
        .join(Runbook, Runbook.id == IntegrationRun.runbook_id)
        .join(Task, Task.id == IntegrationRun.task_id)
        .where(
            Runbook.id.in_(runbook_ids),
            IntegrationRun.requested_at >= func.coalesce(Task.reopened_at, Runbook.started_at),
        )
        .group_by(IntegrationRun.task_id)
    )
    query = select(IntegrationRun.task_id, IntegrationRun.state, IntegrationRun.outcome).where(
        IntegrationRun.id.in_(newest), IntegrationRun.task_id.is_not(None)
    )
    return {task_id: Call(state, outcome) for task_id, state, outcome in db.session.execute(query)}


def _actions(found: Collection[tuple[Runbook, list[Facts]]]) -> tuple[dict[int, Action], dict[int, int]]:
    tasks = [(runbook, each) for runbook, facts in found for each in facts if each.action_id is not None]
    if not tasks:
        return {}, {}
    loaded = _loaded({each.action_id for _, each in tasks})
    made: dict[tuple[int | None, str | None], Action] = {}
    actions, asking = {}, {}
    for runbook, each in tasks:
        action, key = loaded[each.action_id], (each.action_id, runbook.mode)
        if key not in made:
            trigger = TRIGGERS.get(action.trigger)
            made[key] = Action(
                name=action.name,
                connection=action.connection.name,
                image=action.image_url or action.connection.image_url,
                short=trigger.short if trigger else action.trigger,
                auto_start=action.auto_start,
                cancelable=action.cancelable,
                destination=destination_of(action, runbook.mode),
                fixed_start=action.fixed_start,
            )
        actions[each.id] = made[key]
        if (
            each.state in NOT_STARTED
            and runbook.state in UNDER_WAY
            and action.trigger == "task_start"
            and made[key].destination == Destination.REAL
            and signs_in(action)
        ):
            asking[each.id] = action.id
    return actions, asking


def sign_ins_missing(asking: Mapping[int, int], user: User) -> dict[int, str]:
    """Task id to what the user has to do before it can start, of those tasks (with their action) that a sign-in is due for."""
    if not asking:
        return {}
    loaded = _loaded(set(asking.values()))
    standings = sign_in_states([(task_id, loaded[each]) for task_id, each in asking.items()], user.id)
    return {task_id: each.sentence for task_id, each in standings.items() if each.needed}


def _loaded(action_ids: Collection[int | None]) -> dict[int | None, integrations.Action]:
    query = (
        select(integrations.Action)
        .where(integrations.Action.id.in_(action_ids))
        .options(joinedload(integrations.Action.connection), lazyload(integrations.Action.workspaces))
    )
    return {each.id: each for each in db.session.scalars(query)}
