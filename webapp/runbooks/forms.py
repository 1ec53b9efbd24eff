"""Forms about runbooks, streams and tasks: from what was typed to clean values."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from flask_wtf.file import FileField, FileRequired
from wtforms import (
    BooleanField,
    HiddenField,
    IntegerField,
    RadioField,
    SelectField,
    StringField,
    TextAreaField,
    ValidationError,
)
from wtforms.validators import AnyOf, DataRequired, InputRequired, Length, NumberRange, Optional

from webapp.accounts.models import User
from webapp.forms import BaseForm, CheckboxesField, LocalTimeField, ZoneField
from webapp.integrations.models import Action
from webapp.runbooks import durations
from webapp.runbooks.audiences import AUDIENCES
from webapp.runbooks.clashes import Clash
from webapp.runbooks.models import Runbook, Stream, Task
from webapp.runbooks.operations import PEOPLE_CHANGES, BulkEdit, Plan, Seen, plan_of, written
from webapp.runbooks.queries import Link, Name
from webapp.runbooks.states import NOT_STARTED, UNPROVEN, Mode, Result
from webapp.runbooks.type_form import TYPE_FIELDS, TypeForm, type_values


class NewRunbookForm(BaseForm):
    """`workspace_id`'s choices are the workspaces in which the user may make runbooks.

    Those of `version_id` are the approved templates there; one that is chosen says the workspace.
    """

    name = StringField("Name", [DataRequired("Enter a name."), Length(max=200)])
    version_id = SelectField("From template", coerce=int, default=0)
    workspace_id = SelectField("Workspace", coerce=int)
    planned_start = LocalTimeField("Planned start", [Optional()])
    keep_assignees = BooleanField("Keep who is assigned", default=True)
    description = TextAreaField("Description", [Optional(), Length(max=5000)])
    time_zone = ZoneField("Time zone", [Optional()])


class PlanFileForm(BaseForm):
    """A file that holds a plan."""

    file = FileField("File", [FileRequired("Choose a file.")])


class NewPlanFileForm(PlanFileForm):
    """The same, for a new runbook. `workspace_id`'s choices are those in which the user may make runbooks."""

    name = StringField("Name of the new runbook", [DataRequired("Enter a name."), Length(max=200)])
    workspace_id = SelectField("Workspace", coerce=int)


class RunbookForm(BaseForm):
    """A runbook's own facts."""

    name = StringField("Name", [DataRequired("Enter a name."), Length(max=200)])
    description = TextAreaField("Description", [Optional(), Length(max=5000)])
    planned_start = LocalTimeField("Planned start", [Optional()])
    time_zone = ZoneField("Time zone", [Optional()])


class DuplicateRunbookForm(BaseForm):
    """What a copy of a runbook differs in."""

    name = StringField("Name", [DataRequired("Enter a name."), Length(max=200)])
    planned_start = LocalTimeField("Planned start", [Optional()])
    keep_assignees = BooleanField("Keep who is assigned", default=True)


class StartRunbookForm(BaseForm):
    """Which of the two buttons was pressed, what becomes of the plan's times, who is told, and why to start despite warnings."""

    mode = HiddenField("Mode", [AnyOf([each.value for each in Mode])])
    plan_times = RadioField(
        "Planned times",
        choices={"keep": "Keep planned times", "move": "Move the plan to start now"},
        default="keep",
    )
    accepted = TextAreaField(
        "Why start anyway?",
        [Optional(), Length(max=1000)],
        description="The reason and the warnings go into the audit log.",
    )
    audience = RadioField(
        "Who is notified?",
        [Optional(), AnyOf([each.key for each in AUDIENCES])],
        choices=AUDIENCES.choices(),
        validate_choice=False,
        description="They hear of the start, of pauses and the end, and when a task of theirs can be started. "
        "You are not counted: nobody is told of what they do themselves.",
    )

    def count(self, people: Mapping[str, int]) -> None:
        """Say behind each choice how many people that is, from audience to number."""
        self.audience.choices = {
            each.key: f"{each.label} ({people[each.key]:,} {'person' if people[each.key] == 1 else 'people'})"
            if each.key != "nobody"
            else each.label
            for each in AUDIENCES
        }


class MessageForm(BaseForm):
    """What everybody who looks at the runbook should know. Empty takes it down."""

    message = TextAreaField("Message", [Optional(), Length(max=300)])


class ReasonForm(BaseForm):
    reason = TextAreaField("Reason", [DataRequired("Write a reason."), Length(max=1000)])


