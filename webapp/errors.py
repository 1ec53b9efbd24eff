"""What people see when something is refused or breaks: a page with a sentence, or, for htmx, a toast."""

from __future__ import annotations

import json
import logging
from typing import Any

from flask import Flask, make_response, render_template, request
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException, InternalServerError, SecurityError

log = logging.getLogger(__name__)

PAGES = frozenset({400, 401, 403, 404, 405, 409, 413, 429, 500, 503})
UNKNOWN_HOST = "Runsheet is not known under this address. Open the one that PUBLIC_URL says.\n"


def init_app(app: Flask) -> None:
    """Answer every HTTP error with our own page."""
    app.register_error_handler(CSRFError, _stale_form)
    app.register_error_handler(HTTPException, _refused)


def _stale_form(error: CSRFError) -> Any:
    """The page was open for longer than its session. It is not reloaded by itself: what was typed would be lost."""
    if "HX-Request" in request.headers:
        return _page(
            400,
            "This page is older than your session, so nothing was saved. Copy what you typed, then reload the page.",
        )
    return _page(400, "This page is older than your session. Go back, reload it, and send the form again.")


def _refused(error: HTTPException) -> Any:
    if isinstance(
        error, SecurityError
    ):  # an untrusted Host header: no page can be made, its links need a host
        return make_response(UNKNOWN_HOST, 400, {"Content-Type": "text/plain; charset=utf-8"})
    code = error.code or 500
    if error.response is not None or code < 400:
        return error
    own_words = error.description if error.description != type(error).description else None
    if isinstance(error, InternalServerError):
        own_words = None
    if code == 429:
        own_words = "Too many tries. Wait a minute, then try again."
    return _page(code, own_words)


def _page(code: int, reason: str | None) -> Any:
    if "HX-Request" in request.headers:
        answer = make_response("", code)
        if reason:
            answer.headers["HX-Trigger"] = json.dumps({"toast": {"kind": "bad", "text": reason}})
        return answer
    name = code if code in PAGES else (400 if code < 500 else 500)
    return make_response(render_template(f"errors/{name}.html", reason=reason), code)
