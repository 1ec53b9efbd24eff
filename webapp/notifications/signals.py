"""The source of live signals: for each person the id of their latest notification."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import timedelta

from webapp.accounts.models import User
from webapp.clock import now
from webapp.notifications import queries

# Longer than any transaction, and than the clocks of two machines may differ.
LATELY = timedelta(seconds=60)


class NotificationSignals:
    """A place is a person, who may look at their own and nobody else's."""

    def places(self, viewer: User) -> frozenset[int]:
        """The viewer."""
        return frozenset({viewer.id})

    def changed(self, places: Collection[int]) -> Iterable[tuple[int, int, int]]:
        """(user id, user id, id of their latest notification) of those who were told something lately."""
        return [
            (user_id, user_id, latest)
            for user_id, latest in queries.latest_since(now() - LATELY)
            if user_id in places
        ]
