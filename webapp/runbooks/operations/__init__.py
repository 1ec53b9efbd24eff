"""Verbs about runbooks, streams and tasks. Each checks, writes, audits and raises the runbook's seq; none commits."""

from __future__ import annotations

from webapp.runbooks.operations.baseline import plan_begin, way_to
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
from webapp.runbooks.operations.moving import Placed, move_tasks, step_tasks
from webapp.runbooks.operations.notes import (
    add_comment,
    locked_because,
    mark_lesson,
    record_refusal,
    save_field,
    save_runbook_field,
    unclear_mentions,
)
from webapp.runbooks.operations.nudging import nudge, nudged_at
from webapp.runbooks.operations.pasting import MOST_PASTED, add_tasks
from webapp.runbooks.operations.planning import (
    Plan,
    add_task,
    delete_task,
    edit_task,
    plan_of,
)
from webapp.runbooks.operations.seen import Seen, written
from webapp.runbooks.operations.snippets import insert_snippet, save_as_snippet
from webapp.runbooks.operations.streams import (
    add_stream,
    delete_stream,
    edit_stream,
    move_stream,
)
from webapp.runbooks.operations.templating import (
    approve_version,
    archive_template,
    describe_template,
    discard_version,
    is_own,
    make_runbook,
    new_version,
    note_changes,
    restore_template,
    save_as_template,
    send_version_back,
    submit_version,
    withdraw_version,
)
from webapp.runbooks.operations.undoing import redo_change, undo_change

__all__ = [
    "MOST_PASTED",
    "PEOPLE_CHANGES",
    "BulkEdit",
    "BulkOutcome",
    "Placed",
    "Plan",
    "Seen",
    "add_comment",
    "add_stream",
    "add_task",
    "add_tasks",
    "approve_version",
    "archive_template",
    "asked_for",
    "call_of",
    "cancel_runbook",
    "complete_runbook",
    "copy_name",
    "create_runbook",
    "delete_stream",
    "delete_task",
    "delete_tasks",
    "describe_template",
    "discard_version",
    "duplicate_runbook",
    "duplicate_stream",
    "duplicate_task",
    "edit_stream",
    "edit_task",
    "edit_tasks",
    "finish_by_hand",
    "finish_task",
    "insert_snippet",
    "is_last",
    "is_own",
    "locked_because",
    "make_runbook",
    "mark_lesson",
    "mode_words",
    "move_stream",
    "move_tasks",
    "new_version",
    "note_changes",
    "nudge",
    "nudged_at",
    "pause_runbook",
    "plan_again",
    "plan_begin",
    "plan_of",
    "record_refusal",
    "redo_change",
    "rename_runbook",
    "reopen_task",
    "restore_template",
    "resume_runbook",
    "retry_call",
    "save_as_snippet",
    "save_as_template",
    "save_field",
    "save_runbook_field",
    "send_version_back",
    "set_message",
    "skip_task",
    "start_runbook",
    "start_task",
    "step_tasks",
    "submit_version",
    "take_back",
    "touch",
    "unclear_mentions",
    "undo_change",
    "way_to",
    "withdraw_version",
    "written",
]
