"""Runbooks: the plan, and its live run."""

from __future__ import annotations

from flask import Flask


def init_app(app: Flask) -> None:
    """Bind the feature to the app, and lend the features below what they offer from here."""
    from webapp import live
    from webapp.integration_runs import offered as offered_to_runs
    from webapp.integrations import offered
    from webapp.runbooks import jobs, lent, models, views  # noqa: F401
    from webapp.runbooks.operations import follow_up
    from webapp.runbooks.templates import models as template_models  # noqa: F401
    from webapp.runbooks.triggers import TRIGGERS

    app.register_blueprint(views.blueprint)
    offered.triggers = TRIGGERS  # type: ignore[assignment]
    offered.task_gate = lent.task_gate
    offered.usage = lent.usage
    offered.sample_tasks = lent.sample_tasks
    offered.sample_context = lent.sample_context
    offered_to_runs.guard_of = lent.guard_of
    offered_to_runs.places = lent.places
    follow_up.connect()
    live.register(app, "v", lent.RunbookSignals())
