"""Several new tasks at once, from lines that someone pasted."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select

from webapp.accounts.models import User
from webapp.audit.operations import record_each
from webapp.extensions import db
from webapp.runbooks.models import Runbook, Stream, Task
from webapp.runbooks.operations.changes import refuse_if_ended, touch
from webapp.runbooks.operations.many_tasks import insert_tasks
from webapp.runbooks.operations.plan_changes import undoable
from webapp.runbooks.operations.planning import place_after
from webapp.runbooks.operations.readiness import settle_readiness
from webapp.runbooks.operations.streams import refuse_if_gone
from webapp.runbooks.refusals import PlanRefused
from webapp.runbooks.states import UNDER_WAY

MOST_PASTED = 500
LONGEST_TITLE = 300


@undoable(alone=True)
def add_tasks(runbook: Runbook, stream: Stream, titles: Sequence[str], *, by: User) -> list[Task]:
    """A new task for each title, at the end of the stream and in their order; blank ones are left out.

    All or none: raises PlanRefused, which names the line, or NotNow.
    """
    lines = [(at, each.strip()) for at, each in enumerate(titles, 1) if each.strip()]
    if not lines:
        raise PlanRefused("Type a task name.", "title")
    if len(lines) > MOST_PASTED:
        raise PlanRefused(
            f"{len(lines):,} lines are too many to paste: {MOST_PASTED} at once. Put them into a file and use Import.",
            "title",
        )
    for at, title in lines:
        if len(title) > LONGEST_TITLE:
            raise PlanRefused(
                f"Line {at} has {len(title):,} characters; a task name may have {LONGEST_TITLE}. Nothing was added.",
                "title",
            )
    if stream.runbook_id != runbook.id:
        raise PlanRefused("Choose a stream of this runbook.", "stream_id")
    seq = touch(runbook, stream)
    refuse_if_ended(runbook)
    refuse_if_gone(stream)
    db.session.refresh(runbook, ["next_task_number"])  # someone may have added a task while this one waited
    first, position = runbook.next_task_number, place_after(runbook, None)
    common = {"runbook_id": runbook.id, "stream_id": stream.id, "seq": seq, "placed_seq": seq}
    rows = [
        {**common, "number": first + at, "position": position + at, "title": title}
        for at, (_, title) in enumerate(lines)
    ]
    runbook.next_task_number += len(rows)
    ids = insert_tasks(rows)
    query = select(Task).where(Task.id.in_(ids.values())).order_by(Task.number)
    tasks = list(db.session.scalars(query))
    record_each(
        "task.added",
        [(each, None, {"title": each.title, "stream": stream.name}) for each in tasks],
        by=by,
        workspace_id=runbook.workspace_id,
        runbook_id=runbook.id,
    )
    if runbook.state in UNDER_WAY:
        settle_readiness(runbook, seq, by=by)
    return tasks