class ResultForm(BaseForm):
    """What a validation found."""

    result = RadioField(
        "Result",
        [InputRequired("Choose one.")],
        choices={Result.PASS: "Pass", Result.FAIL: "Fail", Result.NOT_TESTED: "Not tested"},
    )
    comment = TextAreaField("Comment", [Length(max=1000)])

    def validate_comment(self, field: Any) -> None:
        if not field.data and self.result.data in UNPROVEN:
            raise ValidationError("Say what failed, or why it was not tested, so that others can decide.")


class AcceptForm(BaseForm):
    """Why a linked runbook starts although its pre-flight warns."""

    accepted = TextAreaField(
        "Why start anyway?",
        [DataRequired("Write a reason."), Length(max=1000)],
        description="The reason and the warnings go into the audit log.",
    )


class ResolveForm(BaseForm):
    """What a person found out about a request whose outcome is unknown."""

    outcome = RadioField(
        "Did it arrive?",
        [InputRequired("Choose one.")],
        choices={"succeeded": "Yes, it arrived", "failed": "No, it did not arrive"},
    )
    note = TextAreaField(
        "How do you know?",
        [DataRequired("Say how you know, so that others can rely on it."), Length(max=500)],
    )


class StreamForm(BaseForm):
    """A stream; `tops` are those that it may be part of."""

    name = StringField("Name", [DataRequired("Enter a name."), Length(max=120)])
    parent_id = SelectField("Part of", coerce=int, default=0)
    color = IntegerField("Color", [InputRequired(), NumberRange(0, 11)])

    _tops: Sequence[Stream]

    @classmethod
    def within(cls, tops: Sequence[Stream], **values: Any) -> StreamForm:
        """The form; with values it shows them instead of what was sent."""
        form = cls(**({"formdata": None, **values} if values else {}))
        form._tops = tops
        form.parent_id.choices = {0: "None", **{each.id: each.name for each in tops}}
        return form

    @property
    def parent(self) -> Stream | None:
        """The stream that was chosen."""
        return next((each for each in self._tops if each.id == self.parent_id.data), None)


class NewTaskForm(BaseForm):
    title = StringField("Task name", [DataRequired("Type a task name."), Length(max=300)])
    stream_id = HiddenField()
    after = HiddenField()


class NewTasksForm(BaseForm):
    """Several task names, one a line, as they were pasted."""

    titles = TextAreaField("Task names", [DataRequired("Type a task name.")])

    def validate_titles(self, field: Any) -> None:
        if any("\t" in line.strip() for line in self.lines):
            raise ValidationError(
                "That is more than one column. Paste one column of names, or use Import for all of them."
            )

    @property
    def lines(self) -> list[str]:
        return (self.titles.data or "").splitlines()


class CommentForm(BaseForm):
    body = TextAreaField("Comment", [DataRequired("Write something first."), Length(max=5000)])


# The fields of a TaskForm that can be changed in the list, in the order of its columns.
CELLS = ("title", "predecessors", "assignee_ids", "planned_start", "duration")


