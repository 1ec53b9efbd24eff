"""The other system, in a process of its own: answers {"ok": true} at once or after a while, and notes when posts came.

POST /<anything>?delay=0.3 is answered after that many seconds. GET /arrivals returns [moment, …] on the machine's
monotonic clock, which all processes share on Linux and macOS; GET /reset forgets them.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
import time

_LENGTH = re.compile(rb"content-length:\s*(\d+)", re.IGNORECASE)
_DELAY = re.compile(rb"[?&]delay=([0-9.]+)")
_OK = b'{"ok":true}'

arrivals: list[float] = []


class Connection(asyncio.Protocol):
    """One keep-alive connection; requests come one after the other, as Runsheet's and http.client's do."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        self.buffer = b""

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        while True:
            head, separator, rest = self.buffer.partition(b"\r\n\r\n")
            if not separator:
                return
            found = _LENGTH.search(head)
            length = int(found[1]) if found else 0
            if len(rest) < length:
                return
            self.buffer = rest[length:]
            self.answer(head.partition(b"\r\n")[0])

    def answer(self, line: bytes) -> None:
        if line.startswith(b"GET /arrivals"):
            return self.write(json.dumps(arrivals).encode())
        if line.startswith(b"GET /reset"):
            arrivals.clear()
            return self.write(_OK)
        arrivals.append(time.monotonic())
        delay = _DELAY.search(line)
        if delay:
            asyncio.get_running_loop().call_later(float(delay[1]), self.write, _OK)
            return None
        return self.write(_OK)

    def write(self, body: bytes) -> None:
        if not self.transport.is_closing():
            self.transport.write(  # type: ignore[attr-defined]
                b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s"
                % (len(body), body)
            )


async def serve() -> None:
    """Serve on a free port of loopback, which is printed first, until killed."""
    server = await asyncio.get_running_loop().create_server(Connection, "127.0.0.1", 0, backlog=1024)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve())
