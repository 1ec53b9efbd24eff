"""Ines, the Integration Admin, and her browser."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient

from webapp.accounts.models import User
from webapp.extensions import db


@pytest.fixture
def ines(cast: Any) -> User:
    """The user, in the test's own session."""
    return db.session.get_one(User, cast.ines)


@pytest.fixture
def client(cast: Any, client_of: Callable[[int], FlaskClient]) -> FlaskClient:
    """A browser in which Ines is signed in."""
    return client_of(cast.ines)
