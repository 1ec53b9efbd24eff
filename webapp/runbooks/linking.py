"""Runbooks that tasks of other runbooks start: which may be linked, which is free, and who waits for whom."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from itertools import pairwise

from sqlalchemy import select
from sqlalchemy.orm import aliased, joinedload, lazyload

from webapp.extensions import db
from webapp.runbooks import graph, queries
from webapp.runbooks.context import path_of
from webapp.runbooks.models import Purpose, Runbook, Task
from webapp.runbooks.refusals import NotNow, PlanRefused
from webapp.runbooks.rows import Linked
from webapp.runbooks.states import ENDED, UNDER_WAY, Mode, RunbookState, TaskState


def runbooks_to_link(runbook: Runbook) -> list[Runbook]:
    """Those that a task of the runbook may start: of its own workspace, so that whoever sees the one sees the other."""
    return runbooks_in(runbook.workspace_id, but=runbook)


def runbooks_in(workspace_id: int, *, but: Runbook | None) -> list[Runbook]:
    """The runbooks of a workspace that are not archived, by name."""
    query = select(Runbook).where(
        Runbook.workspace_id == workspace_id,
        Runbook.archived_at.is_(None),
        Runbook.purpose == Purpose.RUNBOOK,
    )
    if but is not None:
        query = query.where(Runbook.id != but.id)
    query = query.options(lazyload(Runbook.owners)).order_by(Runbook.name, Runbook.id)
    return list(db.session.scalars(query))


def linked_by_id(runbook_ids: Collection[int]) -> dict[int, Linked]:
    """Those runbooks as rows show them, in two queries."""
    if not runbook_ids:
        return {}
    progress = queries.progress_of(runbook_ids)
    query = select(Runbook.id, Runbook.name, Runbook.state, Runbook.archived_at).where(
        Runbook.id.in_(list(runbook_ids))
    )
    return {
        id_: Linked(
            id_,
            name,
            state,
            path_of(id_),
            archived is not None,
            progress[id_].ended,
            progress[id_].total,
        )
        for id_, name, state, archived in db.session.execute(query)
    }


def refuse_link(runbook: Runbook, linked: Runbook) -> None:
    """Raises PlanRefused where a task of the runbook may not start that one; a loop is named."""
    if linked.id == runbook.id:
        raise PlanRefused("A runbook cannot start itself.", "linked_runbook_id")
    if linked.workspace_id != runbook.workspace_id:
        raise PlanRefused("Choose a runbook of this workspace.", "linked_runbook_id")
    if refusal := Starts(runbook.workspace_id).loop(runbook, linked):
        raise PlanRefused(refusal, "linked_runbook_id")


def that_may_be_started(runbook: Runbook, wanted: Collection[int | None]) -> set[int]:
    """Those of the runbooks that a task of that one may start."""
    ids = [each for each in wanted if each is not None]
    if not ids:
        return set()
    starts = Starts(runbook.workspace_id)
    query = select(Runbook).where(
        Runbook.id.in_(ids),
        Runbook.workspace_id == runbook.workspace_id,
        Runbook.purpose == Purpose.RUNBOOK,
    )
    return {each.id for each in db.session.scalars(query) if not starts.loop(runbook, each)}


class Starts:
    """Which runbooks of a workspace start which by their tasks."""

    def __init__(self, workspace_id: int) -> None:
        self._starts: dict[int, set[int]] = defaultdict(set)
        self._names: dict[int, str] = {}
        started = aliased(Runbook)
        query = (
            select(Task.runbook_id, started.id, Runbook.name, started.name)
            .join(Runbook, Runbook.id == Task.runbook_id)
            .join(started, started.id == Task.linked_runbook_id)
            .where(Runbook.workspace_id == workspace_id, Task.deleted_at.is_(None))
        )
        for starter, id_, name, started_name in db.session.execute(query):
            self._starts[starter].add(id_)
            self._names |= {starter: name, id_: started_name}

    def loop(self, runbook: Runbook, linked: Runbook) -> str:
        """The loop that such a link would close, in a sentence; empty where it closes none."""
        found = graph.loop_through(self._starts, runbook.id, [linked.id])
        if not found:
            return ""
        names = {**self._names, runbook.id: runbook.name, linked.id: linked.name}
        told = " and ".join(f"“{names[one]}” starts “{names[other]}”" for one, other in pairwise(found))
        return f"That would be a loop: {told}."


def refuse_unless_free(task: Task, linked: Runbook) -> None:
    """Raises NotNow where the runbook cannot be started by that task now.

    It is asked before the runbook is locked: one that is under way may wait for the task's own runbook.
    """
    db.session.refresh(linked, ["state", "mode", "archived_at"])
    if linked.archived_at is not None:
        raise NotNow(f"“{linked.name}” is archived. Choose another runbook for this task.")
    if linked.state in UNDER_WAY:
        raise NotNow(f"“{linked.name}” is already under way, so this task cannot start it.")
    if linked.state in ENDED:
        raise NotNow(_ended(linked))
    other = next((each for each in tasks_in_progress(linked) if each.id != task.id), None)
    if other is not None:
        raise NotNow(
            f"“{linked.name}” belongs to {other.audit_name} of “{other.runbook.name}”, which is in progress. "
            "Finish that task first."
        )


def tasks_in_progress(linked: Runbook) -> list[Task]:
    """The tasks in progress that started the runbook, and wait for it."""
    query = (
        select(Task)
        .join(Runbook, Runbook.id == Task.runbook_id)
        .where(
            Task.linked_runbook_id == linked.id,
            Task.state == TaskState.IN_PROGRESS,
            Task.deleted_at.is_(None),
            Runbook.state.in_(UNDER_WAY),
        )
        .options(joinedload(Task.runbook))
        .order_by(Task.id)
    )
    return list(db.session.scalars(query))


def is_done_for(task: Task, linked: Runbook) -> bool:
    """Whether the runbook is complete, in the kind of run that the task is in."""
    return linked.state == RunbookState.COMPLETE and linked.mode == task.runbook.mode


def why_open(task: Task, linked: Runbook) -> str:
    """Why a task that is not done for is still open, and what ends it."""
    if linked.state in UNDER_WAY:
        return f"“{linked.name}” is under way. This task finishes when that is complete."
    by_hand = "Finish this task by hand with a reason, or skip it."
    if linked.state == RunbookState.CANCELLED:
        return f"“{linked.name}” was cancelled. {by_hand}"
    if linked.state == RunbookState.COMPLETE:
        return f"“{linked.name}” is complete, but as another kind of run. {by_hand}"
    return f"“{linked.name}” is being planned again. Start it on its own page, or finish this task by hand with a reason."


def _ended(linked: Runbook) -> str:
    if linked.mode == Mode.REHEARSAL:
        return f"“{linked.name}” has ended as a rehearsal. Take it back to planning on its page first."
    return f"“{linked.name}” has had its live run already. Duplicate it, and link the copy."
