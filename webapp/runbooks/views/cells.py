"""Changing one cell of the plan in its place in the list."""

from __future__ import annotations

from typing import Any

from flask import current_app, request
from flask_login import current_user

from webapp.extensions import db
from webapp.page import fragments, is_fragment_request
from webapp.permissions import Permission
from webapp.runbooks import operations, queries
from webapp.runbooks.clashes import Clash, clashes_of
from webapp.runbooks.forms import CELLS
from webapp.runbooks.models import Task
from webapp.runbooks.refusals import ChangedMeanwhile, NotNow, PlanRefused
from webapp.runbooks.views import blueprint
from webapp.runbooks.views.execution import TASK
from webapp.runbooks.views.pieces import answer, changed_parts, runbook_page, task_form
from webapp.runbooks.views.runbook import refused


@blueprint.post(f"{TASK}/cells/<any({', '.join(CELLS)}):name>", permission=Permission.EDIT_RUNBOOKS)
def save_cell(runbook_id: int, number: int, name: str) -> Any:
    """Save one field of the task; the others stay as they are, whatever is sent of them.

    Refused, 422 with the sentence for its cell. Where someone else was first (`was-<field>` is what the person saw),
    the sentence says who, when and to what, and the person chooses.
    """
    found = _task(runbook_id, number)
    runbook, since = found.runbook, found.runbook.seq
    form = task_form(found, typed=True)
    if name not in form:
        sentence = "The task has started, so only its name, description and people can be changed."
        return refused(runbook, since, sentence, number=number, status=422)
    form.take_only([name])
    if not form.validate():
        return _refused(found, name, " ".join(str(each) for each in form[name].errors))
    try:
        operations.edit_task(found, form.plan(), by=current_user, seen=form.seen(request.form, [name]))
    except PlanRefused as refusal:
        return _refused(found, name, str(refusal))
    except ChangedMeanwhile as refusal:
        db.session.rollback()
        present = task_form(_task(runbook_id, number), typed=False)
        return _refused(found, name, str(refusal), clashes_of(form, present, refusal.news).get(name))
    except NotNow as refusal:
        return refused(runbook, since, str(refusal), number=number, status=422)
    db.session.commit()
    which = getattr(form[name], "twice", "")  # of two times, in the night in which the clocks go back
    return answer(runbook, since, number=number, text=which or ("" if is_fragment_request() else "Saved."))


def _refused(found: Task, name: str, sentence: str, clash: Clash | None = None) -> Any:
    """The sentence for the cell, which keeps what was typed, and under it the row as it stands by now."""
    db.session.rollback()
    runbook, number = found.runbook, found.number
    if not is_fragment_request():
        return runbook_page(runbook, number=number, status=422, refusal=clash.sentence if clash else sentence)
    module: Any = current_app.jinja_env.get_template("runbooks/_cells.html").module
    news = changed_parts(runbook, found.seq - 1) if clash else None
    return fragments([module.said(number, name, sentence, clash), *(news or ())], status=422)


def _task(runbook_id: int, number: int) -> Task:
    return queries.task_numbered(current_user, runbook_id, number, Permission.EDIT_RUNBOOKS)
