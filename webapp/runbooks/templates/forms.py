"""Forms about templates and snippets."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from wtforms import BooleanField, RadioField, SelectField, StringField, TextAreaField, ValidationError
from wtforms.validators import DataRequired, Length, NumberRange, Optional

from webapp.forms import BaseForm
from webapp.runbooks.forms import pick
from webapp.runbooks.models import Stream
from webapp.runbooks.queries import Name
from webapp.runbooks.templates.models import TemplateVersion

NO_TASK = 0
NEW, NEXT = "new", "next"


class TemplateForm(BaseForm):
    """What a template or snippet is called."""

    name = StringField("Name", [DataRequired("Enter a name."), Length(max=200)])
    description = TextAreaField("Description", [Optional(), Length(max=5000)])


class SaveSnippetForm(TemplateForm):
    """A new snippet of some tasks."""

    keep_assignees = BooleanField("Keep who is assigned", default=False)


class SaveTemplateForm(BaseForm):
    """A template of a runbook: a new one, or the next version of the one from which the runbook came."""

    target = RadioField("Save as", choices={NEW: "A new template"}, default=NEW)
    name = StringField("Name", [Length(max=200)])
    description = TextAreaField("Description", [Optional(), Length(max=5000)])
    note = TextAreaField("What changes", [Optional(), Length(max=2000)])
    keep_assignees = BooleanField("Keep who is assigned", default=False)

    def validate_name(self, field: Any) -> None:
        if self.target.data == NEW and not field.data:
            raise ValidationError("Enter a name.")


class NoteForm(BaseForm):
    """What a version changes against the one before."""

    note = TextAreaField("What changes", [Optional(), Length(max=2000)])


class InsertSnippetForm(BaseForm):
    """Which snippet goes where into a plan. Made with `within`, which fills the choices."""

    version_id = SelectField(
        "Snippet", [NumberRange(min=1, message="Choose a snippet.")], coerce=int, default=NO_TASK
    )
    stream_id = SelectField("Into", coerce=int, default=0)
    wait_for = StringField("Wait for", [Optional()])
    keep_assignees = BooleanField("Keep who is assigned", default=True)

    _names: Sequence[Name]

    @classmethod
    def within(
        cls,
        snippets: Sequence[TemplateVersion],
        streams: Sequence[Stream],
        names: Sequence[Name],
        *,
        typed: bool,
        stream_id: int = 0,
    ) -> InsertSnippetForm:
        """The form for one runbook; `typed` reads it from the request."""
        form = cls(**({} if typed else {"formdata": None, "stream_id": stream_id}))
        form._names = names
        form.version_id.choices = [(0, "Choose a snippet")] + [
            (each.id, f"{each.template.name}, version {each.number}") for each in snippets
        ]
        form.stream_id.choices = [(0, "New streams, as in the snippet")] + [
            (each.id, each.full_name) for each in streams
        ]
        return form

    def validate_wait_for(self, field: Any) -> None:
        try:
            self.task_ids()
        except ValueError as error:
            raise ValidationError(str(error)) from None

    def task_ids(self) -> list[int]:
        """The tasks to wait for. Raises ValueError with a sentence for people."""
        return pick(self.wait_for.data or "", self._names, but=NO_TASK)
