"""What people were told."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import select

from tests.cast import Cast
from webapp.accounts.models import User
from webapp.extensions import db
from webapp.notifications.models import Notification

Told = Callable[[], list[tuple[str, str, str, str]]]


@pytest.fixture
def rune(cast: Cast) -> User:
    return db.session.get_one(User, cast.rune)


@pytest.fixture
def told(cast: Cast) -> Told:
    """Every notification in its order: to whom, its kind, its sentence, its link."""

    def found() -> list[tuple[str, str, str, str]]:
        query = (
            select(User.name, Notification.kind, Notification.sentence, Notification.link)
            .join(User, User.id == Notification.user_id)
            .order_by(Notification.id)
        )
        return [(row[0], row[1], row[2], row[3]) for row in db.session.execute(query)]

    return found
