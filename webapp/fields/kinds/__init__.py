"""Field types, one file each. To add one: write its file, add it to the list."""

from __future__ import annotations

from webapp.fields.kinds.base import FieldKind, InvalidValue
from webapp.fields.kinds.checkboxes import Checkboxes
from webapp.fields.kinds.date import Date
from webapp.fields.kinds.multi_select import MultiSelect
from webapp.fields.kinds.number import Number
from webapp.fields.kinds.single_select import SingleSelect
from webapp.fields.kinds.text import Text
from webapp.fields.kinds.text_area import TextArea
from webapp.fields.kinds.user import User
from webapp.registry import Registry

KINDS: Registry[FieldKind] = Registry(
    "field type",
    [Text(), TextArea(), Number(), Date(), SingleSelect(), MultiSelect(), Checkboxes(), User()],
)

__all__ = ["KINDS", "FieldKind", "InvalidValue"]
