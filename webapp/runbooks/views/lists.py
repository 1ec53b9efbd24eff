"""Home, My tasks, and the list of runbooks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from flask import Response, request, url_for
from flask_login import current_user

from webapp.clock import now
from webapp.extensions import db
from webapp.page import invalid, page, told
from webapp.permissions import TABLE, Permission
from webapp.runbooks import operations, queries
from webapp.runbooks.board import Stats, rows_of, stats_of
from webapp.runbooks.context import path_of
from webapp.runbooks.forms import NewRunbookForm
from webapp.runbooks.models import Runbook
from webapp.runbooks.rows import Row
from webapp.runbooks.states import UNDER_WAY
from webapp.runbooks.views import blueprint
from webapp.runbooks.views.pieces import base_of
from webapp.workspaces import queries as workspaces

MOST_ON_HOME = 6
# A runbook that should have started is still the next one to start, for a while.
OVERDUE_FOR = timedelta(days=2)
# Of this many that are under way the forecast is worked out; a list that is longer shows the rest without.
MOST_FORECAST = 20


@dataclass(frozen=True)
class Group:
    """One runbook's rows on My tasks."""

    runbook: Runbook
    base: str
    now: list[Row]
    next: list[Row]


@blueprint.get("/", permission=Permission.SIGNED_IN)
def home() -> Any:
    return page("runbooks/home.html", **_home())


@blueprint.get("/home/changes", permission=Permission.SIGNED_IN)
def home_changes() -> Any:
    return _pulled(page("runbooks/home.html", block="lists", oob=True, **_home()))


@blueprint.get("/my-tasks", permission=Permission.READ_RUNBOOKS)
def my_tasks() -> Any:
    return page("runbooks/my_tasks.html", groups=_my_groups())


@blueprint.get("/my-tasks/changes", permission=Permission.READ_RUNBOOKS)
def my_tasks_changes() -> Any:
    return _pulled(page("runbooks/my_tasks.html", block="lists", oob=True, groups=_my_groups()))


@blueprint.get("/runbooks", permission=Permission.READ_RUNBOOKS)
def runbooks() -> Any:
    return _list_page()


@blueprint.get("/runbooks/changes", permission=Permission.READ_RUNBOOKS)
def runbooks_changes() -> Any:
    return _pulled(page("runbooks/runbooks.html", block="rows", oob=True, **_list(request.args.get("tab"))))


@blueprint.get("/runbooks/new", permission=Permission.CREATE_RUNBOOKS)
def new_runbook() -> Any:
    return _list_page(_new_form(formdata=None))


@blueprint.post("/runbooks", permission=Permission.CREATE_RUNBOOKS)
def create_runbook() -> Any:
    form = _new_form()
    if not form.validate():
        return invalid("runbooks/runbooks.html", form=form, **_list(None))
    workspace = workspaces.workspace_for(current_user, form.workspace_id.data, Permission.CREATE_RUNBOOKS)
    runbook = operations.create_runbook(
        name=form.name.data, description=form.description.data or "", workspace=workspace, by=current_user
    )
    db.session.commit()
    return told(path_of(runbook.id), f"{runbook.name} is created. Type its first task and press Enter.")


def _list_page(form: NewRunbookForm | None = None) -> Response:
    return page("runbooks/runbooks.html", form=form, **_list(request.args.get("tab")))


def _list(tab: str | None) -> dict[str, Any]:
    places = queries.places_of(current_user)
    counts = queries.count_runbooks(places)
    if tab not in queries.TABS:
        tab = next((key for key in queries.TABS if counts[key]), "live")
    found = queries.runbooks_in(places, queries.TABS[tab][1])
    return {
        "tab": tab,
        "tabs": [
            {
                "text": label,
                "href": url_for("runbooks.runbooks", tab=key),
                "current": key == tab,
                "count": counts[key],
            }
            for key, (label, _) in queries.TABS.items()
        ],
        "runbooks": found,
        "progress": queries.progress_of([each.id for each in found]),
        "stats": _stats(found),
        "any": any(counts.values()),
        "may_create": any(
            Permission.CREATE_RUNBOOKS in TABLE[role] for role in current_user.workspace_roles().values()
        ),
    }


def _home() -> dict[str, Any]:
    places = queries.places_of(current_user)
    live = queries.runbooks_in(places, UNDER_WAY)
    coming = queries.starting_next(places, now() - OVERDUE_FOR, limit=MOST_ON_HOME)
    recent = queries.runbooks_in(
        places, [*queries.TABS["planned"][1], *queries.TABS["done"][1]], limit=MOST_ON_HOME
    )
    return {
        "live": live,
        "coming": coming,
        "recent": [each for each in recent if each not in coming],
        "progress": queries.progress_of({each.id for each in (*live, *coming, *recent)}),
        "stats": _stats(live),
        "groups": [each for each in _my_groups() if each.now],
        "sees_runbooks": bool(places),
    }


def _stats(found: Sequence[Runbook]) -> dict[int, Stats]:
    """Runbook id to the figures of those that are under way."""
    return stats_of(current_user, [each for each in found if each.state in UNDER_WAY][:MOST_FORECAST])


def _my_groups() -> list[Group]:
    mine = queries.tasks_of(current_user, queries.places_of(current_user))
    rows = rows_of(current_user, {each.runbook: (*each.now, *each.next) for each in mine})
    return [
        Group(
            each.runbook,
            base_of(each.runbook),
            [rows[task_id] for task_id in each.now],
            [rows[task_id] for task_id in each.next],
        )
        for each in mine
    ]


def _new_form(**options: Any) -> NewRunbookForm:
    form = NewRunbookForm(**options)
    held = current_user.workspace_roles()
    form.workspace_id.choices = [
        (each.id, each.name)
        for each in workspaces.workspaces_of(current_user)
        if Permission.CREATE_RUNBOOKS in TABLE[held[each.id]]
    ]
    return form


def _pulled(answer: Response) -> Response:
    answer.headers["X-Seq"] = "0"
    return answer
