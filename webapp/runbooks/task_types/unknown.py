"""What stands in for a type that this version does not have."""

from __future__ import annotations

from webapp.runbooks.rows import Chip
from webapp.runbooks.task_types.base import Seen, TaskType


class Unknown(TaskType):
    """It is run as a plain task is."""

    may_auto_start = False

    def __init__(self, key: str) -> None:
        self.key = key
        self.label = f"{key} (no longer available)"

    def chip(self, seen: Seen) -> Chip | None:
        return Chip("Unknown type", "warn", "question-mark", f"The type {self.label}")
