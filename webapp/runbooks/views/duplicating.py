"""Duplicating a runbook: the dialog, and the new runbook."""

from __future__ import annotations

from typing import Any

from flask import Response
from flask_login import current_user

from webapp.extensions import db
from webapp.page import told
from webapp.permissions import Permission
from webapp.runbooks import operations, queries
from webapp.runbooks.context import path_of
from webapp.runbooks.forms import DuplicateRunbookForm
from webapp.runbooks.models import Runbook
from webapp.runbooks.refusals import NotNow
from webapp.runbooks.views import blueprint
from webapp.runbooks.views.runbook import PAGE, asked, refused


@blueprint.get(f"{PAGE}/duplicate", permission=Permission.CREATE_RUNBOOKS)
def ask_duplicate(runbook_id: int) -> Any:
    found = queries.runbook_for(current_user, runbook_id, Permission.CREATE_RUNBOOKS)
    return _ask(found, DuplicateRunbookForm(formdata=None, name=operations.copy_name(found, found.name)))


@blueprint.post(f"{PAGE}/duplicate", permission=Permission.CREATE_RUNBOOKS)
def duplicate_runbook(runbook_id: int) -> Any:
    found = queries.runbook_for(current_user, runbook_id, Permission.CREATE_RUNBOOKS)
    form = DuplicateRunbookForm()
    if not form.validate():
        return _ask(found, form, status=422)
    try:
        copy = operations.duplicate_runbook(
            found,
            name=form.name.data,
            planned_start=form.planned_start.moment,
            keep_assignees=form.keep_assignees.data,
            by=current_user,
        )
    except NotNow as refusal:
        return refused(found, found.seq, str(refusal))
    db.session.commit()
    return told(path_of(copy.id), f"{copy.name} is created, with the plan of {found.name}.")


def _ask(runbook: Runbook, form: DuplicateRunbookForm, *, status: int = 200) -> Response:
    return asked(runbook, "runbooks/ask/duplicate.html", status=status, form=form)
