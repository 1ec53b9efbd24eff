"""A rehearsal or live run has begun."""

from __future__ import annotations

from webapp.notifications.kinds.base import NotificationKind


class RunbookStarted(NotificationKind):
    key = "runbook_started"
    label = "Starts"
    when = "A rehearsal or live run that you take part in is started."
    icon = "rocket"
