"""A bundled workspace to practise with: it answers like Slack and shows the messages in a browser.

It is a process of its own and imports nothing of the product, so that what passes here passes against
slack.com unchanged: the same endpoints, shapes, error codes, warnings and limits.

    from slack_sandbox import Settings, serve
    serve(Settings(store_path="instance/sandbox.sqlite", redirect_uris=[callback]), "127.0.0.1", 5056)
"""

from __future__ import annotations

from slack_sandbox.application import create_app
from slack_sandbox.server import serve
from slack_sandbox.settings import Settings

__all__ = ["Settings", "create_app", "serve"]
