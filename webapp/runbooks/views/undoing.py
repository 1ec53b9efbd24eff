"""Undo and redo of the plan's changes, one by one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import request
from flask_login import current_user

from webapp.extensions import db
from webapp.permissions import Permission
from webapp.row_ids import row_id
from webapp.runbooks import operations, queries
from webapp.runbooks.refusals import NotNow
from webapp.runbooks.views import blueprint
from webapp.runbooks.views.pieces import answer
from webapp.runbooks.views.runbook import PAGE, refused


@blueprint.post(f"{PAGE}/undo", permission=Permission.EDIT_RUNBOOKS)
def undo_change(runbook_id: int) -> Any:
    """Take back one's last change of the plan; `change` says which one the page took that for."""
    return _go(runbook_id, operations.undo_change, "Undone")


@blueprint.post(f"{PAGE}/redo", permission=Permission.EDIT_RUNBOOKS)
def redo_change(runbook_id: int) -> Any:
    """Do again what one undid last; `change` says which one the page took that for."""
    return _go(runbook_id, operations.redo_change, "Done again")


def _go(runbook_id: int, operation: Callable[..., str], word: str) -> Any:
    runbook = queries.runbook_for(current_user, runbook_id, Permission.EDIT_RUNBOOKS)
    since = runbook.seq
    try:
        label = operation(runbook, request.form.get("change", 0, row_id), by=current_user)
    except NotNow as refusal:
        return refused(runbook, since, str(refusal))
    db.session.commit()
    return answer(runbook, since, text=f"{word}: {label}.")
