"""The pages of runbooks. Each module adds its routes to the one blueprint."""

from __future__ import annotations

from webapp.blueprint import Blueprint
from webapp.navigation import NavEntry
from webapp.runbooks import queries
from webapp.runbooks.templates import queries as template_queries

blueprint = Blueprint("runbooks", __name__)
blueprint.nav = [
    NavEntry("Home", "home", "runbooks.home", order=1),
    NavEntry("My tasks", "list-check", "runbooks.my_tasks", order=2, count=queries.count_tasks_now),
    NavEntry("Runbooks", "stack-2", "runbooks.runbooks", order=3),
    NavEntry("Templates", "template", "runbooks.templates", order=4, count=template_queries.count_waiting),
]

from webapp.runbooks.views import (  # noqa: E402, F401
    bulk,
    cells,
    comparing,
    duplicating,
    execution,
    exporting,
    from_templates,
    importing,
    kept,
    lists,
    moving,
    people,
    preflight,
    reviewing,
    runbook,
    streams,
    tasks,
    template_versions,
    templates,
    times,
    undoing,
)
