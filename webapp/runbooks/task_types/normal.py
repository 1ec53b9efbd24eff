"""A task that someone does."""

from __future__ import annotations

from webapp.runbooks.task_types.base import TaskType


class Normal(TaskType):
    key = "normal"
    label = "Task"
    hint = "Someone starts it, does it and finishes it."
