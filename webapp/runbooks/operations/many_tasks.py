"""Writing the rows of many tasks with few statements."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import Table, insert

from webapp.extensions import db
from webapp.runbooks.models import Task

WRITTEN_AT_ONCE = 500

Told = Callable[[int], None]


def insert_tasks(rows: Sequence[dict[str, Any]], told: Told = lambda written: None) -> dict[int, int]:
    """Task number to id, of rows of one runbook. `told` hears after each part how many are written."""
    by_number: dict[int, int] = {}
    for start in range(0, len(rows), WRITTEN_AT_ONCE):
        chunk = rows[start : start + WRITTEN_AT_ONCE]
        made = db.session.execute(insert(Task).returning(Task.number, Task.id), chunk)
        by_number.update((number, task_id) for number, task_id in made)
        told(start + len(chunk))
    return by_number


def insert_pairs(table: Table, pairs: Sequence[tuple[int, int]]) -> None:
    """Rows of a table of two columns, in the order of its columns."""
    names = table.columns.keys()
    if pairs:
        db.session.execute(insert(table), [dict(zip(names, pair, strict=True)) for pair in pairs])
