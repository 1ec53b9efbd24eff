"""What the features above lend to this one. create_app or the upper feature wires it; nothing here imports upwards.

Read the names as `offered.guard_of`, never `from offered import guard_of`: the import would keep the empty offer.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from webapp.integration_runs.models import IntegrationRun
from webapp.permissions import Guarded


@dataclass(frozen=True)
class Place:
    """Where a run was asked for, as pages name it; `url` None where the viewer may not open it."""

    text: str
    url: str | None = None


def _the_run_itself(run: IntegrationRun) -> Guarded:
    return run


def _no_places(user: Any, runs: Collection[IntegrationRun]) -> Mapping[int, Place]:
    return {}


guard_of: Callable[[IntegrationRun], Guarded] = _the_run_itself
places: Callable[[Any, Collection[IntegrationRun]], Mapping[int, Place]] = _no_places
