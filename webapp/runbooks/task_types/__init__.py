"""Types of task, one file each. To add one: write its file, add it to the list."""

from __future__ import annotations

from functools import cache

from webapp.registry import Registry
from webapp.runbooks.task_types.base import Seen, TaskType
from webapp.runbooks.task_types.integration import Integration
from webapp.runbooks.task_types.linked_runbook import LinkedRunbook
from webapp.runbooks.task_types.milestone import Milestone
from webapp.runbooks.task_types.normal import Normal
from webapp.runbooks.task_types.unknown import Unknown
from webapp.runbooks.task_types.validation import Validation

TASK_TYPES: Registry[TaskType] = Registry(
    "task type", [Normal(), Milestone(), Validation(), LinkedRunbook(), Integration()]
)

__all__ = ["TASK_TYPES", "Seen", "TaskType", "type_of"]


@cache
def type_of(key: str) -> TaskType:
    """The type of that key, or one that says that it is no longer available."""
    return TASK_TYPES.get(key) or Unknown(key)
