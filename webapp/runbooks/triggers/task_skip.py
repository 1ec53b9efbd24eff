"""On Task Skip."""

from __future__ import annotations

from webapp.runbooks.triggers.base import Trigger


class TaskSkip(Trigger):
    key = "task_skip"
    label = "On Task Skip"
    hint = "Called when someone skips the task."
    short = "On skip"
    when = "when the task is skipped"
