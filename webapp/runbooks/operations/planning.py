"""Planning: add, change and delete tasks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import Any, NoReturn

from sqlalchemy import func, select

from webapp.accounts.models import User
from webapp.audit.operations import record
from webapp.clock import now
from webapp.extensions import db
from webapp.integrations.models import Action
from webapp.runbooks import graph, linking, queries
from webapp.runbooks.models import Runbook, Stream, Task
from webapp.runbooks.operations import streams
from webapp.runbooks.operations.changes import read_anew, refuse_if_ended, stamp, touch
from webapp.runbooks.operations.plan_changes import undoable
from webapp.runbooks.operations.readiness import settle_readiness
from webapp.runbooks.operations.seen import Seen, only_what_is_meant
from webapp.runbooks.operations.telling import tell_assigned
from webapp.runbooks.refusals import NotNow, PlanRefused
from webapp.runbooks.rules import OF_SEVERAL, Rule, in_words
from webapp.runbooks.states import NOT_STARTED, UNDER_WAY, TaskState
from webapp.runbooks.task_types import type_of

# How a task starts and finishes.
_WAYS = ("fixed_start", "auto_start", "start_rule", "start_quorum", "finish_rule", "finish_quorum")


@dataclass(frozen=True)
class Plan:
    """What the plan says of one task. `duration_s` in seconds, `planned_start` aware UTC.

    With an action its type is "integration". `linked_runbook` counts for the type that starts one.
    """

    title: str
    stream: Stream
    description: str = ""
    duration_s: int = 300
    planned_start: datetime | None = None
    assignees: Sequence[User] = ()
    predecessor_ids: Sequence[int] = ()
    type: str = "normal"
    action: Action | None = None
    linked_runbook: Runbook | None = None
    fixed_start: bool = False
    auto_start: bool = False
    start_rule: str = Rule.ANYONE
    start_quorum: int = 1
    finish_rule: str = Rule.ANYONE
    finish_quorum: int = 1

    def __post_init__(self) -> None:
        if self.action is not None and self.type != "integration":
            object.__setattr__(self, "type", "integration")


@undoable(alone=True)
def add_task(
    runbook: Runbook, stream: Stream, title: str, *, by: User | None, after: Task | None = None
) -> Task:
    """A new task at the end of the stream, or right after another. Raises PlanRefused or NotNow."""
    title = title.strip()
    if not title:
        raise PlanRefused("Type a task name.", "title")
    _refuse_stranger(runbook, stream)
    seq = touch(runbook, stream)
    refuse_if_ended(runbook)
    streams.refuse_if_gone(stream)
    db.session.refresh(runbook, ["next_task_number"])  # someone may have added a task while this one waited
    task = Task(
        runbook=runbook,
        stream=stream,
        number=runbook.next_task_number,
        title=title[:300],
        position=place_after(runbook, after),
        seq=seq,
        placed_seq=seq,
    )
    runbook.next_task_number += 1
    db.session.add(task)
    db.session.flush()
    _record("task.added", task, by, after={"title": task.title, "stream": stream.name})
    if runbook.state in UNDER_WAY:
        settle_readiness(runbook, seq, by=by)
    return task


@undoable(alone=True)
def edit_task(task: Task, plan: Plan, *, by: User, seen: Seen | None = None) -> None:
    """Change what the plan says. Once a task has started, only its name, description and assignees can change.

    `seen` names the parts of `plan` that are meant, with what the person saw there; the rest stays as it is. Without it
    all of `plan` is meant. Raises PlanRefused (a loop is named), NotNow, or ChangedMeanwhile where someone else was first.
    """
    runbook = task.runbook
    _refuse_stranger(runbook, plan.stream)
    seq = touch(runbook, task, task.stream, plan.stream)
    refuse_if_ended(runbook)
    refuse_if_gone(task)
    if seen is not None:
        numbers = {each.id: each.number for each in queries.names_within(runbook.id)}
        present = plan_of(task, [each.id for each in queries.predecessors_of(task.id)])
        plan = only_what_is_meant(plan, present, seen, numbers, task=task, by=by)
    _refuse_strangers(runbook, plan.predecessor_ids)
    _refuse_loop(task, plan.predecessor_ids)
    plan = _of_its_type(task, plan)
    before = facts(task)
    started = task.state not in NOT_STARTED
    new = [each for each in plan.assignees if each not in task.assignees]
    task.title, task.description, task.assignees = plan.title, plan.description, list(plan.assignees)
    if not started:
        _plan_anew(task, plan, seq)
    elif _planned(before) != _planned(_facts_of(task, plan)):
        raise NotNow("The task has started, so only its name, description and people can be changed.")
    db.session.flush()
    after = facts(task)
    if before != after:
        _record("task.changed", task, by, before=before, after=after)
    if before["predecessors"] != after["predecessors"] and runbook.state in UNDER_WAY:
        settle_readiness(runbook, seq, by=by)
    if runbook.state in UNDER_WAY and task.state != TaskState.COMPLETE:
        tell_assigned(task, new, by=by)
    stamp([each.id for each in queries.successors_of(task.id)], seq)


@undoable(alone=True)
def delete_task(task: Task, *, by: User) -> None:
    """Take a task that has not started out of the plan. Raises NotNow."""
    runbook = task.runbook
    seq = touch(runbook, task, task.stream)
    refuse_if_ended(runbook)
    refuse_if_gone(task)
    if task.state not in NOT_STARTED:
        raise NotNow("A task that has started cannot be deleted. Skip it instead.")
    task.deleted_at = now()
    db.session.flush()
    _record("task.deleted", task, by)
    _tell_neighbours(task, seq, by)


def plan_of(task: Task, predecessor_ids: Sequence[int]) -> Plan:
    """What the plan says of the task, as it stands."""
    own = [each.name for each in fields(Plan) if each.name != "predecessor_ids"]
    return Plan(predecessor_ids=list(predecessor_ids), **{name: getattr(task, name) for name in own})


def facts(task: Task) -> dict[str, Any]:
    """What the plan says of the task, in words for the audit log."""
    return {
        "title": task.title,
        "description": task.description,
        "stream": task.stream.name,
        "duration_s": task.duration_s,
        "planned_start": task.planned_start.isoformat() if task.planned_start else None,
        "assignees": sorted(each.name for each in task.assignees),
        "predecessors": [each.number for each in queries.predecessors_of(task.id)],
        **_ways(task),
    }


def _facts_of(task: Task, plan: Plan) -> dict[str, Any]:
    numbers = {each.id: each.number for each in queries.names_within(task.runbook_id)}
    return {
        "stream": plan.stream.name,
        "duration_s": plan.duration_s,
        "planned_start": plan.planned_start.isoformat() if plan.planned_start else None,
        "predecessors": sorted(numbers[each] for each in plan.predecessor_ids),
        **_ways(plan),
    }


def _ways(planned: Task | Plan) -> dict[str, Any]:
    """Its type, and how it starts and finishes, in words for the audit log."""
    action = planned.action
    return {
        "type": f"{action.connection.name}: {action.name}" if action else type_of(planned.type).label,
        "linked runbook": planned.linked_runbook.name if planned.linked_runbook else None,
        "fixed start": planned.fixed_start,
        "starts by itself": planned.auto_start,
        "start rule": in_words(planned.start_rule, planned.start_quorum),
        "finish rule": in_words(planned.finish_rule, planned.finish_quorum),
    }


def _planned(found: dict[str, Any]) -> dict[str, Any]:
    free = ("title", "description", "assignees")
    return {name: value for name, value in found.items() if name not in free}


def _of_its_type(task: Task, plan: Plan) -> Plan:
    """The plan as its type allows it: a milestone takes no time, and only a linked runbook has one. Raises PlanRefused."""
    kind = type_of(plan.type)
    if plan.type != task.type:
        was = type_of(task.type)
        plan = replace(plan, auto_start=kind.auto_start)
        if was.point and not kind.point and not plan.duration_s:
            plan = replace(plan, duration_s=kind.duration_s)
    if kind.point:
        plan = replace(plan, duration_s=0)
    if not kind.may_auto_start or plan.start_rule in OF_SEVERAL:
        plan = replace(plan, auto_start=False)
    if plan.planned_start is None:
        plan = replace(plan, fixed_start=False)
    if not kind.links:
        return replace(plan, linked_runbook=None)
    if plan.linked_runbook is not None and plan.linked_runbook.id != task.linked_runbook_id:
        linking.refuse_link(task.runbook, plan.linked_runbook)
    return plan


def _plan_anew(task: Task, plan: Plan, seq: int) -> None:
    if task.stream_id != plan.stream.id:
        task.stream, task.placed_seq = plan.stream, seq
        task.position = place_after(task.runbook, None)
    task.duration_s, task.planned_start = plan.duration_s, plan.planned_start
    task.action, task.linked_runbook = plan.action, plan.linked_runbook
    task.type = plan.type
    for name in _WAYS:
        setattr(task, name, getattr(plan, name))
    wanted = set(plan.predecessor_ids)
    kept = [each for each in task.predecessors if each.id in wanted or each.deleted_at is not None]
    new = wanted - {each.id for each in kept}
    task.predecessors = [*kept, *queries.tasks_by_id(new)]


def _refuse_loop(task: Task, predecessor_ids: Sequence[int]) -> None:
    loop = graph.loop_through(queries.links_within(task.runbook_id), task.id, predecessor_ids)
    if loop:
        refuse_as_loop(task.runbook, loop)


def refuse_as_loop(runbook: Runbook, loop: Sequence[int]) -> NoReturn:
    """Raises PlanRefused, with the loop of task ids named."""
    names = {each.id: f"#{each.number}" for each in queries.names_within(runbook.id)}
    path = " waits for ".join(names[each] for each in loop)
    raise PlanRefused(f"That would be a loop: {path}.", "predecessors")


def _refuse_stranger(runbook: Runbook, stream: Stream) -> None:
    if stream.runbook_id != runbook.id:
        raise PlanRefused("Choose a stream of this runbook.", "stream_id")


def _refuse_strangers(runbook: Runbook, predecessor_ids: Sequence[int]) -> None:
    if not {each.id for each in queries.names_within(runbook.id)}.issuperset(predecessor_ids):
        raise PlanRefused("Choose tasks of this runbook.", "predecessors")


def refuse_if_gone(task: Task) -> None:
    """Raises NotNow for a deleted task. Reads it anew under the lock that touch holds."""
    read_anew(task)
    if task.deleted_at is not None:
        raise NotNow("This task was deleted.")


def place_after(runbook: Runbook, after: Task | None) -> int:
    """The position for a new task: the last one, or right after another, for which the later ones make room."""
    if after is None:
        query = select(func.max(Task.position)).where(Task.runbook_id == runbook.id)
        return (db.session.scalar(query) or 0) + 1
    later = select(Task).where(Task.runbook_id == runbook.id, Task.position > after.position)
    for each in db.session.scalars(later):
        each.position += 1
    return after.position + 1


def _tell_neighbours(task: Task, seq: int, by: User) -> None:
    """What waited for the task, or for nothing but it, looks different now."""
    stamp([each.id for each in queries.successors_of(task.id)], seq)
    if task.runbook.state in UNDER_WAY:
        settle_readiness(task.runbook, seq, by=by)


def _record(
    verb: str,
    task: Task,
    by: User | None,
    *,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
) -> None:
    record(
        verb,
        task,
        by=by,
        before=before,
        after=after,
        workspace_id=task.runbook.workspace_id,
        runbook_id=task.runbook_id,
    )
