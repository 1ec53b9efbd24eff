"""A Blueprint whose every route must name its permission.

    blueprint = Blueprint("runbooks", __name__)

    @blueprint.get("/runbooks/<int:runbook_id>", permission=Permission.READ_RUNBOOKS)
    def runbook(runbook_id): ...

The gate here turns away people who are signed out or hold the permission nowhere. A view that acts on one
thing then loads it through its feature's `*_for(user, id, permission)` query, which asks about that thing; only
there is it known whether a viewer owns the runbook or is assigned to the task, so the gate lets members through.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any

import flask
from flask import abort, request, url_for
from flask_login import current_user

from webapp.navigation import NavEntry
from webapp.permissions import Permission, can, may_hold_on_a_thing
from webapp.redirects import see_other

View = Callable[..., Any]


class Blueprint(flask.Blueprint):
    """flask.Blueprint, except that every route takes `permission`; leaving it out is a TypeError at import.

    `nav` lists the feature's pages for the menu.
    """

    nav: Sequence[NavEntry] = ()

    def route(  # type: ignore[override]
        self, rule: str, *, permission: Permission, writes: bool = False, **options: Any
    ) -> Callable[[View], View]:
        """`writes` marks the rare GET that changes something, so that its transaction takes the write lock."""

        def decorate(view: View) -> View:
            self.add_url_rule(rule, view_func=_gated(view, permission, writes), **options)
            return view

        return decorate

    def get(self, rule: str, *, permission: Permission, **options: Any) -> Callable[[View], View]:  # type: ignore[override]
        return self.route(rule, permission=permission, methods=["GET"], **options)

    def post(self, rule: str, *, permission: Permission, **options: Any) -> Callable[[View], View]:  # type: ignore[override]
        return self.route(rule, permission=permission, methods=["POST"], **options)


def _gated(view: View, permission: Permission, writes: bool) -> View:
    @wraps(view)
    def gate(**arguments: Any) -> Any:
        names_a_thing = bool(arguments)
        if not can(current_user, permission) and not (
            names_a_thing and may_hold_on_a_thing(current_user, permission)
        ):
            if not current_user.is_authenticated:
                return to_sign_in()
            abort(403)
        return view(**arguments)

    gate.permission = permission  # type: ignore[attr-defined]
    gate.writes = writes  # type: ignore[attr-defined]
    return gate


def to_sign_in() -> Any:
    """Send a signed-out person to the sign-in page and back afterwards.

    A fragment request is told to move the whole page, or the sign-in form would land inside a table row.
    """
    wanted = request.full_path.rstrip("?") if request.method == "GET" else ""
    if "HX-Request" in request.headers:
        wanted = request.headers.get("HX-Current-URL", "")
        wanted = "/" + wanted.split("/", 3)[3] if wanted.count("/") >= 3 else ""
    return see_other(url_for("accounts.sign_in", next=wanted or None), status=401)
