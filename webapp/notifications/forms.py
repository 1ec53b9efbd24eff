"""The form in which people turn kinds of notification off."""

from __future__ import annotations

from webapp.forms import BaseForm, CheckboxesField
from webapp.notifications.kinds import KINDS


class KindsForm(BaseForm):
    kinds = CheckboxesField(
        "Tell me of", choices={kind.key: kind.label for kind in KINDS if kind.may_be_muted}
    )
