"""Headers that are split here are those that http.client would read."""

from __future__ import annotations

import http.client
import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from urllib3 import HTTPHeaderDict

from webapp.http_answers import headers_of

PIECES = (
    "A",
    "x",
    ":",
    " ",
    "\t",
    "\r\n",
    "\n",
    "From ",
    "B: v",
    "Set-Cookie: a=b",
    "\x00",
    "\x0b",
    "\x1c",
    "\x85",
    "é",
)


@settings(deadline=None, max_examples=500)
@given(st.lists(st.sampled_from(PIECES), max_size=16))
def test_any_headers_are_read_as_by_http_client_but_on_one_line_each(pieces: list[str]) -> None:
    block = "".join([*pieces, "\r\n\r\n"]).encode("latin-1")
    read = http.client.parse_headers(io.BytesIO(block)).items()
    on_one_line = HTTPHeaderDict((name, _unfolded(value)) for name, value in read)
    assert list(headers_of(io.BytesIO(block)).iteritems()) == list(on_one_line.iteritems())


def test_the_body_behind_the_headers_is_left_in_the_stream() -> None:
    stream = io.BytesIO(b"A: 1\r\na: 2\r\n\r\nbody")
    assert headers_of(stream).getlist("A") == ["1", "2"]
    assert stream.read() == b"body"


@pytest.mark.parametrize("block", [b"A: 1\r\n" * 101, b"A: " + b"x" * 65_536 + b"\r\n"])
def test_headers_without_measure_are_refused(block: bytes) -> None:
    with pytest.raises(http.client.HTTPException):
        headers_of(io.BytesIO(block + b"\r\n"))


def _unfolded(value: str) -> str:
    first, *others = value.replace("\r\n", "\n").split("\n")
    return "".join([first, *(" " + line.lstrip(" \t") for line in others)])
