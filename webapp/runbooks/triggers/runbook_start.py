"""On Runbook Start."""

from __future__ import annotations

from webapp.runbooks.triggers.base import Trigger


class RunbookStart(Trigger):
    key = "runbook_start"
    label = "On Runbook Start"
    hint = "Called for each task with this action when its runbook starts."
    short = "On runbook start"
    when = "when the runbook starts"
