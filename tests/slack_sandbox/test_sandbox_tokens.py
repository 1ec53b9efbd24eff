"""Both token endpoints: shapes, Slack's error codes, rotation, PKCE, revocation."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient

from slack_sandbox import Settings
from slack_sandbox.sandbox import Sandbox

Decide = Callable[..., dict[str, str]]
Post = Callable[..., Any]
V2 = "oauth.v2.access"
VERIFIER = "v" * 50
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()


def test_a_v1_answer_has_slacks_shape(decide: Decide, exchange: Post, asking: dict[str, str]) -> None:
    answer = exchange(decide(asking)["code"])
    token = answer.pop("access_token")
    assert token.startswith("xoxp-")
    assert answer == {
        "ok": True,
        "scope": "identify,write,channels:read,chat:write:bot,chat:write:user",
        "user_id": "U061F7AUR",
        "team_name": "Slack sandbox",
        "team_id": "T9TK3CUKW",
        "enterprise_id": None,
    }


def test_a_v1_bot_token_stands_in_an_object_of_its_own(
    decide: Decide, exchange: Post, asking: dict[str, str]
) -> None:
    bot = exchange(decide(asking | {"scope": "bot,chat:write:bot"})["code"])["bot"]
    assert bot["bot_user_id"] == "U0KRQLJ9H"
    assert bot["bot_access_token"].startswith("xoxb-")


def test_a_v2_answer_has_slacks_shape(decide: Decide, exchange: Post, asking_v2: dict[str, str]) -> None:
    answer = exchange(decide(asking_v2, person="U0RUNE4JK")["code"], V2)
    assert answer.pop("access_token").startswith("xoxb-")
    assert answer["authed_user"].pop("access_token").startswith("xoxp-")
    assert answer == {
        "ok": True,
        "app_id": "A0KRD7HC3",
        "token_type": "bot",
        "scope": "chat:write,channels:read",
        "bot_user_id": "U0KRQLJ9H",
        "team": {"id": "T9TK3CUKW", "name": "Slack sandbox"},
        "enterprise": None,
        "is_enterprise_install": False,
        "authed_user": {"id": "U0RUNE4JK", "scope": "chat:write", "token_type": "user"},
    }


def test_with_user_scopes_only_there_is_no_token_on_top(
    decide: Decide, exchange: Post, asking_v2: dict[str, str]
) -> None:
    answer = exchange(decide(asking_v2 | {"scope": ""})["code"], V2)
    assert sorted(answer) == [
        "app_id",
        "authed_user",
        "enterprise",
        "is_enterprise_install",
        "ok",
        "team",
    ]


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"client_id": "1.2"}, "invalid_client_id"),
        ({"client_id": None}, "invalid_client_id"),
        ({"client_secret": "wrong"}, "bad_client_secret"),
        ({"client_secret": None}, "bad_client_secret"),
        ({"redirect_uri": None}, "bad_redirect_uri"),
        ({"redirect_uri": "https://evil.test"}, "bad_redirect_uri"),
        ({"code_verifier": VERIFIER}, "pkce_not_allowed"),
    ],
)
@pytest.mark.parametrize("method", ["oauth.access", V2])
def test_a_wrong_exchange_is_refused_and_the_code_stays_good(
    decide: Decide,
    exchange: Post,
    asking: dict[str, str],
    asking_v2: dict[str, str],
    method: str,
    changes: dict[str, str | None],
    error: str,
) -> None:
    code = decide(asking_v2 if method == V2 else asking)["code"]
    assert exchange(code, method, **changes) == {"ok": False, "error": error}
    assert exchange(code, method)["ok"] is True


@pytest.mark.parametrize("method", ["oauth.access", V2])
@pytest.mark.parametrize("code", ["nope", "", None])
def test_an_unknown_code_is_refused(exchange: Post, method: str, code: str | None) -> None:
    assert exchange(code, method) == {"ok": False, "error": "invalid_code"}


def test_a_code_works_once(
    decide: Decide, exchange: Post, asking: dict[str, str], asking_v2: dict[str, str]
) -> None:
    code = decide(asking)["code"]
    assert [exchange(code).get("error") for _ in range(2)] == [None, "code_already_used"]
    code = decide(asking_v2)["code"]
    assert [exchange(code, V2).get("error") for _ in range(2)] == [None, "invalid_code"]


def test_a_code_ends_after_ten_minutes(
    decide: Decide, exchange: Post, asking: dict[str, str], here: Sandbox
) -> None:
    code = decide(asking)["code"]
    here.store.write("UPDATE codes SET created = created - 601")
    assert exchange(code)["error"] == "invalid_code"


def test_crossing_the_versions_is_refused(
    decide: Decide, exchange: Post, asking: dict[str, str], asking_v2: dict[str, str]
) -> None:
    mismatch = {"ok": False, "error": "oauth_authorization_url_mismatch"}
    assert exchange(decide(asking)["code"], V2) == mismatch
    assert exchange(decide(asking_v2)["code"]) == mismatch


def test_the_client_may_use_basic_or_the_body_and_a_charset_is_warned_about(
    decide: Decide, client: FlaskClient, settings: Settings, asking: dict[str, str]
) -> None:
    answer = client.post(
        "/api/oauth.access",
        data=f"code={decide(asking)['code']}&redirect_uri={settings.redirect_uris[0]}",
        auth=(settings.client_id, settings.client_secret),
        content_type="application/x-www-form-urlencoded;charset=UTF-8",
    ).get_json()
    assert (answer["ok"], answer["warning"]) == (True, "superfluous_charset")
    assert answer["response_metadata"] == {"warnings": ["superfluous_charset"]}


def test_an_unknown_grant_type_is_refused(exchange: Post) -> None:
    assert exchange("x", V2, grant_type="password") == {"ok": False, "error": "invalid_grant_type"}


def test_rotation_refreshes_once_and_kills_the_old_refresh_token(
    decide: Decide, exchange: Post, call: Post, asking_v2: dict[str, str], here: Sandbox
) -> None:
    here.switches.set({"rotation": True})
    first = exchange(decide(asking_v2)["code"], V2)
    assert first["access_token"].startswith("xoxe.xoxb-1-")
    assert (first["expires_in"], first["authed_user"]["expires_in"]) == (43200, 43200)
    user_refresh = first["authed_user"]["refresh_token"]
    assert user_refresh.startswith("xoxe-1-")

    second = exchange(None, V2, grant_type="refresh_token", refresh_token=user_refresh)
    assert (second["token_type"], second["scope"], second["expires_in"]) == ("user", "chat:write", 43200)
    assert call("auth.test", {}, token=second["access_token"])["user"] == "ines"
    again = exchange(None, V2, grant_type="refresh_token", refresh_token=user_refresh)
    assert again == {"ok": False, "error": "invalid_refresh_token"}


def test_a_rotating_token_ends(
    decide: Decide, exchange: Post, call: Post, asking_v2: dict[str, str], here: Sandbox
) -> None:
    here.switches.set({"rotation": True, "token_lifetime": 0})
    token = exchange(decide(asking_v2)["code"], V2)["access_token"]
    assert call("auth.test", {}, token=token) == {"ok": False, "error": "token_expired"}


def test_pkce_needs_the_verifier_that_was_announced(
    decide: Decide, exchange: Post, asking_v2: dict[str, str], here: Sandbox
) -> None:
    here.switches.set({"pkce": True})
    asked = asking_v2 | {"code_challenge": CHALLENGE, "code_challenge_method": "S256"}
    code = decide(asked)["code"]
    assert exchange(code, V2)["error"] == "invalid_code_verifier"
    assert exchange(code, V2, code_verifier="x" * 50)["error"] == "invalid_code_verifier"
    assert exchange(code, V2, code_verifier=VERIFIER)["ok"] is True


def test_with_pkce_the_app_needs_no_secret(
    decide: Decide, exchange: Post, asking_v2: dict[str, str], here: Sandbox
) -> None:
    here.switches.set({"pkce": True})
    asked = asking_v2 | {"code_challenge": CHALLENGE, "code_challenge_method": "S256"}
    code = decide(asked)["code"]
    assert exchange(code, V2, client_secret=None, code_verifier=VERIFIER)["ok"] is True


def test_a_revoked_token_is_refused_as_revoked(call: Post, here: Sandbox) -> None:
    assert call("auth.revoke", {"test": True}) == {"ok": True, "revoked": False}
    assert call("auth.revoke", {}) == {"ok": True, "revoked": True}
    assert call("auth.test", {}) == {"ok": False, "error": "token_revoked"}


def test_the_store_holds_no_token_and_no_code(
    decide: Decide, exchange: Post, asking_v2: dict[str, str], here: Sandbox
) -> None:
    here.switches.set({"rotation": True})
    code = decide(asking_v2)["code"]
    answer = exchange(code, V2)
    secrets = [code, answer["access_token"], answer["refresh_token"]]
    kept = [
        str(tuple(row)) for table in ("codes", "grants") for row in here.store.rows(f"SELECT * FROM {table}")
    ]
    assert len(kept) == 3
    assert [secret for secret in secrets if any(secret in row for row in kept)] == []
