"""Several of the options, as checkboxes that are all in sight."""

from __future__ import annotations

from webapp.fields.kinds.multi_select import MultiSelect


class Checkboxes(MultiSelect):
    key = "checkboxes"
    label = "Checkboxes"
    widget = "checkboxes"
