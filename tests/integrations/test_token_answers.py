"""What token endpoints answer: Slack's shapes, and what is no token answer at all."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask

from tests.loopback import Peer, always
from webapp.integrations import oauth
from webapp.integrations.authorizations.oauth_code import wanted_token
from webapp.integrations.token_answers import bot_token, identity_of, normalized, or_top, token_at, user_token

V1 = {"ok": True, "access_token": "xoxp-1", "scope": "identify,write", "user_id": "U1", "team_name": "Wyld"}
V1_BOT = {**V1, "bot": {"bot_user_id": "UB", "bot_access_token": "xoxb-1"}}
V2 = {
    "ok": True,
    "access_token": "xoxb-2",
    "token_type": "bot",
    "scope": "commands",
    "expires_in": 43200,
    "refresh_token": "xoxe-1-bot",
    "team": {"name": "Softball", "id": "T9"},
    "authed_user": {
        "id": "U1",
        "scope": "chat:write",
        "access_token": "xoxp-2",
        "token_type": "user",
        "expires_in": 40000,
        "refresh_token": "xoxe-1-user",
    },
}
V2_USER_ONLY = {
    "ok": True,
    "team": {"name": "Softball"},
    "authed_user": {"id": "U1", "access_token": "xoxp-3", "token_type": "user"},
}
V2_BOT_ONLY = {**V2, "authed_user": {"id": "U1"}}
NESTED = {"data": {"keys": {"secret": "s-1", "refresh_token": "r-1", "expires_in": 60}}, "scope": "all"}
REFRESHED_USER = {"ok": True, "access_token": "xoxe.xoxp-4", "token_type": "user", "refresh_token": "xoxe-2"}


@pytest.mark.parametrize(
    ("answer", "prefer", "token", "refresh_token", "expires_in"),
    [
        (V1, "bot", "xoxp-1", None, None),
        (V1, "user", "xoxp-1", None, None),
        (V1_BOT, "bot", "xoxb-1", None, None),
        (V1_BOT, "user", "xoxp-1", None, None),
        (V2, "bot", "xoxb-2", "xoxe-1-bot", 43200),
        (V2, "user", "xoxp-2", "xoxe-1-user", 40000),
        (V2_USER_ONLY, "bot", "xoxp-3", None, None),
        (V2_USER_ONLY, "user", "xoxp-3", None, None),
        (REFRESHED_USER, "user", "xoxe.xoxp-4", "xoxe-2", None),
        (V2, "path", "xoxp-2", "xoxe-1-user", 40000),
    ],
)
def test_the_wanted_token_is_at_the_top_with_its_own_refresh_token(
    answer: dict[str, Any], prefer: str, token: str, refresh_token: str | None, expires_in: int | None
) -> None:
    settings = {"token_choice": prefer, "token_path": "authed_user.access_token"}
    found = normalized(answer, wanted_token(settings))
    assert found["access_token"] == token
    assert (found.get("refresh_token"), found.get("expires_in")) == (refresh_token, expires_in)
    assert found["token_type"] == "bearer"


def test_other_token_types_are_left_alone() -> None:
    assert normalized({"access_token": "a", "token_type": "DPoP"}, bot_token)["token_type"] == "DPoP"


def test_a_token_is_found_at_any_path_with_what_stands_beside_it() -> None:
    assert normalized(NESTED, token_at("data.keys.secret")) == {
        "data": NESTED["data"],
        "access_token": "s-1",
        "refresh_token": "r-1",
        "expires_in": 60,
        "token_type": "bearer",
    }


def test_the_bots_token_never_stands_in_for_the_users() -> None:
    assert normalized(V2_BOT_ONLY, user_token) == {"error": "no_user_token"}


@pytest.mark.parametrize("path", ["authed_user.access_token", "ok.access_token", "access_token.x"])
def test_a_path_that_leads_to_no_token_is_an_error(path: str) -> None:
    assert normalized(V2_BOT_ONLY, token_at(path)) == {"error": "no_token_at_path"}


def test_a_refreshed_token_may_come_at_the_top_whatever_the_path() -> None:
    pick = or_top(token_at("authed_user.access_token"))
    assert normalized(REFRESHED_USER, pick)["access_token"] == "xoxe.xoxp-4"
    assert normalized({"ok": True}, pick) == {"error": "no_token_at_path"}


def test_an_answer_tells_whom_its_token_speaks_for() -> None:
    assert identity_of(V2) == {"user": "U1", "team": "Softball", "scopes": "commands"}
    assert identity_of(V1) == {"user": "U1", "team": "Wyld", "scopes": "identify write"}


@pytest.mark.parametrize(
    ("status", "content_type", "body", "code"),
    [
        ("200 OK", "text/html", "<html>Sign in</html>", "not_json"),
        ("200 OK", "application/json", "[]", "not_json"),
        ("200 OK", "application/json", "[" * 100_000, "not_json"),
        ("200 OK", "application/x-www-form-urlencoded", "access_token=abc&token_type=bearer", "not_json"),
        ("200 OK", "application/json", '{"ok":true}', "no_access_token"),
        ("200 OK", "application/json", '{"ok":true,"access_token":7}', "no_access_token"),
        ("200 OK", "application/json", '{"ok":false}', "unknown_error"),
        ("200 OK", "application/json", '{"ok":false,"error":"invalid_code"}', "invalid_code"),
        ("400 Bad Request", "application/json", '{"error":"invalid_grant"}', "invalid_grant"),
        ("429 Too Many Requests", "application/json", '{"ok":false,"error":"ratelimited"}', "ratelimited"),
        ("500 Error", "text/html", "<html>", "token_endpoint_unreachable"),
        ("302 Found", "text/html", "", "token_endpoint_unreachable"),
    ],
)
def test_what_is_no_token_is_refused_with_a_sentence(
    app: Flask, status: str, content_type: str, body: str, code: str
) -> None:
    head = f"HTTP/1.1 {status}\r\nContent-Type: {content_type}\r\nContent-Length: {len(body)}\r\n"
    moved = "Location: https://elsewhere.example/\r\n" if status.startswith("302") else ""
    peer = Peer(always(f"{head}{moved}\r\n{body}".encode()))
    settings = {"client_id": "1.2", "provider_host": peer.url("").rstrip("/"), "token_endpoint": "/token"}
    try:
        with app.app_context(), pytest.raises(oauth.OAuthRefused) as refused:
            oauth.exchange(
                settings, "secret", redirect_uri="https://here.example/", code="c", code_verifier=None
            )
    finally:
        peer.close()
    assert refused.value.code == code
    assert str(refused.value).endswith(".")
