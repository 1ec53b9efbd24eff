"""Answers are compressed for browsers that can read it; tests/browser/test_following.py has the stream, which never is."""

from __future__ import annotations

import gzip
from collections.abc import Callable

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
