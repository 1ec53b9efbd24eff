"""Connections that ask the egress policy about the address they connect to, and note when a request starts to leave.

urllib3 makes and reuses connections deep inside; the exchange that a thread is about to make lies in a context
variable, so that the connection can tell it what happened.
"""

from __future__ import annotations

import socket
import ssl
import threading
import time
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError

from webapp.egress import EgressPolicy

_WATCH_EVERY_S = 0.2


@dataclass(frozen=True)
class Failure:
    """Why a connection was not made: a code, a sentence, what to do, and whether trying later may help."""

    code: str
    sentence: str
    remedy: str
    retryable: bool


class Exchange:
    """One request and its answer: what failed before it left, whether it left, and when it must be over."""

    def __init__(self, deadline: float, watchdog: Watchdog) -> None:
        """`deadline` on the monotonic clock, in seconds."""
        self.deadline = deadline
        self.failure: Failure | None = None
        self.handed_over = False
        self.expired = False
        self._watchdog = watchdog
        self._socket: socket.socket | None = None

    def over(self, connected: socket.socket) -> None:
        """The exchange goes over this socket: cut it when the deadline passes."""
        if self._socket is None:
            self._socket = connected
            self._watchdog.watch(self)

    def cut(self) -> None:
        """Called by the watchdog: a blocked read or write ends at once."""
        self.expired = True
        if self._socket is not None:
            try:
                self._socket.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass  # it is closed already

    def end(self) -> None:
        """The exchange is over: nothing is cut any more."""
        self._watchdog.forget(self)


class Watchdog:
    """One thread that cuts exchanges at their deadline: socket timeouts bound one read, and a drip resets them."""

    def __init__(self) -> None:
        self._watched: set[Exchange] = set()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._stopped = threading.Event()

    def watch(self, exchange: Exchange) -> None:
        with self._lock:
            self._watched.add(exchange)
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._run, name="http-deadlines", daemon=True)
                self._thread.start()

    def forget(self, exchange: Exchange) -> None:
        with self._lock:
            self._watched.discard(exchange)

    def stop(self) -> None:
        self._stopped.set()

    def _run(self) -> None:
        while not self._stopped.wait(_WATCH_EVERY_S):
            moment = time.monotonic()
            with self._lock:
                late = [each for each in self._watched if each.deadline <= moment]
                self._watched.difference_update(late)
                # Under the lock, so that an exchange that has just ended cannot have its reused socket cut.
                for each in late:
                    each.cut()


current_exchange: ContextVar[Exchange | None] = ContextVar("current_exchange", default=None)


def guarded_pools(egress: EgressPolicy) -> dict[str, Any]:
    """urllib3 pool classes by scheme whose connections obey the policy."""

    class Plain(HTTPConnection):
        def _new_conn(self) -> socket.socket:
            return _connected(self, egress)

        def send(self, data: Any) -> None:
            _note_sending(self.sock)
            super().send(data)

    class Tls(HTTPSConnection):
        def _new_conn(self) -> socket.socket:
            return _connected(self, egress)

        def send(self, data: Any) -> None:
            _note_sending(self.sock)
            super().send(data)

    plain_pool = type("GuardedPool", (HTTPConnectionPool,), {"ConnectionCls": Plain})
    tls_pool = type("GuardedTlsPool", (HTTPSConnectionPool,), {"ConnectionCls": Tls})
    return {"http": plain_pool, "https": tls_pool}


def _note_sending(connected: socket.socket | ssl.SSLSocket | None) -> None:
    exchange = current_exchange.get()
    if exchange is not None and connected is not None:
        exchange.over(connected)
        exchange.handed_over = True


def _connected(connection: HTTPConnection, egress: EgressPolicy) -> socket.socket:
    """A socket to the first address that the policy allows and that answers. Resolves the name once."""
    host, port = connection._dns_host, connection.port or 0
    timeout = connection.timeout if isinstance(connection.timeout, (int, float)) else 5.0
    try:
        found = socket.getaddrinfo(host, port, 0, socket.SOCK_STREAM)
    except (socket.gaierror, UnicodeError) as error:
        raise _fail(
            connection,
            "dns_failed",
            f"The name {host} could not be resolved.",
            "Check the host in the action's URL.",
            retryable=True,
        ) from error
    last: Exception = OSError("no address")
    for family, kind, protocol, _, address in found:
        refusal = egress.refusal(host, port, str(address[0]))
        if refusal is not None:
            last = _fail(
                connection,
                "address_blocked",
                refusal,
                "If Runsheet may call it, an administrator adds it to EGRESS_ALLOW.",
                retryable=False,
            )
            continue
        made = socket.socket(family, kind, protocol)
        try:
            made.settimeout(timeout)
            made.connect(address)
            made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        except TimeoutError as error:
            made.close()
            last = _fail(
                connection,
                "connect_timeout",
                f"{host} did not accept a connection within {timeout:g} s.",
                "Check that it is up and reachable from here.",
                retryable=True,
                cause=error,
            )
        except OSError as error:
            made.close()
            last = _fail(
                connection,
                "connection_refused",
                f"{host} refused the connection on port {port}.",
                "Check the address and that the service is up.",
                retryable=True,
                cause=error,
            )
        else:
            _clear_failure()
            return made
    raise last


def _fail(
    connection: HTTPConnection,
    code: str,
    sentence: str,
    remedy: str,
    *,
    retryable: bool,
    cause: Exception | None = None,
) -> Exception:
    exchange = current_exchange.get()
    if exchange is not None:
        exchange.failure = Failure(code, sentence, remedy, retryable)
    if isinstance(cause, TimeoutError):
        return ConnectTimeoutError(connection, sentence)
    return NewConnectionError(connection, sentence)


def _clear_failure() -> None:
    exchange = current_exchange.get()
    if exchange is not None:
        exchange.failure = None
