"""The only door to the outside: guarded addresses, total deadlines, capped answers, outcomes that say what is known.

    outcome = door.send(Outbound("POST", url, headers, body), timeout_s=30)

An outcome is Answered (the other side said something), NotSent (nothing can have arrived) or MaybeSent (the request,
or part of it, left this machine, and no answer came). The difference is known at the socket: the connection notes when
the first byte of a request is handed to it.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import requests
import urllib3
from requests.adapters import HTTPAdapter
from requests.hooks import default_hooks
from requests.structures import CaseInsensitiveDict
from urllib3.exceptions import HTTPError

from webapp.connections import Exchange, Failure, Watchdog, current_exchange, guarded_pools
from webapp.egress import EgressPolicy

CONNECT_TIMEOUT_S = 5.0
ANSWER_CAP = 1_000_000
_CHUNK = 65_536


@dataclass(frozen=True)
class Outbound:
    """One request as it goes out, byte for byte. `url` is http or https."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes | None = None


@dataclass(frozen=True)
class Answered:
    """The other side answered. Header names are lower-case; `body` holds at most the cap, `truncated` says if more came."""

    status: int
    headers: dict[str, str]
    body: bytes
    truncated: bool
    duration_ms: int


@dataclass(frozen=True)
class NotSent:
    """Nothing can have arrived. `retryable`: trying again later may help."""

    code: str
    sentence: str
    remedy: str
    duration_ms: int
    retryable: bool


@dataclass(frozen=True)
class MaybeSent:
    """The request may have arrived; there was no whole answer."""

    code: str
    sentence: str
    remedy: str
    duration_ms: int


Outcome = Answered | NotSent | MaybeSent


@dataclass
class _Read:
    body: bytearray = field(default_factory=bytearray)
    truncated: bool = False


class Door:
    """Sends requests over pooled keep-alive connections. Thread-safe; one for a process."""

    def __init__(self, egress: EgressPolicy, *, slots: int = 64, user_agent: str = "Runsheet") -> None:
        """`slots`: how many connections to one host are kept for reuse."""
        self._user_agent = user_agent
        self._watchdog = Watchdog()
        self._egress = egress
        self._adapter = _GuardedAdapter(egress, slots)

    def send(self, outbound: Outbound, *, timeout_s: float = 30.0, answer_cap: int = ANSWER_CAP) -> Outcome:
        """Send once, never again by itself, never following a redirect. `timeout_s` bounds the whole exchange."""
        started = time.monotonic()
        exchange = Exchange(deadline=started + timeout_s, watchdog=self._watchdog)
        token = current_exchange.set(exchange)
        try:
            answer = self._adapter.send(
                self._prepared(outbound), stream=True, timeout=(min(CONNECT_TIMEOUT_S, timeout_s), timeout_s)
            )
            with answer:
                read = _read(answer.raw, exchange, answer_cap)
        except (requests.RequestException, HTTPError, OSError, ValueError) as error:
            return _failed(outbound, exchange, error, started, timeout_s)
        finally:
            exchange.end()
            current_exchange.reset(token)
        return Answered(
            status=answer.status_code,
            headers={name.lower(): value for name, value in answer.headers.items()},
            body=bytes(read.body),
            truncated=read.truncated,
            duration_ms=_since(started),
        )

    def mount(self, session: requests.Session) -> requests.Session:
        """Put the guard onto a session of another library: no environment proxies or .netrc, no redirects."""
        session.trust_env = False
        session.max_redirects = 0
        session.headers["User-Agent"] = self._user_agent
        adapter = _SessionAdapter(self._egress, self._watchdog)
        session.mount("https://", adapter)
        session.mount("http://", adapter)
        return session

    def close(self) -> None:
        """Close pooled connections and stop the watchdog."""
        self._adapter.close()
        self._watchdog.stop()

    def _prepared(self, outbound: Outbound) -> requests.PreparedRequest:
        # By hand: Session.request would merge environment, cookies and redirects, at several times the cost.
        headers = CaseInsensitiveDict({"User-Agent": self._user_agent, "Accept": "*/*", **outbound.headers})
        if outbound.body is not None or outbound.method in ("POST", "PUT", "PATCH"):
            headers["Content-Length"] = str(len(outbound.body or b""))
        prepared = requests.PreparedRequest()
        prepared.method, prepared.url = outbound.method, outbound.url
        prepared.headers, prepared.body = headers, outbound.body
        prepared.hooks = default_hooks()
        return prepared


