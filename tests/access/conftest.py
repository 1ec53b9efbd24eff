"""Two workspaces with an object of every kind, and every route of the app."""

from __future__ import annotations

import pytest
from flask import Flask

from tests.access.routes import Route, routes_of
from tests.access.things import Things, things_in
from tests.cast import Cast


@pytest.fixture
def routes(whole_app: Flask) -> list[Route]:
    """Every route × method, those that read first."""
    return routes_of(whole_app)


@pytest.fixture
def payments(cast: Cast) -> Things:
    """The objects of Payments, where Rune and Vera work."""
    return things_in(cast.payments)


@pytest.fixture
def treasury(cast: Cast) -> Things:
    """The objects of Treasury, which is Otto's."""
    return things_in(cast.treasury)
