"""A version of a template waits for the person's approval, or one of theirs was decided."""

from __future__ import annotations

from webapp.notifications.kinds.base import NotificationKind


class Template(NotificationKind):
    key = "template"
    label = "Templates"
    when = "A template or snippet waits for your approval, or one of yours is approved or sent back."
    icon = "template"
