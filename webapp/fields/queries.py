"""Reads about field definitions and values."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from flask import abort
from sqlalchemy import func, or_, select
from sqlalchemy.orm import InstrumentedAttribute

from webapp.accounts.models import User
from webapp.extensions import db
from webapp.fields.kinds import KINDS
from webapp.fields.models import FieldDefinition, FieldRestriction, FieldValue, field_workspaces

Values = dict[int, FieldValue]
BLANK: tuple[Any, ...] = (None, "", [])


def definition_for(definition_id: int) -> FieldDefinition:
    """The definition, or 404; who may see it is the route's permission."""
    return db.session.get(FieldDefinition, definition_id) or abort(404)


def all_definitions(*, archived: bool = False) -> list[FieldDefinition]:
    """Every definition in its order, the archived ones or the others."""
    wanted = FieldDefinition.archived_at.is_not(None) if archived else FieldDefinition.archived_at.is_(None)
    return list(
        db.session.scalars(
            select(FieldDefinition).where(wanted).order_by(FieldDefinition.position, FieldDefinition.id)
        )
    )


def definitions_for(
    displays_on: str | None, workspace_id: int, action_id: int | None
) -> list[FieldDefinition]:
    """The fields that show there: in use, visible in the workspace, unrestricted or restricted to that action.

    `displays_on` None means wherever they display.
    """
    found = _definitions(workspace_id, [] if action_id is None else [action_id])
    return [each for each in found if displays_on is None or displays_on in each.displays_on]


def definitions_by_action(
    workspace_id: int, action_ids: Collection[int | None]
) -> dict[int | None, list[FieldDefinition]]:
    """Action id to the fields that `definitions_for` it finds wherever they display, in one query; None: no action."""
    found = _definitions(workspace_id, [each for each in action_ids if each is not None])
    return {
        action_id: [
            each for each in found if not each.restrictions or action_id in each.restricted_action_ids
        ]
        for action_id in action_ids
    }


def definitions_in(workspace_id: int) -> list[FieldDefinition]:
    """Every field that shows anywhere in the workspace."""
    query = (
        select(FieldDefinition)
        .where(FieldDefinition.archived_at.is_(None), _visible_in([workspace_id]))
        .order_by(FieldDefinition.position, FieldDefinition.id)
    )
    return list(db.session.scalars(query))


def definitions_for_runbook(workspace_id: int, action_ids: Collection[int]) -> list[FieldDefinition]:
    """The fields of a runbook whose tasks have those actions: those that display on runbook edit."""
    return [each for each in _definitions(workspace_id, action_ids) if "runbook_edit" in each.displays_on]


def _definitions(workspace_id: int, action_ids: Collection[int]) -> list[FieldDefinition]:
    query = (
        select(FieldDefinition)
        .where(FieldDefinition.archived_at.is_(None), _visible_in([workspace_id]), _meant_for(action_ids))
        .order_by(FieldDefinition.position, FieldDefinition.id)
    )
    return list(db.session.scalars(query))


def _visible_in(workspace_ids: Iterable[int]) -> Any:
    inside = select(field_workspaces.c.field_definition_id).where(
        field_workspaces.c.workspace_id.in_(list(workspace_ids))
    )
    return or_(FieldDefinition.is_global, FieldDefinition.id.in_(inside))


def _meant_for(action_ids: Collection[int]) -> Any:
    restricted = select(FieldRestriction.field_definition_id)
    free = FieldDefinition.id.not_in(restricted)
    if not action_ids:
        return free
    return or_(
        free, FieldDefinition.id.in_(restricted.where(FieldRestriction.action_id.in_(list(action_ids))))
    )


def values_of_task(task_id: int) -> Values:
    """Definition id to value, of one task."""
    return values_of_tasks([task_id]).get(task_id, {})


def values_of_tasks(task_ids: Sequence[int]) -> dict[int, Values]:
    """Task id to (definition id to value), in one query."""
    found: dict[int, Values] = defaultdict(dict)
    query = select(FieldValue).where(FieldValue.task_id.in_(task_ids))
    for value in db.session.scalars(query):
        found[value.task_id or 0][value.field_definition_id] = value
    return dict(found)


def values_of_runbook(runbook_id: int) -> Values:
    """Definition id to value, of one runbook."""
    query = select(FieldValue).where(FieldValue.runbook_id == runbook_id)
    return {value.field_definition_id: value for value in db.session.scalars(query)}


def in_force(of_task: Values, of_runbook: Values) -> Values:
    """What holds for a task: its own values, and the runbook's where its own are blank."""
    return {**of_runbook, **{key: value for key, value in of_task.items() if value.value not in BLANK}}


def emails_of(values: Iterable[FieldValue]) -> dict[int, str]:
    """User id to email address, of everybody whom any of the values names."""
    return _of_people(values, User.email)


def names_of(values: Iterable[FieldValue]) -> dict[int, str]:
    """User id to name, of everybody whom any of the values names."""
    return _of_people(values, User.name)


def _of_people(values: Iterable[FieldValue], column: InstrumentedAttribute[str]) -> dict[int, str]:
    ids = {
        person
        for each in values
        if (kind := KINDS.get(each.definition.kind))
        for person in kind.people(each.value)
    }
    if not ids:
        return {}
    return {row[0]: row[1] for row in db.session.execute(select(User.id, column).where(User.id.in_(ids)))}


def template_values(
    definitions: Iterable[FieldDefinition], values: Mapping[int, FieldValue], emails: Mapping[int, str]
) -> dict[str, Any]:
    """Field name to the plain value that request templates see; a user becomes one of the `emails` (emails_of)."""
    found: dict[str, Any] = {}
    for definition in definitions:
        kind = KINDS.get(definition.kind)
        stored = values.get(definition.id)
        if kind is not None:
            found[definition.name] = kind.for_template(stored.value if stored else None, emails)
    return found


def missing_required(
    definitions: Iterable[FieldDefinition], values: Mapping[int, FieldValue]
) -> list[FieldDefinition]:
    """The required fields that hold nothing."""
    return [
        each
        for each in definitions
        if each.required and (each.id not in values or values[each.id].value in BLANK)
    ]


def known_names(
    workspace_ids: Sequence[int] | None, action_id: int | None
) -> tuple[dict[str, Any], frozenset[str]]:
    """What a request template of that action may name: (name to sample value, names that exist elsewhere only).

    `workspace_ids` None means a global action, which sees every workspace's fields.
    """
    query = select(FieldDefinition).where(FieldDefinition.archived_at.is_(None))
    everything = list(db.session.scalars(query))
    usable: dict[str, Any] = {}
    for each in everything:
        visible = (
            workspace_ids is None or each.is_global or {ws.id for ws in each.workspaces} & set(workspace_ids)
        )
        meant = not each.restrictions or action_id in each.restricted_action_ids
        kind = KINDS.get(each.kind)
        if visible and meant and kind is not None:
            usable[each.name] = kind.sample(each.options)
    return usable, frozenset(each.name for each in everything if each.name not in usable)


def count_values(definition_id: int) -> int:
    """How many tasks and runbooks hold a value in the field."""
    query = select(func.count(FieldValue.id)).where(FieldValue.field_definition_id == definition_id)
    return db.session.scalar(query) or 0
