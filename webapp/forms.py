"""What forms share: the base form, the write-only secret field, many-choice fields that show as checkboxes."""

from __future__ import annotations

from typing import Any

from flask_wtf import FlaskForm
from wtforms import Field, IntegerField, PasswordField, SelectMultipleField, widgets


def strip(value: Any) -> Any:
    """A filter: text without the white space around it."""
    return value.strip() if isinstance(value, str) else value


class BaseForm(FlaskForm):
    """A form whose text fields lose the white space around them."""

    class Meta(FlaskForm.Meta):
        def bind_field(self, form: Any, unbound_field: Any, options: dict[str, Any]) -> Field:
            filters = list(unbound_field.kwargs.get("filters", ()))
            if (
                not issubclass(unbound_field.field_class, (PasswordField, SelectMultipleField))
                and strip not in filters
            ):
                filters.append(strip)
            bound: Field = unbound_field.bind(form=form, filters=filters, **options)
            return bound


class SecretField(PasswordField):
    """A secret that is written and never shown again. Left empty it keeps what is stored.

    `saved` (set by the view) says whether something is stored, `saved_note` who stored it and when.
    """

    saved: bool = False
    saved_note: str = ""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        options.setdefault("render_kw", {}).setdefault("autocomplete", "new-password")
        super().__init__(*arguments, **options)


class WholeNumberField(IntegerField):
    """A whole number. What is none counts as out of range, so that the validators' one sentence serves for both."""

    def process_formdata(self, valuelist: Any) -> None:
        try:
            super().process_formdata(valuelist)
        except ValueError:
            self.data = None


class CheckboxesField(SelectMultipleField):
    """Several of many, as a list of checkboxes."""

    widget = widgets.ListWidget(prefix_label=False)
    option_widget = widgets.CheckboxInput()
