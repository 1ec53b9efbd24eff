"""Planning tasks, their panel, fields and comments."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from flask import abort, current_app, request
from flask_login import current_user

from webapp.extensions import db
from webapp.fields import queries as fields
from webapp.fields.kinds import KINDS, InvalidValue
from webapp.page import fragments, is_fragment_request, see_other, toast
from webapp.permissions import Permission
from webapp.row_ids import row_id
from webapp.runbooks import operations, queries
from webapp.runbooks.board import load_board, viewer_of
from webapp.runbooks.clashes import clashes_of
from webapp.runbooks.context import path_of
from webapp.runbooks.forms import CommentForm, NewTaskForm, NewTasksForm, TaskForm
from webapp.runbooks.models import Runbook, Stream, Task
from webapp.runbooks.refusals import ChangedMeanwhile, NotNow, PlanRefused
from webapp.runbooks.views import blueprint
from webapp.runbooks.views.execution import TASK
from webapp.runbooks.views.pieces import (
    answer,
    changed_parts,
    here_on_page,
    panel_of,
    runbook_page,
    task_form,
)
from webapp.runbooks.views.runbook import PAGE, refused
from webapp.workspaces import queries as workspaces


@blueprint.get(TASK, permission=Permission.READ_RUNBOOKS)
def task(runbook_id: int, number: int) -> Any:
    """The panel, for htmx; else the page on which it is open."""
    found = queries.task_numbered(current_user, runbook_id, number, Permission.READ_RUNBOOKS)
    if not is_fragment_request():
        return see_other(path_of(runbook_id, number))
    here = replace(here_on_page(found.runbook), number=number)
    viewer = viewer_of(current_user, found.runbook)
    seq = found.runbook.seq
    board = load_board(found.runbook, viewer, here=here, only=[found.id], hiding=False)
    panel = panel_of(board, number)
    html = current_app.jinja_env.get_template("runbooks/_panel.html").module.panel(  # type: ignore[attr-defined]
        panel, CommentForm(formdata=None)
    )
    shown = fragments([html])
    shown.headers["HX-Push-Url"] = here.address
    shown.headers["X-Seq"] = str(seq)
    return shown


@blueprint.post(f"{PAGE}/tasks", permission=Permission.EDIT_RUNBOOKS)
def add_task(runbook_id: int) -> Any:
    """Add a task; or, where `titles` is sent, one for each line of it."""
    runbook = queries.runbook_for(current_user, runbook_id, Permission.EDIT_RUNBOOKS)
    form = NewTaskForm()
    since = runbook.seq
    stream = queries.stream_of(runbook, request.form.get("stream_id", 0, row_id))
    if "titles" in request.form:
        return _add_tasks(runbook, stream, since)
    after, after_number = None, request.form.get("after", type=row_id)
    if after_number is not None:
        after = queries.task_numbered(current_user, runbook_id, after_number, Permission.EDIT_RUNBOOKS)
    try:
        added = operations.add_task(runbook, stream, form.title.data or "", by=current_user, after=after)
    except (PlanRefused, NotNow) as refusal:
        return _refused(runbook, since, refusal)
    db.session.commit()
    return answer(runbook, since, fallback=f"{path_of(runbook.id)}#add-{added.stream_id}")


@blueprint.post(TASK, permission=Permission.EDIT_RUNBOOKS)
def save_task(runbook_id: int, number: int) -> Any:
    """Save the details, or those that `touched` names; 422 with the form where something is wrong, a loop named.

    `was-<field>` is what the person saw there: where that has changed since, nothing is saved and they choose.
    """
    found = _task(runbook_id, number, Permission.EDIT_RUNBOOKS)
    runbook, since = found.runbook, found.runbook.seq
    form = task_form(found, typed=True)
    touched = {field.short_name for field in form}
    if "touched" in request.form:
        touched = set(request.form.getlist("touched"))
        form.take_only(touched)
    if not form.validate():
        return _form_again(found, form)
    try:
        operations.edit_task(found, form.plan(), by=current_user, seen=form.seen(request.form, touched))
    except PlanRefused as refusal:
        db.session.rollback()
        form[refusal.field or "title"].errors = [str(refusal)]
        return _form_again(_task(runbook_id, number, Permission.EDIT_RUNBOOKS), form)
    except ChangedMeanwhile as refusal:
        db.session.rollback()
        found = _task(runbook_id, number, Permission.EDIT_RUNBOOKS)
        form.clashes = clashes_of(form, task_form(found, typed=False), refusal.news)
        return _form_again(found, form)
    except NotNow as refusal:
        return refused(runbook, since, str(refusal), number=number, status=422)
    db.session.commit()
    return answer(runbook, since, number=number, text="" if is_fragment_request() else "Saved.")


@blueprint.post(f"{TASK}/duplicate", permission=Permission.EDIT_RUNBOOKS)
def duplicate_task(runbook_id: int, number: int) -> Any:
    found = _task(runbook_id, number, Permission.EDIT_RUNBOOKS)
    runbook, since = found.runbook, found.runbook.seq
    try:
        copy = operations.duplicate_task(found, by=current_user)
    except NotNow as refusal:
        return refused(runbook, since, str(refusal), number=number)
    db.session.commit()
    return answer(
        runbook, since, number=copy.number, text=f"#{copy.number} is a copy of #{number}.", undoable=True
    )


@blueprint.post(f"{TASK}/delete", permission=Permission.EDIT_RUNBOOKS)
def delete_task(runbook_id: int, number: int) -> Any:
    found = _task(runbook_id, number, Permission.EDIT_RUNBOOKS)
    runbook, since, name = found.runbook, found.runbook.seq, found.audit_name
    try:
        operations.delete_task(found, by=current_user)
    except NotNow as refusal:
        return refused(runbook, since, str(refusal), number=number)
    db.session.commit()
    return answer(runbook, since, text=f"{name} is deleted.", undoable=True)


@blueprint.post(f"{TASK}/comments", permission=Permission.COMMENT)
def add_comment(runbook_id: int, number: int) -> Any:
    found = _task(runbook_id, number, Permission.COMMENT)
    form = CommentForm()
    since = found.runbook.seq
    if not form.validate():
        sentence = " ".join(str(each) for each in form.body.errors)
        if is_fragment_request():
            return toast(fragments([], status=422), sentence, "warn")
        return runbook_page(found.runbook, number=number, status=422, refusal=sentence)
    operations.add_comment(found, form.body.data, by=current_user)
    db.session.commit()
    return answer(found.runbook, since, number=number, text=_told_nobody(found, form.body.data), kind="warn")


def _told_nobody(found: Task, body: str) -> str:
    names = operations.unclear_mentions(found, body)
    if not names:
        return ""
    return f"Several people are called {names[0]}, so none of them was told. Write @ and the email address."


@blueprint.post(f"{TASK}/comments/<int:comment_id>/lesson", permission=Permission.COMMENT)
def mark_lesson(runbook_id: int, number: int, comment_id: int) -> Any:
    """Mark the comment as a lesson, or take the mark away: `lesson` is "yes" or "no"."""
    lesson = {"yes": True, "no": False}.get(request.form.get("lesson", ""))
    if lesson is None:
        abort(400)
    found = _task(runbook_id, number, Permission.COMMENT)
    comment, since = queries.comment_of(found, comment_id), found.runbook.seq
    operations.mark_lesson(found, comment, lesson, by=current_user)
    db.session.commit()
    return answer(found.runbook, since, number=number)


@blueprint.post(f"{TASK}/fields/<int:definition_id>", permission=Permission.RUN_TASKS)
def save_field(runbook_id: int, number: int, definition_id: int) -> Any:
    """Save one custom field; answers with that field's form, out of band, as it stands now."""
    found = _task(runbook_id, number, Permission.RUN_TASKS)
    runbook, since = found.runbook, found.runbook.seq
    known = fields.definitions_for(None, runbook.workspace_id, found.action_id)
    definition = next((each for each in known if each.id == definition_id), None) or abort(404)
    typed = request.form.getlist("value")
    error = ""
    try:
        operations.save_field(found, definition, typed, by=current_user)
        db.session.commit()
    except InvalidValue as wrong:
        db.session.rollback()
        error = str(wrong)
    except NotNow as refusal:
        return refused(runbook, since, str(refusal), number=number, status=422)
    if not is_fragment_request():
        if error:
            return runbook_page(runbook, number=number, status=422, refusal=f"{definition.name}: {error}")
        return answer(runbook, since, number=number, text=f"{definition.name} is saved.")
    value_field = current_app.jinja_env.get_template("fields/_value.html").module.value_field  # type: ignore[attr-defined]
    html = value_field(
        definition,
        fields.values_of_task(found.id).get(definition.id),
        request.path,
        error=error or None,
        people=workspaces.members_of(runbook.workspace_id),
        typed=KINDS[definition.kind].as_typed(typed) if error else None,
        oob=True,
    )
    return fragments([html], status=422 if error else 200)


