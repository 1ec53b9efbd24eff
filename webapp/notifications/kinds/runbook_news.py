"""A rehearsal or live run was paused, resumed, completed or cancelled."""

from __future__ import annotations

from webapp.notifications.kinds.base import NotificationKind


class RunbookNews(NotificationKind):
    key = "runbook_news"
    label = "Pauses and ends"
    when = "What you were told the start of is paused, resumed, completed or cancelled."
    icon = "flag"
