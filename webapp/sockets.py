"""HTTP/1.1 exchanges over guarded sockets.

The sockets connect only where the egress policy allows, end at a deadline, know whether a request has begun
to leave, and are kept for reuse. `HostSockets.urlopen` stands where requests' HTTPAdapter expects a urllib3
pool, which would cost as much again as the whole exchange and tells these facts only through private hooks;
the parsing is http.client's. What a socket must know of the exchange that a thread is about to make, and tell
it, lies in a context variable: requests has no parameter for it.

Reused sockets: when a request goes to a server that has just closed the connection, nothing on this side can
tell whether it was read. So it is reported as perhaps sent, and the situation is made rare: a socket is not
reused when there is anything to read on it (an end of file among others), when it has been idle for
`LONGEST_IDLE_S`, within a second of the idle time that the server announced (Keep-Alive: timeout=5), or in
another process than the one that opened it.
"""

from __future__ import annotations

import http.client
import io
import os
import queue
import re
import socket
import ssl
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, cast

from urllib3 import HTTPHeaderDict, HTTPResponse
from urllib3.util.wait import wait_for_read

from webapp.egress import EgressPolicy

LONGEST_IDLE_S = 30.0
_ANNOUNCED_IDLE = re.compile(r"timeout\s*=\s*(\d+)", re.IGNORECASE)
_FOLD = re.compile(r"[\r\n]+[ \t]*")
_BREAKS_LINE = re.compile(r"[\r\n\x00]")
_SHORTEST_WAIT_S = 0.001  # a socket timeout of 0 would mean "do not block"
_DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True)
class Failure:
    """Why nothing was sent: a code, a sentence, what to do, and whether trying later may help."""

    code: str
    sentence: str
    remedy: str
    retryable: bool


@dataclass(slots=True)
class Exchange:
    """One request and its answer. Moments are seconds on the monotonic clock.

    `answer_cap`: bytes of the body that are read. `failure`: why no connection was made. `connected`: there
    was one. `handed_over`: at least a byte of the request was given to the network, or, under TLS, may have
    been. `status`: the answer's, once its headers were read. `truncated`: its body was longer than the cap.
    """

    egress: EgressPolicy
    connect_by: float
    deadline: float
    answer_cap: int
    failure: Failure | None = None
    connected: bool = False
    handed_over: bool = False
    status: int | None = None
    truncated: bool = False


current_exchange: ContextVar[Exchange] = ContextVar("current_exchange")


class _EndsAtDeadline:
    """For sockets: a read never waits beyond the deadline, however little arrives at a time."""

    deadline = 0.0
    reusable_until = 0.0
    process = 0

    def recv_into(self, *arguments: Any) -> int:
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError("the total deadline has passed")
        self.settimeout(left)  # type: ignore[attr-defined]
        return super().recv_into(*arguments)  # type: ignore[misc, no-any-return]


class PlainSocket(_EndsAtDeadline, socket.socket):
    """A TCP socket. It says how much it took, so a first write that fails has sent nothing."""

    failed_write_is_certain = True


class TlsSocket(_EndsAtDeadline, ssl.SSLSocket):
    """A TLS socket, for `SSLContext.sslsocket_class`. A failed write may have sent a part of a record."""

    failed_write_is_certain = False


AnySocket = PlainSocket | TlsSocket


