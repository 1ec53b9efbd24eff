"""The page of pre-flight, and its look at the hosts."""

from __future__ import annotations

from typing import Any

from flask_login import current_user

from webapp.page import is_fragment_request, page, see_other
from webapp.permissions import Permission
from webapp.runbooks import queries
from webapp.runbooks.board import viewer_of
from webapp.runbooks.models import Runbook
from webapp.runbooks.preflight import hosts, preflight
from webapp.runbooks.preflight.plan import Plan, load_plan
from webapp.runbooks.views import blueprint
from webapp.runbooks.views.people import about_roll_call
from webapp.runbooks.views.pieces import base_of
from webapp.runbooks.views.runbook import PAGE, wanted_mode


@blueprint.get(f"{PAGE}/preflight", permission=Permission.READ_RUNBOOKS)
def preflight_page(runbook_id: int) -> Any:
    """What stands in the way of a start, point by point."""
    found = queries.runbook_for(current_user, runbook_id, Permission.READ_RUNBOOKS)
    flight = preflight(found, wanted_mode())
    return page(
        "runbooks/preflight.html",
        found=flight,
        **(about_roll_call(found, flight.plan) | _about_hosts(found, flight.plan)),
    )


@blueprint.get(f"{PAGE}/preflight/hosts", permission=Permission.READ_RUNBOOKS)
def preflight_hosts(runbook_id: int) -> Any:
    """What is known of the hosts: the page asks while they are being checked."""
    found = queries.runbook_for(current_user, runbook_id, Permission.READ_RUNBOOKS)
    return _hosts(found, load_plan(found, wanted_mode()))


@blueprint.post(f"{PAGE}/preflight/hosts", permission=Permission.CONDUCT_RUNBOOKS)
def check_hosts(runbook_id: int) -> Any:
    """Have a worker connect to every host that the plan calls."""
    found = queries.runbook_for(current_user, runbook_id, Permission.CONDUCT_RUNBOOKS)
    mode = wanted_mode()
    plan = load_plan(found, mode)
    hosts.ask(plan)
    if not is_fragment_request():
        return see_other(f"{base_of(found)}/preflight?mode={mode}")
    return _hosts(found, plan)


def _hosts(runbook: Runbook, plan: Plan) -> Any:
    return page("runbooks/_hosts.html", **_about_hosts(runbook, plan))


def _about_hosts(runbook: Runbook, plan: Plan) -> dict[str, Any]:
    return {
        "runbook": runbook,
        "base": base_of(runbook),
        "mode": plan.mode,
        "viewer": viewer_of(current_user, runbook),
        "reaches": hosts.reaches(plan),
    }
