"""Verbs about field definitions and values. Each checks, writes and audits; none commits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from sqlalchemy import func, insert, select
from sqlalchemy.orm import InstrumentedAttribute

from webapp.accounts.models import User
from webapp.audit.operations import record
from webapp.clock import now
from webapp.extensions import db
from webapp.fields.kinds import KINDS
from webapp.fields.models import DISPLAYS_ON, FieldDefinition, FieldRestriction, FieldValue
from webapp.workspaces import queries as workspaces
from webapp.workspaces.models import Workspace


class FieldRefused(Exception):
    """The definition cannot be saved so; the text says why. `field` names the form's field."""

    def __init__(self, sentence: str, field: str) -> None:
        super().__init__(sentence)
        self.field = field


class Holder(Protocol):
    """A task or a runbook, as far as its values care."""

    __tablename__: str
    id: Any

    @property
    def audit_name(self) -> str: ...

    @property
    def guard_workspace_id(self) -> int: ...


def create_definition(
    *,
    name: str,
    kind: str,
    by: User | None,
    displays_on: Sequence[str] = ("task_edit",),
    options: Sequence[str] = (),
    is_global: bool = True,
    workspaces: Sequence[Workspace] = (),
    action_ids: Sequence[int] = (),
    required: bool = False,
    transient: bool = False,
    help_text: str = "",
) -> FieldDefinition:
    """Define a field, at the end of the list. Raises FieldRefused."""
    definition = FieldDefinition(kind=kind, kind_version=1)
    definition.position = (db.session.scalar(select(func.max(FieldDefinition.position))) or 0) + 1
    db.session.add(definition)
    with db.session.no_autoflush:
        _fill(
            definition,
            name=name,
            displays_on=displays_on,
            options=options,
            is_global=is_global,
            workspaces=workspaces,
            action_ids=action_ids,
            required=required,
            transient=transient,
            help_text=help_text,
        )
    db.session.flush()
    record("field.created", definition, by=by, after=_facts(definition))
    return definition


def update_definition(definition: FieldDefinition, *, by: User, **values: Any) -> None:
    """Change a field; its type stays, because values of that type are stored. Raises FieldRefused."""
    before = _facts(definition)
    with db.session.no_autoflush:
        _fill(definition, **values)
    record("field.updated", definition, by=by, before=before, after=_facts(definition))


def _fill(
    definition: FieldDefinition,
    *,
    name: str,
    displays_on: Sequence[str],
    options: Sequence[str],
    is_global: bool,
    workspaces: Sequence[Workspace],
    action_ids: Sequence[int],
    required: bool,
    transient: bool,
    help_text: str,
) -> None:
    kind = KINDS.get(definition.kind)
    if kind is None:
        raise FieldRefused("This field type is no longer available.", "kind")
    cleaned = list(dict.fromkeys(option.strip() for option in options if option.strip()))
    if kind.has_options and not cleaned:
        raise FieldRefused("Add at least one option.", "options")
    if not is_global and not workspaces:
        raise FieldRefused("Choose the workspaces that see this field, or make it global.", "workspaces")
    _check_name(definition, name, is_global, workspaces, action_ids)
    definition.name = name
    definition.displays_on = [place for place in DISPLAYS_ON if place in displays_on]
    definition.options = cleaned if kind.has_options else []
    definition.is_global = is_global
    definition.workspaces = [] if is_global else list(workspaces)
    definition.required, definition.transient, definition.help_text = required, transient, help_text
    kept = {restriction.action_id: restriction for restriction in definition.restrictions}
    definition.restrictions = [
        kept.get(action_id) or FieldRestriction(action_id=action_id) for action_id in sorted(set(action_ids))
    ]


def _check_name(
    definition: FieldDefinition,
    name: str,
    is_global: bool,
    workspaces: Sequence[Workspace],
    action_ids: Sequence[int],
) -> None:
    """A request template finds a field by its name, so two that could meet on one task must not share it."""
    query = select(FieldDefinition).where(
        func.lower(FieldDefinition.name) == name.lower(), FieldDefinition.archived_at.is_(None)
    )
    places = {each.id for each in workspaces}
    for other in db.session.scalars(query):
        if other is definition or other.id == definition.id:
            continue
        meet_in = is_global or other.is_global or places & {each.id for each in other.workspaces}
        meet_on = (
            not action_ids or not other.restrictions or set(action_ids) & set(other.restricted_action_ids)
        )
        if meet_in and meet_on:
            raise FieldRefused(
                f"A field named “{other.name}” is already shown in the same place. Choose another name.",
                "name",
            )


def archive_definition(definition: FieldDefinition, *, by: User) -> None:
    """Take the field off every form. Its values are kept and come back with it."""
    definition.archived_at = now()
    record("field.archived", definition, by=by)


