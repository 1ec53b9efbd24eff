"""Custom fields: definitions, and the values that tasks and runbooks hold."""

from __future__ import annotations

from flask import Flask


def init_app(app: Flask) -> None:
    """Bind the feature to the app."""
    from webapp.fields import views
    from webapp.fields.kinds import KINDS

    app.register_blueprint(views.blueprint)
    app.jinja_env.globals["field_kinds"] = KINDS
