"""The test request that the action's editor sends, and how the editor shows what became of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import render_template
from markupsafe import Markup

from webapp.accounts.models import User
from webapp.integration_runs import operations, queries
from webapp.integration_runs.states import SETTLED, RunState
from webapp.integrations.models import Action
from webapp.integrations.offered import RequestReport, RequestTestRefused


def send_test(action: Action, context: Mapping[str, Any], task_id: int | None, user: User) -> int:
    """Ask for a test request; the run's id. Raises RequestTestRefused where it cannot be made from these values."""
    try:
        return operations.request_test(action, context, by=user, credential_task_id=task_id).id
    except operations.RequestInvalid as refusal:
        raise RequestTestRefused(refusal.sentence) from None


def report_test(user: User, run_id: int) -> RequestReport:
    """How the test request stands, for someone who may read it; 404 otherwise."""
    run = queries.run_for(user, run_id)
    html = render_template("integration_runs/_report.html", run=run)
    return RequestReport(settled=RunState(run.state) in SETTLED, html=Markup(html))
