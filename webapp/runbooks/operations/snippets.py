"""Snippets: a few tasks of a plan kept for other plans, and put into one as a single change."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from webapp.accounts.models import User
from webapp.audit.operations import record
from webapp.extensions import db
from webapp.runbooks import queries
from webapp.runbooks.models import Purpose, Runbook, Stream, Task, task_predecessors
from webapp.runbooks.operations.changes import refuse_if_ended, stamp, touch
from webapp.runbooks.operations.duplicating import (
    copy_streams,
    copy_tasks,
    placed,
    planned_tasks,
    take_numbers,
)
from webapp.runbooks.operations.many_tasks import insert_pairs
from webapp.runbooks.operations.plan_changes import undoable
from webapp.runbooks.operations.planning import place_after
from webapp.runbooks.operations.readiness import settle_readiness
from webapp.runbooks.operations.streams import COLORS, arrange, refuse_if_gone
from webapp.runbooks.operations.templating import first_version, refuse_unless_usable, remember_use
from webapp.runbooks.refusals import NotNow, PlanRefused
from webapp.runbooks.states import UNDER_WAY
from webapp.runbooks.templates.models import TemplateKind, TemplateVersion


def save_as_snippet(
    runbook: Runbook,
    numbers: Collection[int],
    *,
    name: str,
    description: str,
    keep_assignees: bool,
    by: User | None,
) -> TemplateVersion:
    """A new snippet whose first version, a draft, has those tasks, numbered from 1 in the order of the page.

    They wait for one another as they do in the runbook, and have no planned starts. Raises NotNow without a task.
    """
    originals = queries.streams_of(runbook.id)
    chosen = [each for each in _as_on_the_page(runbook, originals) if each.number in numbers]
    if not chosen:
        raise NotNow("None of these tasks is in the plan any more.")
    plan = Runbook(
        name=name,
        workspace=runbook.workspace,
        purpose=Purpose.TEMPLATE,
        next_task_number=len(chosen) + 1,
        created_by_id=by.id if by else None,
        owners=[by] if by else [],
    )
    kept = _holding(chosen, originals)
    plan.streams = copy_streams(kept)
    db.session.add(plan)
    db.session.flush()
    new_ids = {old.id: new.id for old, new in zip(kept, plan.streams, strict=True)}
    places = [
        placed(new_ids[each.stream_id], number, number, plan.seq, planned_start=None)
        for number, each in enumerate(chosen, 1)
    ]
    copy_tasks(chosen, places, into=plan, keep_assignees=keep_assignees)
    return first_version(plan, TemplateKind.SNIPPET, description=description, copy_of=runbook.name, by=by)


@undoable("Inserted a snippet", alone=True)
def insert_snippet(
    runbook: Runbook,
    version: TemplateVersion,
    *,
    stream: Stream | None,
    wait_for: Sequence[int] = (),
    keep_assignees: bool = True,
    by: User,
) -> list[Task]:
    """Put the tasks of an approved version into the plan: at the end of `stream`, or without one as new streams.

    They wait for one another as in the snippet; those that wait for none of it wait for the tasks with the ids
    `wait_for`. One change of the plan. Raises NotNow or PlanRefused.
    """
    seq = touch(runbook, *([stream] if stream is not None else []))
    refuse_if_ended(runbook)
    refuse_unless_usable(version)
    if version.template.workspace_id != runbook.workspace_id:
        raise PlanRefused("This snippet belongs to another workspace.", "version_id")
    if not {each.id for each in queries.names_within(runbook.id)}.issuperset(wait_for):
        raise PlanRefused("Choose tasks of this runbook.", "wait_for")
    if stream is not None:
        if stream.runbook_id != runbook.id:
            raise PlanRefused("Choose a stream of this runbook.", "stream_id")
        refuse_if_gone(stream)
    originals = queries.streams_of(version.runbook_id)
    tasks = _as_on_the_page(version.runbook, originals)
    lanes = _lanes(runbook, _holding(tasks, originals), stream, seq)
    numbers = take_numbers(runbook, len(tasks))
    first = place_after(runbook, None)
    places = [
        placed(lanes[task.stream_id].id, number, first + at, seq, planned_start=None)
        for at, (task, number) in enumerate(zip(tasks, numbers, strict=True))
    ]
    copies = copy_tasks(tasks, places, into=runbook, keep_assignees=keep_assignees)
    links = queries.links_within(version.runbook_id)
    begin = [copies[each.id] for each in tasks if not links[each.id]]
    insert_pairs(task_predecessors, [(task_id, before) for task_id in begin for before in wait_for])
    stamp(list(wait_for), seq)
    remember_use(version, runbook, whole=False, by=by)
    record(
        "runbook.snippet_inserted",
        runbook,
        by=by,
        after={
            "snippet": version.audit_name,
            "tasks": numbers,
            "streams": sorted({each.full_name for each in lanes.values()}),
        },
        workspace_id=runbook.workspace_id,
        runbook_id=runbook.id,
    )
    if runbook.state in UNDER_WAY:
        settle_readiness(runbook, seq, by=by)
    return queries.tasks_by_id(copies.values())


def _as_on_the_page(plan: Runbook, streams: Sequence[Stream]) -> list[Task]:
    """Stream by stream, in their order."""
    rank = {each.id: at for at, each in enumerate(streams)}
    return sorted(planned_tasks(plan), key=lambda each: rank[each.stream_id])


def _holding(tasks: Sequence[Task], streams: Sequence[Stream]) -> list[Stream]:
    """Those of the streams that hold one of the tasks, and what these are part of."""
    held = {each.stream_id for each in tasks}
    parents = {each.parent_id for each in streams if each.id in held}
    return [each for each in streams if each.id in held | parents]


def _lanes(
    runbook: Runbook, originals: Sequence[Stream], stream: Stream | None, seq: int
) -> dict[int, Stream]:
    """Stream id of the snippet to the stream into which its tasks go."""
    if stream is not None:
        return {each.id: stream for each in originals}
    present = queries.streams_of(runbook.id)
    new = copy_streams(originals)
    for at, each in enumerate(new):
        each.runbook_id, each.seq, each.placed_seq = runbook.id, seq, seq
        each.color = each.parent.color if each.parent else (len(present) + at) % COLORS
    db.session.add_all(new)
    arrange([*present, *new])
    db.session.flush()
    return {old.id: made for old, made in zip(originals, new, strict=True)}
