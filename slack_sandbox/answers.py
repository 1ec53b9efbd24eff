"""Slack's envelope: HTTP 200 and a JSON object whose `ok` says how it went."""

from __future__ import annotations

import json
from typing import Any

from flask import Response


class SlackError(Exception):
    """An answer with `ok: false`. `extra` goes beside the code; only 429 changes status and headers."""

    def __init__(
        self, code: str, status: int = 200, headers: dict[str, str] | None = None, **extra: Any
    ) -> None:
        super().__init__(code)
        self.code = code
        self.status = status
        self.headers = headers or {}
        self.extra = extra

    def body(self) -> dict[str, Any]:
        return {"ok": False, "error": self.code, **self.extra}


def rate_limited(wait: int) -> SlackError:
    """`wait` in whole seconds."""
    return SlackError("ratelimited", status=429, headers={"Retry-After": str(wait)})


def with_warnings(body: dict[str, Any], warnings: list[str]) -> dict[str, Any]:
    if not warnings:
        return body
    metadata = {**body.get("response_metadata", {}), "warnings": warnings}
    return {**body, "warning": ",".join(warnings), "response_metadata": metadata}


def answer(body: dict[str, Any], status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return Response(
        json.dumps(body),
        status=status,
        headers=headers,
        content_type="application/json; charset=utf-8",
    )
