"""What Authlib makes of the sandbox: the facts that the product's OAuth code relies on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import requests
from authlib.common.security import generate_token
from authlib.integrations.base_client import OAuthError, UnsupportedTokenTypeError
from authlib.integrations.requests_client import OAuth2Session

from slack_sandbox.sandbox import Sandbox

MakeSession = Callable[..., OAuth2Session]


def allowed(url: str, decision: str = "allow") -> str:
    """Answer the consent page; the address the browser is sent to."""
    sent = {"person": "U061F7AUR", "decision": decision}
    response = requests.post(url, data=sent, allow_redirects=False, timeout=5)
    assert response.status_code == 303, response.text
    return response.headers["Location"]


@pytest.fixture
def bearer() -> Callable[..., Any]:
    """Makes Slack's v2 answer one that Authlib can use: the wanted token on top, its type bearer."""

    def bearer(wanted: str) -> Callable[[requests.Response], requests.Response]:
        def lift(response: requests.Response) -> requests.Response:
            answer = response.json()
            if wanted == "user" and "authed_user" in answer:
                answer |= answer["authed_user"]
            response.json = lambda **_: answer | {"token_type": "bearer"}  # type: ignore[method-assign]
            return response

        return lift

    return bearer


@pytest.mark.parametrize("method", ["client_secret_post", "client_secret_basic"])
def test_the_guides_own_settings_work_without_any_hook(base: str, oauth: MakeSession, method: str) -> None:
    session = oauth(token_endpoint_auth_method=method)
    url, state = session.create_authorization_url(base + "/oauth/authorize")
    token = session.fetch_token(base + "/api/oauth.access", authorization_response=allowed(url), state=state)
    assert "token_type" not in token
    answer = session.post(base + "/api/chat.postMessage", json={"channel": "#ops-runbooks", "text": "hi"})
    assert (answer.json()["ok"], answer.json()["warning"]) == (True, "missing_charset")


@pytest.mark.parametrize(
    ("secret", "code", "endpoint", "error"),
    [
        ("wrong", None, "/api/oauth.access", "bad_client_secret"),
        (None, "nope", "/api/oauth.access", "invalid_code"),
        (None, None, "/api/oauth.v2.access", "oauth_authorization_url_mismatch"),
    ],
)
def test_ok_false_raises_although_the_status_is_200(
    base: str, oauth: MakeSession, secret: str | None, code: str | None, endpoint: str, error: str
) -> None:
    session = oauth(**({"client_secret": secret} if secret else {}))
    url, _ = session.create_authorization_url(base + "/oauth/authorize")
    code = code or allowed(url).split("code=")[1].split("&")[0]
    with pytest.raises(OAuthError) as refusal:
        session.fetch_token(base + endpoint, code=code)
    assert refusal.value.error == error


def test_a_v2_token_type_stops_the_session_without_a_hook(base: str, oauth: MakeSession) -> None:
    session = oauth(scope="chat:write")
    url, state = session.create_authorization_url(base + "/oauth/v2/authorize", user_scope="chat:write")
    session.fetch_token(base + "/api/oauth.v2.access", authorization_response=allowed(url), state=state)
    with pytest.raises(UnsupportedTokenTypeError):
        session.post(base + "/api/chat.postMessage", json={"channel": "#ops-runbooks", "text": "hi"})


@pytest.mark.parametrize(("wanted", "prefix"), [("bot", "xoxe.xoxb-1-"), ("user", "xoxe.xoxp-1-")])
def test_an_ended_token_is_refreshed_on_the_way(
    base: str,
    oauth: MakeSession,
    here: Sandbox,
    bearer: Callable[..., Any],
    wanted: str,
    prefix: str,
) -> None:
    here.switches.set({"rotation": True})
    saved: list[str] = []
    session = oauth(
        scope="chat:write",
        token_endpoint=base + "/api/oauth.v2.access",
        update_token=lambda token, refresh_token=None, access_token=None: saved.append(refresh_token),
    )
    for hook in ("access_token_response", "refresh_token_response"):
        session.register_compliance_hook(hook, bearer(wanted))
    url, state = session.create_authorization_url(base + "/oauth/v2/authorize", user_scope="chat:write")
    old = session.fetch_token(base + "/api/oauth.v2.access", authorization_response=allowed(url), state=state)
    assert (old["access_token"][: len(prefix)], old["expires_in"]) == (prefix, 43200)
    session.token = {**old, "expires_at": 1}
    answer = session.post(base + "/api/chat.postMessage", json={"channel": "#ops-runbooks", "text": "hi"})
    assert answer.json()["ok"] is True
    assert saved == [old["refresh_token"]]
    with pytest.raises(OAuthError, match="invalid_refresh_token"):
        session.refresh_token(base + "/api/oauth.v2.access", refresh_token=old["refresh_token"])


def test_pkce_works_once_the_app_has_it(base: str, oauth: MakeSession, here: Sandbox) -> None:
    verifier = generate_token(48)
    session = oauth(code_challenge_method="S256")
    url, state = session.create_authorization_url(base + "/oauth/authorize", code_verifier=verifier)
    assert requests.get(url, timeout=5).status_code == 400
    here.switches.set({"pkce": True})
    token = session.fetch_token(
        base + "/api/oauth.access",
        authorization_response=allowed(url),
        state=state,
        code_verifier=verifier,
    )
    assert token["ok"] is True


def test_a_denial_says_so_in_the_address(base: str, oauth: MakeSession) -> None:
    session = oauth()
    url, state = session.create_authorization_url(base + "/oauth/authorize")
    assert allowed(url, "cancel") == f"{session.redirect_uri}?error=access_denied&state={state}"
