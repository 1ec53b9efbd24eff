"""What can go wrong, one class each. A fault steps in before a call is carried out, or after it.

Several may be on: they take their turn in the order of FAULTS, and the first that answers ends the call.
"""

from __future__ import annotations

import json
import socket
import time
from typing import Any

from flask import Response, request

from slack_sandbox.answers import SlackError, answer, rate_limited
from slack_sandbox.calls import Call

LARGE = 5_000_000  # bytes
ERROR_PAGE = """<!DOCTYPE html>
<html><head><title>Server Error</title></head>
<body><h1>Server Error</h1><p>Something went wrong on our side. We have been told.</p></body></html>
"""


class Fault:
    """`key` is the switch that turns it on; `value` below is that switch's present value."""

    key: str

    def before(self, call: Call, value: Any) -> Response | None:
        """The answer instead of the call, or None to let it go on."""
        return None

    def after(self, answered: Response) -> Response:
        """The answer instead of the call's own, after it was carried out."""
        return answered

    def concerns(self, call: Call) -> bool:
        return True


class Delay(Fault):
    key = "delay"

    def before(self, call: Call, value: Any) -> None:
        time.sleep(value)


class DropBefore(Fault):
    key = "drop_before"

    def before(self, call: Call, value: Any) -> Response:
        return hang_up()


class ServerError(Fault):
    key = "server_error"

    def before(self, call: Call, value: Any) -> Response:
        return Response(ERROR_PAGE, status=500, content_type="text/html; charset=utf-8")


class TooManyRequests(Fault):
    key = "too_many_requests"

    def before(self, call: Call, value: Any) -> Response:
        refusal = rate_limited(wait=1)
        return answer(refusal.body(), refusal.status, refusal.headers)


class Redirect(Fault):
    key = "redirect"

    def before(self, call: Call, value: Any) -> Response:
        return Response("", status=302, headers={"Location": call.root + "moved/" + call.method})


class ErrorAnswer(Fault):
    """Leaves the sign-in alone, so that one can authenticate while every message fails."""

    key = "error_code"

    def before(self, call: Call, value: Any) -> Response:
        return answer(SlackError(value).body())

    def concerns(self, call: Call) -> bool:
        return not call.method.startswith("oauth.")


class DropAfter(Fault):
    key = "drop_after"

    def after(self, answered: Response) -> Response:
        return hang_up()


class LargeAnswer(Fault):
    key = "large_answer"

    def after(self, answered: Response) -> Response:
        body = json.loads(answered.get_data())
        answered.set_data(json.dumps(body | {"padding": "x" * LARGE}))
        return answered


FAULTS: tuple[Fault, ...] = (
    Delay(),
    DropBefore(),
    ServerError(),
    TooManyRequests(),
    Redirect(),
    ErrorAnswer(),
    DropAfter(),
    LargeAnswer(),
)


class ConnectionDropped(Exception):
    """Raised where the server gives no connection to hang up, as Flask's test client."""


def hang_up() -> Response:
    """Shut the connection down under the server; the response is never seen.

    The socket stays open as a file, because the server still polls and closes it itself.
    """
    connection = request.environ.get("gunicorn.socket") or request.environ.get("werkzeug.socket")
    if connection is None:
        raise ConnectionDropped
    connection.shutdown(socket.SHUT_RDWR)
    return Response("", status=444)
