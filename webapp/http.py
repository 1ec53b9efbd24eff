"""The only door to the outside: guarded addresses, total deadlines, capped answers, honest outcomes.

    outcome = door.send(Outbound("POST", url, headers, body), timeout_s=30)

An outcome is Answered (the other side said something whole), NotSent (nothing can have arrived) or MaybeSent
(the request, or part of it, left this machine, and no whole answer came). The difference is known at the
socket: webapp/sockets.py notes when the first byte of a request is handed to the network.
"""

from __future__ import annotations

import http.client
import io
import ssl
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

import certifi
import requests
import urllib3
from requests.adapters import HTTPAdapter
from requests.hooks import default_hooks
from requests.structures import CaseInsensitiveDict
from requests.utils import get_encoding_from_headers
from urllib3.exceptions import HTTPError

from webapp.egress import EgressPolicy
from webapp.http_outcomes import Answered, MaybeSent, NotSent, Outbound, Outcome, failed, invalid
from webapp.sockets import Exchange, HostSockets, TlsSocket, current_exchange

__all__ = ["Answered", "Door", "ExchangeFailed", "MaybeSent", "NotSent", "Outbound", "Outcome"]

CONNECT_TIMEOUT_S = 5.0
TOTAL_TIMEOUT_S = 30.0
ANSWER_CAP = 1_000_000

_HOSTS_POOLED = 64


class ExchangeFailed(requests.ConnectionError):
    """What a mounted session raises instead of requests' own errors. The text is the outcome's sentence."""

    def __init__(self, outcome: NotSent | MaybeSent, request: Any = None) -> None:
        super().__init__(outcome.sentence, request=request)
        self.outcome = outcome


class Door:
    """Sends requests over pooled keep-alive connections. Thread-safe; one for a process."""

    def __init__(self, egress: EgressPolicy, *, slots: int = 64, user_agent: str = "Runsheet") -> None:
        """`slots`: how many idle connections to one host are kept for reuse.

        TLS trusts this machine's authorities (SSL_CERT_FILE and SSL_CERT_DIR included) and certifi's.
        """
        self._user_agent = user_agent
        self._adapter = _GuardedAdapter(_Trust(), egress, slots)

    def send(
        self, outbound: Outbound, *, timeout_s: float = TOTAL_TIMEOUT_S, answer_cap: int = ANSWER_CAP
    ) -> Outcome:
        """Send once: never again by itself, never following a redirect. The network cannot make it raise.

        `timeout_s` bounds the whole exchange, name lookup to last byte; connecting takes at most 5 s of it.
        `answer_cap` in bytes.
        """
        watch = _Stopwatch(timeout_s)
        wrong = invalid(outbound)
        if wrong is not None:
            return NotSent(wrong.code, wrong.sentence, wrong.remedy, watch.ms, wrong.retryable)
        found = self._adapter.perform(self._prepared(outbound), watch, answer_cap)
        if not isinstance(found, _Whole):
            return found
        headers = found.answer.headers
        merged = {
            name.lower(): headers[name] for name in headers
        }  # items() has a repeated name several times
        return Answered(found.answer.status_code, merged, found.body, found.truncated, watch.ms)

    def reach(self, origin: str, *, timeout_s: float = CONNECT_TIMEOUT_S) -> NotSent | None:
        """Connect to scheme, host and port, with TLS where it is https, and send nothing; None where that works."""
        watch = _Stopwatch(timeout_s)
        wrong = invalid(Outbound("GET", origin, {}))
        if wrong is not None:
            return NotSent(wrong.code, wrong.sentence, wrong.remedy, watch.ms, wrong.retryable)
        return self._adapter.reach(origin, watch)

    def mount(self, session: requests.Session) -> requests.Session:
        """Put the door onto a session of another library, which closes it.

        The guard and deadlines hold (the session's timeout is the total one, 30 s without), the environment's
        proxies and .netrc are left out, certificates are always verified, cookies are not kept, answers are
        capped. Redirects are not followed: they raise requests.TooManyRedirects. What fails raises
        ExchangeFailed.
        """
        session.trust_env = False
        session.headers["User-Agent"] = self._user_agent
        adapter = self._adapter.another()
        session.mount("https://", adapter)
        session.mount("http://", adapter)
        return session

    def close(self) -> None:
        """Close the idle connections."""
        self._adapter.close()

    def _prepared(self, outbound: Outbound) -> requests.PreparedRequest:
        # By hand: Session.request would merge environment, cookies and redirects, at several times the cost.
        headers = CaseInsensitiveDict(
            {"User-Agent": self._user_agent, "Accept": "*/*", "Accept-Encoding": "identity"}
        )
        headers.update(outbound.headers)
        if outbound.body is not None or outbound.method in ("POST", "PUT", "PATCH"):
            headers["Content-Length"] = str(len(outbound.body or b""))
        prepared = requests.PreparedRequest()
        prepared.method, prepared.url = outbound.method, outbound.url
        prepared.headers, prepared.body = headers, outbound.body
        prepared.hooks = default_hooks()
        return prepared


class _Stopwatch:
    """When an exchange began and must be over."""

    def __init__(self, timeout_s: float) -> None:
        self.timeout_s = timeout_s
        self.started = time.monotonic()

    @property
    def ms(self) -> int:
        return round((time.monotonic() - self.started) * 1000)

    def exchange(self, egress: EgressPolicy, answer_cap: int) -> Exchange:
        return Exchange(
            egress,
            connect_by=self.started + min(CONNECT_TIMEOUT_S, self.timeout_s),
            deadline=self.started + self.timeout_s,
            answer_cap=answer_cap,
        )


