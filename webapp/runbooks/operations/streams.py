"""Streams: add, rename, recolour, make part of another one, move, delete."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from sqlalchemy import func, select

from webapp.accounts.models import User
from webapp.audit.operations import record
from webapp.clock import now
from webapp.extensions import db
from webapp.runbooks import queries
from webapp.runbooks.models import OF_PARENT, Runbook, Stream, Task
from webapp.runbooks.operations.changes import read_anew, refuse_if_ended, touch
from webapp.runbooks.operations.plan_changes import undoable
from webapp.runbooks.refusals import NotNow, PlanRefused

COLORS = 12


@undoable(alone=True)
def add_stream(
    runbook: Runbook, name: str, *, by: User | None, color: int | None = None, parent: Stream | None = None
) -> Stream:
    """A new stream at the end, in the next colour; a sub-stream at the end of its parent's, in the parent's colour.

    Raises PlanRefused or NotNow.
    """
    name = _named(name)
    seq = touch(runbook)
    refuse_if_ended(runbook)
    _refuse_as_parent(runbook, parent)
    count = db.session.scalar(select(func.count()).where(Stream.runbook_id == runbook.id)) or 0
    usual = parent.color if parent is not None else count % COLORS
    stream = Stream(
        runbook=runbook,
        parent=parent,
        name=name,
        color=usual if color is None else color % COLORS,
        seq=seq,
        placed_seq=seq,
    )
    db.session.add(stream)
    place(queries.streams_of(runbook.id), stream)
    db.session.flush()
    _tell(seq, parent)
    _record("stream.added", stream, by, after=_facts(stream))
    return stream


@undoable(alone=True)
def edit_stream(stream: Stream, *, name: str, color: int, parent: Stream | None, by: User) -> None:
    """Rename and recolour it, and say what it is part of. Raises PlanRefused or NotNow."""
    name = _named(name)
    if not 0 <= color < COLORS:
        raise PlanRefused("Choose one of the colours.", "color")
    seq = touch(stream.runbook, stream)
    refuse_if_ended(stream.runbook)
    refuse_if_gone(stream)
    before, of = _facts(stream), stream.parent
    stream.name, stream.color = name, color
    if parent is not of:
        _refuse_as_parent(stream.runbook, parent, of=stream)
        stream.parent, stream.placed_seq = parent, seq
        place(queries.streams_of(stream.runbook_id), stream)
        _tell(seq, of, parent)
    _record("stream.changed", stream, by, before=before, after=_facts(stream))


@undoable("Moved {}", alone=True)
def move_stream(stream: Stream, step: int, *, by: User) -> None:
    """One place up (−1) or down (+1) among its neighbours, with its sub-streams; at the end nothing happens.

    Raises NotNow.
    """
    seq = touch(stream.runbook)
    refuse_if_ended(stream.runbook)
    refuse_if_gone(stream)
    streams = queries.streams_of(stream.runbook_id)
    order = [each for each in streams if each.parent_id == stream.parent_id]
    at = order.index(stream)
    wanted = at + step
    if not 0 <= wanted < len(order):
        return
    order.insert(wanted, order.pop(at))
    arrange([*order, *(each for each in streams if each not in order)])
    for each in (stream, order[at]):
        each.seq = each.placed_seq = seq
    _record("stream.moved", stream, by, before={"place": at + 1}, after={"place": wanted + 1})


@undoable(alone=True)
def delete_stream(stream: Stream, *, by: User) -> None:
    """Take an empty stream away. Raises NotNow where it holds tasks or sub-streams, or is the last one."""
    seq = touch(stream.runbook, stream)
    refuse_if_ended(stream.runbook)
    refuse_if_gone(stream)
    query = (
        select(func.count()).select_from(Task).where(Task.stream_id == stream.id, Task.deleted_at.is_(None))
    )
    if db.session.scalar(query):
        raise NotNow(f"{stream.name} still holds tasks. Move or delete them first.")
    streams = queries.streams_of(stream.runbook_id)
    if any(each.parent_id == stream.id for each in streams):
        raise NotNow(f"{stream.name} still has sub-streams. Move or delete them first.")
    if len(streams) == 1:
        raise NotNow("A runbook needs at least one stream.")
    stream.deleted_at = now()
    _tell(seq, stream.parent)
    _record("stream.deleted", stream, by)


def place(others: Sequence[Stream], stream: Stream, *, after: Stream | None = None) -> None:
    """Give the stream its position among the others: right after one of them, else at the end of its parent's."""
    order = [each for each in others if each is not stream]
    order.insert(order.index(after) + 1 if after is not None else len(order), stream)
    arrange(order)


def arrange(order: Sequence[Stream]) -> None:
    """Number the streams in this order, the sub-streams behind their parents."""
    parts: dict[Stream | None, list[Stream]] = defaultdict(list)
    for each in order:
        parts[each.parent].append(each)
    nested = (each for top in parts[None] for each in (top, *parts[top]))
    for position, each in enumerate(nested, 1):
        each.position = position


def refuse_if_gone(stream: Stream) -> None:
    """Raises NotNow for a deleted stream. Reads it anew under the lock that touch holds."""
    read_anew(stream)
    if stream.deleted_at is not None:
        raise NotNow("This stream was deleted.")


def _named(typed: str) -> str:
    name = typed.strip()[:120]
    if not name:
        raise PlanRefused("Type a name for the stream.", "name")
    if OF_PARENT in name:
        raise PlanRefused("Leave “ / ” out: it stands between a stream and its sub-stream.", "name")
    return name


def _refuse_as_parent(runbook: Runbook, parent: Stream | None, *, of: Stream | None = None) -> None:
    """Raises PlanRefused for what cannot be the parent of that stream, NotNow for one that is gone."""
    if parent is None:
        return
    if parent.runbook_id != runbook.id:
        raise PlanRefused("Choose a stream of this runbook.", "parent_id")
    refuse_if_gone(parent)
    if parent.parent_id is not None or parent is of:
        raise PlanRefused("Choose a stream that is part of no other one.", "parent_id")
    if of is not None and any(each.parent_id == of.id for each in queries.streams_of(runbook.id)):
        raise PlanRefused(f"{of.name} has sub-streams itself, so it is part of no other one.", "parent_id")


def _tell(seq: int, *parents: Stream | None) -> None:
    """A parent's head counts what its sub-streams hold."""
    for each in parents:
        if each is not None:
            each.seq = seq


def _facts(stream: Stream) -> dict[str, Any]:
    part_of = {"part of": stream.parent.name} if stream.parent else {}
    return {"name": stream.name, "color": stream.color, **part_of}


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
