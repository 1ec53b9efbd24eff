"""Rows and pieces that this process has rendered lately: a list of thousands is put together and not rendered, and what
hundreds of watchers pull is rendered once.

Correct by construction: what is kept is found by everything that its macro is given, and the macro reads nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from functools import lru_cache
from typing import Any

from flask import g, request
from markupsafe import Markup

from webapp import zones
from webapp.clock import now
from webapp.runbooks.board import Board
from webapp.runbooks.rows import Row
from webapp.runbooks.states import TaskState
from webapp.runbooks.views import blueprint

MOST_KEPT = 16_384  # rows, of about 2 KB
MOST_PIECES = 256  # of one snapshot


def manner() -> Hashable:
    """What every piece of this page may depend on beside what it shows: where the addresses of the app begin, the zones in
    which `ui.when` writes times, and the day, which it leaves out of today's."""
    if "manner" not in g:
        shown = zones.shown()
        days = (zones.local(now(), shown.shown).date(), zones.local(now(), shown.other).date())
        g.manner = (request.script_root, shown, days)
    found: Hashable = g.manner
    return found


@blueprint.app_template_global()
def kept(macro: Any, row: Row, base: str, **options: Any) -> Markup:
    """macro(row, base, **options), which must depend on these and the manner alone: on no viewer, no token, no clock.

    A row in progress shows a clock, so it is rendered each time.
    """
    if row.state == TaskState.IN_PROGRESS:
        found: Markup = macro(row, base, **options)
        return found
    return _kept(macro, row, base, manner(), **options)


def piece(board: Board, name: Hashable, make: Callable[[], Any]) -> str:
    """What `make` renders of the board, once for all who look at the same snapshot from the same place with the same rights.

    It may depend on the viewer only through these and how many tasks are theirs: of rows it shows what is the same for
    everybody, no button and no sign-in.
    """
    pieces = board.shared.pieces
    if len(pieces) >= MOST_PIECES:
        pieces.clear()
    found_by = (name, board.here, board.viewer.rights, board.stats.mine, manner())
    if found_by not in pieces:
        pieces[found_by] = str(make())
    return pieces[found_by]


@lru_cache(MOST_KEPT)
def _kept(macro: Any, row: Row, base: str, _manner: Hashable, **options: Any) -> Markup:
    found: Markup = macro(row, base, **options)
    return found
