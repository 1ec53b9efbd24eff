"""Runbooks of any size, written straight into the tables, and what a view's page says of them."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from sqlalchemy import insert

from tests.cast import Cast
from webapp.clock import now
from webapp.extensions import db
from webapp.runbooks.models import Runbook, Stream, Task, task_assignees, task_predecessors


def add_runbook(cast: Cast, size: int, *, began: datetime | None = None, streams: int = 3) -> Runbook:
    """A runbook of Rune's: each task of ten minutes waits for the one before it in its stream and every third for another.

    With `began` it is live since then and its first task in progress.
    """
    runbook = Runbook(
        workspace_id=cast.payments,
        name="Cutover",
        created_by_id=cast.rune,
        next_task_number=size + 1,
        state="running" if began else "planning",
        mode="live" if began else None,
        started_at=began,
    )
    lanes = [
        Stream(runbook=runbook, name=f"Stream {each}", color=each, position=each) for each in range(streams)
    ]
    db.session.add_all([runbook, *lanes])
    db.session.flush()
    tasks = [
        Task(
            runbook_id=runbook.id,
            stream_id=lanes[at % streams].id,
            number=at + 1,
            position=at,
            title=f"Step {at + 1}",
            duration_s=600,
        )
        for at in range(size)
    ]
    if began is not None:
        for task in tasks[:streams]:
            task.state = "startable"
        tasks[0].state, tasks[0].started_at = "in_progress", began
    db.session.add_all(tasks)
    db.session.flush()
    links = [(at, at - streams) for at in range(streams, size)]
    links += [(at, at - streams - 1) for at in range(streams + 1, size, 3)]
    if links:
        db.session.execute(
            insert(task_predecessors),
            [{"task_id": tasks[at].id, "predecessor_id": tasks[before].id} for at, before in links],
        )
    db.session.execute(
        insert(task_assignees), [{"task_id": task.id, "user_id": cast.rune} for task in tasks[::2]]
    )
    db.session.commit()
    return runbook


def ago(minutes: float) -> datetime:
    return now() - timedelta(minutes=minutes)


def tasks_in(html: str, mark: str = 'data-node="(\\d+)"') -> list[int]:
    """The task numbers that a page's drawing names, in their order, each once."""
    return list(dict.fromkeys(int(each) for each in re.findall(mark, html)))


def classes_of(html: str, number: int, mark: str = "data-task") -> set[str]:
    """The classes of the elements that stand for a task."""
    tags = re.findall(rf'<\w+[^>]*{mark}="{number}"[^>]*>', html)
    return {name for tag in tags for value in re.findall(r'class="([^"]*)"', tag) for name in value.split()}
