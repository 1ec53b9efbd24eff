"""People: users, global roles, sign-in, sessions, profile."""

from __future__ import annotations

from flask import Flask


def init_app(app: Flask) -> None:
    """Bind the feature to the app."""
    from webapp.accounts import models, sessions, views  # noqa: F401

    sessions.init_app(app)
    app.register_blueprint(views.blueprint)
