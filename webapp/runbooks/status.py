"""How a run stands, as red, amber or green, and why in words. Pure: standard library only.

Red: the forecast finish is more than a quarter of an hour and a tenth of the plan behind, or a task or a validation on the
critical path has failed. Amber: it is a minute and a hundredth of the plan behind, or anything is late or has failed. Green
otherwise.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from webapp.runbooks.durations import shown

RED_S, RED_SHARE = 15 * 60, 0.1
AMBER_S, AMBER_SHARE = 60, 0.01
NAMED = 3


@dataclass(frozen=True)
class Trouble:
    """A task that is late or has failed; `late_s` is 0 for one that failed."""

    number: int
    critical: bool
    late_s: int = 0


@dataclass(frozen=True)
class Status:
    """`tone` is ok, warn or bad; `word` is what people call it; `reasons` are sentences, the weightiest first."""

    tone: str
    word: str
    reasons: tuple[str, ...]


def status_of(
    *,
    behind_s: float,
    planned_s: float,
    late: Sequence[Trouble],
    failed: Sequence[Trouble],
    unproven: Sequence[Trouble] = (),
    start_late_s: float = 0,
) -> Status:
    """The status of a run whose finish is `behind_s` seconds after a plan that lasts `planned_s` seconds.

    `unproven` are validations that were done and failed. `start_late_s`: how long after its planned start it was started.
    """
    critical = [each for each in failed if each.critical]
    disproved = [each for each in unproven if each.critical]
    reasons = []
    if critical:
        reasons.append(f"{_named(critical)} on the critical path failed.")
    if disproved:
        reasons.append(f"{_validations(disproved)} on the critical path failed.")
    far, some = (
        behind_s > max(RED_S, planned_s * RED_SHARE),
        behind_s >= max(AMBER_S, planned_s * AMBER_SHARE),
    )
    if some:
        begun = f" It was started {_minutes(start_late_s)} late." if start_late_s >= AMBER_S else ""
        reasons.append(f"The forecast finish is {_minutes(behind_s)} after plan.{begun}")
    if blocking := [each for each in late if each.critical]:
        worst = max(each.late_s for each in blocking)
        verb = "is" if len(blocking) == 1 else "are"
        reasons.append(f"{_named(blocking)} on the critical path {verb} late, by {_minutes(worst)}.")
    if others := [each for each in failed if not each.critical]:
        reasons.append(f"{_named(others)} failed.")
    if others := [each for each in unproven if not each.critical]:
        reasons.append(f"{_validations(others)} failed.")
    if aside := [each for each in late if not each.critical]:
        verb = "is" if len(aside) == 1 else "are"
        reasons.append(f"{_named(aside)} {verb} late, with room before the finish moves.")
    if far or critical or disproved:
        return Status("bad", "Off track", tuple(reasons))
    if reasons:
        return Status("warn", "At risk", tuple(reasons))
    early = f"{_minutes(-behind_s)} before plan" if behind_s <= -60 else "on plan"
    return Status("ok", "On track", (f"The forecast finish is {early}, and nothing is late or has failed.",))


def _validations(troubles: Sequence[Trouble]) -> str:
    return f"Validation{'s' if len(troubles) > 1 else ''} {_named(troubles)}"


def _named(troubles: Sequence[Trouble]) -> str:
    numbers = [f"#{each.number}" for each in troubles[:NAMED]]
    if len(troubles) > NAMED:
        return f"{', '.join(numbers)} and {len(troubles) - NAMED} more"
    return " and ".join(filter(None, (", ".join(numbers[:-1]), numbers[-1])))


def _minutes(seconds: float) -> str:
    return shown(seconds // 60 * 60) if seconds >= 60 else f"{int(seconds)}s"
