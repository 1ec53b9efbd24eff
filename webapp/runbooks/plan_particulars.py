"""Reads about what a plan's file says besides its columns: integration actions and custom field values, by name."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from webapp.extensions import db
from webapp.fields import queries as fields
from webapp.fields.kinds import KINDS
from webapp.fields.models import FieldDefinition, FieldValue
from webapp.integrations import queries as integrations
from webapp.integrations.models import Action
from webapp.runbooks.models import Runbook, Task
from webapp.runbooks.sheets.particulars import (
    Offered,
    OfferedField,
    PlanParticulars,
    TaskParticulars,
    Written,
)
from webapp.workspaces import queries as workspaces


def load_particulars(runbook: Runbook) -> PlanParticulars:
    """Those of a runbook, in a constant number of queries; transient fields and secrets are never among them."""
    tasks = list(
        db.session.scalars(
            select(Task)
            .where(Task.runbook_id == runbook.id, Task.deleted_at.is_(None))
            .options(joinedload(Task.action).joinedload(Action.connection))
        )
    )
    held = fields.values_of_tasks([each.id for each in tasks])
    own = fields.values_of_runbook(runbook.id)
    emails = fields.emails_of([*own.values(), *(value for each in held.values() for value in each.values())])
    found = {
        each.number: TaskParticulars(
            (each.action.connection.name, each.action.name) if each.action else None,
            _written(held.get(each.id, {}).values(), emails),
        )
        for each in tasks
    }
    return PlanParticulars(
        {number: each for number, each in found.items() if each.entries()}, _written(own.values(), emails)
    )


def offered_in(workspace_id: int) -> Offered:
    """The actions that a task there can use, and the fields that show there."""
    people = workspaces.members_of(workspace_id)
    names = {each.id: each.name for each in people}
    ids = {each.email.lower(): each.id for each in people}
    return Offered(
        {
            (each.connection.name.lower(), each.name.lower()): each.id
            for each in integrations.actions_in(workspace_id)
        },
        [
            OfferedField(
                each.id,
                each.name,
                _reader(each, names, ids),
                frozenset(each.restricted_action_ids),
                "runbook_edit" in each.displays_on,
            )
            for each in fields.definitions_in(workspace_id)
            if each.kind in KINDS
        ],
    )


def _reader(
    definition: FieldDefinition, names: Mapping[int, str], ids: Mapping[str, int]
) -> Callable[[Sequence[str]], Any]:
    return partial(_read, definition.kind, list(definition.options), names, ids)


def _read(
    kind: str, options: Sequence[str], names: Mapping[int, str], ids: Mapping[str, int], texts: Sequence[str]
) -> Any:
    return KINDS[kind].parse(KINDS[kind].typed_of(texts, ids), options, names)


def _written(values: Iterable[FieldValue], emails: Mapping[int, str]) -> dict[str, Written]:
    ordered = sorted(values, key=lambda each: (each.definition.position, each.definition.id))
    found: dict[str, Written] = {}
    for each in ordered:
        kind = KINDS.get(each.definition.kind)
        if kind is None or each.definition.transient or each.value is None:
            continue
        plain = kind.for_template(each.value, emails)
        if isinstance(plain, list):
            found[each.definition.name] = [str(part) for part in plain]
        elif plain is not None:
            found[each.definition.name] = str(plain)
    return found
