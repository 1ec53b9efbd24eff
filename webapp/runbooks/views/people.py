"""People as the page of a runbook suggests and nudges them."""

from __future__ import annotations

from typing import Any

from flask import request
from flask_login import current_user

from webapp.accounts.models import User
from webapp.extensions import db
from webapp.page import is_fragment_request, page, toast, told
from webapp.permissions import Permission
from webapp.row_ids import row_id
from webapp.runbooks import operations, queries
from webapp.runbooks.addresses import Here
from webapp.runbooks.board import viewer_of
from webapp.runbooks.context import address_of
from webapp.runbooks.mentions import spelling
from webapp.runbooks.models import Runbook
from webapp.runbooks.preflight.plan import Plan, load_plan
from webapp.runbooks.refusals import NotNow
from webapp.runbooks.views import blueprint
from webapp.runbooks.views.pieces import base_of
from webapp.runbooks.views.runbook import PAGE, wanted_mode
from webapp.workspaces import queries as workspaces

MOST_SUGGESTED = 8


@blueprint.get(f"{PAGE}/people", permission=Permission.READ_RUNBOOKS)
def suggest_people(runbook_id: int) -> Any:
    """Options of a list: the members whose name or address `q` begins, each with what to write after the @."""
    found = queries.runbook_for(current_user, runbook_id, Permission.READ_RUNBOOKS)
    typed = request.args.get("q", "").strip().lower()
    members = workspaces.members_of(found.workspace_id)
    fitting = [each for each in members if each.id != current_user.id and _begins(each, typed)]
    people = [(each, spelling(each, members)) for each in fitting[:MOST_SUGGESTED]]
    return page("runbooks/_people.html", people=people)


@blueprint.post(f"{PAGE}/nudge", permission=Permission.CONDUCT_RUNBOOKS)
def nudge(runbook_id: int) -> Any:
    """Nudge everybody who must authenticate, or the one that `person` names; to htmx the roll-call as it is then."""
    found = queries.runbook_for(current_user, runbook_id, Permission.CONDUCT_RUNBOOKS)
    mode, kind = wanted_mode(), "ok"
    try:
        people = operations.nudge(found, mode, by=current_user, only=request.form.get("person", type=row_id))
        text = _nudged(people)
    except NotNow as refusal:
        db.session.rollback()
        text, kind = str(refusal), "warn"
    else:
        db.session.commit()
    if not is_fragment_request():
        return told(f"{base_of(found)}/preflight?mode={mode}", text, kind)
    shown = page("runbooks/_roll_call.html", **about_roll_call(found, load_plan(found, mode)))
    return toast(shown, text, kind)


def about_roll_call(runbook: Runbook, plan: Plan) -> dict[str, Any]:
    """What the roll-call's template reads."""
    return {
        "runbook": runbook,
        "here": Here(base_of(runbook)),
        "mode": plan.mode,
        "address": address_of(runbook),
        "viewer": viewer_of(current_user, runbook),
        "roll_call": plan.roll_call,
        "nudged_at": operations.nudged_at(runbook),
    }


def _begins(person: User, typed: str) -> bool:
    words = (person.name, *person.name.split(), person.email)
    return any(word.lower().startswith(typed) for word in words)


def _nudged(people: list[User]) -> str:
    if len(people) == 1:
        return f"{people[0].name} is nudged."
    return f"{len(people):,} people are nudged."
