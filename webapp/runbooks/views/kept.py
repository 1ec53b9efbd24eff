"""Rows that this process has rendered lately, so that a list of thousands is put together and not rendered.

Correct by construction: what is kept is found by everything that its macro is given, and the macro reads nothing else.
"""

from __future__ import annotations

from collections.abc import Hashable
from functools import lru_cache
from typing import Any

from flask import request
from markupsafe import Markup

from webapp.runbooks.rows import Row
from webapp.runbooks.states import TaskState
from webapp.runbooks.views import blueprint

MOST_KEPT = 16_384  # rows, of about 2 KB


def manner() -> Hashable:
    """What every piece of this page may depend on beside what it shows: where the addresses of the app begin."""
    return request.script_root


@blueprint.app_template_global()
def kept(macro: Any, row: Row, base: str, **options: Any) -> Markup:
    """macro(row, base, **options), which must depend on these and the manner alone: on no viewer, no token, no clock.

    A row in progress shows a clock, so it is rendered each time.
    """
    if row.state == TaskState.IN_PROGRESS:
        found: Markup = macro(row, base, **options)
        return found
    return _kept(macro, row, base, manner(), **options)


@lru_cache(MOST_KEPT)
def _kept(macro: Any, row: Row, base: str, _manner: Hashable, **options: Any) -> Markup:
    found: Markup = macro(row, base, **options)
    return found
