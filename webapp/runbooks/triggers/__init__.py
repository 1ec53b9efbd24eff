"""Triggers, one file each. To add one: write its file, add it to the list, and call it in the operation it names."""

from __future__ import annotations

from webapp.registry import Registry
from webapp.runbooks.triggers.base import Trigger, destination_of
from webapp.runbooks.triggers.runbook_finish import RunbookFinish
from webapp.runbooks.triggers.runbook_start import RunbookStart
from webapp.runbooks.triggers.task_finish import TaskFinish
from webapp.runbooks.triggers.task_skip import TaskSkip
from webapp.runbooks.triggers.task_start import TaskStart

TRIGGERS: Registry[Trigger] = Registry(
    "trigger", [TaskStart(), TaskFinish(), TaskSkip(), RunbookStart(), RunbookFinish()]
)

__all__ = ["TRIGGERS", "Trigger", "destination_of"]
