"""Someone wrote the person's name in a comment."""

from __future__ import annotations

from webapp.notifications.kinds.base import NotificationKind


class Mention(NotificationKind):
    key = "mention"
    label = "Mentions"
    when = "Someone writes @ and your name in a comment."
    icon = "at"
