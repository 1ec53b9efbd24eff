"""The form of a field definition."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from flask import request
from wtforms import BooleanField, RadioField, SelectField, StringField, TextAreaField
from wtforms.validators import DataRequired, Length, Regexp

from webapp.fields import offered
from webapp.fields.kinds import KINDS
from webapp.fields.models import DISPLAYS_ON, FieldDefinition
from webapp.forms import BaseForm, CheckboxesField
from webapp.workspaces import queries as workspaces

_NAME = r"^[^{}%\"\\\x00-\x1f]+$"


class DefinitionForm(BaseForm):
    """A field as an admin fills it in; its options come from the rows `options-0`, `options-1`, …

    `changed` is the field that is changed, none where a new one is made: it may keep to actions that are archived.
    """

    name = StringField(
        "Name",
        [
            DataRequired("Enter a name."),
            Length(max=120, message="Use at most 120 characters."),
            Regexp(_NAME, message="A name cannot hold braces, percent signs, double quotes or backslashes."),
        ],
    )
    visibility = RadioField(
        "Visibility",
        choices={"global": "Global, all workspaces", "workspaces": "Only these workspaces"},
        default="global",
    )
    workspaces = CheckboxesField("Workspaces", coerce=int)
    kind = SelectField("Field type", choices=KINDS.choices)
    displays_on = CheckboxesField("Displays on", choices=DISPLAYS_ON, default=["task_edit"])
    action_ids = CheckboxesField("Restrict to integration", coerce=int)
    required = BooleanField("Required", description="A task cannot start while this field is empty.")
    transient = BooleanField(
        "Transient", description="Values are never copied with a task, runbook or template."
    )
    help_text = TextAreaField("Help text", [Length(max=500, message="Use at most 500 characters.")])

    def __init__(self, *arguments: Any, changed: FieldDefinition | None = None, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.workspaces.choices = {each.id: each.name for each in workspaces.all_workspaces()}
        self.action_ids.choices = dict(
            offered.action_choices(changed.restricted_action_ids if changed else [])
        )

    def values(self) -> dict[str, Any]:
        """What `operations.create_definition` and `update_definition` take, the type apart."""
        chosen = set(self.workspaces.data or [])
        return {
            "name": self.name.data,
            "displays_on": self.displays_on.data or [],
            "options": typed_options(),
            "is_global": self.visibility.data == "global",
            "workspaces": [each for each in workspaces.all_workspaces() if each.id in chosen],
            "action_ids": self.action_ids.data or [],
            "required": self.required.data,
            "transient": self.transient.data,
            "help_text": self.help_text.data or "",
        }


def typed_options() -> list[str]:
    """The options that were typed, in the order of their rows."""
    rows = [
        (int(found[1]), value)
        for key, value in request.form.items()
        if (found := re.fullmatch(r"options-(\d+)", key))
    ]
    return [value.strip() for _, value in sorted(rows) if value.strip()]


def typed_values(definitions: Iterable[FieldDefinition]) -> dict[int, Any]:
    """What was typed into the controls `field-<id>` of these fields, by id, as their widgets draw it again."""
    sent = {each: request.form.getlist(f"field-{each.id}") for each in definitions}
    return {each.id: KINDS[each.kind].as_typed(typed) for each, typed in sent.items() if typed}
