"""What every type of task answers: how it is planned, what its start and finish do, and how a row shows it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from webapp.runbooks.rows import Action, Before, Call, Chip, Facts, Linked, chip_of_call
from webapp.runbooks.states import UNPROVEN, Result

if TYPE_CHECKING:
    from webapp.accounts.models import User
    from webapp.runbooks.models import Task


@dataclass(frozen=True)
class Seen:
    """A task as its chip shows it; what it has none of is None."""

    facts: Facts
    action: Action | None = None
    call: Call | None = None
    linked: Linked | None = None


class TaskType:
    """One type of task.

    `point`: it takes no time and is drawn as a diamond; its start is its finish. `asks_result`: its finish asks how it
    went. `links`: it starts another runbook. `plain`: it is chosen by its label; else by the name of an action.
    `auto_start`: a new one starts by itself; `may_auto_start`: it can at all.
    `duration_s` is that of a new one, in seconds. `start_verb` and `finish_verb` stand on its buttons,
    `auto_label` and `auto_hint` beside the box that has it start by itself.
    """

    key: str
    label: str
    hint: str = ""
    start_verb = "Start"
    finish_verb = "Finish"
    point = False
    asks_result = False
    links = False
    plain = True
    auto_start = False
    may_auto_start = True
    auto_label = "Starts by itself as soon as it can"
    auto_hint = "Not after a validation that failed or was not tested: then a person decides."
    duration_s = 300

    def chip(self, seen: Seen) -> Chip | None:
        """What a row says of it; None for nothing."""
        return chip_of_call(seen.call) if seen.call is not None else None

    def check_start(self, task: Task, by: User | None) -> None:
        """Raises NotNow where the type itself stands in the way of the start."""

    def started(self, task: Task, by: User | None, accepted: str) -> None:
        """What else its start does, in the open transaction. `accepted`: why in spite of warnings. Raises NotNow."""

    def check_finish(self, task: Task) -> None:
        """Raises NotNow where the type itself stands in the way of the finish."""

    def check_by_hand(self, task: Task) -> None:
        """Raises NotNow where it cannot be finished by hand."""

    def doubt(self, before: Sequence[Before]) -> str:
        """Why a person has to say that it starts, after what became of its predecessors; empty where nothing does."""
        return failed_before(before)


def failed_before(before: Sequence[Before]) -> str:
    """The validations among the predecessors that did not pass, in a sentence; empty where all did."""
    failed = [f"#{each.number} failed" for each in before if each.result == Result.FAIL]
    others = [
        f"#{each.number} was not tested"
        for each in before
        if each.result in UNPROVEN and each.result != Result.FAIL
    ]
    return " and ".join([*failed, *others])
