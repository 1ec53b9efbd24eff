"""Two workspaces with an object of every kind, and every route of the app."""

from __future__ import annotations

import pytest
from flask import Flask

from tests.access.routes import Route, routes_of
from tests.access.things import Things, things_in
from tests.cast import Cast
from webapp.accounts.models import GlobalRole
from webapp.extensions import db
from webapp.permissions import GLOBAL_ROLES, Role
from webapp.workspaces.models import Membership


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


@pytest.fixture
def ada_with_every_role(cast: Cast) -> int:
    """Ada with every role there is, so that nothing but the token can refuse her."""
    held = {Role.ADMINISTRATOR}
    db.session.add_all(GlobalRole(user_id=cast.ada, role=role) for role in set(GLOBAL_ROLES) - held)
    db.session.add(Membership(workspace_id=cast.payments, user_id=cast.ada, role=Role.MANAGER))
    db.session.commit()
    return cast.ada
