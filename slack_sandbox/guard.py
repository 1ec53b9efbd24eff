"""Who may reach what: the headers of every page, and the doors that open from this machine only."""

from __future__ import annotations

from ipaddress import ip_address
from urllib.parse import urlsplit

from flask import Response, abort, request


def policy(form_action: str = "") -> str:
    """The Content-Security-Policy; `form_action` is one more origin that a form may end at."""
    return "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "img-src 'self'",
            "connect-src 'self'",
            f"form-action 'self' {form_action}".rstrip(),
            "base-uri 'none'",
            "frame-ancestors 'none'",
        )
    )


def secure(response: Response) -> Response:
    """Pages only: the Web API's answers carry what Slack's carry."""
    if not request.path.startswith("/api/"):
        response.headers.setdefault("Content-Security-Policy", policy())
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Referrer-Policy"] = "same-origin"
        if not request.path.startswith("/static/"):
            response.headers["Cache-Control"] = "no-store"
    return response


def refuse_other_sites() -> None:
    """A page of another site may not press buttons here. Calls of the Web API carry a token instead."""
    if request.method in ("GET", "HEAD", "OPTIONS") or request.path.startswith("/api/"):
        return
    if request.headers.get("Sec-Fetch-Site", "none") not in ("same-origin", "none"):
        abort(403)
    origin = request.headers.get("Origin")
    if origin and urlsplit(origin).netloc != request.host:
        abort(403)


def loopback_only() -> None:
    """The controls work from this machine only, whatever address the sandbox listens on."""
    try:
        here = ip_address(request.remote_addr or "").is_loopback
    except ValueError:
        here = False
    if not here:
        abort(403)
