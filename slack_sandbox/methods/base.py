"""What a Web API method is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

from slack_sandbox.calls import Call
from slack_sandbox.sandbox import Sandbox


class Method(ABC):
    """`scopes`: a token needs one of them, and the first is the one named when none is there."""

    name: str
    scopes: tuple[str, ...] = ()
    needs_token = True

    @abstractmethod
    def carry_out(self, here: Sandbox, call: Call) -> dict[str, Any]:
        """The answer without `ok`. Raises SlackError."""
