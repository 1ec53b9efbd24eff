"""Redirects that both browsers and htmx obey, and the check that keeps them on this site."""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import Response, make_response, redirect, request


def see_other(location: str, *, status: int = 204) -> Response:
    """Send the browser to `location`.

    A plain request gets 303. An htmx request follows a redirect inside XHR and would swap the whole page into
    a fragment, so it gets `HX-Redirect` with `status` (204, or 401 where the session has ended).
    """
    if "HX-Request" in request.headers:
        answer = make_response("", status)
        answer.headers["HX-Redirect"] = location
        return answer
    return redirect(location, 303)  # type: ignore[return-value]


def local_path(wanted: str | None, default: str) -> str:
    """`wanted` where it is a path on this site, else `default` (an open redirect helps phishing)."""
    if not wanted or not wanted.startswith("/") or wanted.startswith(("//", "/\\")):
        return default
    if any(ord(character) < 32 for character in wanted):
        return default
    parts = urlsplit(wanted)
    return default if parts.scheme or parts.netloc else wanted
