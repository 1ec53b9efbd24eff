"""Taking secrets out of what is stored and logged: headers by name, texts by shape, known secrets wherever they stand."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Mapping

HIDDEN = "[hidden]"

_SECRET_HEADERS = re.compile(r"(?i)^(authorization|proxy-authorization|cookie|set-cookie|.*(api-?key|token|secret|password).*)$")
_NAMES = "access_token|refresh_token|id_token|bot_access_token|client_secret|code_verifier|password|authorization|api[_-]?key"
_SHAPES = (
    # name: value, name=value, "name": "value"
    (re.compile(rf"(?i)([\"']?(?:{_NAMES})[\"']?\s*[:=]\s*[\"']?(?:(?:bearer|basic)\s+)?)[^\"'&\s,}}]{{4,}}"), rf"\1{HIDDEN}"),
    # code, token and state as parameters or JSON properties, not as words of a sentence
    (re.compile(r"(?i)([?&\"](?:code|token|state)(?:=|\"\s*:\s*\"))[^\"&\s]{4,}"), rf"\1{HIDDEN}"),
    # Slack's tokens: xoxb-…, xoxe.xoxp-…, xoxe-1-…
    (re.compile(r"\bxox[a-z](?:\.xox[a-z])?-[A-Za-z0-9.-]{6,}|\bxoxe-[0-9]-[A-Za-z0-9.-]+"), HIDDEN),
    (re.compile(r"(?i)\b(bearer|basic)\s+[A-Za-z0-9._~+/=-]{12,}"), rf"\1 {HIDDEN}"),
)


def redact(text: str, known: Iterable[str] = ()) -> str:
    """The text without what looks like a secret, and without the `known` ones, whatever they look like."""
    for secret in known:
        if secret:
            text = text.replace(secret, HIDDEN)
    for shape, replacement in _SHAPES:
        text = shape.sub(replacement, text)
    return text


def redact_headers(headers: Mapping[str, str], known: Iterable[str] = ()) -> dict[str, str]:
    """The headers, those that carry credentials hidden by name and the others redacted as text."""
    secrets = tuple(known)
    return {
        name: HIDDEN if _SECRET_HEADERS.match(name) else redact(value, secrets) for name, value in headers.items()
    }


class RedactingFilter(logging.Filter):
    """For handlers: filters of loggers do not see the records of child loggers."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = redact(record.getMessage()), ()
        if record.exc_info and not record.exc_text:
            record.exc_text = redact(logging.Formatter().formatException(record.exc_info))
        return True
