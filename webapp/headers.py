"""Security headers on every answer. Pages carry nothing inline, so the policy needs no nonce."""

from __future__ import annotations

from flask import Flask, Response, g, request

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: https:; font-src 'self'; "
    "connect-src 'self'; form-action {form_action}; base-uri 'none'; frame-ancestors 'none'"
)


def init_app(app: Flask) -> None:
    """Add the headers after every request."""
    app.after_request(_add_headers)


def _add_headers(answer: Response) -> Response:
    # Chromium applies form-action to redirects, so a page whose form starts an OAuth sign-in names the provider.
    targets = ["'self'", *sorted(set(getattr(g, "form_action_origins", ())))]
    headers = answer.headers
    headers.setdefault("Content-Security-Policy", POLICY.format(form_action=" ".join(targets)))
    headers.setdefault("X-Content-Type-Options", "nosniff")
    headers.setdefault("Referrer-Policy", "same-origin")
    headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
    if request.endpoint != "static":
        headers.setdefault("Cache-Control", "no-store")
    if request.is_secure:
        headers.setdefault("Strict-Transport-Security", "max-age=31536000")
    return answer
