"""The Flask application of one sandbox."""

from __future__ import annotations

from flask import Flask

from slack_sandbox import api, authorization, control, pages
from slack_sandbox.guard import refuse_other_sites, secure
from slack_sandbox.mrkdwn import mrkdwn
from slack_sandbox.sandbox import Sandbox
from slack_sandbox.settings import Settings

LARGEST_REQUEST = 4_000_000  # bytes


def create_app(settings: Settings) -> Flask:
    """An application with its own store; one process may own a store at a time."""
    app = Flask("slack_sandbox")
    app.config["MAX_CONTENT_LENGTH"] = LARGEST_REQUEST
    app.config["MAX_FORM_MEMORY_SIZE"] = LARGEST_REQUEST
    app.extensions["slack_sandbox"] = Sandbox(settings)
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.filters["mrkdwn"] = mrkdwn
    app.jinja_env.globals["settings"] = settings
    app.before_request(refuse_other_sites)
    app.after_request(secure)
    for module in (api, authorization, control, pages):
        app.register_blueprint(module.blueprint)
    return app