def _add_tasks(runbook: Runbook, stream: Stream, since: int) -> Any:
    form = NewTasksForm()
    try:
        if not form.validate():
            raise PlanRefused(" ".join(str(each) for each in form.titles.errors))
        added = operations.add_tasks(runbook, stream, form.lines, by=current_user)
    except (PlanRefused, NotNow) as refusal:
        return _refused(runbook, since, refusal)
    db.session.commit()
    words = "1 task added." if len(added) == 1 else f"{len(added)} tasks added."
    back = f"{path_of(runbook.id)}#add-{stream.id}"
    return answer(runbook, since, text=words, undoable=True, fallback=back)


def _task(runbook_id: int, number: int, permission: Permission) -> Task:
    return queries.task_numbered(current_user, runbook_id, number, permission)


def _form_again(found: Task, form: TaskForm) -> Any:
    """The details with what was typed and what is wrong, and nothing else."""
    form.keep_seen(request.form)
    cells: Any = current_app.jinja_env.get_template("runbooks/_cells.html").module
    for name, clash in form.clashes.items():
        form[name].errors = [cells.choice(clash)]
    here = replace(here_on_page(found.runbook), number=found.number)
    viewer = viewer_of(current_user, found.runbook)
    board = load_board(found.runbook, viewer, here=here, only=[found.id], hiding=False)
    panel = panel_of(board, found.number, form)
    if not is_fragment_request():
        return runbook_page(found.runbook, number=found.number, status=422, details_form=form)
    html = current_app.jinja_env.get_template("runbooks/_panel.html").module.details_form(panel, oob=True)  # type: ignore[attr-defined]
    return fragments([html], status=422)


def _refused(runbook: Any, since: int, refusal: Exception) -> Any:
    db.session.rollback()
    if is_fragment_request():
        return toast(fragments(changed_parts(runbook, since) or (), status=422), str(refusal), "warn")
    return runbook_page(runbook, status=422, refusal=str(refusal))