class _GuardedAdapter(HTTPAdapter):
    """requests' adapter over connections that ask the policy and note what was sent."""

    def __init__(self, egress: EgressPolicy, slots: int) -> None:
        self._pools = guarded_pools(egress)
        super().__init__(pool_connections=64, pool_maxsize=slots, max_retries=0)

    def init_poolmanager(self, *arguments: Any, **options: Any) -> None:
        super().init_poolmanager(*arguments, **options)
        self.poolmanager.pool_classes_by_scheme = self._pools


class _SessionAdapter(_GuardedAdapter):
    """For sessions of other libraries: opens an exchange of its own and raises the guard's sentence."""

    def __init__(self, egress: EgressPolicy, watchdog: Watchdog) -> None:
        super().__init__(egress, slots=1)
        self._watchdog = watchdog

    def send(self, request: Any, **options: Any) -> requests.Response:  # type: ignore[override]
        limit = options.get("timeout")
        limit_s = float(limit) if isinstance(limit, (int, float)) else 30.0
        exchange = Exchange(deadline=time.monotonic() + limit_s, watchdog=self._watchdog)
        token = current_exchange.set(exchange)
        try:
            return super().send(request, **{**options, "stream": False})
        except requests.RequestException as error:
            if exchange.failure is not None:
                raise requests.ConnectionError(exchange.failure.sentence) from error
            raise
        finally:
            exchange.end()
            current_exchange.reset(token)


def _read(raw: Any, exchange: Exchange, cap: int) -> _Read:
    """At most `cap` decoded bytes. read1 returns what is there, so a drip cannot outlast the deadline."""
    read = _Read()
    while True:
        chunk = raw.read1(_CHUNK, decode_content=True)
        if not chunk:
            if exchange.expired:
                raise TimeoutError
            return read
        read.body += chunk
        if len(read.body) > cap:
            del read.body[cap:]
            read.truncated = True
            raw.close()
            return read


def _failed(
    outbound: Outbound, exchange: Exchange, error: Exception, started: float, timeout_s: float
) -> NotSent | MaybeSent:
    host = urllib3.util.parse_url(outbound.url).host or outbound.url
    took = _since(started)
    if exchange.failure is not None and not exchange.handed_over:
        failure = exchange.failure
    elif not exchange.handed_over:
        failure = _before_sending(host, error)
    elif exchange.expired or isinstance(error, (requests.Timeout, TimeoutError)):
        return MaybeSent(
            "timeout",
            f"{host} did not answer within {timeout_s:g} s. The request may have arrived.",
            "Look at the other side before you send it again.",
            took,
        )
    else:
        return MaybeSent(
            "connection_dropped",
            f"{host} closed the connection without a whole answer. The request may have arrived.",
            "Look at the other side before you send it again.",
            took,
        )
    return NotSent(failure.code, failure.sentence, failure.remedy, took, failure.retryable)


def _before_sending(host: str, error: Exception) -> Failure:
    reason = getattr(error.args[0], "reason", None) if error.args else None
    if isinstance(error, requests.exceptions.SSLError) or isinstance(reason, urllib3.exceptions.SSLError):
        return Failure(
            "tls_failed",
            f"The TLS certificate of {host} is not trusted or does not match.",
            "Check the address; for an internal host, add its certificate authority to this machine.",
            retryable=False,
        )
    if isinstance(error, (ValueError, requests.exceptions.InvalidURL)) and not isinstance(error, OSError):
        return Failure(
            "request_invalid",
            "The request could not be built: an address or header is not valid.",
            "Check URL and headers of the action.",
            retryable=False,
        )
    return Failure(
        "connect_failed", f"The connection to {host} broke off before anything was sent.", "Try again later.", True
    )


def _since(started: float) -> int:
    return round((time.monotonic() - started) * 1000)
