"""What was called: runs and their attempts, delivery."""

from __future__ import annotations

from flask import Flask


def init_app(app: Flask) -> None:
    """Bind the feature to the app, and lend the integrations feature below what it offers from here."""
    from webapp.integration_runs import jobs, models, queries, reports, views  # noqa: F401
    from webapp.integration_runs.modes import MODES
    from webapp.integrations import offered

    app.register_blueprint(views.blueprint)
    offered.modes = MODES  # type: ignore[assignment]
    offered.recent_runs = queries.recent_runs
    offered.request_test = offered.RequestTest(send=reports.send_test, report=reports.report_test)
