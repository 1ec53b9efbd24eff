"""Streams: add, rename, recolour, move, delete."""

from __future__ import annotations

from typing import Any

from sqlalchemy import func, select

from webapp.accounts.models import User
from webapp.audit.operations import record
from webapp.clock import now
from webapp.extensions import db
from webapp.runbooks import queries
from webapp.runbooks.models import Runbook, Stream, Task
from webapp.runbooks.operations.changes import read_anew, refuse_if_ended, touch
from webapp.runbooks.operations.plan_changes import undoable
from webapp.runbooks.refusals import NotNow, PlanRefused

COLORS = 12


@undoable()
def add_stream(runbook: Runbook, name: str, *, by: User | None, color: int | None = None) -> Stream:
    """A new stream at the end, in the next colour. Raises PlanRefused or NotNow."""
    name = _named(name)
    seq = touch(runbook)
    refuse_if_ended(runbook)
    query = select(func.max(Stream.position), func.count()).where(Stream.runbook_id == runbook.id)
    last, count = db.session.execute(query).one()
    stream = Stream(
        runbook=runbook,
        name=name,
        color=(count if color is None else color) % COLORS,
        position=(last or 0) + 1,
        seq=seq,
        placed_seq=seq,
    )
    db.session.add(stream)
    db.session.flush()
    _record("stream.added", stream, by, after=_facts(stream))
    return stream


@undoable()
def edit_stream(stream: Stream, *, name: str, color: int, by: User) -> None:
    """Rename and recolour it. Raises PlanRefused or NotNow."""
    name = _named(name)
    if not 0 <= color < COLORS:
        raise PlanRefused("Choose one of the colours.", "color")
    touch(stream.runbook, stream)
    refuse_if_ended(stream.runbook)
    refuse_if_gone(stream)
    before = _facts(stream)
    stream.name, stream.color = name, color
    _record("stream.changed", stream, by, before=before, after=_facts(stream))


@undoable("Moved {}")
def move_stream(stream: Stream, step: int, *, by: User) -> None:
    """One place up (−1) or down (+1); at the end nothing happens. Raises NotNow."""
    seq = touch(stream.runbook)
    refuse_if_ended(stream.runbook)
    refuse_if_gone(stream)
    order = queries.streams_of(stream.runbook_id)
    at = order.index(stream)
    wanted = at + step
    if not 0 <= wanted < len(order):
        return
    order.insert(wanted, order.pop(at))
    for position, each in enumerate(order, 1):
        each.position = position
    for each in (stream, order[at]):
        each.seq = each.placed_seq = seq
    _record("stream.moved", stream, by, before={"place": at + 1}, after={"place": wanted + 1})


@undoable()
def delete_stream(stream: Stream, *, by: User) -> None:
    """Take an empty stream away. Raises NotNow where it holds tasks, or is the last one."""
    touch(stream.runbook, stream)
    refuse_if_ended(stream.runbook)
    refuse_if_gone(stream)
    query = (
        select(func.count()).select_from(Task).where(Task.stream_id == stream.id, Task.deleted_at.is_(None))
    )
    if db.session.scalar(query):
        raise NotNow(f"{stream.name} still holds tasks. Move or delete them first.")
    if len(queries.streams_of(stream.runbook_id)) == 1:
        raise NotNow("A runbook needs at least one stream.")
    stream.deleted_at = now()
    _record("stream.deleted", stream, by)


def refuse_if_gone(stream: Stream) -> None:
    """Raises NotNow for a deleted stream. Reads it anew under the lock that touch holds."""
    read_anew(stream)
    if stream.deleted_at is not None:
        raise NotNow("This stream was deleted.")


def _named(typed: str) -> str:
    name = typed.strip()[:120]
    if not name:
        raise PlanRefused("Type a name for the stream.", "name")
    return name


def _facts(stream: Stream) -> dict[str, Any]:
    return {"name": stream.name, "color": stream.color}


def _record(
    verb: str,
    stream: Stream,
    by: User | None,
    *,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
) -> None:
    record(
        verb,
        stream,
        by=by,
        before=before,
        after=after,
        workspace_id=stream.runbook.workspace_id,
        runbook_id=stream.runbook_id,
    )
