"""What may be called: connections, their actions, authorization, OAuth."""

from __future__ import annotations

from flask import Flask


def init_app(app: Flask) -> None:
    """Bind the feature to the app, and lend the fields feature below the actions that a field can belong to."""
    from webapp.fields import offered
    from webapp.integrations import models, queries, views  # noqa: F401

    app.register_blueprint(views.blueprint)
    offered.action_choices = queries.action_choices
