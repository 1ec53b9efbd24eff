"""Taking secrets out of what is stored, shown and logged.

Three nets: headers by name, texts by shape, and known secrets wherever they stand, also as they look inside
JSON, a URL or a form. Shapes are for what nobody passed along; whoever holds the secret passes it as `known`.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from urllib.parse import quote, quote_plus

HIDDEN = "[hidden]"
SHORTEST_KNOWN = 4  # hiding shorter ones would tear every text apart

_SECRET_HEADERS = re.compile(
    r"authorization|proxy-authorization|cookie|set-cookie|.*(api-?key|token|secret|password|passwd|credential).*"
    r"|x-auth.*|.*(?<!idempotency)-key",
    re.IGNORECASE,
)

_NAMES = (
    r"access_?token|refresh_?token|id_?token|bot_access_token|auth_?token|client_?secret"
    r"|client_assertion|code_verifier|password|passwd|secret|api[_-]?key|private_?key|authorization|x-api-key"
    r"|session_secret|secrets_keys"
)

_NAME_WORDS = ("token", "secret", "assertion", "verifier", "passw", "key", "authorization")


def _after_first(found: re.Match[str]) -> str:
    # A function, because a replacement text with a backreference would cost more than all the searching.
    return found[1] + HIDDEN


# Each shape with words of which at least one, whatever its case, is in every text that it can match. Most texts have
# none of them, and looking for those costs a half (short texts) to a sixteenth of the searching.
_SHAPES: tuple[tuple[tuple[str, ...], re.Pattern[str], str | Callable[[re.Match[str]], str]], ...] = (
    # "name": "value" in JSON, also where it was cut off, and the same within a JSON text: \"name\": \"value\"
    (_NAME_WORDS, re.compile(rf'("(?:{_NAMES}|token)"\s*:\s*")(?:[^"\\]|\\.)+', re.I | re.S), _after_first),
    (_NAME_WORDS, re.compile(rf'(\\"(?:{_NAMES}|token)\\"\s*:\s*\\")(?:[^"\\]|\\\\.)+', re.I), _after_first),
    # 'name': 'value' as Python shows it
    (_NAME_WORDS, re.compile(rf"('(?:{_NAMES}|token)'\s*:\s*')(?:[^'\\]|\\.)+", re.I | re.S), _after_first),
    # Authorization: scheme value, to the end of the line
    (
        ("authorization",),
        re.compile(r"(\b(?:proxy-)?authorization\s*+:\s*+)(?!\[hidden\])[^\r\n\"']+", re.I),
        _after_first,
    ),
    (
        ("cookie",),
        re.compile(r"(\b(?:set-)?cookie\s*+:\s*+)(?!\[hidden\])[^\r\n\"']+", re.I),
        _after_first,
    ),
    # name=value and name: value
    (
        _NAME_WORDS,
        re.compile(rf"(\b(?:{_NAMES})\s*+[:=]\s*+)(?!\[hidden\])[^\s\"'&,;}}]{{2,}}", re.I),
        _after_first,
    ),
    # code, token and state as parameters of a URL or form; as words or JSON properties they are no secrets
    (
        ("code=", "token=", "state="),
        re.compile(r"((?:^|[?&])(?:code|token|state)=)[^\"'&\s#]{4,}", re.I | re.M),
        _after_first,
    ),
    # https://user:password@host, postgresql://…
    (
        ("://",),
        re.compile(r"(\b[a-z][a-z0-9+.-]{1,20}://[^\s/:@\"']{0,100}:)[^\s/@\"']{1,500}(?=@)", re.I),
        _after_first,
    ),
    # Slack: xoxb-…, xoxe.xoxp-…, xoxe-1-…, xapp-…; and the path of an incoming webhook, which is its password
    (
        ("xox", "xapp-"),
        re.compile(r"\bxox[a-z](?:\.xox[a-z])?-[A-Za-z0-9.-]{6,}|\bxapp-[A-Za-z0-9-]{6,}"),
        HIDDEN,
    ),
    (("hooks.slack.com",), re.compile(r"(hooks\.slack\.com/[a-z]+/)[A-Za-z0-9_/-]+", re.I), _after_first),
    # GitHub's and GitLab's tokens, JSON Web Tokens, private keys
    (
        ("gh", "github_pat_", "glpat-"),
        re.compile(r"\b(?:gh[a-z]_|github_pat_|glpat-)[A-Za-z0-9_-]{12,}"),
        HIDDEN,
    ),
    (("eyj",), re.compile(r"\beyJ[A-Za-z0-9_-]{6,}\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*"), HIDDEN),
    (
        ("private key",),
        re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.S),
        HIDDEN,
    ),
    (("bearer", "basic"), re.compile(r"(\b(?:bearer|basic)\s+)[A-Za-z0-9._~+/=-]{12,}", re.I), _after_first),
)
_WORDS = tuple({word for words, _, _ in _SHAPES for word in words})


def redact(text: str, known: Iterable[str] = ()) -> str:
    """The text without what looks like a secret, and without the `known` ones (of at least 4 characters)."""
    return _redacted(text, _as_written(known))


def redact_headers(headers: Mapping[str, str], known: Iterable[str] = ()) -> dict[str, str]:
    """The headers: those that carry credentials hidden by name, the others redacted as text."""
    secrets = _as_written(known)
    return {
        name: HIDDEN if _names_secret(name) else _redacted(value, secrets) for name, value in headers.items()
    }


def _redacted(text: str, secrets: Iterable[str]) -> str:
    for secret in secrets:
        text = text.replace(secret, HIDDEN)
    if not _may_match(text):
        return text
    for _, shape, replacement in _SHAPES:
        text = shape.sub(replacement, text)
    return text


def _may_match(text: str) -> bool:
    if not text.isascii():  # re.I also takes letters beyond ASCII, as the long s, for those of a word
        return True
    lower = text.lower()
    return any(map(lower.__contains__, _WORDS))


@lru_cache(maxsize=1024)
def _names_secret(name: str) -> bool:
    return _SECRET_HEADERS.fullmatch(name) is not None


class RedactingFilter(logging.Filter):
    """For handlers: filters of loggers do not see the records of child loggers.

    Covers the message, its arguments, the exception's text and the stack. `known`: the process's own secrets.
    """

    def __init__(self, known: Iterable[str] = ()) -> None:
        super().__init__()
        self._known = tuple(known)

    def filter(self, record: logging.LogRecord) -> bool:
        """Rewrite the record in place; it is always let through."""
        try:
            message = record.getMessage()
        except (
            TypeError,
            ValueError,
            KeyError,
        ):  # arguments that do not fit; a log line must not stop the program
            message = f"{record.msg} {record.args!r}"
        record.msg, record.args = redact(message, self._known), ()
        if record.exc_info and not record.exc_text:
            record.exc_text = logging.Formatter().formatException(record.exc_info)
        if record.exc_text:
            record.exc_text = redact(record.exc_text, self._known)
        if record.stack_info:
            record.stack_info = redact(record.stack_info, self._known)
        return True


def _as_written(known: Iterable[str]) -> list[str]:
    """Each secret in the forms in which it can stand in a text, longest first, so that none leaves a rest."""
    forms: set[str] = set()
    for secret in known:
        if len(secret) < SHORTEST_KNOWN:
            continue
        forms |= {secret, quote(secret, safe="", errors="replace"), quote_plus(secret, errors="replace")}
        forms |= {json.dumps(secret, ensure_ascii=ascii_only)[1:-1] for ascii_only in (True, False)}
    return sorted(forms, key=len, reverse=True)
