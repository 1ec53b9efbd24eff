"""What forms share: the base form, the write-only secret field, many choices as checkboxes, times and their zones."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask_wtf import FlaskForm
from wtforms import (
    DateTimeLocalField,
    Field,
    IntegerField,
    PasswordField,
    SelectMultipleField,
    StringField,
    ValidationError,
    widgets,
)

from webapp import zones


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


class LocalTimeField(DateTimeLocalField):
    """A moment, typed as local time in the zone that the page shows; `forms.field` says which, and sends it along.

    What it is made with is an aware moment. `moment` is what was typed, as aware UTC.
    """

    data: Any  # a naive datetime, or None

    def process_data(self, value: datetime | None) -> None:
        self.zone = zones.typed()
        self._before = value
        super().process_data(zones.to_local(value, self.zone))

    def pre_validate(self, form: Any) -> None:
        try:
            zones.to_utc(self.data, self.zone, before=self._before)
        except zones.NoSuchTime as wrong:
            raise ValidationError(str(wrong)) from None

    @property
    def moment(self) -> datetime | None:
        """What was typed, or what stood there where that was not changed. Raises NoSuchTime, which validating says."""
        return zones.to_utc(self.data, self.zone, before=self._before)

    @property
    def twice(self) -> str:
        """Which of two times this is, in the night in which the clocks go back."""
        try:
            return zones.twice(self.moment, self.zone)
        except zones.NoSuchTime:
            return ""


class ZoneField(StringField):
    """A time zone, found by its name or its city; `data` is its name."""

    data: Any

    def process_formdata(self, valuelist: Any) -> None:
        super().process_formdata(valuelist)
        if self.data:
            self.data = zones.find(self.data)


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
