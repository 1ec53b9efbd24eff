"""Rows that this process has rendered lately, so that a list of thousands is put together and not rendered.

Correct by construction: what is kept is found by everything that its macro is given, and the macro reads nothing else.
"""

from __future__ import annotations

from datetime import date
from functools import lru_cache
from typing import Any

from markupsafe import Markup

from webapp import zones
from webapp.clock import now
from webapp.runbooks.rows import Row
from webapp.runbooks.states import TaskState
from webapp.runbooks.views import blueprint

MOST_KEPT = 16_384  # rows, of about 2 KB


@blueprint.app_template_global()
def kept(macro: Any, row: Row, base: str, **options: Any) -> Markup:
    """macro(row, base, **options), which must depend on these alone: on no viewer, no request, no token, no clock.

    The zones that the page shows and the day there are part of what it is found by, because `ui.when` writes its times by
    them.

    A row in progress shows a clock, so it is rendered each time.
    """
    if row.state == TaskState.IN_PROGRESS:
        found: Markup = macro(row, base, **options)
        return found
    shown = zones.shown()
    return _kept(shown, zones.local(now(), shown.shown).date(), macro, row, base, **options)


@lru_cache(MOST_KEPT)
def _kept(_zones: zones.Zones, _day: date, macro: Any, row: Row, base: str, **options: Any) -> Markup:
    found: Markup = macro(row, base, **options)
    return found
