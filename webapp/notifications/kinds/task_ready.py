"""A task of the person's can be started."""

from __future__ import annotations

from webapp.notifications.kinds.base import NotificationKind


class TaskReady(NotificationKind):
    key = "task_ready"
    label = "Tasks that are ready"
    when = "A task that is assigned to you can be started."
    icon = "player-play"
