"""What people are told: kept for each of them, counted at the bell, shown as it comes."""

from __future__ import annotations

from flask import Flask


def init_app(app: Flask) -> None:
    """Bind the feature to the app, and have the live stream carry its signals."""
    from webapp import live
    from webapp.notifications import jobs, models, signals, views  # noqa: F401

    app.register_blueprint(views.blueprint)
    app.jinja_env.globals["bell"] = views.bell
    live.register(app, "n", signals.NotificationSignals())