class HostSockets:
    """The sockets to one host and port; `slots` idle ones are kept. Thread-safe."""

    def __init__(
        self, scheme: str, host: str, port: int | None, trust: Callable[[], ssl.SSLContext], slots: int
    ) -> None:
        """`host` without brackets; `trust` gives the TLS context, and is asked only for https."""
        self._tls = trust if scheme == "https" else None
        self._host = host
        self._port = port or _DEFAULT_PORTS[scheme]
        named = f"[{host}]" if ":" in host else host
        self._host_header = named if self._port == _DEFAULT_PORTS[scheme] else f"{named}:{self._port}"
        self._slots = slots
        self._idle: deque[AnySocket] = deque()
        self._lock = threading.Lock()

    def urlopen(self, method: str, url: str, body: Any, headers: Mapping[str, Any], **_: Any) -> HTTPResponse:
        """One exchange, its answer read to the end or the cap. `url` is path and query.

        Raises OSError and http.client.HTTPException; the current exchange says what they mean.
        """
        exchange = current_exchange.get()
        whole = self._head(method, url, headers) + _as_bytes(body)
        sock = self._reused() or self._opened(exchange)
        exchange.connected = True
        try:
            _hand_over(sock, whole, exchange)
            answer = http.client.HTTPResponse(sock, method=method)
            answer.begin()
            if answer.status < 200:
                raise http.client.UnknownProtocol(f"HTTP {answer.status}")
            exchange.status = answer.status
            content = _content(answer, exchange)
        except BaseException:
            sock.close()
            raise
        if answer.will_close or not answer.isclosed():
            answer.close()
            sock.close()
        else:
            self._keep(sock, answer.headers.get("keep-alive", ""))
        return HTTPResponse(
            io.BytesIO(content),
            headers=_headers(answer),
            status=answer.status,
            reason=answer.reason,
            preload_content=False,
            enforce_content_length=False,  # checked above, and a cut body is shorter than announced
        )

    def reach(self, exchange: Exchange) -> None:
        """Connect, and shake hands where it is https. Raises OSError; `exchange` says what it means."""
        self._opened(exchange).close()

    def close(self) -> None:
        """Close the idle sockets, and those in use when they come back."""
        with self._lock:
            self._slots = 0
            while self._idle:
                self._idle.pop().close()

    def _head(self, method: str, target: str, headers: Mapping[str, Any]) -> bytes:
        lines = [f"{method} {target} HTTP/1.1", f"Host: {self._host_header}"]
        lines += [f"{name}: {_as_text(value)}" for name, value in headers.items()]
        if _BREAKS_LINE.search("".join(lines)):
            raise ValueError("a line of the request has a line break or NUL in it")
        return "\r\n".join([*lines, "", ""]).encode("latin-1")

    def _reused(self) -> AnySocket | None:
        while True:
            try:
                sock = self._idle.pop()
            except IndexError:
                return None
            mine = sock.process == os.getpid()
            if mine and time.monotonic() < sock.reusable_until and not wait_for_read(sock, timeout=0.0):
                return sock
            sock.close()

    def _keep(self, sock: AnySocket, keep_alive: str) -> None:
        announced = _ANNOUNCED_IDLE.search(keep_alive)
        idle_s = min(LONGEST_IDLE_S, int(announced[1]) - 1.0) if announced else LONGEST_IDLE_S
        sock.reusable_until = time.monotonic() + idle_s
        with self._lock:
            if len(self._idle) < self._slots:
                self._idle.append(sock)
                return
        sock.close()

    def _opened(self, exchange: Exchange) -> AnySocket:
        sock: AnySocket = _connected(self._host, self._port, exchange)
        if self._tls is not None:
            sock = _with_tls(sock, self._host.rstrip("."), self._tls())
        sock.process = os.getpid()
        return sock


def _with_tls(plain: AnySocket, name: str, context: ssl.SSLContext) -> TlsSocket:
    """The socket after a TLS handshake; `name` is verified, whatever address was connected to. Closes what fails."""
    sock = plain
    try:
        # On a socket that was reset meanwhile, wrap_socket() would leave the handshake out and send() speak plainly:
        # these two raise instead.
        plain.getpeername()
        sock = cast(
            TlsSocket, context.wrap_socket(plain, server_hostname=name, do_handshake_on_connect=False)
        )
        sock.do_handshake()
    except BaseException:
        sock.close()
        raise
    return sock


def _as_text(value: str | bytes) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else value


def _as_bytes(body: Any) -> bytes:
    if body is None:
        return b""
    if not isinstance(body, (bytes, str)):
        raise ValueError("a body is sent whole, as bytes or text")
    return body.encode() if isinstance(body, str) else body


def _hand_over(sock: AnySocket, data: bytes, exchange: Exchange) -> None:
    """Give the whole request to the network. A server that closes early may have answered: no error here."""
    sock.deadline = exchange.deadline
    rest = memoryview(data)
    try:
        while rest:
            left = exchange.deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError("the total deadline has passed")
            sock.settimeout(left)
            if not sock.failed_write_is_certain:
                exchange.handed_over = True
            taken = sock.send(rest)
            exchange.handed_over = True
            rest = rest[taken:]
    except (BrokenPipeError, ConnectionResetError):
        if not exchange.handed_over:
            raise


