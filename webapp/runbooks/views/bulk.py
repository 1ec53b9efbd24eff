"""Planning the selected tasks at once: the dialogs, the changes, the deletion."""

from __future__ import annotations

from typing import Any

from flask import Response, abort, request
from flask_login import current_user
from sqlalchemy import select

from webapp.extensions import db
from webapp.permissions import Permission
from webapp.row_ids import row_id
from webapp.runbooks import operations, queries
from webapp.runbooks.forms import BulkForm
from webapp.runbooks.models import Runbook, Task
from webapp.runbooks.operations import BulkOutcome
from webapp.runbooks.refusals import NotNow, PlanRefused
from webapp.runbooks.views import blueprint
from webapp.runbooks.views.pieces import answer
from webapp.runbooks.views.runbook import PAGE, asked, refused
from webapp.workspaces import queries as workspaces

SELECTED = f"{PAGE}/tasks/selected"
EDIT_DIALOG = "runbooks/ask/bulk_edit.html"


@blueprint.post(SELECTED, permission=Permission.EDIT_RUNBOOKS)
def ask_edit_tasks(runbook_id: int) -> Any:
    """The dialog for the numbers sent. A POST because a thousand numbers do not fit into an address."""
    runbook, numbers = selected(runbook_id)
    return asked(runbook, EDIT_DIALOG, form=_form(runbook, typed=False), numbers=numbers)


@blueprint.post(f"{SELECTED}/edit", permission=Permission.EDIT_RUNBOOKS)
def edit_tasks(runbook_id: int) -> Any:
    runbook, numbers = selected(runbook_id)
    since = runbook.seq
    form = _form(runbook, typed=True)
    if not form.validate():
        return asked(runbook, EDIT_DIALOG, status=422, form=form, numbers=numbers)
    try:
        outcome = operations.edit_tasks(runbook, numbers, form.edit(), by=current_user)
    except PlanRefused as refusal:
        db.session.rollback()
        form[refusal.field].errors = [str(refusal)]
        return asked(runbook, EDIT_DIALOG, status=422, form=form, numbers=numbers)
    except NotNow as refusal:
        return refused(runbook, since, str(refusal))
    return _done(runbook, since, outcome, "changed")


@blueprint.post(f"{SELECTED}/ask-delete", permission=Permission.EDIT_RUNBOOKS)
def ask_delete_tasks(runbook_id: int) -> Any:
    runbook, numbers = selected(runbook_id)
    return asked(runbook, "runbooks/ask/bulk_delete.html", numbers=numbers)


@blueprint.post(f"{SELECTED}/delete", permission=Permission.EDIT_RUNBOOKS)
def delete_tasks(runbook_id: int) -> Any:
    runbook, numbers = selected(runbook_id)
    since = runbook.seq
    try:
        outcome = operations.delete_tasks(runbook, numbers, by=current_user)
    except NotNow as refusal:
        return refused(runbook, since, str(refusal))
    return _done(runbook, since, outcome, "deleted")


def selected(runbook_id: int, permission: Permission = Permission.EDIT_RUNBOOKS) -> tuple[Runbook, list[int]]:
    """The runbook and the numbers that were sent; 400 without any, 404 for one that no task of it ever had."""
    runbook = queries.runbook_for(current_user, runbook_id, permission)
    wanted = set(request.form.getlist("number", row_id))
    if not wanted:
        abort(400)
    query = select(Task.number).where(Task.runbook_id == runbook.id, Task.number.in_(wanted))
    known = sorted(db.session.scalars(query))
    if len(known) < len(wanted):
        abort(404)
    return runbook, known


def _form(runbook: Runbook, *, typed: bool) -> BulkForm:
    streams, people = queries.streams_of(runbook.id), workspaces.members_of(runbook.workspace_id)
    return BulkForm.within(streams, people, queries.names_within(runbook.id), typed=typed)


def _done(runbook: Runbook, since: int, outcome: BulkOutcome, verb: str) -> Response:
    """Nothing changed, nothing is committed: viewers hear of no change that is none."""
    text, kind = _sentence(outcome, verb), "warn" if outcome.refused else "ok"
    if outcome.changed:
        db.session.commit()
    else:
        db.session.rollback()
        since = min(since, runbook.seq)
    return answer(runbook, since, text=text, kind=kind, undoable=bool(outcome.changed))


def _sentence(outcome: BulkOutcome, verb: str) -> str:
    count = len(outcome.changed)
    said = [f"{_tasks(count)} {verb}." if count else "Nothing was changed."]
    if outcome.same:
        said.append(f"{_tasks(len(outcome.same))} {'was' if len(outcome.same) == 1 else 'were'} so already.")
    for reason, numbers in outcome.refused.items():
        said.append(f"Left as {'it is' if len(numbers) == 1 else 'they are'}, {reason}: {_listed(numbers)}.")
    return " ".join(said)


def _tasks(count: int) -> str:
    return "1 task" if count == 1 else f"{count:,} tasks"


def _listed(numbers: list[int]) -> str:
    return ", ".join(f"#{number}" for number in sorted(numbers))
