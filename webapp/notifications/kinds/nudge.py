"""Someone waits for the person to authenticate."""

from __future__ import annotations

from webapp.notifications.kinds.base import NotificationKind


class Nudge(NotificationKind):
    key = "nudge"
    label = "Nudges"
    when = "Someone waits for you to authenticate for a task."
    icon = "key"
    may_be_muted = False
