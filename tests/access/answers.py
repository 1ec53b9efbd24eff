"""What a route should answer to a person: derived from webapp.permissions.TABLE, the route's permission and the roles
that the database gives the person. Written anew, not with `can`, because `can` is what is tested."""

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass

from sqlalchemy import select
from werkzeug.test import TestResponse

from tests.access.routes import Route
from webapp.accounts.models import GlobalRole
from webapp.extensions import db
from webapp.permissions import TABLE, THING_ROLES, Permission, Role
from webapp.workspaces.models import Membership

ALLOWED, FORBIDDEN, NOT_FOUND, SIGN_IN = "allowed", "403", "404", "sign in"
_P = Permission


@dataclass(frozen=True)
class Demand:
    """What a view asks about the thing itself, where its route only asks for someone signed in.

    Who has none of `see` gets 404; who sees it without `act`, 403.
    """

    see: frozenset[Permission]
    act: Permission | None = None


_OF_A_RUN = frozenset({_P.READ_RUNBOOKS, _P.READ_INTEGRATION_RUNS})
DEMANDS = {
    "integration_runs.result": Demand(_OF_A_RUN),
    "integration_runs.cancel": Demand(_OF_A_RUN, _P.RUN_TASKS),
    "integration_runs.retry": Demand(_OF_A_RUN, _P.RUN_TASKS),
    "integration_runs.resolve": Demand(_OF_A_RUN, _P.RUN_TASKS),
    "integrations.authenticate": Demand(frozenset({_P.SIGNED_IN}), _P.MANAGE_INTEGRATIONS),
    "integrations.disconnect": Demand(frozenset({_P.MANAGE_INTEGRATIONS})),
}
# A session and a notification are one's own, and test_foreign_ids tries others'; a guide is for everyone.
FOR_EVERYONE = {
    "accounts.end_session",
    "guides.guide",
    "notifications.open_notification",
    "notifications.read",
}


@dataclass(frozen=True)
class Person:
    """Someone who asks, with the roles they hold; `on_things` are those on the runbook or task of the first workspace."""

    name: str
    user_id: int | None
    globally: frozenset[Role] = frozenset()
    in_workspaces: tuple[tuple[int, Role], ...] = ()
    on_things: frozenset[Role] = frozenset()

    def holds_globally(self, permission: Permission) -> bool:
        return any(permission in TABLE[role] for role in self.globally)

    def holds_in(self, workspace_id: int, permission: Permission) -> bool:
        held = {role for place, role in self.in_workspaces if place == workspace_id}
        return any(permission in TABLE[role] for role in (held | self.on_things if held else ()))

    def passes_gate(self, route: Route) -> bool:
        """Whether they hold the permission anywhere at all."""
        roles = {*self.globally, *(role for _, role in self.in_workspaces)}
        if route.arguments and self.in_workspaces:
            roles |= set(THING_ROLES)
        return any(route.permission in TABLE[role] for role in roles)


def person(name: str, user_id: int | None, on_things: frozenset[Role] = frozenset()) -> Person:
    """That person, with the roles that the database has."""
    held = select(GlobalRole.role).where(GlobalRole.user_id == user_id)
    places = select(Membership.workspace_id, Membership.role).where(Membership.user_id == user_id)
    return Person(
        name,
        user_id,
        frozenset(Role(role) for role in db.session.scalars(held)),
        tuple((place, Role(role)) for place, role in db.session.execute(places)),
        on_things,
    )


def expected(route: Route, who: Person, workspace_id: int) -> str:
    """The answer for an existing object of that workspace."""
    if route.permission is Permission.PUBLIC:
        return ALLOWED
    if who.user_id is None:
        return SIGN_IN
    if route.permission is Permission.SIGNED_IN:
        return _expected_of_demand(route, who, workspace_id)
    if not who.passes_gate(route):
        return FORBIDDEN
    if not route.of_a_workspace or who.holds_globally(route.permission):
        return ALLOWED
    if who.holds_in(workspace_id, route.permission):
        return ALLOWED
    return FORBIDDEN if who.holds_in(workspace_id, Permission.READ_RUNBOOKS) else NOT_FOUND


def _expected_of_demand(route: Route, who: Person, workspace_id: int) -> str:
    demand = DEMANDS.get(route.endpoint)
    if demand is None:
        return ALLOWED

    def holds(permission: Permission) -> bool:
        if permission is Permission.SIGNED_IN:
            return True
        return who.holds_globally(permission) or who.holds_in(workspace_id, permission)

    if not any(holds(each) for each in demand.see):
        return NOT_FOUND
    return ALLOWED if demand.act is None or holds(demand.act) else FORBIDDEN


def text_of(answer: TestResponse) -> str:
    """All that it says; of a workbook, what its files say."""
    if not zipfile.is_zipfile(io.BytesIO(answer.data)):
        return answer.text
    with zipfile.ZipFile(io.BytesIO(answer.data)) as packed:
        return "\n".join(packed.read(name).decode() for name in packed.namelist())


def answered(route: Route, answer: TestResponse) -> str:
    """An answer in the same words; anything that went wrong by its status."""
    leads_to_sign_in = answer.headers.get("Location", "").partition("?")[0] == "/sign-in"
    if leads_to_sign_in and route.permission is not Permission.PUBLIC:
        return SIGN_IN
    if answer.status_code in (401, 403, 404) or answer.status_code >= 500:
        return str(answer.status_code)
    return ALLOWED
