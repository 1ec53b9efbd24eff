"""Moving tasks to another place in the list: by one place, or to where they were dropped."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import abort, request
from flask_login import current_user

from webapp.extensions import db
from webapp.page import is_fragment_request, say
from webapp.permissions import Permission
from webapp.row_ids import row_id
from webapp.runbooks import operations, queries
from webapp.runbooks.models import Runbook
from webapp.runbooks.operations import Placed
from webapp.runbooks.refusals import NotNow
from webapp.runbooks.views import blueprint
from webapp.runbooks.views.bulk import selected
from webapp.runbooks.views.execution import TASK
from webapp.runbooks.views.pieces import answer
from webapp.runbooks.views.runbook import PAGE, refused

STEPS = {"up": -1, "down": 1}


@blueprint.post(f"{PAGE}/tasks/move", permission=Permission.EDIT_RUNBOOKS)
def move_tasks(runbook_id: int) -> Any:
    """Move the tasks whose numbers are sent: `to` up or down, or behind task `after` of `stream_id`, or to its top."""
    runbook, numbers = selected(runbook_id)
    if "to" in request.form:
        step = STEPS.get(request.form["to"]) or abort(400)
        return _do(runbook, lambda: operations.step_tasks(runbook, numbers, step, by=current_user))
    stream = queries.stream_of(runbook, request.form.get("stream_id", 0, row_id))
    after = request.form.get("after", type=row_id)
    return _do(runbook, lambda: operations.move_tasks(runbook, numbers, stream, after, by=current_user))


@blueprint.post(f"{TASK}/move", permission=Permission.EDIT_RUNBOOKS)
def move_task(runbook_id: int, number: int) -> Any:
    step = STEPS.get(request.form.get("to", "")) or abort(400)
    runbook = queries.task_numbered(current_user, runbook_id, number, Permission.EDIT_RUNBOOKS).runbook
    return _do(
        runbook, lambda: operations.step_tasks(runbook, [number], step, by=current_user), number=number
    )


def _do(runbook: Runbook, operation: Callable[[], list[Placed]], *, number: int | None = None) -> Any:
    """Nothing moved, nothing is committed: viewers hear of no change that is none."""
    since = runbook.seq
    try:
        placed = operation()
    except NotNow as refusal:
        return refused(runbook, since, str(refusal), number=number)
    if placed:
        db.session.commit()
    else:
        db.session.rollback()
        since = min(since, runbook.seq)
    found = answer(runbook, since, number=number)
    return say(found, _sentence(placed)) if is_fragment_request() else found


def _sentence(placed: list[Placed]) -> str:
    if not placed:
        return "Nothing moved: there is no place beyond this one."
    first = placed[0]
    if len(placed) == 1:
        return f"#{first.number} is now number {first.place} in {first.stream}."
    return f"{len(placed)} tasks are now in {first.stream}, from number {first.place} on."
