"""The part of a task's form that says what type it is, and how it starts and finishes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from wtforms import BooleanField, SelectField, ValidationError
from wtforms.validators import NumberRange

from webapp.forms import BaseForm, WholeNumberField
from webapp.integrations.models import Action
from webapp.runbooks.models import Runbook, Task
from webapp.runbooks.rules import FINISH_RULES, LABELS, OF_SEVERAL, START_RULES, Rule
from webapp.runbooks.task_types import TASK_TYPES, type_of

TYPE_FIELDS = (
    "type",
    "linked_runbook_id",
    "fixed_start",
    "auto_start",
    "start_rule",
    "start_quorum",
    "finish_rule",
    "finish_quorum",
)
_ACTION = "action:"
_QUORUM = "Write how many, from 1 to 99."


class TypeForm(BaseForm):
    """One list of types: the plain ones, then each integration action by its name. Filled in with `offer`."""

    type = SelectField("Type")
    linked_runbook_id = SelectField("Runbook that it starts", coerce=int)
    fixed_start = BooleanField("May not start before its planned start")
    auto_start = BooleanField("Starts by itself as soon as it can")
    start_rule = SelectField("Who starts it")
    start_quorum = WholeNumberField("How many start it", [NumberRange(1, 99, _QUORUM)])
    finish_rule = SelectField("Who finishes it")
    finish_quorum = WholeNumberField("How many finish it", [NumberRange(1, 99, _QUORUM)])

    _was: dict[str, Any]
    _offered: Sequence[Action]
    _linkable: Sequence[Runbook]

    def offer(self, task: Task, actions: Sequence[Action], linkable: Sequence[Runbook]) -> None:
        """Fill in the choices: what is visible here, and what the task has already."""
        self._was = type_values(task)
        known = {each.id for each in actions}
        kept = [task.action] if task.action is not None and task.action_id not in known else []
        self._offered = [*actions, *kept]
        known = {each.id for each in linkable}
        linked = task.linked_runbook
        self._linkable = [*linkable, *([linked] if linked is not None and linked.id not in known else [])]
        plain = [(each.key, each.label) for each in TASK_TYPES if each.plain]
        if task.type not in TASK_TYPES:
            plain.append((task.type, type_of(task.type).label))
        named = [(f"{_ACTION}{each.id}", f"{each.connection.name}: {each.name}") for each in self._offered]
        self.type.choices = {"Tasks": plain, "Integration actions": named} if named else {"Tasks": plain}
        self.linked_runbook_id.choices = [(0, "None yet"), *((each.id, each.name) for each in self._linkable)]
        self.auto_start.label.text = type_of(task.type).auto_label
        self.start_rule.choices = _choices(START_RULES, task.start_rule)
        self.finish_rule.choices = _choices(FINISH_RULES, task.finish_rule)

    def validate_fixed_start(self, field: Any) -> None:
        if field.data and not self._was["fixed_start"] and not self.planned_start.data:
            raise ValidationError("Write the planned start first.")

    def validate_auto_start(self, field: Any) -> None:
        if field.data and not self._was["auto_start"] and self.start_rule.data in OF_SEVERAL:
            raise ValidationError("Several people start it together, so it does not start by itself.")

    def validate_start_quorum(self, field: Any) -> None:
        self._check_quorum("start", field)

    def validate_finish_quorum(self, field: Any) -> None:
        self._check_quorum("finish", field)

    def _check_quorum(self, moment: str, field: Any) -> None:
        """Not more people than are assigned. Taking people off later is allowed, and pre-flight warns of it."""
        rule, people = self[f"{moment}_rule"].data, len(self.assignee_ids.data or ())
        changed = (rule, field.data) != (self._was[f"{moment}_rule"], self._was[f"{moment}_quorum"])
        if changed and rule == Rule.AT_LEAST and field.data and people < field.data:
            there = "Nobody is" if not people else "1 person is" if people == 1 else f"{people} people are"
            raise ValidationError(f"{there} assigned. Assign more people, or write a smaller number.")

    def ways(self) -> dict[str, Any]:
        """The validated fields, by the names that a Plan has for them."""
        chosen = self.type.data
        action = None
        if chosen.startswith(_ACTION):
            action = next(each for each in self._offered if f"{_ACTION}{each.id}" == chosen)
        return {
            "type": "integration" if action is not None else chosen,
            "action": action,
            "linked_runbook": next(
                (each for each in self._linkable if each.id == self.linked_runbook_id.data), None
            ),
            **{name: self[name].data for name in TYPE_FIELDS[2:]},
        }


def type_values(task: Task) -> dict[str, Any]:
    """The present values of the fields."""
    return {
        "type": task.type if task.action_id is None else f"{_ACTION}{task.action_id}",
        "linked_runbook_id": task.linked_runbook_id or 0,
        **{name: getattr(task, name) for name in TYPE_FIELDS[2:]},
    }


def _choices(rules: Sequence[Rule], present: str) -> dict[str, str]:
    found = {str(each): LABELS[each] for each in rules}
    return found if present in found else {**found, present: f"{present} (no longer available)"}
