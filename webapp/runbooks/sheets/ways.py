"""What a row says of its task's type, and of how it starts and finishes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from webapp.runbooks import rules
from webapp.runbooks.rules import OF_SEVERAL, Rule
from webapp.runbooks.sheets.values import short

if TYPE_CHECKING:
    from webapp.runbooks.sheets.plan import PlannedTask

_YES = frozenset({"yes", "y", "true", "1", "x", "ja", "j"})
_NO = frozenset({"no", "n", "false", "0", "nein", "-"})

Cell = Callable[[str], str]
Wrong = Callable[[str, str, str], None]


@dataclass(frozen=True)
class OfferedType:
    """A type that a task can have: a plain one, or that of an action. The rest is as the type has it."""

    key: str
    action_id: int | None = None
    point: bool = False
    links: bool = False
    auto_start: bool = False
    may_auto_start: bool = True


@dataclass(frozen=True)
class OfferedRunbook:
    """A runbook that a task can start; `refusal` says why this plan's cannot, such as a loop."""

    id: int
    refusal: str = ""


@dataclass(frozen=True)
class OfferedWays:
    """What a plan's workspace has, by names in small letters; several runbooks may share one."""

    types: Mapping[str, OfferedType] = field(default_factory=dict)
    runbooks: Mapping[str, Sequence[OfferedRunbook]] = field(default_factory=dict)


def read_ways(task: PlannedTask, cell: Cell, wrong: Wrong, offered: OfferedWays) -> None:
    """Fill them in. `cell` gives the row's text for a column's key; `wrong` hears of a key, the cause and a remedy."""
    kind = _type(cell, wrong, offered)
    if kind is not None:
        task.type, task.action_id, task.auto_start = kind.key, kind.action_id, kind.auto_start
        if kind.point:
            if cell("duration") and task.duration_s:
                wrong(
                    "duration",
                    "A milestone takes no time.",
                    "Leave its duration empty, or choose another type.",
                )
            task.duration_s = 0
    task.linked_id = _runbook(kind, cell, wrong, offered)
    task.fixed_start = _yes("fixed", cell, wrong) or False
    if task.fixed_start and task.start is None and not cell("start"):
        wrong("fixed", "There is no planned start to wait for.", "Write the planned start, or “No” here.")
    by_itself = _yes("by_itself", cell, wrong)
    if by_itself is not None:
        task.auto_start = by_itself
    task.start_rule, task.start_quorum = _rule("start_rule", task, cell, wrong)
    task.finish_rule, task.finish_quorum = _rule("finish_rule", task, cell, wrong)
    if by_itself and (task.start_rule in OF_SEVERAL or (kind is not None and not kind.may_auto_start)):
        wrong("by_itself", "It cannot start by itself, because people start it.", "Write “No” here.")
    if task.start_rule in OF_SEVERAL:
        task.auto_start = False


def _type(cell: Cell, wrong: Wrong, offered: OfferedWays) -> OfferedType | None:
    typed = cell("type")
    if not typed:
        return None
    found = offered.types.get(" ".join(typed.lower().split()))
    if found is None:
        wrong(
            "type",
            f"There is no type “{short(typed)}” here.",
            "Write Task, Milestone, Validation, Linked runbook or the name of an integration action of this "
            "workspace, or leave this column out.",
        )
    return found


def _runbook(kind: OfferedType | None, cell: Cell, wrong: Wrong, offered: OfferedWays) -> int | None:
    typed = cell("linked")
    if not typed:
        return None
    if kind is None or not kind.links:
        wrong(
            "linked",
            "Only a task of the type Linked runbook starts one.",
            "Correct its type, or empty this cell.",
        )
        return None
    found = offered.runbooks.get(" ".join(typed.lower().split()), ())
    if len(found) == 1 and not found[0].refusal:
        return found[0].id
    if len(found) > 1:
        cause = f"{len(found)} runbooks are called “{short(typed)}”."
        wrong("linked", cause, "Rename one of them, or choose the runbook on the task later.")
    elif found:
        wrong("linked", found[0].refusal, "Write another runbook, or leave this column out.")
    else:
        wrong(
            "linked",
            f"There is no runbook “{short(typed)}” in this workspace.",
            "Import that one first, or leave this column out and choose the runbook on the task.",
        )
    return None


def _yes(key: str, cell: Cell, wrong: Wrong) -> bool | None:
    typed = cell(key).strip().lower()
    if typed in _YES:
        return True
    if typed and typed not in _NO:
        wrong(key, f"“{short(typed)}” is neither yes nor no.", "Write Yes or No.")
    return False if typed else None


def _rule(key: str, task: PlannedTask, cell: Cell, wrong: Wrong) -> tuple[str, int]:
    typed = cell(key)
    usual = (str(Rule.ANYONE), 1)
    if not typed:
        return usual
    found = rules.read(typed)
    if found is None or (key == "start_rule" and found[0] is Rule.WHO_STARTED):
        last = ", or Who started it" if key == "finish_rule" else ""
        wrong(key, f"“{short(typed)}” is no rule.", f"Write Anyone, Everyone assigned, At least 2{last}.")
        return usual
    rule, quorum = found
    if rule is Rule.AT_LEAST and 0 < len(task.people) < quorum:
        people = "1 person is" if len(task.people) == 1 else f"{len(task.people)} people are"
        wrong(
            key,
            f"It asks for {quorum} people, and {people} assigned.",
            "Assign more people, or ask for fewer.",
        )
    return str(rule), quorum