class TaskForm(TypeForm):
    """What the plan says of a task. Made with `for_task`, which fills in the choices and the present values.

    Each field carries what it shows as `data-was`; a page sends that back as `was-<field>` with a change, so that two
    people who change the same field are told of each other.
    """

    # What a Plan calls a field of the form, where it has another name there.
    PARTS = MappingProxyType(
        {
            "stream_id": "stream",
            "duration": "duration_s",
            "predecessors": "predecessor_ids",
            "assignee_ids": "assignees",
            "linked_runbook_id": "linked_runbook",
        }
    )

    title = StringField("Name", [DataRequired("Enter a name."), Length(max=300)])
    description = TextAreaField("Description", [Optional(), Length(max=10_000)])
    stream_id = SelectField("Stream", coerce=int)
    duration = StringField("Duration", [DataRequired("Write a duration such as 15m.")])
    planned_start = LocalTimeField("Planned start", [Optional()])
    predecessors = StringField("Waits for")
    assignee_ids = CheckboxesField("Assigned to", coerce=int)

    clashes: Mapping[str, Clash] = MappingProxyType({})  # by field: what someone else was first to change

    _task: Task
    _links: Sequence[Link]
    _names: Sequence[Name]
    _streams: Sequence[Stream]
    _people: Sequence[User]
    _present: dict[str, Any]

    @classmethod
    def for_task(
        cls,
        task: Task,
        *,
        links: Sequence[Link],
        names: Sequence[Name],
        streams: Sequence[Stream],
        people: Sequence[User],
        actions: Sequence[Action],
        linkable: Sequence[Runbook],
        typed: bool,
    ) -> TaskForm:
        """The form of one task; `typed` reads it from the request instead of from the task."""
        present = _present(task, links)
        form = cls(**({} if typed else {"formdata": None}), data=present)
        form._present = present
        form._task, form._links, form._names = task, links, names
        form._streams, form._people = streams, people
        form.stream_id.choices = [(each.id, each.full_name) for each in streams]
        form.assignee_ids.choices = [(each.id, each.name) for each in people]
        form.offer(task, actions, linkable)
        if task.state not in NOT_STARTED:
            for name in ("stream_id", "duration", "planned_start", "predecessors", *TYPE_FIELDS):
                delattr(form, name)
        form._remember()
        return form

    def _remember(self) -> None:
        numbers = {each.id: each.number for each in self._names}
        stands = written(plan_of(self._task, [link.id for link in self._links]), numbers)
        for field in self:
            was = stands.get(self.part_of(field.short_name))
            if was is not None:
                field.render_kw = {**(field.render_kw or {}), "data-was": was}

    @classmethod
    def part_of(cls, name: str) -> str:
        """What a Plan calls that field."""
        return cls.PARTS.get(name, name)

    def seen(self, typed: Mapping[str, str], names: Collection[str]) -> Seen:
        """What the person saw in the fields of these names, out of what was sent; None where the page does not say."""
        known = [
            field.short_name
            for field in self
            if field.short_name in names and field.short_name in self._present
        ]
        return {self.part_of(name): typed.get(f"was-{name}") for name in known}

    def keep_seen(self, typed: Mapping[str, str]) -> None:
        """What was not saved was still typed over what the person saw, not over what stands there by now."""
        for field in self:
            was = typed.get(f"was-{field.short_name}")
            if was is not None and field.render_kw and "data-was" in field.render_kw:
                field.render_kw = {**field.render_kw, "data-was": was}

    def take_only(self, names: Collection[str]) -> None:
        """Keep what was typed into the fields of these names; the others are as they stand by now.

        A page sends its whole form, and what it holds of the other fields may be older than someone else's change.
        """
        for field in self:
            if field.short_name in self._present and field.short_name not in names:
                field.process(None, self._present[field.short_name])

    def validate_duration(self, field: Any) -> None:
        try:
            durations.parse(field.data or "")
        except ValueError as error:
            raise ValidationError(str(error)) from None

    def validate_predecessors(self, field: Any) -> None:
        try:
            pick(field.data or "", self._names, but=self._task.id)
        except ValueError as error:
            raise ValidationError(str(error)) from None

    def plan(self) -> Plan:
        """The validated form as a Plan."""
        task, chosen = self._task, set(self.assignee_ids.data or ())
        kept = [each for each in task.assignees if each.id not in {person.id for person in self._people}]
        common: dict[str, Any] = {
            "title": self.title.data or "",
            "description": self.description.data or "",
            "assignees": [*kept, *(each for each in self._people if each.id in chosen)],
        }
        if "duration" not in self:  # it has started: the rest of the plan stays
            return replace(plan_of(task, [link.id for link in self._links]), **common)
        return Plan(
            **common,
            **self.ways(),
            stream=next(each for each in self._streams if each.id == self.stream_id.data),
            duration_s=durations.parse(self.duration.data or ""),
            planned_start=self.planned_start.moment,
            predecessor_ids=pick(self.predecessors.data or "", self._names, but=task.id),
        )


