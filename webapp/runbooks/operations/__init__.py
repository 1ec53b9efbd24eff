"""Verbs about runbooks, streams and tasks. Each checks, writes, audits and raises the runbook's seq; none commits."""

from __future__ import annotations

from webapp.runbooks.operations.bulk import PEOPLE_CHANGES, BulkEdit, BulkOutcome, delete_tasks, edit_tasks
from webapp.runbooks.operations.changes import touch
from webapp.runbooks.operations.confirmations import is_last, take_back
from webapp.runbooks.operations.duplicating import (
    copy_name,
    duplicate_runbook,
    duplicate_stream,
    duplicate_task,
)
from webapp.runbooks.operations.execution import (
    asked_for,
    call_of,
    finish_by_hand,
    finish_task,
    reopen_task,
    retry_call,
    skip_task,
    start_task,
)
from webapp.runbooks.operations.lifecycle import (
    cancel_runbook,
    complete_runbook,
    create_runbook,
    mode_words,
    pause_runbook,
    plan_again,
    rename_runbook,
    resume_runbook,
    set_message,
    start_runbook,
)
from webapp.runbooks.operations.notes import (
    add_comment,
    locked_because,
    mark_lesson,
    record_refusal,
    save_field,
    save_runbook_field,
)
from webapp.runbooks.operations.planning import (
    Plan,
    add_task,
    delete_task,
    edit_task,
    move_task,
    restore_task,
)
from webapp.runbooks.operations.streams import (
    add_stream,
    delete_stream,
    edit_stream,
    move_stream,
    restore_stream,
)

__all__ = [
    "PEOPLE_CHANGES",
    "BulkEdit",
    "BulkOutcome",
    "Plan",
    "add_comment",
    "add_stream",
    "add_task",
    "asked_for",
    "call_of",
    "cancel_runbook",
    "complete_runbook",
    "copy_name",
    "create_runbook",
    "delete_stream",
    "delete_task",
    "delete_tasks",
    "duplicate_runbook",
    "duplicate_stream",
    "duplicate_task",
    "edit_stream",
    "edit_task",
    "edit_tasks",
    "finish_by_hand",
    "finish_task",
    "is_last",
    "locked_because",
    "mark_lesson",
    "mode_words",
    "move_stream",
    "move_task",
    "pause_runbook",
    "plan_again",
    "record_refusal",
    "rename_runbook",
    "reopen_task",
    "restore_stream",
    "restore_task",
    "resume_runbook",
    "retry_call",
    "save_field",
    "save_runbook_field",
    "set_message",
    "skip_task",
    "start_runbook",
    "start_task",
    "take_back",
    "touch",
]
