"""What an answer means, in plain words: cause, remedy, who acts. Pure: no Flask, no database."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from functools import cached_property
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from webapp.integrations.predefined import slack_errors
from webapp.integrations.predefined.slack_errors import SlackError

ADMIN = "integration admin"
THEIRS = "whoever runs the other system"
USER = "task user"
LONGEST_QUOTE = 200


@dataclass(frozen=True)
class Answer:
    """What came back. Header names are lower-case; `text` is the decoded body, `cut` where only its start was read."""

    url: str
    status: int
    headers: Mapping[str, str]
    text: str
    cut: bool = False

    @property
    def host(self) -> str:
        return urlsplit(self.url).hostname or ""

    @cached_property
    def json(self) -> Any:
        """The body as JSON, or None. Of an object that was cut, the pairs that are there as a whole."""
        try:
            return whole_pairs(self.text) if self.cut else json.loads(self.text)
        except (ValueError, RecursionError):
            return None

    @property
    def says_not_ok(self) -> bool:
        """A JSON object with `ok` exactly false: how Slack, among others, says no with HTTP 200."""
        return isinstance(self.json, dict) and self.json.get("ok") is False

    @property
    def looks_like_slack(self) -> bool:
        host = self.host
        return host == "slack.com" or host.endswith(".slack.com") or "x-slack-req-id" in self.headers


@dataclass(frozen=True)
class Explanation:
    """Why an answer is not a yes.

    `may_have_happened`: the other side may have acted all the same. `repeatable`: it did not, and the same request
    may succeed later. `refuses_sign_in`: it no longer accepts the credential.
    """

    code: str
    sentence: str
    remedy: str
    who: str
    may_have_happened: bool = False
    repeatable: bool = False
    refuses_sign_in: bool = False


def explain(answer: Answer, *, values: Mapping[str, Any]) -> Explanation | None:
    """What is wrong with the answer, or None where it is a 2xx that does not say `"ok": false`.

    `values` are the request's (see `values_of_body`); sentences quote them.
    """
    accepted = 200 <= answer.status < 300
    if accepted and not answer.says_not_ok:
        return None
    if answer.looks_like_slack:
        found = _slack(answer, values)
        if found is not None:
            return found
    if accepted:
        said = answer.json.get("error") or answer.json.get("message") or "no reason given"
        return Explanation(
            "ok_false",
            f"{answer.host} answered “ok”: false ({_quote(said)}).",
            "The answer below says more; correct the values or the action’s request.",
            ADMIN,
        )
    return _by_status(answer)


def whole_pairs(text: str) -> dict[str, Any] | None:
    """The pairs of a JSON object up to where its text ends; None where it begins as no object."""
    after = _OPENING.match(text)
    if after is None:
        return None
    found: dict[str, Any] = {}
    decoder = json.JSONDecoder()
    while named := _NAME.match(text, after.end()):
        try:
            value, end = decoder.raw_decode(text, named.end())
        except (ValueError, RecursionError):
            break
        after = _NEXT.match(text, end)
        if after is None:  # at the very end a number may go on
            break
        found[json.loads(named[1])] = value
    return found


_OPENING = re.compile(r"\s*\{")
_NAME = re.compile(r'\s*("(?:[^"\\\x00-\x1f]|\\.)*")\s*:\s*')
_NEXT = re.compile(r"\s*[,}]")


def values_of_body(body: str | None, content_type: str) -> dict[str, Any]:
    """The values of a JSON object or form body, by name; empty for anything else."""
    if not body:
        return {}
    if "x-www-form-urlencoded" in content_type.lower():
        return dict(parse_qsl(body))
    try:
        found = json.loads(body)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def retry_after_s(headers: Mapping[str, str], moment: datetime) -> float | None:
    """Seconds that Retry-After asks to wait (RFC 9110 §10.2.3: a number or a date); None where it is absent or odd."""
    typed = headers.get("retry-after", "").strip()
    if not typed:
        return None
    try:
        return (
            max(0.0, float(typed))
            if typed.isascii() and typed.isdigit()
            else max(0.0, (parsedate_to_datetime(typed) - moment).total_seconds())
        )
    except (ValueError, TypeError):
        return None


def _slack(answer: Answer, values: Mapping[str, Any]) -> Explanation | None:
    said = answer.json if isinstance(answer.json, dict) else {}
    code = str(said.get("error") or "")
    if answer.status == 429:
        code = code or "ratelimited"
    if code:
        words = slack_errors.BY_CODE.get(code) or slack_errors.OTHER
    elif answer.status >= 500 and answer.status != 503:
        code, words = f"http_{answer.status}", slack_errors.SERVER_ERROR
    elif answer.says_not_ok:
        code, words = "no error code", slack_errors.OTHER
    else:
        return None
    return _worded(code, words, _placeholders(answer, said, values))


def _placeholders(answer: Answer, said: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, str]:
    metadata = said.get("response_metadata")
    messages = metadata.get("messages") if isinstance(metadata, dict) else None
    typed = answer.headers.get("retry-after", "").strip()
    return {
        "channel": _quote(values.get("channel") or "(none given)"),
        "length": f"{len(str(values.get('text') or '')):,}",
        "needed": _quote(said.get("needed") or "it needs"),
        "provided": _quote(said.get("provided") or "others"),
        "details": _quote(
            "; ".join(map(str, messages)) if isinstance(messages, list) else "no details given"
        ),
        "wait": f" {typed} s" if typed.isdigit() else "",
    }


def _worded(code: str, words: SlackError, placeholders: Mapping[str, str]) -> Explanation:
    # str.format over our own sentences; what is put in is data and not formatted again.
    return Explanation(
        code,
        words.sentence.format(code=_quote(code), **placeholders),
        words.remedy,
        words.who,
        may_have_happened=words.may_have_happened,
        repeatable=words.repeatable,
        refuses_sign_in=words.refuses_sign_in,
    )


_STATUS: dict[int, tuple[str, str, str]] = {
    400: ("{host} could not read the request.", "Check the payload and parameters of the action.", ADMIN),
    401: (
        "{host} does not accept the credential.",
        "Authenticate again, or correct the Authorization tab.",
        ADMIN,
    ),
    402: ("{host} asks for payment first.", "Check the account at the other system.", ADMIN),
    403: (
        "The credential may not do this at {host}.",
        "Give its account the permission at the other system.",
        ADMIN,
    ),
    404: ("{host} has nothing at this address.", "Check the URL of the action and the values in it.", ADMIN),
    405: ("{host} does not take this method at this address.", "Check method and URL of the action.", ADMIN),
    406: ("{host} cannot answer in the format asked for.", "Check the Accept header of the action.", ADMIN),
    408: ("{host} waited too long for the request.", "Retry.", USER),
    409: ("{host} says that this conflicts with what is there.", "Look there; it may be done already.", USER),
    410: ("{host} no longer has this address.", "Check the URL of the action.", ADMIN),
    413: ("The request is too large for {host}.", "Send less: shorten the values or the payload.", USER),
    415: ("{host} does not take this content type.", "Check the Content-Type header of the action.", ADMIN),
    422: (
        "{host} does not accept the values of the request.",
        "Check them and the payload of the action.",
        ADMIN,
    ),
    425: ("{host} does not want this request yet.", "Retry.", USER),
    429: ("{host} asked to slow down.", "Wait a while, then retry.", USER),
    501: ("{host} cannot do this.", "Check method and URL of the action.", ADMIN),
    503: ("{host} says that it is not available.", "Retry when the other system is up again.", THEIRS),
    505: ("{host} does not take this version of HTTP.", "Check the URL of the action.", ADMIN),
}


def _by_status(answer: Answer) -> Explanation:
    status = answer.status
    code = f"http_{status}"
    if 300 <= status < 400:
        target = answer.headers.get("location", "")
        where = f"to {_quote(target)}" if target else "without saying where to"
        return Explanation(
            "redirect",
            f"{answer.host} answered with a redirect {where} (HTTP {status}). Redirects are not followed.",
            "Use the final address as the action’s URL.",
            ADMIN,
        )
    if status in _STATUS:
        sentence, remedy, who = _STATUS[status]
        return Explanation(
            code,
            sentence.format(host=answer.host).removesuffix(".") + f" (HTTP {status}).",
            remedy,
            who,
            repeatable=status in (408, 425, 429) or (status == 503 and "retry-after" in answer.headers),
            refuses_sign_in=status == 401 and "invalid_token" in answer.headers.get("www-authenticate", ""),
        )
    if status >= 500:
        return Explanation(
            code,
            f"{answer.host} had a problem of its own (HTTP {status}). It may or may not have acted.",
            "Look at the other system before you send it again.",
            USER,
            may_have_happened=True,
        )
    return Explanation(
        code, f"{answer.host} refused the request (HTTP {status}).", "The answer below may say why.", ADMIN
    )


def _quote(text: Any) -> str:
    shown = " ".join(str(text).split())
    return shown if len(shown) <= LONGEST_QUOTE else shown[: LONGEST_QUOTE - 1] + "…"
