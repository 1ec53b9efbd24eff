"""The person was given a task of a runbook under way."""

from __future__ import annotations

from webapp.notifications.kinds.base import NotificationKind


class TaskAssigned(NotificationKind):
    key = "task_assigned"
    label = "Tasks given to you"
    when = "Someone assigns a task to you while its runbook is under way."
    icon = "user-plus"