class _Trust:
    """The certificate authorities that are trusted, loaded with the first https request and then shared."""

    def __call__(self) -> ssl.SSLContext:
        return self._context

    @cached_property
    def _context(self) -> ssl.SSLContext:
        context = ssl.create_default_context()
        context.load_verify_locations(certifi.where())
        context.sslsocket_class = TlsSocket
        return context


@dataclass(frozen=True)
class _Whole:
    """An answer, read to its end or to the cap."""

    answer: requests.Response
    body: bytes
    truncated: bool


class _GuardedAdapter(HTTPAdapter):
    """requests' adapter over guarded sockets; being one, `responses` can stand in for the network."""

    def __init__(self, trust: _Trust, egress: EgressPolicy, slots: int) -> None:
        self._trust = trust
        self._egress = egress
        self._slots = slots
        self._hosts: OrderedDict[tuple[str, str, int | None], HostSockets] = OrderedDict()
        self._lock = threading.Lock()
        super().__init__(max_retries=0)

    def another(self) -> _GuardedAdapter:
        """One with its own sockets, for a session that will close it."""
        return _GuardedAdapter(self._trust, self._egress, slots=1)

    def close(self) -> None:
        """Close the idle sockets."""
        with self._lock:
            while self._hosts:
                self._hosts.popitem()[1].close()

    def get_connection_with_tls_context(
        self, request: Any, verify: Any, proxies: Any = None, cert: Any = None
    ) -> Any:
        # requests' hook for a pool. Certificates are always verified, with our own context.
        parts = urlsplit(request.url)
        key = (parts.scheme, parts.hostname or "", parts.port)
        with self._lock:
            found = self._hosts.get(key)
            if found is None:
                found = self._hosts[key] = HostSockets(*key, trust=self._trust, slots=self._slots)
                if len(self._hosts) > _HOSTS_POOLED:
                    self._hosts.popitem(last=False)[1].close()
            else:
                self._hosts.move_to_end(key)
        return found

    def cert_verify(self, conn: Any, url: str, verify: Any, cert: Any) -> None:
        """Nothing to set: the sockets verify."""

    def request_url(self, request: Any, proxies: Any) -> str:
        return str(request.path_url)

    def build_response(self, req: requests.PreparedRequest, resp: Any) -> requests.Response:
        # requests' own also collects cookies, which are not kept here, and copies the headers.
        response = requests.Response()
        response.status_code, response.reason, response.headers = resp.status, resp.reason, resp.headers
        response.raw, response.request, response.url = resp, req, req.url or ""
        return response

    def send(self, request: Any, *_: Any, **options: Any) -> requests.Response:
        """For mounted sessions. Raises ExchangeFailed and requests.TooManyRedirects."""
        watch = _Stopwatch(_total_s(options.get("timeout")))
        found = self.perform(request, watch, ANSWER_CAP)
        host = urlsplit(request.url or "").hostname
        if isinstance(found, _Whole) and found.truncated:
            found = MaybeSent(
                "answer_too_large",
                f"{host} answered HTTP {found.answer.status_code} with more than {ANSWER_CAP:,} bytes.",
                "Check the address: this is not the kind of answer that is expected here.",
                watch.ms,
            )
        if not isinstance(found, _Whole):
            raise ExchangeFailed(found, request=request)
        if found.answer.is_redirect:
            to = found.answer.headers["location"][:200]
            raise requests.TooManyRedirects(
                f"{host} answered with a redirect to {to}, and redirects are not followed; use that address",
                request=request,
                response=found.answer,
            )
        found.answer.encoding = get_encoding_from_headers(found.answer.headers)
        found.answer.raw = urllib3.HTTPResponse(
            io.BytesIO(found.body), status=found.answer.status_code, preload_content=False
        )
        return found.answer

    def reach(self, origin: str, watch: _Stopwatch) -> NotSent | None:
        """Open a socket of its own, and close it."""
        parts = urlsplit(origin)
        exchange = watch.exchange(self._egress, 0)
        try:
            HostSockets(parts.scheme, parts.hostname or "", parts.port, self._trust, slots=0).reach(exchange)
        except (OSError, ValueError) as error:
            found = failed(
                error, exchange, host=parts.hostname or "", timeout_s=watch.timeout_s, took_ms=watch.ms
            )
            assert isinstance(found, NotSent)
            return found
        return None

    def perform(
        self, request: requests.PreparedRequest, watch: _Stopwatch, cap: int
    ) -> _Whole | NotSent | MaybeSent:
        """One exchange, read to the end or the cap."""
        exchange = watch.exchange(self._egress, cap)
        token = current_exchange.set(exchange)
        try:
            answer = super().send(request, stream=True)
            # A part is asked for only of what grows by decoding: urllib3 gathers it in a costly way.
            most = cap + 1 if "content-encoding" in answer.headers else None
            body = answer.raw.read(most, decode_content=True)
        except (
            requests.RequestException,
            HTTPError,
            http.client.HTTPException,
            OSError,
            ValueError,
        ) as error:
            return failed(
                error,
                exchange,
                host=urlsplit(request.url or "").hostname or "",
                timeout_s=watch.timeout_s,
                took_ms=watch.ms,
            )
        finally:
            current_exchange.reset(token)
        return _Whole(answer, body[:cap], exchange.truncated or len(body) > cap)


def _total_s(timeout: Any) -> float:
    """A session's total deadline, from requests' `timeout`: a number, (connect, read) or None."""
    limit = timeout[1] if isinstance(timeout, tuple) else timeout
    return float(limit) if isinstance(limit, (int, float)) else TOTAL_TIMEOUT_S
