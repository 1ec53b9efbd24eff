"""Home, My tasks, and the list of runbooks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from flask import Response, abort, request, url_for
from flask_login import current_user

from webapp import zones
from webapp.clock import now
from webapp.extensions import db
from webapp.page import invalid, page, told
from webapp.permissions import TABLE, Permission
from webapp.row_ids import row_id
from webapp.runbooks import operations, queries
from webapp.runbooks.board import Stats, rows_of, stats_of
from webapp.runbooks.context import path_of
from webapp.runbooks.forms import NewRunbookForm
from webapp.runbooks.models import Runbook
from webapp.runbooks.refusals import NotNow
from webapp.runbooks.reviews.executions import latest_executions
from webapp.runbooks.rows import Row
from webapp.runbooks.states import UNDER_WAY
from webapp.runbooks.templates import queries as template_queries
from webapp.runbooks.templates.models import TemplateKind
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
    groups, count = _my_groups(), queries.count_tasks_now(current_user)
    return _pulled(page("runbooks/my_tasks.html", block="lists", oob=True, groups=groups, count=count))


@blueprint.get("/runbooks", permission=Permission.READ_RUNBOOKS)
def runbooks() -> Any:
    return _list_page()


@blueprint.get("/runbooks/changes", permission=Permission.READ_RUNBOOKS)
def runbooks_changes() -> Any:
    return _pulled(page("runbooks/runbooks.html", block="rows", oob=True, **_list(request.args.get("tab"))))


@blueprint.get("/runbooks/new", permission=Permission.CREATE_RUNBOOKS)
def new_runbook() -> Any:
    form = _new_form(
        formdata=None,
        time_zone=zones.own_zone(current_user.time_zone),
        version_id=request.args.get("template", 0, row_id),
    )
    return _list_page(form)


@blueprint.post("/runbooks", permission=Permission.CREATE_RUNBOOKS)
def create_runbook() -> Any:
    form = _new_form()
    if not form.validate():
        return _invalid(form)
    if form.version_id.data:
        return _make_from_template(form)
    workspace = workspaces.workspace_for(current_user, form.workspace_id.data, Permission.CREATE_RUNBOOKS)
    runbook = operations.create_runbook(
        name=form.name.data,
        description=form.description.data or "",
        time_zone=form.time_zone.data or zones.own_zone(current_user.time_zone),
        workspace=workspace,
        by=current_user,
    )
    db.session.commit()
    return told(path_of(runbook.id), f"{runbook.name} is created. Type its first task and press Enter.")


def _make_from_template(form: NewRunbookForm) -> Any:
    places = _creating_places()
    versions = template_queries.usable_versions(places, TemplateKind.TEMPLATE)
    version = next((each for each in versions if each.id == form.version_id.data), None) or abort(404)
    try:
        runbook = operations.make_runbook(
            version,
            name=form.name.data or "",
            description=form.description.data or "",
            planned_start=form.planned_start.moment,
            keep_assignees=form.keep_assignees.data,
            by=current_user,
        )
    except NotNow as refusal:
        db.session.rollback()
        form.version_id.errors = [str(refusal)]
        return _invalid(form)
    db.session.commit()
    return told(path_of(runbook.id), f"{runbook.name} is created from {version.audit_name}.")


def _invalid(form: NewRunbookForm) -> Response:
    return invalid("runbooks/runbooks.html", form=form, **_list(None))


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
        "latest": latest_executions([each.id for each in found]),
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
        "latest": latest_executions({each.id for each in (*live, *coming, *recent)}),
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
    places = _creating_places()
    found = [each for each in workspaces.workspaces_of(current_user) if each.id in places]
    form.workspace_id.choices = [(each.id, each.name) for each in found]
    form.version_id.choices = [(0, "None: an empty plan")] + [
        (each.id, f"{each.template.workspace.name}: {each.audit_name}" if len(found) > 1 else each.audit_name)
        for each in template_queries.usable_versions(places, TemplateKind.TEMPLATE)
    ]
    return form


def _creating_places() -> set[int]:
    """The workspaces in which the user may make runbooks, archived ones apart."""
    held = current_user.workspace_roles()
    return {
        each.id
        for each in workspaces.workspaces_of(current_user)
        if Permission.CREATE_RUNBOOKS in TABLE[held[each.id]]
    }


def _pulled(answer: Response) -> Response:
    answer.headers["X-Seq"] = "0"
    return answer
