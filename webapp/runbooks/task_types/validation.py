"""A task whose finish says whether something is as it should be."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from webapp.runbooks.refusals import NotNow
from webapp.runbooks.rows import Chip
from webapp.runbooks.states import Result
from webapp.runbooks.task_types.base import Seen, TaskType

if TYPE_CHECKING:
    from webapp.runbooks.models import Task

_LOOKS = MappingProxyType(
    {
        Result.PASS: ("ok", "check"),
        Result.FAIL: ("bad", "alert-triangle"),
        Result.NOT_TESTED: ("warn", "question-mark"),
    }
)


class Validation(TaskType):
    key = "validation"
    label = "Validation"
    hint = "Finishing it asks for the result: pass, fail or not tested."
    asks_result = True

    def chip(self, seen: Seen) -> Chip | None:
        if seen.facts.result is None:
            return Chip(self.label, "line", "checklist", "Its finish asks for the result")
        found = Result(seen.facts.result)
        tone, icon = _LOOKS[found]
        return Chip(found.word, tone, icon, f"Validation: {found.word.lower()}")

    def check_by_hand(self, task: Task) -> None:
        raise NotNow("A validation is finished with its result. Where it cannot be tested, say “not tested”.")
