"""A plan as `plan_diff` compares it: read in a constant number of queries, however many tasks it has."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.orm import joinedload

from webapp.accounts.models import User
from webapp.extensions import db
from webapp.fields import queries as fields
from webapp.fields.kinds import KINDS
from webapp.fields.models import FieldValue
from webapp.integrations.models import Action
from webapp.runbooks import durations, queries
from webapp.runbooks.models import Runbook, Stream, Task, task_assignees, task_predecessors
from webapp.runbooks.rules import Rule, in_words
from webapp.runbooks.task_types import type_of
from webapp.runbooks.templates.plan_diff import NAME, PlanFacts, TaskFacts


def load_plan_facts(runbook: Runbook, zone: ZoneInfo, *, dated: bool = True) -> PlanFacts:
    """What its plan says, in words; times are local in `zone`.

    Where the plan has a start, a task's is told from it, because both move together. `dated` false leaves the plan's
    own start out: a runbook has another one than its template.
    """
    streams = queries.streams_of(runbook.id)
    tasks = list(
        db.session.scalars(
            select(Task)
            .join(Stream, Stream.id == Task.stream_id)
            .where(Task.runbook_id == runbook.id, Task.deleted_at.is_(None))
            .options(joinedload(Task.action).joinedload(Action.connection), joinedload(Task.linked_runbook))
            .order_by(Stream.position, Stream.id, Task.position, Task.id)
        )
    )
    waits, people = _predecessors(runbook.id), _people(runbook.id)
    values = fields.values_of_tasks([each.id for each in tasks])
    own = fields.values_of_runbook(runbook.id)
    names = _names_in([*own.values(), *(value for held in values.values() for value in held.values())])
    return PlanFacts(
        own=_said(
            {
                "Description": runbook.description,
                "Planned start": _moment(runbook.planned_start, zone) if dated else "",
                **_shown(own.values(), names),
            }
        ),
        streams={each.id: each.full_name for each in streams},
        tasks=[
            TaskFacts(
                each.number,
                each.stream_id,
                _said(
                    {
                        NAME: each.title,
                        "Duration": durations.shown(each.duration_s),
                        "Planned start": _start(each.planned_start, runbook.planned_start, zone),
                        "Waits for": ", ".join(f"#{number}" for number in waits.get(each.id, ())),
                        "People": ", ".join(people.get(each.id, ())),
                        **_ways(each),
                        "Description": each.description,
                        **_shown(values.get(each.id, {}).values(), names),
                    }
                ),
            )
            for each in tasks
        ],
    )


def _ways(task: Task) -> dict[str, str]:
    """Its type, and how it starts and finishes, where that is not the usual."""
    kind, action, linked = type_of(task.type), task.action, task.linked_runbook
    usual = kind.auto_start == task.auto_start
    return {
        "Type": f"{action.connection.name}: {action.name}"
        if action
        else ""
        if task.type == "normal"
        else kind.label,
        "Linked runbook": linked.name if linked else "",
        "Fixed start": "Yes" if task.fixed_start else "",
        "Starts by itself": "" if usual else "Yes" if task.auto_start else "No",
        "Who starts": _rule(task.start_rule, task.start_quorum),
        "Who finishes": _rule(task.finish_rule, task.finish_quorum),
    }


def _rule(rule: str, quorum: int) -> str:
    return "" if rule == Rule.ANYONE else in_words(rule, quorum)


def _predecessors(runbook_id: int) -> Mapping[int, list[int]]:
    found: dict[int, list[int]] = defaultdict(list)
    query = (
        select(task_predecessors.c.task_id, Task.number)
        .join(Task, Task.id == task_predecessors.c.predecessor_id)
        .where(Task.runbook_id == runbook_id, Task.deleted_at.is_(None))
        .order_by(Task.number)
    )
    for task_id, number in db.session.execute(query):
        found[task_id].append(number)
    return found


def _people(runbook_id: int) -> Mapping[int, list[str]]:
    found: dict[int, list[str]] = defaultdict(list)
    query = (
        select(task_assignees.c.task_id, User.name)
        .join(Task, Task.id == task_assignees.c.task_id)
        .join(User, User.id == task_assignees.c.user_id)
        .where(Task.runbook_id == runbook_id)
        .order_by(func.lower(User.name), User.id)
    )
    for task_id, name in db.session.execute(query):
        found[task_id].append(name)
    return found


def _names_in(values: Iterable[FieldValue]) -> Mapping[int, str]:
    ids = {
        person
        for each in values
        if (kind := KINDS.get(each.definition.kind))
        for person in kind.people(each.value)
    }
    if not ids:
        return {}
    return {
        row.id: row.name for row in db.session.execute(select(User.id, User.name).where(User.id.in_(ids)))
    }


def _shown(values: Iterable[FieldValue], names: Mapping[int, str]) -> dict[str, Any]:
    """Field name to words, in the order of the fields; transient ones are no part of a plan that is copied."""
    ordered = sorted(values, key=lambda each: (each.definition.position, each.definition.id))
    return {
        each.definition.name: kind.shown(each.value, names)
        for each in ordered
        if not each.definition.transient and (kind := KINDS.get(each.definition.kind))
    }


def _said(facts: Mapping[str, str]) -> dict[str, str]:
    return {label: text for label, text in facts.items() if text}


def _start(value: datetime | None, begins: datetime | None, zone: ZoneInfo) -> str:
    if value is None or begins is None:
        return _moment(value, zone)
    seconds = (value - begins).total_seconds()
    if not seconds:
        return "At the planned start"
    return f"{durations.shown(abs(seconds))} {'after' if seconds > 0 else 'before'} the planned start"


def _moment(value: datetime | None, zone: ZoneInfo) -> str:
    return value.astimezone(zone).strftime("%d %b %Y %H:%M") if value is not None else ""
