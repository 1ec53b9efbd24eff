"""Streams: add, edit, move, duplicate, delete."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import abort, request
from flask_login import current_user

from webapp.extensions import db
from webapp.permissions import Permission
from webapp.runbooks import operations, queries
from webapp.runbooks.forms import StreamForm
from webapp.runbooks.models import Runbook
from webapp.runbooks.refusals import NotNow, PlanRefused
from webapp.runbooks.views import blueprint
from webapp.runbooks.views.pieces import answer
from webapp.runbooks.views.runbook import PAGE, asked, refused

STREAM = f"{PAGE}/streams/<int:stream_id>"


@blueprint.get(f"{PAGE}/streams/new", permission=Permission.EDIT_RUNBOOKS)
def ask_new_stream(runbook_id: int) -> Any:
    runbook = _runbook(runbook_id)
    form = StreamForm(formdata=None, color=len(queries.streams_of(runbook.id)) % 12)
    return asked(runbook, "runbooks/ask/stream.html", form=form, stream=None)


@blueprint.post(f"{PAGE}/streams", permission=Permission.EDIT_RUNBOOKS)
def add_stream(runbook_id: int) -> Any:
    runbook = _runbook(runbook_id)
    form = StreamForm()
    if not form.validate():
        return asked(runbook, "runbooks/ask/stream.html", status=422, form=form, stream=None)
    return _do(
        runbook,
        lambda: operations.add_stream(runbook, form.name.data, by=current_user, color=form.color.data),
    )


@blueprint.get(STREAM, permission=Permission.EDIT_RUNBOOKS)
def ask_edit_stream(runbook_id: int, stream_id: int) -> Any:
    runbook = _runbook(runbook_id)
    stream = queries.stream_of(runbook, stream_id)
    return asked(
        runbook, "runbooks/ask/stream.html", form=StreamForm(formdata=None, obj=stream), stream=stream
    )


@blueprint.post(STREAM, permission=Permission.EDIT_RUNBOOKS)
def save_stream(runbook_id: int, stream_id: int) -> Any:
    runbook = _runbook(runbook_id)
    stream = queries.stream_of(runbook, stream_id)
    form = StreamForm()
    if not form.validate():
        return asked(runbook, "runbooks/ask/stream.html", status=422, form=form, stream=stream)
    return _do(
        runbook,
        lambda: operations.edit_stream(stream, name=form.name.data, color=form.color.data, by=current_user),
    )


@blueprint.post(f"{STREAM}/move", permission=Permission.EDIT_RUNBOOKS)
def move_stream(runbook_id: int, stream_id: int) -> Any:
    step = {"up": -1, "down": 1}.get(request.form.get("to", ""))
    if step is None:
        abort(400)
    runbook = _runbook(runbook_id)
    stream = queries.stream_of(runbook, stream_id)
    return _do(runbook, lambda: operations.move_stream(stream, step, by=current_user))


@blueprint.post(f"{STREAM}/duplicate", permission=Permission.EDIT_RUNBOOKS)
def duplicate_stream(runbook_id: int, stream_id: int) -> Any:
    runbook = _runbook(runbook_id)
    stream = queries.stream_of(runbook, stream_id)
    return _do(
        runbook,
        lambda: operations.duplicate_stream(stream, by=current_user),
        f"{stream.name} is duplicated, with its tasks.",
    )


@blueprint.post(f"{STREAM}/delete", permission=Permission.EDIT_RUNBOOKS)
def delete_stream(runbook_id: int, stream_id: int) -> Any:
    runbook = _runbook(runbook_id)
    stream = queries.stream_of(runbook, stream_id)
    return _do(
        runbook,
        lambda: operations.delete_stream(stream, by=current_user),
        f"{stream.name} is deleted.",
    )


def _runbook(runbook_id: int) -> Runbook:
    return queries.runbook_for(current_user, runbook_id, Permission.EDIT_RUNBOOKS)


def _do(runbook: Runbook, operation: Callable[[], Any], words: str = "") -> Any:
    since = runbook.seq
    try:
        operation()
    except (NotNow, PlanRefused) as refusal:
        return refused(runbook, since, str(refusal))
    db.session.commit()
    return answer(runbook, since, text=words, undoable=True)
