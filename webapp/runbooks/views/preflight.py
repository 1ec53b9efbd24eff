"""The page of pre-flight."""

from __future__ import annotations

from typing import Any

from flask_login import current_user

from webapp.page import page
from webapp.permissions import Permission
from webapp.runbooks import queries
from webapp.runbooks.addresses import Here
from webapp.runbooks.context import address_of
from webapp.runbooks.preflight import preflight
from webapp.runbooks.views import blueprint
from webapp.runbooks.views.pieces import base_of
from webapp.runbooks.views.runbook import PAGE, wanted_mode


@blueprint.get(f"{PAGE}/preflight", permission=Permission.READ_RUNBOOKS)
def preflight_page(runbook_id: int) -> Any:
    """What stands in the way of a start, point by point."""
    found = queries.runbook_for(current_user, runbook_id, Permission.READ_RUNBOOKS)
    mode = wanted_mode()
    return page(
        "runbooks/preflight.html",
        runbook=found,
        here=Here(base_of(found)),
        mode=mode,
        found=preflight(found, mode),
        address=address_of(found),
    )
