"""What stands beside the panel in the views other than the list: how each is drawn, and by which template."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from webapp.runbooks import dashboard, node_map, timeline, wall
from webapp.runbooks.addresses import WALL
from webapp.runbooks.board import Board


@dataclass(frozen=True)
class Drawn:
    """A drawn view. `hides`: whether the filter leaves out the other rows, rather than only marking its own.

    `grows`: whether the drawing is the larger the more tasks there are.
    """

    draw: Callable[[Board, ZoneInfo], Any]
    template: str
    hides: bool
    grows: bool


# Key: the view's path, of addresses.VIEWS or WALL.
DRAWN = {
    "map": Drawn(lambda board, _: node_map.draw(board), "runbooks/_map.html", hides=False, grows=True),
    "timeline": Drawn(timeline.draw, "runbooks/_timeline.html", hides=True, grows=True),
    "dashboard": Drawn(
        lambda board, _: dashboard.draw(board), "runbooks/_dashboard.html", hides=False, grows=False
    ),
    WALL: Drawn(lambda board, _: wall.draw(board), "runbooks/_wall.html", hides=False, grows=False),
}
