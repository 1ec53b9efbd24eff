"""The parts of one running sandbox, and how a view reaches them."""

from __future__ import annotations

from typing import cast

from flask import current_app

from slack_sandbox.grants import Grants
from slack_sandbox.limits import PostingLimit
from slack_sandbox.messages import Messages
from slack_sandbox.requests_log import RequestLog
from slack_sandbox.settings import Settings
from slack_sandbox.store import Store
from slack_sandbox.switches import Switches


class Sandbox:
    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.store = Store(settings.store_path)
        self.grants = Grants(self.store)
        self.messages = Messages(self.store)
        self.switches = Switches(self.store, settings)
        self.posting_limit = PostingLimit()
        self.requests = RequestLog()

    def reset(self, tokens: bool = False) -> None:
        """Empty channels, an empty request log, normal switches; with `tokens` nobody has allowed the app."""
        self.messages.clear()
        self.messages.reset_memberships()
        self.switches.reset()
        self.posting_limit.forget()
        self.requests.clear()
        if tokens:
            self.grants.forget_all()


def sandbox() -> Sandbox:
    """The sandbox of the application that is answering."""
    return cast(Sandbox, current_app.extensions["slack_sandbox"])
