"""What a wall display shows of a board: as much as can be read from across a room. Pure: no Flask, no database."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from webapp.runbooks import dashboard
from webapp.runbooks.board import Board
from webapp.runbooks.rows import Row
from webapp.runbooks.states import NOT_STARTED, TaskState

MOST_RUNNING, MOST_NEXT, MOST_STREAMS, MOST_MILESTONES = 6, 5, 9, 3


@dataclass(frozen=True)
class Wall:
    """The lists of a wall. `next`: what can start now, then what can start soonest, the critical ones first."""

    dashboard: dashboard.Dashboard
    running: Sequence[Row]
    next: Sequence[Row]
    milestones: Sequence[Row]
    most_streams: int = MOST_STREAMS


def draw(board: Board) -> Wall:
    """The wall: what failed and what is late stands first."""
    rows = list(board.rows)
    running = [row for row in rows if row.state == TaskState.IN_PROGRESS]
    running.sort(key=lambda row: (row.look != "failed", -row.late_s, row.span.end, row.number))
    waiting = [row for row in rows if row.state in NOT_STARTED]
    waiting.sort(
        key=lambda row: (row.state != TaskState.STARTABLE, row.span.start, not row.critical, row.number)
    )
    coming = [row for row in waiting if not row.facts.duration_s]
    return Wall(dashboard.draw(board), running[:MOST_RUNNING], waiting[:MOST_NEXT], coming[:MOST_MILESTONES])
