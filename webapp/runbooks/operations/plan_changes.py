"""Keeping what each operation changes in the plan, so that it can be undone.

An operation joins with one line: `@undoable()` over it, or `with planned_change(runbook, by=by):` around its body.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from sqlalchemy import delete, select

from webapp.accounts.models import User
from webapp.extensions import db
from webapp.runbooks.models import PlanChange, Runbook, Stream, Task
from webapp.runbooks.undo.differences import differences
from webapp.runbooks.undo.rows import read_plan, read_spots
from webapp.runbooks.undo.words import LONGEST, label_of

KEPT = 50
_OPEN = "plan change under way"

P = ParamSpec("P")
R = TypeVar("R")


@contextmanager
def planned_change(
    runbook: Runbook, *, by: User | None, label: str = "", tasks: Collection[int] | None = None
) -> Iterator[None]:
    """Keep what happens to the plan inside as one change of that person, in as many queries for 500 tasks as for 5.

    Whatever is stamped from the runbook's seq of that moment on is looked at. Without a label it is called after what
    differs. Nothing is kept where nothing differs, or nobody did it. Inside another planned_change it is a part of that.
    With `tasks`, ids, it changes no other task beside those that it adds, and so needs to read less.
    """
    if by is None or _OPEN in db.session.info:
        yield
        return
    db.session.info[_OPEN] = runbook.id
    try:
        since = _lock(runbook)
        before = read_plan(runbook, tasks=tasks)
        spots = before.spots if tasks is None else read_spots(runbook)
        yield
        db.session.flush()
        after = read_plan(runbook, since=since)
        found = differences(before, after, spots, lambda: read_spots(runbook))
    finally:
        del db.session.info[_OPEN]
    if found:
        change = PlanChange(
            runbook_id=runbook.id,
            user_id=by.id,
            seq=runbook.seq,
            label=label[:LONGEST] or label_of(found),
            rows=[each.as_json() for each in found],
        )
        db.session.add(change)
        db.session.flush()
        _forget_old(change)


def undoable(label: str = "", *, alone: bool = False) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """The same for an operation that takes a runbook, task or stream first, and `by`. `{}` in the label is its name.

    `alone`: it changes no task but that one, beside those that it adds.
    """

    def decorate(operation: Callable[P, R]) -> Callable[P, R]:
        @wraps(operation)
        def kept(*arguments: P.args, **options: P.kwargs) -> R:
            first: Any = arguments[0]
            runbook = first if isinstance(first, Runbook) else first.runbook
            by: Any = options["by"]
            own = [first.id] if isinstance(first, Task) else []
            name = label.format(_name(first))
            with planned_change(runbook, by=by, label=name, tasks=own if alone else None):
                return operation(*arguments, **options)

        return kept

    return decorate


def _name(thing: Runbook | Task | Stream) -> str:
    return f"#{thing.number}" if isinstance(thing, Task) else thing.name


def _lock(runbook: Runbook) -> int:
    """The runbook's seq, read under the lock that touch takes: what is read from now on is what the change finds."""
    db.session.flush()
    query = select(Runbook.seq).where(Runbook.id == runbook.id).with_for_update()
    return db.session.scalars(query).one()


def _forget_old(change: PlanChange) -> None:
    """Keep a person's last changes of a runbook."""
    own = (PlanChange.runbook_id == change.runbook_id, PlanChange.user_id == change.user_id)
    oldest = select(PlanChange.id).where(*own).order_by(PlanChange.id.desc()).offset(KEPT).limit(1)
    db.session.execute(
        delete(PlanChange)
        .where(*own, PlanChange.id <= oldest.scalar_subquery())
        .execution_options(synchronize_session=False)
    )
