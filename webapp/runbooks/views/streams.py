"""Streams: add, edit, move, duplicate, delete."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import abort, request
from flask_login import current_user

from webapp.extensions import db
from webapp.permissions import Permission
from webapp.row_ids import row_id
from webapp.runbooks import operations, queries
from webapp.runbooks.forms import StreamForm
from webapp.runbooks.models import Runbook, Stream
from webapp.runbooks.refusals import NotNow, PlanRefused
from webapp.runbooks.views import blueprint
from webapp.runbooks.views.pieces import answer
from webapp.runbooks.views.runbook import PAGE, asked, refused

STREAM = f"{PAGE}/streams/<int:stream_id>"


@blueprint.get(f"{PAGE}/streams/new", permission=Permission.EDIT_RUNBOOKS)
def ask_new_stream(runbook_id: int) -> Any:
    """The dialog; ?parent_id= is what it is part of, whose colour it then takes, and ?name= what is typed already."""
    runbook = _runbook(runbook_id)
    tops, wanted = _tops(runbook), request.args.get("parent_id", 0, row_id)
    parent = next((each for each in tops if each.id == wanted), None)
    form = StreamForm.within(
        tops,
        name=request.args.get("name", ""),
        parent_id=parent.id if parent else 0,
        color=parent.color if parent else len(queries.streams_of(runbook.id)) % 12,
    )
    return _ask(runbook, form)


@blueprint.post(f"{PAGE}/streams", permission=Permission.EDIT_RUNBOOKS)
def add_stream(runbook_id: int) -> Any:
    runbook = _runbook(runbook_id)
    form = StreamForm.within(_tops(runbook))
    return _save(
        runbook,
        form,
        None,
        lambda: operations.add_stream(
            runbook, form.name.data, by=current_user, color=form.color.data, parent=form.parent
        ),
    )


@blueprint.get(STREAM, permission=Permission.EDIT_RUNBOOKS)
def ask_edit_stream(runbook_id: int, stream_id: int) -> Any:
    runbook = _runbook(runbook_id)
    stream = queries.stream_of(runbook, stream_id)
    values = {"name": stream.name, "color": stream.color, "parent_id": stream.parent_id or 0}
    return _ask(runbook, StreamForm.within(_tops(runbook, stream), **values), stream)


@blueprint.post(STREAM, permission=Permission.EDIT_RUNBOOKS)
def save_stream(runbook_id: int, stream_id: int) -> Any:
    runbook = _runbook(runbook_id)
    stream = queries.stream_of(runbook, stream_id)
    form = StreamForm.within(_tops(runbook, stream))
    return _save(
        runbook,
        form,
        stream,
        lambda: operations.edit_stream(
            stream, name=form.name.data, color=form.color.data, parent=form.parent, by=current_user
        ),
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


def _tops(runbook: Runbook, stream: Stream | None = None) -> list[Stream]:
    """What the stream may be part of: none where it has sub-streams itself."""
    streams = queries.streams_of(runbook.id)
    if stream is not None and any(each.parent_id == stream.id for each in streams):
        return []
    return [each for each in streams if each.parent_id is None and each is not stream]


def _ask(runbook: Runbook, form: StreamForm, stream: Stream | None = None, *, status: int = 200) -> Any:
    return asked(runbook, "runbooks/ask/stream.html", status=status, form=form, stream=stream)


def _save(runbook: Runbook, form: StreamForm, stream: Stream | None, operation: Callable[[], Any]) -> Any:
    since = runbook.seq
    if not form.validate():
        return _ask(runbook, form, stream, status=422)
    try:
        operation()
    except PlanRefused as refusal:
        db.session.rollback()
        form[refusal.field or "name"].errors = [str(refusal)]
        return _ask(runbook, form, stream, status=422)
    except NotNow as refusal:
        return refused(runbook, since, str(refusal))
    db.session.commit()
    return answer(runbook, since)


def _runbook(runbook_id: int) -> Runbook:
    return queries.runbook_for(current_user, runbook_id, Permission.EDIT_RUNBOOKS)


def _do(runbook: Runbook, operation: Callable[[], Any], words: str = "") -> Any:
    since = runbook.seq
    try:
        operation()
    except NotNow as refusal:
        return refused(runbook, since, str(refusal))
    db.session.commit()
    return answer(runbook, since, text=words, undoable=True)
