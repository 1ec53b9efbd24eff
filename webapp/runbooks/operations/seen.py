"""Two people change the same thing: what each of them saw before is compared with what the plan says by now."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import fields, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from webapp.accounts.models import User
from webapp.audit import queries as audit
from webapp.clock import now
from webapp.runbooks.durations import ago, shown
from webapp.runbooks.models import Task
from webapp.runbooks.refusals import ChangedMeanwhile

if TYPE_CHECKING:
    from webapp.runbooks.operations.planning import Plan

# The parts of a plan that someone changes, each with the text of what they saw there, as `written` writes it; None
# where that is not known, so that whatever stands there is replaced.
Seen = Mapping[str, str | None]

# How the audit log calls a part of a Plan, where it has another name there.
_AUDITED = {
    "predecessor_ids": "predecessors",
    "linked_runbook": "linked runbook",
    "fixed_start": "fixed start",
    "auto_start": "starts by itself",
    "start_rule": "start rule",
    "start_quorum": "start rule",
    "finish_rule": "finish rule",
    "finish_quorum": "finish rule",
}


def written(plan: Plan, numbers: Mapping[int, int]) -> dict[str, str]:
    """Each part of the plan as one text, equal texts for equal plans. `numbers`: task id to number."""
    found = {each.name: _text(getattr(plan, each.name)) for each in fields(plan)}
    found["predecessor_ids"] = ", ".join(
        str(number) for number in sorted(numbers.get(each, 0) for each in plan.predecessor_ids)
    )
    found["duration_s"] = shown(plan.duration_s)
    if plan.action is not None:
        found["type"] = f"action:{plan.action.id}"
    return found


def only_what_is_meant(
    typed: Plan, present: Plan, seen: Seen, numbers: Mapping[int, int], *, task: Task, by: User
) -> Plan:
    """The present plan with the parts that `seen` names as they were typed. Raises ChangedMeanwhile.

    A part that was left as it was seen is not meant: someone else's change of it stays.
    """
    stands, wanted = written(present, numbers), written(typed, numbers)
    meant = {name: was for name, was in seen.items() if was is None or wanted[name] != _lines(was)}
    taken = [
        name
        for name, was in meant.items()
        if was is not None and stands[name] not in (_lines(was), wanted[name])
    ]
    if taken:
        raise ChangedMeanwhile(_who_changed(task, taken, by))
    if "type" in meant:  # an action is a type
        meant["action"] = None
    return replace(present, **{name: getattr(typed, name) for name in meant})


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return _lines(value)
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, (list, tuple, set, frozenset)):
        keys: list[Any] = [getattr(each, "id", each) for each in value]
        return ",".join(str(each) for each in sorted(keys))
    return str(getattr(value, "id", value))


def _lines(text: str) -> str:
    """Line ends as a page has them: what comes back from there has lost how they were stored."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _who_changed(task: Task, names: Collection[str], by: User) -> dict[str, str]:
    lines = audit.lines_about("tasks", task.id)
    found = {}
    for name in names:
        fact = _AUDITED.get(name, name)
        line = next((each for each in reversed(lines) if fact in (each.after or {})), None)
        if line is None:
            found[name] = "Someone changed this meanwhile"
            continue
        who = "You" if line.actor_id == by.id else line.actor_name
        found[name] = f"{who} changed this {ago((now() - line.at).total_seconds())}"
    return found
