"""The node map of a board: its tasks and links laid out in swim lanes. Pure: no Flask, no database."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from webapp.runbooks.board import Board, Lane
from webapp.runbooks.layout import NODE_HEIGHT, NODE_WIDTH, lay_out, near, path_data
from webapp.runbooks.lettering import fitted, width_of
from webapp.runbooks.rows import Row
from webapp.runbooks.states import TaskState

LABEL_SIZE, NUMBER_SIZE = 11.5, 10.5
NUMBER_X = 29


@dataclass(frozen=True)
class Node:
    """One task in the drawing. `text_x`: where its name begins; `off`: the filter does not want it."""

    row: Row
    x: int
    y: int
    text_x: int
    text: str
    off: bool


@dataclass(frozen=True)
class Edge:
    """One link as SVG path data. `look`: crit, done or nothing."""

    data: str
    look: str


@dataclass(frozen=True)
class LaneBand:
    """A stream's place from top to bottom."""

    lane: Lane
    y: int
    height: int


@dataclass(frozen=True)
class NodeMap:
    """The drawing, in pixels."""

    width: int
    height: int
    bands: Sequence[LaneBand]
    edges: Sequence[Edge]
    nodes: Sequence[Node]
    node_width: int = NODE_WIDTH
    node_height: int = NODE_HEIGHT


def draw(board: Board) -> NodeMap:
    """The map of all tasks, or of those around the selected one where the board's address says so."""
    rows = {row.id: row for row in board.rows}
    links = {task_id: [each for each in board.links[task_id] if each in rows] for task_id in rows}
    selected = board.row(board.here.number)
    if board.here.around and selected is not None:
        shown = near(links, selected.id)
        rows = {task_id: row for task_id, row in rows.items() if task_id in shown}
    lanes = [
        (lane, kept) for lane in board.lanes if (kept := [row.id for row in lane.rows if row.id in rows])
    ]
    try:
        found = lay_out([(number, kept) for number, (_, kept) in enumerate(lanes)], links)
    except ValueError:  # a loop cannot be saved, but no page fails on one
        found = lay_out([(number, kept) for number, (_, kept) in enumerate(lanes)], {})
    critical = set(pairwise(board.schedule.now.critical_path))
    edges = [
        Edge(path_data(line.points), _look(rows[line.before], (line.before, line.after) in critical))
        for line in found.lines
    ]
    return NodeMap(
        width=found.width,
        height=found.height,
        bands=[
            LaneBand(lane, band.y, band.height) for (lane, _), band in zip(lanes, found.bands, strict=True)
        ],
        edges=sorted(edges, key=lambda edge: edge.look == "crit"),  # drawn last, it lies on top
        nodes=[
            _node(rows[task_id], x, y, off=rows[task_id].number not in board.matching)
            for task_id, (x, y) in found.places.items()
        ],
    )


def _look(before: Row, critical: bool) -> str:
    if critical:
        return "crit"
    return "done" if before.state == TaskState.COMPLETE else ""


def _node(row: Row, x: int, y: int, *, off: bool) -> Node:
    text_x = NUMBER_X + round(width_of(str(row.number), NUMBER_SIZE)) + 7
    return Node(row, x, y, text_x, fitted(row.title, NODE_WIDTH - text_x - 9, LABEL_SIZE), off)
