"""What people write on a task: comments, and the values of its custom fields."""

from __future__ import annotations

from collections.abc import Sequence

from webapp.accounts.models import User
from webapp.audit.operations import record
from webapp.extensions import db
from webapp.fields import operations as fields
from webapp.fields.models import FieldDefinition, FieldValue
from webapp.integration_runs.models import IntegrationRun
from webapp.integration_runs.states import RunState
from webapp.runbooks import mentions
from webapp.runbooks.models import Comment, Mention, Runbook, Task
from webapp.runbooks.operations.changes import touch
from webapp.runbooks.operations.execution import call_of
from webapp.runbooks.operations.telling import tell_mentioned
from webapp.runbooks.refusals import NotNow, PlanRefused
from webapp.runbooks.states import ENDED, NOT_STARTED, TaskState
from webapp.workspaces import queries as workspaces

LONGEST_COMMENT = 5000
_ENDED = "Locked: the runbook has ended."


def add_comment(task: Task, body: str, *, by: User) -> Comment:
    """Whom it names with @ is told of it. Raises PlanRefused for an empty or overlong one."""
    body = body.strip()
    if not body:
        raise PlanRefused("Write something first.", "body")
    if len(body) > LONGEST_COMMENT:
        raise PlanRefused(f"A comment may have at most {LONGEST_COMMENT} characters.", "body")
    touch(task.runbook, task, frozen_too=True)
    comment = Comment(task_id=task.id, user=by, body=body)
    named = mentions.named_in(body, _people(task, body))
    comment.mentions = [Mention(user=each.person, start=each.start, words=each.words) for each in named]
    db.session.add(comment)
    db.session.flush()
    record(
        "comment.added",
        comment,
        by=by,
        after={"task": task.audit_name},
        workspace_id=task.runbook.workspace_id,
        runbook_id=task.runbook_id,
    )
    tell_mentioned(task, {each.person for each in named}, by=by)
    return comment


def unclear_mentions(task: Task, body: str) -> list[str]:
    """The names after an @ that several people have, so that the comment tells none of them."""
    return mentions.unclear_in(body, _people(task, body))


def _people(task: Task, body: str) -> list[User]:
    return workspaces.members_of(task.runbook.workspace_id) if "@" in body else []


def mark_lesson(task: Task, comment: Comment, lesson: bool, *, by: User) -> bool:
    """Mark one of the task's comments as a lesson, or take the mark away. False where it stands so already."""
    touch(task.runbook, task, frozen_too=True)
    db.session.refresh(comment, ["lesson"])
    if comment.lesson is lesson:
        return False
    comment.lesson = lesson
    record(
        "comment.marked_as_lesson" if lesson else "comment.lesson_unmarked",
        comment,
        by=by,
        after={"task": task.audit_name},
        workspace_id=task.runbook.workspace_id,
        runbook_id=task.runbook_id,
    )
    return True


def record_refusal(thing: Task | Runbook, verb: str, sentence: str, *, by: User) -> None:
    """Keep in the audit log that someone was refused something: `verb` as in `start`, the sentence that they read."""
    runbook = thing if isinstance(thing, Runbook) else thing.runbook
    record(
        f"{'runbook' if isinstance(thing, Runbook) else 'task'}.{verb}_refused",
        thing,
        by=by,
        workspace_id=runbook.workspace_id,
        runbook_id=runbook.id,
        note=sentence,
    )


def save_field(task: Task, definition: FieldDefinition, typed: Sequence[str], *, by: User) -> FieldValue:
    """Store one custom field of the task. Raises NotNow where it is locked, or fields' InvalidValue."""
    touch(task.runbook, task)
    db.session.refresh(task, ["state"])
    reason = locked_because(task, definition, call_of(task))
    if reason:
        raise NotNow(reason)
    return fields.save_value(definition, typed, by=by, task=task)


def save_runbook_field(
    runbook: Runbook, definition: FieldDefinition, typed: Sequence[str], *, by: User
) -> FieldValue:
    """Store one custom field of the runbook itself. Raises NotNow once it has ended, or fields' InvalidValue."""
    touch(runbook)
    if runbook.state in ENDED:
        raise NotNow(_ENDED)
    return fields.save_value(definition, typed, by=by, runbook=runbook)


def locked_because(task: Task, definition: FieldDefinition, call: IntegrationRun | None) -> str:
    """Why the field cannot be changed any more; empty where it can. `call` is the task's latest, see call_of.

    What is asked for at the finish stays open until then. Where the call failed, all are open: it may have failed for
    what they say, and the next try is made of what they say then.
    """
    if task.runbook.frozen:
        return "Locked: this version of the template is not a draft any more."
    if task.runbook.state in ENDED:
        return _ENDED
    if task.state in NOT_STARTED:
        return ""
    if task.state == TaskState.IN_PROGRESS:
        if "task_finish" in definition.displays_on:
            return ""
        if call is not None and call.state == RunState.FAILED:
            return ""
    return "Locked: the task has run with these values."
