"""Answers: a full page or one block of it, out-of-band fragments, refused forms, toasts."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from flask import Response, flash, make_response, render_template, request
from jinja2_fragments.flask import render_block

from webapp.redirects import see_other

__all__ = ["fragments", "invalid", "is_fragment_request", "page", "say", "see_other", "toast", "told"]


def is_fragment_request() -> bool:
    """Whether htmx asked for a piece. A restore from history wants the whole page."""
    return "HX-Request" in request.headers and "HX-History-Restore-Request" not in request.headers


def page(template: str, *, block: str | None = None, status: int = 200, **context: Any) -> Response:
    """The whole template, or, where htmx asks and `block` is named, only that block of it."""
    if block and is_fragment_request():
        answer = make_response(render_block(template, block, **context), status)
    else:
        answer = make_response(render_template(template, **context), status)
    answer.headers["Vary"] = "HX-Request"
    return answer


def invalid(template: str, *, block: str | None = None, **context: Any) -> Response:
    """A form sent back with its errors and everything that was typed: 422, which htmx swaps in."""
    return page(template, block=block, status=422, **context)


def fragments(parts: Iterable[str], *, status: int = 200) -> Response:
    """Out-of-band fragments: each part carries its own id and `hx-swap-oob`."""
    answer = make_response("".join(parts), status)
    answer.headers["Vary"] = "HX-Request"
    return answer


def toast(answer: Response, text: str, kind: str = "ok", press: tuple[str, str] | None = None) -> Response:
    """Have htmx show one sentence. `kind` is ok, warn or bad; `press`: a button in it, and what that presses on the page."""
    shown = {"kind": kind, "text": text, **({"press": press} if press else {})}
    answer.headers["HX-Trigger"] = json.dumps({"toast": shown})
    return answer


def say(answer: Response, text: str) -> Response:
    """Have htmx tell one sentence to those who listen to the page instead of seeing it."""
    answer.headers["HX-Trigger"] = json.dumps({"say": text})
    return answer


def told(location: str, text: str, kind: str = "ok") -> Response:
    """Go to `location` and show one sentence there."""
    flash(text, kind)
    return see_other(location)
