"""Telling viewers: the runbook's `seq` rises with each change, and what changed is stamped with it."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from sqlalchemy import select, update
from sqlalchemy.orm.attributes import set_committed_value

from webapp.audit.operations import record
from webapp.clock import now
from webapp.extensions import db
from webapp.runbooks import linking
from webapp.runbooks.models import Runbook, Stream, Task
from webapp.runbooks.refusals import NotNow
from webapp.runbooks.states import ENDED


def touch(runbook: Runbook, *changed: Task | Stream, frozen_too: bool = False) -> int:
    """Raise the runbook's seq, stamp what changed with it, and answer it.

    Every operation begins with it: the UPDATE locks the runbook's row until the transaction ends, so changes of one
    runbook follow one another, and the runbook's state is read anew under that lock. Raises NotNow for a frozen plan,
    unless what is done is no change of the plan (`frozen_too`).
    """
    seq, state, mode, frozen = db.session.execute(
        update(Runbook)
        .where(Runbook.id == runbook.id)
        .values(seq=Runbook.seq + 1, updated_at=now())
        .returning(Runbook.seq, Runbook.state, Runbook.mode, Runbook.frozen)
        .execution_options(synchronize_session=False)
    ).one()
    set_committed_value(runbook, "seq", seq)
    set_committed_value(runbook, "state", state)
    set_committed_value(runbook, "mode", mode)
    if frozen and not frozen_too:
        raise NotNow(
            "This version of the template is not a draft any more, so its plan cannot be changed. Make a new version."
        )
    for each in changed:
        each.seq = seq
    return int(seq)


def tell_linking_tasks(runbook: Runbook) -> None:
    """Something went on in the runbook, so the rows of the tasks that started it read differently."""
    db.session.flush()
    for task in linking.tasks_in_progress(runbook):
        look_anew(task)


def look_anew(task: Task) -> None:
    """The task looks different to its viewers, although nothing of it was written."""
    touch(task.runbook, task)
    db.session.flush()


def leave_to_people(task: Task, sentence: str) -> None:
    """It does not finish by itself, and the sentence says why: people look, and press Finish."""
    record(
        "task.not_finished_by_itself",
        task,
        by=None,
        workspace_id=task.runbook.workspace_id,
        runbook_id=task.runbook_id,
        note=sentence,
    )
    look_anew(task)


def refuse_if_ended(runbook: Runbook) -> None:
    """Raises NotNow where the plan can no longer be changed. Asked after touch, which reads the state anew."""
    if runbook.state in ENDED:
        raise NotNow("The runbook has ended, so its plan cannot be changed.")


def read_anew(row: Task | Stream) -> None:
    """Read the row again, under the lock that touch holds: it may have changed while this transaction waited."""
    db.session.flush()  # a refresh would forget the seq that touch has just given it
    db.session.refresh(row)


def stamp(task_ids: Collection[int], seq: int) -> None:
    """Stamp tasks that are not loaded."""
    if task_ids:
        db.session.execute(
            update(Task)
            .where(Task.id.in_(list(task_ids)))
            .values(seq=seq)
            .execution_options(synchronize_session="fetch")
        )


def stamp_states(runbook: Runbook, states: Iterable[str], seq: int) -> None:
    """Stamp every task of the runbook in one of the states: its buttons look different now."""
    query = select(Task.id).where(
        Task.runbook_id == runbook.id, Task.state.in_(list(states)), Task.deleted_at.is_(None)
    )
    stamp(list(db.session.scalars(query)), seq)


def place_streams_anew(runbook: Runbook, seq: int) -> None:
    """Have every list sent whole: a plan has other columns than a run."""
    db.session.execute(
        update(Stream)
        .where(Stream.runbook_id == runbook.id, Stream.deleted_at.is_(None))
        .values(seq=seq, placed_seq=seq)
        .execution_options(synchronize_session="fetch")
    )
