"""What may be called: connections, their actions, authorization, OAuth."""

from __future__ import annotations

from flask import Flask


def init_app(app: Flask) -> None:
    """Bind the feature to the app."""
    from webapp.integrations import models, views  # noqa: F401

    app.register_blueprint(views.blueprint)
