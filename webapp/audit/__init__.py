"""The audit log: who changed what, when, from what to what."""

from __future__ import annotations

from flask import Flask


def init_app(app: Flask) -> None:
    """Bind the feature to the app."""
    from webapp.audit import models, views  # noqa: F401

    app.register_blueprint(views.blueprint)
