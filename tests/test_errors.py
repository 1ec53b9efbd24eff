"""What is answered where no page can be made."""

from __future__ import annotations

from flask import Flask


def test_a_host_that_is_not_ours_gets_one_plain_sentence(app: Flask) -> None:
    answer = app.test_client().get("/healthz", base_url="http://elsewhere.example.net")
    assert (answer.status_code, answer.mimetype) == (400, "text/plain")
    assert answer.text == "Runsheet is not known under this address. Open the one that PUBLIC_URL says.\n"
    assert "Set-Cookie" not in answer.headers


def test_the_loopback_name_is_ours_whatever_the_public_address(app: Flask) -> None:
    assert app.test_client().get("/healthz", base_url="http://127.0.0.1").json == {"status": "ok"}
