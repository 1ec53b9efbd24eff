"""Work in the background: old notifications are thrown away."""

from __future__ import annotations

from webapp.clock import now
from webapp.extensions import db
from webapp.jobs import swept
from webapp.notifications import operations


@swept.connect
def sweep_notifications(_sender: object) -> None:
    """Throw away what is older than 90 days."""
    operations.forget_old(now())
    db.session.commit()