def _content(answer: http.client.HTTPResponse, exchange: Exchange) -> bytes:
    content = answer.read(exchange.answer_cap + 1)
    exchange.truncated = len(content) > exchange.answer_cap
    if not exchange.truncated and answer.length:
        raise http.client.IncompleteRead(content, answer.length)
    return content[: exchange.answer_cap]


def _headers(answer: http.client.HTTPResponse) -> HTTPHeaderDict:
    return HTTPHeaderDict(
        (name, _FOLD.sub(" ", value) if "\n" in value else value) for name, value in answer.headers.items()
    )


def _connected(host: str, port: int, exchange: Exchange) -> PlainSocket:
    """A socket to the first address that the policy allows and that answers. The name is resolved once.

    Raises OSError after noting the failure in the exchange.
    """
    allowed = []
    for family, kind, protocol, _, address in _resolved(host, port, exchange):
        refused = exchange.egress.why_not(host, port, str(address[0]))
        if refused is None:
            allowed.append((family, kind, protocol, address))
        else:
            exchange.failure = Failure(refused.code, refused.sentence, refused.remedy, retryable=False)
    for number, (family, kind, protocol, address) in enumerate(allowed):
        # A share of what is left for each address, so that a dead one does not use up the others' time.
        left = (exchange.connect_by - time.monotonic()) / (len(allowed) - number)
        made = PlainSocket(family, kind, protocol)
        try:
            made.settimeout(max(left, _SHORTEST_WAIT_S))
            made.connect(address)
            made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        except OSError as error:
            made.close()
            exchange.failure = _not_connected(host, port, error)
        else:
            exchange.failure = None
            exchange.connected = True
            # What is left is for the TLS handshake.
            made.settimeout(max(exchange.connect_by - time.monotonic(), _SHORTEST_WAIT_S))
            return made
    raise OSError("not connected")


def _resolved(host: str, port: int, exchange: Exchange) -> list[Any]:
    """What the name resolves to. In a thread of its own: the system's resolver knows no deadline."""
    answers: queue.SimpleQueue[list[Any] | Exception] = queue.SimpleQueue()

    def look_up() -> None:
        try:
            answers.put(socket.getaddrinfo(host, port, 0, socket.SOCK_STREAM))
        except (OSError, UnicodeError) as error:
            answers.put(error)

    threading.Thread(target=look_up, name="name-lookup", daemon=True).start()
    try:
        found = answers.get(timeout=max(exchange.connect_by - time.monotonic(), _SHORTEST_WAIT_S))
    except queue.Empty:
        exchange.failure = Failure(
            "dns_timeout",
            f"The name server did not answer in time for {host}.",
            "Check this machine’s name server.",
            retryable=True,
        )
        raise OSError("no answer from the name server") from None
    if isinstance(found, Exception) or not found:
        exchange.failure = Failure(
            "dns_failed",
            f"The name {host} could not be resolved to an address.",
            "Check the host in the URL for a typing error, and this machine’s name server.",
            retryable=True,
        )
        raise OSError("not resolved")
    return found


def broke_off(host: str) -> Failure:
    """The other side reset or closed the connection before it was used."""
    return Failure(
        "connect_failed",
        f"{host} broke off the connection before anything was sent.",
        "Check that the service is up.",
        retryable=True,
    )


def _not_connected(host: str, port: int, error: OSError) -> Failure:
    if isinstance(error, TimeoutError):
        return Failure(
            "connect_timeout",
            f"{host} did not accept a connection on port {port} in time.",
            "Check that it is up, and that no firewall between here and there drops the connection.",
            retryable=True,
        )
    if isinstance(error, ConnectionRefusedError):
        return Failure(
            "connection_refused",
            f"{host} refused the connection on port {port}.",
            "Check host and port, and that the service is up.",
            retryable=True,
        )
    if isinstance(error, ConnectionResetError):
        return broke_off(host)
    return Failure(
        "connect_failed",
        f"{host} could not be reached on port {port} ({(error.strerror or str(error)).lower()}).",
        "Check this machine’s network and that the other side is up.",
        retryable=True,
    )
