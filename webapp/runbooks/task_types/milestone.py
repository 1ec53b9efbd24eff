"""A point of the plan that is reached."""

from __future__ import annotations

from collections.abc import Sequence

from webapp.runbooks.rows import Before, Chip
from webapp.runbooks.task_types.base import Seen, TaskType, failed_before


class Milestone(TaskType):
    """It takes no time. It is reached by itself only where all that it stands for was really done."""

    key = "milestone"
    label = "Milestone"
    hint = "Takes no time. It is reached once all that it waits for is done."
    start_verb = "Reached"
    point = True
    auto_start = True
    auto_label = "Reached by itself once all that it waits for is done"
    auto_hint = "Where something before it was skipped or did not pass, a person decides, as for one that waits for nothing."
    duration_s = 0

    def chip(self, seen: Seen) -> Chip | None:
        return Chip("Milestone", "line", "flag", "Reached by itself" if seen.facts.auto_start else "")

    def doubt(self, before: Sequence[Before]) -> str:
        skipped = [f"#{each.number} was skipped" for each in before if each.skipped]
        return " and ".join(filter(None, (failed_before(before), *skipped)))
