"""Reading an answer from a socket: http.client's reader, without the e-mail parser that it gives all headers to.

That parser costs as much as all the rest of reading an answer. Headers that are as plain as nearly all are, one line
each, are split here; others go to it.
"""

from __future__ import annotations

import http.client
import io
import re
from typing import BinaryIO

from urllib3 import HTTPHeaderDict

# Lines of name and value, and nothing odd: no continuation, no space in a name, no stray carriage return.
_PLAIN_HEADERS = re.compile(rb"(?:[!-9;-~]+:[^\r\n]*+\r?\n)*+")
_LONGEST_LINE, _MOST_HEADERS = 65_536, 100
_ENDS = (b"\r\n", b"\n", b"")
_BODILESS = (http.HTTPStatus.NO_CONTENT, http.HTTPStatus.NOT_MODIFIED)
_FOLD = re.compile(r"[\r\n]+[ \t]*")


class AnswerReader(http.client.HTTPResponse):
    """http.client's answer; only `begin` differs."""

    headers: HTTPHeaderDict  # type: ignore[assignment]

    def begin(self) -> None:
        """Read status line and headers; RFC 9112 §6.3 says where the body ends."""
        version, status, reason = self._read_status()  # type: ignore[attr-defined]
        while status == http.HTTPStatus.CONTINUE:
            headers_of(self.fp)
            version, status, reason = self._read_status()  # type: ignore[attr-defined]
        if not version.startswith(("HTTP/1.", "HTTP/0.9")):
            raise http.client.UnknownProtocol(version)
        self.version = 10 if version in ("HTTP/1.0", "HTTP/0.9") else 11
        self.status, self.reason = status, reason.strip()
        self.headers = headers_of(self.fp)
        self.chunked = self._first("transfer-encoding").lower() == "chunked"
        self.chunk_left = None
        length = self._first("content-length")
        self.length = int(length) if length.isdecimal() and not self.chunked else None
        if status in _BODILESS or status < 200 or self._method == "HEAD":  # type: ignore[attr-defined]
            self.length = 0
        endless = self.length is None and not self.chunked
        self.will_close = endless or self._check_close()  # type: ignore[attr-defined]

    def _first(self, name: str) -> str:
        return next(iter(self.headers.getlist(name)), "").strip()


def headers_of(stream: BinaryIO) -> HTTPHeaderDict:
    """The headers at the stream's place, up to the empty line, as http.client reads them. Raises HTTPException."""
    lines = []
    while (line := stream.readline(_LONGEST_LINE + 1)) not in _ENDS:
        lines.append(line)
        if len(line) > _LONGEST_LINE or len(lines) > _MOST_HEADERS:
            raise http.client.HTTPException("its headers are too long or too many")
    block = b"".join(lines)
    if _PLAIN_HEADERS.fullmatch(block):
        split = (line.partition(":") for line in block.decode("latin-1").split("\n")[:-1])
        return HTTPHeaderDict((name, value.lstrip(" \t").rstrip("\r")) for name, _, value in split)
    parsed = http.client.parse_headers(io.BytesIO(block))
    return HTTPHeaderDict((name, _FOLD.sub(" ", value)) for name, value in parsed.items())
