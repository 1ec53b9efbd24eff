"""A runbook under way shows a message to everybody."""

from __future__ import annotations

from webapp.notifications.kinds.base import NotificationKind


class Message(NotificationKind):
    key = "message"
    label = "Messages to everyone"
    when = "The message at the top of a runbook under way changes."
    icon = "message-2"
