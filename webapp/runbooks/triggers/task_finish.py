"""On Task Finish."""

from __future__ import annotations

from webapp.runbooks.triggers.base import Trigger


class TaskFinish(Trigger):
    key = "task_finish"
    label = "On Task Finish"
    hint = "Called when someone finishes the task. A task that is skipped does not call it."
    short = "On finish"
    when = "when the task is finished"
