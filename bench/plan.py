"""A runbook of any size to measure with, written straight into the tables."""

from __future__ import annotations

from datetime import timedelta
from random import Random

from sqlalchemy import insert, select

from webapp.accounts.models import User
from webapp.clock import now
from webapp.extensions import db
from webapp.runbooks.models import Comment, Runbook, Stream, Task, task_assignees, task_predecessors
from webapp.runbooks.states import Completion, RunbookState, TaskState
from webapp.workspaces.models import Membership, Workspace

STREAMS = 12
RUNNING = 20


def people(count: int = 12) -> list[User]:
    """A committed workspace with that many editors."""
    workspace = Workspace(name="Payments")
    found = [User(name=f"Person {at}", email=f"person{at}@example.com", color=at % 12) for at in range(count)]
    workspace.memberships = [Membership(user=each, role="editor") for each in found]
    db.session.add(workspace)
    db.session.commit()
    return found


def live_runbook(tasks: int, who: list[User], *, done: float = 0.33) -> Runbook:
    """A committed runbook under way: that share of its tasks is done, stream by stream, twenty are in progress.

    Each task waits for one or two of the thirty before it in its stream; two of three have people, one of ten comments.
    """
    chance = Random(tasks)
    began = now() - timedelta(hours=1)
    runbook = Runbook(
        workspace_id=who[0].memberships[0].workspace_id,
        name=f"Cutover of {tasks} tasks",
        state=RunbookState.RUNNING,
        mode="live",
        started_at=began,
        planned_start=began,
        seq=2,
        next_task_number=tasks + 1,
    )
    runbook.streams = [
        Stream(name=f"Stream {at}", color=at % 12, position=at) for at in range(min(STREAMS, tasks))
    ]
    db.session.add(runbook)
    db.session.flush()
    size = -(-tasks // len(runbook.streams))
    ended, running = int(tasks * done), int(tasks * done) + RUNNING
    rows = []
    for at in range(tasks):
        state = (
            TaskState.COMPLETE
            if at < ended
            else TaskState.IN_PROGRESS
            if at < running
            else TaskState.NOT_STARTABLE
        )
        started = began + timedelta(seconds=at * 2400 // tasks)
        rows.append(
            {
                "runbook_id": runbook.id,
                "stream_id": runbook.streams[at // size].id,
                "number": at + 1,
                "position": at,
                "title": f"{chance.choice(('Drain', 'Switch', 'Verify', 'Announce', 'Restart'))} service {at + 1}",
                "duration_s": chance.randrange(1, 30) * 60,
                "state": state,
                "completion": Completion.NORMALLY if at < ended else None,
                "started_at": started if at < running else None,
                "finished_at": started + timedelta(seconds=chance.randrange(30, 900)) if at < ended else None,
                "seq": 1,
                "placed_seq": 1,
            }
        )
    ids = list(db.session.scalars(insert(Task).returning(Task.id, sort_by_parameter_order=True), rows))
    links = {(at, chance.randrange(max(0, at - 30), at)) for at in range(1, tasks) for _ in range(2)}
    waiting = {after for after, before in links if before >= ended}
    ready = [ids[at] for at in range(running, tasks) if at not in waiting]
    for task_id in ready:
        db.session.get_one(Task, task_id).state = TaskState.STARTABLE
    db.session.execute(
        insert(task_predecessors),
        [{"task_id": ids[after], "predecessor_id": ids[before]} for after, before in sorted(links)],
    )
    db.session.execute(
        insert(task_assignees),
        [{"task_id": each, "user_id": chance.choice(who).id} for at, each in enumerate(ids) if at % 3],
    )
    db.session.add_all(Comment(task_id=each, user_id=who[0].id, body="Seen") for each in ids[::10])
    db.session.commit()
    return db.session.scalars(select(Runbook).where(Runbook.id == runbook.id)).one()


def add_tasks(runbook_id: int, count: int) -> None:
    """Give a new runbook that many committed tasks of which none waits for another, all in its first stream."""
    runbook = db.session.get_one(Runbook, runbook_id)
    runbook.next_task_number = count + 1
    common = {"runbook_id": runbook.id, "stream_id": runbook.streams[0].id}
    rows = [
        {**common, "number": at, "position": at, "title": f"Step {at} of the failover"}
        for at in range(1, count + 1)
    ]
    db.session.execute(insert(Task), rows)
    db.session.commit()
