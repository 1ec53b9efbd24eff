"""A task that calls another system: one type for each integration action, all of this class."""

from __future__ import annotations

from webapp.integrations.rehearsals import Destination
from webapp.runbooks.rows import Chip, chip_of_call
from webapp.runbooks.task_types.base import Seen, TaskType


class Integration(TaskType):
    """Which action it calls, and when, stands in the action; its triggers make the call."""

    key = "integration"
    label = "Integration"
    plain = False
    hint = "Calls another system. What is called, and when, is set in Settings > Integrations."

    def chip(self, seen: Seen) -> Chip | None:
        action = seen.action
        if seen.call is not None or action is None:
            return chip_of_call(seen.call) if seen.call is not None else None
        name = f"{action.connection}: {action.name}"
        if action.destination == Destination.NOWHERE:
            return Chip("Not called", "line", "plug-x", f"{name} is not called in this rehearsal")
        if action.destination == Destination.SANDBOX:
            return Chip("Sandbox", "line", "test-pipe", f"{name} calls its sandbox in this rehearsal")
        if action.auto_start or seen.facts.auto_start:
            return Chip("Auto", "", "bolt", f"{name}, starts by itself")
        return Chip(action.short, "", "plug", name)
