"""Pre-flight: what stands in the way of a start, point by point over the whole runbook.

To add a check: write its function in checks.py and add it to CHECKS.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from webapp.integrations.rehearsals import Destination
from webapp.runbooks.models import Runbook
from webapp.runbooks.preflight.checks import CHECKS
from webapp.runbooks.preflight.findings import Level, Point, Report
from webapp.runbooks.preflight.plan import Plan, load_plan
from webapp.runbooks.states import Mode

__all__ = ["Level", "Preflight", "Report", "preflight"]


@dataclass(frozen=True)
class Preflight:
    """The report, and the plan that it is about."""

    plan: Plan
    report: Report

    @property
    def calls(self) -> Counter[Destination]:
        """How many tasks with an action are called for real, at a sandbox, or not at all."""
        found = Counter(self.plan.destination(task) for task in self.plan.calling)
        with_action = sum(1 for task in self.plan.tasks if task.action is not None)
        found[Destination.NOWHERE] = with_action - len(self.plan.calling)
        return found


def preflight(runbook: Runbook, mode: Mode) -> Preflight:
    """Look at everything that a start in that mode would meet."""
    plan = load_plan(runbook, mode)
    return Preflight(
        plan, Report([Point(each.title, each.fine, each.look(plan), each.always) for each in CHECKS])
    )