class BulkForm(BaseForm):
    """What to change in several tasks at once; what is left empty stays. Made with `within`, which fills the choices."""

    stream_id = SelectField("Stream", coerce=int, default=0)
    duration = StringField("Duration", [Optional()])
    shift = StringField("Shift planned starts by", [Optional()])
    people_how = SelectField(
        "People",
        choices={
            "": "Leave as they are",
            "add": "Assign as well",
            "remove": "Take off",
            "replace": "Assign these and nobody else",
        },
        default="",
    )
    people_ids = CheckboxesField("Which people", coerce=int)
    links_how = SelectField(
        "Waits for",
        choices={
            "": "Leave as it is",
            "add": "These tasks as well",
            "remove": "No longer these tasks",
            "replace": "These tasks and no others",
            "chain": "Each for the one before it, in their order",
        },
        default="",
    )
    predecessors = StringField("Which tasks", [Optional()])

    _streams: Sequence[Stream]
    _people: Sequence[User]
    _names: Sequence[Name]

    @classmethod
    def within(
        cls, streams: Sequence[Stream], people: Sequence[User], names: Sequence[Name], *, typed: bool
    ) -> BulkForm:
        """The form for one runbook; `typed` reads it from the request."""
        form = cls(**({} if typed else {"formdata": None}))
        form._streams, form._people, form._names = streams, people, names
        form.stream_id.choices = {0: "Leave as it is", **{each.id: each.full_name for each in streams}}
        form.people_ids.choices = {each.id: each.name for each in people}
        return form

    def validate_duration(self, field: Any) -> None:
        _check(durations.parse, field.data)

    def validate_shift(self, field: Any) -> None:
        _check(_signed, field.data)

    def validate_people_ids(self, field: Any) -> None:
        if field.data and not self.people_how.data:
            raise ValidationError("Choose above what to do with these people.")
        if not field.data and self.people_how.data in set(PEOPLE_CHANGES) - {"replace"}:
            raise ValidationError("Choose at least one person.")

    def validate_predecessors(self, field: Any) -> None:
        if field.data and self.links_how.data in ("", "chain"):
            raise ValidationError("Choose above that they wait for these tasks, or leave this empty.")
        try:
            pick(field.data, self._names)
        except ValueError as error:
            raise ValidationError(str(error)) from None

    def validate_links_how(self, field: Any) -> None:
        if field.data in ("add", "remove") and not (self.predecessors.data or "").strip():
            raise ValidationError("Write below which tasks, by number or name.")

    def validate(self, extra_validators: Any = None) -> bool:
        fine: bool = super().validate(extra_validators)
        if fine and self.edit() == BulkEdit():
            self.stream_id.errors = ["Nothing is chosen yet. Fill in at least one field."]
            return False
        return fine

    def edit(self) -> BulkEdit:
        """The validated form as a BulkEdit."""
        chosen = set(self.people_ids.data or ())
        return BulkEdit(
            stream=next((each for each in self._streams if each.id == self.stream_id.data), None),
            duration_s=durations.parse(self.duration.data) if self.duration.data else None,
            shift_s=_signed(self.shift.data) if self.shift.data else 0,
            people_how=self.people_how.data or "",
            people=tuple(each for each in self._people if each.id in chosen),
            links_how=self.links_how.data or "",
            predecessor_ids=tuple(pick(self.predecessors.data or "", self._names)),
        )


def _check(parse: Callable[[str], int], typed: str) -> None:
    try:
        parse(typed)
    except ValueError as error:
        raise ValidationError(str(error)) from None


def _signed(typed: str) -> int:
    """Seconds out of "+15m", "15m" or "-1h 30m". Raises ValueError with a sentence for people."""
    text = typed.strip().replace("\u2212", "-")
    try:
        seconds = durations.parse(text[1:] if text[:1] in ("+", "-") else text)
    except ValueError:
        seconds = 0
    if not seconds:
        raise ValueError("Write how far, such as 15m, or -1h 30m for earlier; at most 30 days.")
    return -seconds if text.startswith("-") else seconds


def pick(typed: str, names: Sequence[Name], *, but: int | None = None) -> list[int]:
    """Task ids out of "12, 15" or names, in the order typed. Raises ValueError with a sentence for people.

    `but` is the task that they are picked for.
    """
    found: list[int] = []
    for part in re.split(r"[,;\n]", typed):
        text = part.strip()
        if not text:
            continue
        task_id = _pick_one(text, names)
        if task_id == but:
            raise ValueError("A task cannot wait for itself.")
        if task_id not in found:
            found.append(task_id)
    return found


def _pick_one(text: str, names: Sequence[Name]) -> int:
    number = re.fullmatch(r"#?(\d{1,9})(?:\s.*)?", text)
    if number:
        for each in names:
            if each.number == int(number[1]):
                return each.id
        if text.lstrip("#").isdigit():
            raise ValueError(f"There is no task #{int(number[1])}.")
    wanted = text.lower()
    exact = [each for each in names if each.title.lower() == wanted]
    fitting = exact or [each for each in names if wanted in each.title.lower()]
    if not fitting:
        raise ValueError(f"No task is called “{text}”. Write its number or name.")
    if len(fitting) > 1:
        numbers = ", ".join(f"#{each.number}" for each in fitting[:5])
        raise ValueError(f"“{text}” fits several tasks: {numbers}. Write the number.")
    return fitting[0].id


def runbook_values(runbook: Runbook) -> dict[str, Any]:
    """The present values of a RunbookForm."""
    return {
        "name": runbook.name,
        "description": runbook.description,
        "planned_start": runbook.planned_start,
        "time_zone": runbook.time_zone,
    }


def _present(task: Task, links: Sequence[Link]) -> dict[str, Any]:
    return {
        "title": task.title,
        "description": task.description,
        "stream_id": task.stream_id,
        "duration": durations.shown(task.duration_s),
        "planned_start": task.planned_start,
        "predecessors": ", ".join(str(link.number) for link in links),
        "assignee_ids": [each.id for each in task.assignees],
        **type_values(task),
    }
