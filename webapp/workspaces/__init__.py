"""Workspaces and their members."""

from __future__ import annotations

from flask import Flask


def init_app(app: Flask) -> None:
    """Bind the feature to the app."""
    from webapp.workspaces import views

    views.init_app(app)
