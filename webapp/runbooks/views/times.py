"""In which zone the pages of a runbook show its times: its own, or the viewer's, as they chose."""

from __future__ import annotations

from flask import request
from flask_login import current_user

from webapp import zones
from webapp.extensions import db
from webapp.runbooks.models import Runbook
from webapp.runbooks.views import blueprint
from webapp.zones import Zones


def zones_of(runbook: Runbook | None) -> Zones:
    """The zone in which the viewer sees the runbook's times, and the other one; their own where there is no runbook."""
    own = zones.own_zone(current_user.time_zone)
    if runbook is None:
        return Zones(own, own)
    # A wall is there for everybody who passes.
    if current_user.in_own_zone and request.endpoint != "runbooks.wall":
        return Zones(own, runbook.time_zone, swappable=True)
    return Zones(runbook.time_zone, own, swappable=request.endpoint != "runbooks.wall")


@blueprint.before_request
def note_zones() -> None:
    """For every address below a runbook's; its view has loaded the runbook by the time that it is asked."""
    runbook_id = (request.view_args or {}).get("runbook_id")
    if runbook_id is not None and current_user.is_authenticated:
        zones.show_in(lambda: zones_of(db.session.get(Runbook, runbook_id)))
