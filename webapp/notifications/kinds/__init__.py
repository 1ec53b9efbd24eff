"""Kinds of notification, one file each. To add one: write its file, add it to the list, and `notify` of it."""

from __future__ import annotations

from webapp.notifications.kinds.base import NotificationKind
from webapp.notifications.kinds.mention import Mention
from webapp.notifications.kinds.message import Message
from webapp.notifications.kinds.nudge import Nudge
from webapp.notifications.kinds.runbook_news import RunbookNews
from webapp.notifications.kinds.runbook_started import RunbookStarted
from webapp.notifications.kinds.task_assigned import TaskAssigned
from webapp.notifications.kinds.task_ready import TaskReady
from webapp.notifications.kinds.template import Template
from webapp.registry import Registry

KINDS: Registry[NotificationKind] = Registry(
    "notification",
    [Mention(), TaskReady(), TaskAssigned(), RunbookStarted(), RunbookNews(), Message(), Template(), Nudge()],
)

__all__ = ["KINDS", "NotificationKind"]