def restore_definition(definition: FieldDefinition, *, by: User) -> None:
    """Bring an archived field back. Raises FieldRefused where another has taken its name meanwhile."""
    _check_name(
        definition,
        definition.name,
        definition.is_global,
        definition.workspaces,
        definition.restricted_action_ids,
    )
    definition.archived_at = None
    record("field.restored", definition, by=by)


def move_definition(
    definition: FieldDefinition, others: Sequence[FieldDefinition], step: int, *, by: User
) -> None:
    """Move the field `step` places (−1 up, +1 down) among `others`, the fields in their present order."""
    order = [each for each in others if each.id != definition.id]
    place = min(max(others.index(definition) + step, 0), len(order))
    before = others.index(definition) + 1
    order.insert(place, definition)
    for position, each in enumerate(order, 1):
        each.position = position
    record("field.moved", definition, by=by, before={"position": before}, after={"position": place + 1})


def save_value(
    definition: FieldDefinition,
    typed: Sequence[str],
    *,
    by: User,
    task: Holder | None = None,
    runbook: Holder | None = None,
) -> FieldValue:
    """Check and store what was typed for one task or one runbook. Raises kinds.InvalidValue, storing nothing."""
    holder = task or runbook
    if holder is None or (task and runbook):
        raise ValueError("a value belongs to one task or one runbook")
    people, kind = people_of(holder.guard_workspace_id), KINDS[definition.kind]
    value = kind.parse(typed, definition.options, people)
    query = select(FieldValue).where(
        FieldValue.field_definition_id == definition.id,
        FieldValue.task_id == holder.id if task else FieldValue.runbook_id == holder.id,
    )
    stored = db.session.scalar(query)
    before = stored.value if stored else None
    if stored is None:
        stored = FieldValue(
            field_definition_id=definition.id,
            task_id=task.id if task else None,
            runbook_id=runbook.id if runbook else None,
            value=value,
        )
        db.session.add(stored)
    stored.value, stored.updated_by_id = value, by.id
    if before != value:
        record(
            "field_value.changed",
            holder,
            by=by,
            before={definition.name: kind.for_audit(before, people)},
            after={definition.name: kind.for_audit(value, people)},
            workspace_id=holder.guard_workspace_id,
            runbook_id=getattr(holder, "runbook_id", holder.id),
        )
    return stored


def people_of(workspace_id: int) -> Mapping[int, str]:
    """User id to name, of those who may be chosen in a user field."""
    return {person.id: person.name for person in workspaces.members_of(workspace_id)}


def add_task_values(values: Mapping[int, Mapping[int, Any]], *, by: User) -> None:
    """Store what was checked before, for tasks that have no values yet: task id to (definition id to value).

    Who calls it audits it, as one change.
    """
    _add_values(FieldValue.task_id, values, by)


def add_runbook_values(runbook_id: int, values: Mapping[int, Any], *, by: User) -> None:
    """The same for a new runbook itself: definition id to value."""
    _add_values(FieldValue.runbook_id, {runbook_id: values}, by)


def _add_values(
    holder: InstrumentedAttribute[int | None], values: Mapping[int, Mapping[int, Any]], by: User
) -> None:
    rows = [
        {holder.key: held_by, "field_definition_id": field, "value": value, "updated_by_id": by.id}
        for held_by, held in values.items()
        for field, value in held.items()
    ]
    if rows:
        db.session.execute(insert(FieldValue), rows)


def copy_task_values(copies: Mapping[int, int]) -> None:
    """Copy tasks' values, except those of transient fields: task id to the id of its copy."""
    _copy_values(FieldValue.task_id, copies)


def copy_runbook_values(from_id: int, to_id: int) -> None:
    """Copy a runbook's own values to its copy, except those of transient fields."""
    _copy_values(FieldValue.runbook_id, {from_id: to_id})


def _copy_values(holder: InstrumentedAttribute[int | None], copies: Mapping[int, int]) -> None:
    query = (
        select(holder, FieldValue.field_definition_id, FieldValue.value, FieldValue.updated_by_id)
        .join(FieldDefinition)
        .where(holder.in_(list(copies)), FieldDefinition.transient.is_(False))
    )
    rows = [
        {holder.key: copies[held_by], "field_definition_id": field, "value": value, "updated_by_id": who}
        for held_by, field, value, who in db.session.execute(query)
    ]
    if rows:
        db.session.execute(insert(FieldValue), rows)


def _facts(definition: FieldDefinition) -> dict[str, Any]:
    return {
        "name": definition.name,
        "type": definition.kind,
        "options": definition.options,
        "displays_on": definition.displays_on,
        "visibility": "global"
        if definition.is_global
        else sorted(each.name for each in definition.workspaces),
        "restricted_to_actions": definition.restricted_action_ids,
        "required": definition.required,
        "transient": definition.transient,
        "help_text": definition.help_text,
    }
