"""Answers are compressed for browsers that can read it, and the live stream never is."""

from __future__ import annotations

import gzip
from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.cast import Cast

ClientOf = Callable[[int], FlaskClient]


def test_a_page_is_compressed_as_the_browser_asks(cast: Cast, client_of: ClientOf) -> None:
    asked, plain = ({"Accept-Encoding": each} for each in ("gzip", "identity"))
    rune = client_of(cast.rune)
    packed, whole = rune.get("/runbooks", headers=asked), rune.get("/runbooks", headers=plain)
    assert (packed.headers["Content-Encoding"], "Content-Encoding" in whole.headers) == ("gzip", False)
    assert "Accept-Encoding" in packed.headers["Vary"] and "Accept-Encoding" in whole.headers["Vary"]
    assert "<h1" in gzip.decompress(packed.data).decode()
    assert len(packed.data) < len(whole.data) / 2


@pytest.mark.parametrize("encoding", ["zstd", "br", "gzip", "deflate"])
def test_the_live_stream_is_never_compressed(
    app: Flask, cast: Cast, client_of: ClientOf, monkeypatch: pytest.MonkeyPatch, encoding: str
) -> None:
    monkeypatch.setitem(app.config, "LIVE", "sse")
    stream = client_of(cast.rune).get("/live", headers={"Accept-Encoding": encoding}, buffered=False)
    assert (stream.mimetype, "Content-Encoding" in stream.headers) == ("text/event-stream", False)
    stream.close()
