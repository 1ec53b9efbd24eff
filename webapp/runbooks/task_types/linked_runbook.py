"""A task that starts another runbook and is done when that is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from webapp.permissions import Permission, can
from webapp.runbooks import linking
from webapp.runbooks.refusals import NotNow
from webapp.runbooks.rows import Chip
from webapp.runbooks.states import UNDER_WAY, Mode, RunbookState, TaskState
from webapp.runbooks.task_types.base import Seen, TaskType

if TYPE_CHECKING:
    from webapp.accounts.models import User
    from webapp.runbooks.models import Task


class LinkedRunbook(TaskType):
    """Its start starts the runbook in the same mode, so whoever starts it must be allowed to conduct that one."""

    key = "runbook"
    label = "Linked runbook"
    hint = "Starting it starts another runbook of this workspace, in the same mode; it is done when that one is complete."
    links = True
    may_auto_start = False

    def chip(self, seen: Seen) -> Chip | None:
        linked = seen.linked
        if linked is None:
            return Chip("No runbook", "warn", "alert-triangle", "No runbook is chosen yet")
        if linked.archived:
            return Chip("Archived", "warn", "archive", f"{linked.name} is archived")
        if linked.state == RunbookState.PLANNING:
            return Chip("Runbook", "line", "subtask", linked.name, linked.url)
        words = {RunbookState.COMPLETE: "Complete", RunbookState.CANCELLED: "Cancelled"}
        text = words.get(RunbookState(linked.state), f"{linked.ended}/{linked.total} done")
        tone = {"complete": "ok", "cancelled": "bad", "paused": "warn"}.get(linked.state, "acc")
        return Chip(text, tone, "subtask", f"{linked.name}: {linked.words}", linked.url)

    def check_start(self, task: Task, by: User | None) -> None:
        linked = task.linked_runbook
        if linked is None:
            raise NotNow("No runbook is linked yet. Choose one under Type.")
        if by is None or not can(by, Permission.CONDUCT_RUNBOOKS, linked):
            raise NotNow(
                f"Starting this task starts “{linked.name}”, which you may not start. Ask one of its owners."
            )
        linking.refuse_unless_free(task, linked)

    def started(self, task: Task, by: User | None, accepted: str) -> None:
        from webapp.runbooks.operations.lifecycle import start_runbook  # its tasks may start with it

        linked = task.linked_runbook
        if linked is None or by is None:
            raise NotNow("No runbook is linked yet. Choose one under Type.")
        start_runbook(linked, Mode(task.runbook.mode or Mode.LIVE), by=by, accepted=accepted)

    def check_finish(self, task: Task) -> None:
        linked = task.linked_runbook
        if linked is not None and not linking.is_done_for(task, linked):
            raise NotNow(linking.why_open(task, linked))

    def check_by_hand(self, task: Task) -> None:
        linked = task.linked_runbook
        if linked is not None and task.state == TaskState.IN_PROGRESS and linked.state in UNDER_WAY:
            raise NotNow(linking.why_open(task, linked))
