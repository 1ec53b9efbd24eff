"""One exchange: a claimed run goes out through the door, and what came back is judged. Pure: no Flask app, no database."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol
from urllib.parse import urlencode

from webapp.clock import now
from webapp.http import Answered, MaybeSent, NotSent, Outbound, Outcome
from webapp.integration_runs.modes import ExecutionMode
from webapp.integration_runs.outcomes import STORED_BODY, Rules, Verdict, text_of, verdict_of
from webapp.integrations.authorizations import Credential
from webapp.integrations.explanations import Explanation
from webapp.redaction import redact, redact_headers

log = logging.getLogger(__name__)

# Answer headers that help people to understand or to ask the other side; others are not kept.
KEPT_HEADERS = frozenset(
    {
        "content-length",
        "content-type",
        "date",
        "location",
        "request-id",
        "retry-after",
        "server",
        "www-authenticate",
        "x-accepted-oauth-scopes",
        "x-correlation-id",
        "x-oauth-scopes",
        "x-ratelimit-limit",
        "x-ratelimit-remaining",
        "x-ratelimit-reset",
        "x-request-id",
        "x-slack-req-id",
    }
)
REFERENCE_HEADER = "X-Request-ID"


class Missing(Exception):
    """There is no credential to send with. `code` for the attempt, `sentence` and `remedy` for people."""

    def __init__(self, code: str, sentence: str, remedy: str) -> None:
        super().__init__(sentence)
        self.code, self.sentence, self.remedy = code, sentence, remedy


class _TooLate(Exception):
    """The lease would end before the answer must be here."""


class Sender(Protocol):
    """The door out (webapp.http.Door), as far as an exchange needs it."""

    def send(self, outbound: Outbound, *, timeout_s: float) -> Outcome: ...


@dataclass(frozen=True)
class Claim:
    """A run that this worker, and no other, may send now: attempt `number` of it.

    Times are aware UTC; it may not leave after `send_before`, because the lease would end before the answer must be
    here. `credential` is asked for just before sending and raises Missing. `host_moved`: the action now calls another
    host than when the request was made, so its credential must not go there. `told`: someone listens for this run.
    """

    run_id: int
    number: int
    worker: str
    reference: str
    host: str
    method: str
    url: str
    headers: Mapping[str, str]
    body: str | None
    timeout_s: int
    started_at: datetime
    send_before: datetime
    rules: Rules
    mode: ExecutionMode | None
    credential: Callable[[], Credential] = Credential
    host_moved: bool = False
    told: bool = False


@dataclass(frozen=True)
class Finished:
    """A claim's outcome, judged; request and answer redacted and cut to what is stored."""

    claim: Claim
    verdict: Verdict
    finished_at: datetime
    duration_ms: int
    credential: str = ""
    authentication_id: int | None = None
    request_headers: Mapping[str, str] = field(default_factory=dict)
    status: int | None = None
    response_headers: Mapping[str, str] = field(default_factory=dict)
    response_body: str | None = None
    response_truncated: bool = False


def perform(claim: Claim, door: Sender) -> Finished:
    """Send the claim once. Never raises: what goes wrong is an outcome too."""
    credential = Credential(description="")
    left = False
    try:
        credential = _credential(claim)
        outbound = _outbound(claim, credential)
        if now() > claim.send_before:
            raise _TooLate
        left = True
        outcome = door.send(outbound, timeout_s=claim.timeout_s)
        return _finished(claim, credential, outcome, outbound.headers)
    except Missing as missing:
        outcome = NotSent(missing.code, missing.sentence, missing.remedy, 0, missing.code == "refresh_failed")
    except _TooLate:
        outcome = NotSent(
            "worker_busy",
            "The worker came to it too late, so it was not sent.",
            "Nothing needs to be done.",
            0,
            True,
        )
    except Exception:
        log.exception("Run %s could not be sent.", claim.reference)
        outcome = _broken(left)
    return _finished(claim, credential, outcome, {})


def _credential(claim: Claim) -> Credential:
    if claim.mode is None:
        raise Missing(
            "mode_unavailable",
            "The action’s execution mode is no longer available.",
            "Choose another in its Request tab.",
        )
    credential = claim.credential()
    if claim.host_moved and (credential.headers or credential.query):
        raise Missing(
            "host_moved",
            "The action now calls another host than when this request was made, so its credential was not sent there.",
            "Start the task again, so that the request is made anew.",
        )
    return credential


def _outbound(claim: Claim, credential: Credential) -> Outbound:
    url = claim.url
    if credential.query:
        url += ("&" if "?" in url else "?") + urlencode(dict(credential.query))
    headers = {**claim.headers, **credential.headers}
    if not any(name.lower() == REFERENCE_HEADER.lower() for name in headers):
        headers[REFERENCE_HEADER] = claim.reference
    return Outbound(claim.method, url, headers, None if claim.body is None else claim.body.encode())


def _finished(
    claim: Claim, credential: Credential, outcome: Outcome, sent_headers: Mapping[str, str]
) -> Finished:
    moment = now()
    secrets = credential.secrets
    verdict = verdict_of(outcome, claim.rules, lambda answered: _judged(claim, answered), moment=moment)
    shared = {
        "claim": claim,
        "finished_at": moment,
        "duration_ms": outcome.duration_ms,
        "credential": credential.description,
        "authentication_id": credential.authentication_id,
        "request_headers": redact_headers(sent_headers, secrets),
    }
    if not isinstance(outcome, Answered):
        return Finished(verdict=verdict, **shared)  # type: ignore[arg-type]
    text = text_of(outcome)
    kept = {name: value for name, value in outcome.headers.items() if name in KEPT_HEADERS}
    return Finished(
        verdict=verdict,
        status=outcome.status,
        response_headers=redact_headers(kept, secrets),
        response_body=redact(text, secrets)[:STORED_BODY],
        response_truncated=outcome.truncated or len(text) > STORED_BODY,
        **shared,  # type: ignore[arg-type]
    )


def _judged(claim: Claim, answered: Answered) -> Explanation | None:
    assert claim.mode is not None
    return claim.mode.judge(
        answered, url=claim.url, body=claim.body, headers=dict(claim.headers), rules=claim.rules
    )


def _broken(left: bool) -> Outcome:
    if left:
        return MaybeSent(
            "internal_error",
            "Runsheet failed while it was sending. The request may have arrived.",
            "Look at the other side before you send it again; the worker’s log says more.",
            0,
        )
    return NotSent(
        "internal_error",
        "Runsheet could not prepare the request, so it was not sent.",
        "An administrator finds the cause in the worker’s log.",
        0,
        False,
    )
