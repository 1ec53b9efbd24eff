"""What the plan of a runbook says, row by row, as an undo keeps it: read in a constant number of queries."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import Column, Select, Table, select

from webapp.extensions import Base, UtcDateTime, db
from webapp.runbooks.arrangement import Spot, Spots
from webapp.runbooks.models import PLAN_COLUMNS, Runbook, Stream, Task, task_assignees, task_predecessors
from webapp.runbooks.states import NOT_STARTED
from webapp.runbooks.undo.differences import PRESENT, PlanRow, PlanRows, Values

_COLUMNS: dict[type[Base], tuple[str, ...]] = {Task: PLAN_COLUMNS, Stream: ("name", "color")}
# Beside its columns, who is assigned to a task and what it waits for.
PEOPLE, WAITS_FOR = "people", "waits_for"


def plan_columns(model: type[Base]) -> list[Column[Any]]:
    """The columns that are the plan of a task or a stream."""
    table: Table = model.__table__  # type: ignore[assignment]
    return [table.columns[name] for name in _COLUMNS[model]]


def read_plan(
    runbook: Runbook, *, since: int | None = None, tasks: Collection[int] | None = None
) -> PlanRows:
    """Every stream and task of the runbook, deleted ones too.

    With `since`, only what was stamped from that seq on; with `tasks`, ids, only those tasks.
    """
    chosen = _of(runbook, Task, since)
    if tasks is not None:
        chosen = chosen.where(Task.id.in_(tasks))
    people = _lists(task_assignees.c.user_id, task_assignees, chosen)
    waits_for = _lists(task_predecessors.c.predecessor_id, task_predecessors, chosen)
    found = PlanRows()
    columns = plan_columns(Task)
    own: list[Any] = [Task.id, Task.number, Task.stream_id, Task.position, Task.placed_seq]
    own += [Task.deleted_at, Task.state]
    rows = db.session.execute(chosen.with_only_columns(*own, *columns))
    for task_id, number, stream_id, position, placed_seq, deleted_at, state, *rest in rows:
        values = _values(columns, rest, deleted_at)
        values[PEOPLE], values[WAITS_FOR] = people.get(task_id, []), waits_for.get(task_id, [])
        spot = Spot(stream_id, position)
        found.tasks[task_id] = PlanRow(f"#{number}", values, spot, placed_seq, state not in NOT_STARTED)
    columns = plan_columns(Stream)
    own = [Stream.id, Stream.name, Stream.parent_id, Stream.position, Stream.placed_seq, Stream.deleted_at]
    rows = db.session.execute(_of(runbook, Stream, since).with_only_columns(*own, *columns))
    for stream_id, name, parent_id, position, placed_seq, deleted_at, *rest in rows:
        values = _values(columns, rest, deleted_at)
        found.streams[stream_id] = PlanRow(name, values, Spot(parent_id, position), placed_seq)
    return found


def read_spots(runbook: Runbook) -> dict[str, Spots]:
    """Where every stream and task of the runbook stands, by table."""
    tasks = select(Task.id, Task.stream_id, Task.position).where(Task.runbook_id == runbook.id)
    streams = select(Stream.id, Stream.parent_id, Stream.position).where(Stream.runbook_id == runbook.id)
    return {
        table: {each: Spot(group, position) for each, group, position in db.session.execute(query)}
        for table, query in (("tasks", tasks), ("streams", streams))
    }


def stored(value: Any) -> Any:
    """A column's value as JSON has it."""
    return value.isoformat() if isinstance(value, datetime) else value


def loaded(column: Column[Any], value: Any) -> Any:
    """The column's value again."""
    return datetime.fromisoformat(value) if value and isinstance(column.type, UtcDateTime) else value


def _of(runbook: Runbook, model: type[Task | Stream], since: int | None) -> Select[Any]:
    query = select(model).where(model.runbook_id == runbook.id)
    return query if since is None else query.where(model.seq >= since)


def _values(columns: Collection[Column[Any]], row: Collection[Any], deleted_at: datetime | None) -> Values:
    values = {column.name: stored(value) for column, value in zip(columns, row, strict=True)}
    values[PRESENT] = deleted_at is None
    return values


def _lists(wanted: Column[Any], table: Table, tasks: Select[Any]) -> dict[int, list[int]]:
    """Task id to the sorted ids that the table pairs it with."""
    found = defaultdict(list)
    ids = tasks.with_only_columns(Task.id)
    for task_id, other in db.session.execute(
        select(table.c.task_id, wanted).where(table.c.task_id.in_(ids)).order_by(wanted)
    ):
        found[task_id].append(other)
    return found
