"""A server on loopback that does with each connection exactly what a test says, and keeps what arrived."""

from __future__ import annotations

import select
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

Talk = Callable[["Line"], None]

OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 11\r\n\r\n" + b'{"ok":true}'


def always(answer: bytes) -> Talk:
    """Answers each request alike and keeps the connection open."""

    def talk(line: Line) -> None:
        while line.read():
            line.send(answer)

    return talk


class Line:
    """One connection, seen from the server."""

    def __init__(self, peer: Peer, connected: socket.socket) -> None:
        self._peer = peer
        self._socket = connected

    def read(self) -> bytes:
        """The next whole request, or nothing where the client has closed."""
        found = b""
        while b"\r\n\r\n" not in found:
            more = self._socket.recv(65536)
            if not more:
                return b""
            found += more
        head, _, body = found.partition(b"\r\n\r\n")
        size = 0
        for header in head.lower().split(b"\r\n"):
            if header.startswith(b"content-length:"):
                size = int(header.partition(b":")[2])
        while len(body) < size:
            body += self._socket.recv(65536)
        self._peer.requests.append(head + b"\r\n\r\n" + body)
        return self._peer.requests[-1]

    def read_some(self) -> bytes:
        """Whatever arrives next; for what is not HTTP."""
        return self._socket.recv(65536)

    def send(self, data: bytes) -> None:
        self._socket.sendall(data)

    def drip(self, data: bytes, every_s: float) -> None:
        """Byte by byte, until the client goes away or the peer is closed."""
        for number in range(len(data)):
            self.send(data[number : number + 1])
            if self.wait(every_s):
                return

    def wait(self, seconds: float) -> bool:
        """Whether the peer was closed meanwhile."""
        return self._peer.closing.wait(seconds)

    def reset(self) -> None:
        """Close with RST instead of FIN."""
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._socket.close()


class Peer:
    """The server: each connection is handled by `talk` in a thread and then closed."""

    def __init__(self, talk: Talk, tls: ssl.SSLContext | None = None) -> None:
        self.requests: list[bytes] = []
        self.connections = 0
        self.closing = threading.Event()
        self._talk = talk
        self._tls = tls
        self._listening = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port: int = self._listening.getsockname()[1]
        self._threads = [threading.Thread(target=self._accept)]
        self._open: set[socket.socket] = set()
        self._threads[0].start()

    def url(self, path: str = "/", host: str = "127.0.0.1") -> str:
        return f"{'https' if self._tls else 'http'}://{host}:{self.port}{path}"

    def finish(self) -> None:
        """Wait until every connection so far has been handled and closed."""
        for thread in self._threads[1:]:
            thread.join(10)

    def close(self) -> None:
        """Stop, and wait until every thread has ended."""
        self.closing.set()
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self._threads[0].join(10)
        for connected in list(self._open):
            try:
                connected.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass  # the client was faster
        for thread in self._threads:
            thread.join(10)

    def _accept(self) -> None:
        while True:
            try:
                connected, _ = self._listening.accept()
            except OSError:
                return
            self.connections += 1
            self._open.add(connected)
            thread = threading.Thread(target=self._serve, args=(connected,))
            self._threads.append(thread)
            thread.start()

    def _serve(self, connected: socket.socket) -> None:
        spoken = connected
        try:
            if self._tls is not None:
                spoken = self._tls.wrap_socket(connected, server_side=True)
                self._open.add(spoken)
            self._talk(Line(self, spoken))
        except OSError:
            pass  # the client went away, which some tests are about
        finally:
            for each in (spoken, connected):
                self._open.discard(each)
                each.close()


def until_reset(connected: socket.socket) -> None:
    """Wait until a reset from the other side has arrived."""
    poll = select.poll()
    poll.register(connected, select.POLLHUP)
    poll.poll(5000)


def wait_for_the_reset(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the client go on only when the peer's reset has arrived.

    TCP_NODELAY is set between connecting and sending, so that is where it waits.
    """
    real = socket.socket.setsockopt

    def setsockopt(self: socket.socket, level: int, *arguments: Any) -> None:
        real(self, level, *arguments)
        if level == socket.IPPROTO_TCP:
            until_reset(self)

    monkeypatch.setattr(socket.socket, "setsockopt", setsockopt)


@contextmanager
def full(listening: socket.socket) -> Iterator[None]:
    """Fill the queue of a server that accepts nobody: further connections are left without an answer."""
    waiting = [socket.socket() for _ in range(4)]
    for each in waiting:
        each.setblocking(False)
        each.connect_ex(listening.getsockname())
    yield
    for each in waiting:
        each.close()
