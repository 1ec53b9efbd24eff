"""On Task Start."""

from __future__ import annotations

from webapp.runbooks.triggers.base import Trigger


class TaskStart(Trigger):
    key = "task_start"
    label = "On Task Start"
    hint = "Called when someone starts the task, or when it starts by itself."
    short = "On start"
    when = "when the task starts"
