"""On Runbook Finish."""

from __future__ import annotations

from webapp.runbooks.triggers.base import Trigger


class RunbookFinish(Trigger):
    key = "runbook_finish"
    label = "On Runbook Finish"
    hint = "Called for each task with this action when its runbook is completed."
    short = "On runbook finish"
    when = "when the runbook is completed"
