"""What the settings of an OAuth sign-in may hold, and the address that they make."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest
from flask import Flask

from webapp.integrations import oauth
from webapp.integrations.authorizations import AUTHORIZATIONS

SETTINGS = {
    "client_id": "2141029472.691202649728",
    "provider_host": "https://slack.com",
    "authorization_endpoint": "/oauth/v2/authorize",
    "token_endpoint": "/api/oauth.v2.access",
    "scopes": "chat:write",
    "client_authentication": "client_secret_basic",
    "pkce": "on",
}


def problems(**settings: str) -> dict[str, str]:
    return AUTHORIZATIONS["oauth_code"].validate({**SETTINGS, **settings}, {"client_secret": "e1b9e11d"})


@pytest.mark.parametrize(
    "name", ["state", "Client_ID", "redirect_uri", "code_challenge_method", "code_verifier"]
)
def test_a_parameter_that_runsheet_sets_cannot_be_overridden(name: str) -> None:
    assert problems(extra_parameters=f'{{"{name}": "x"}}') == {
        "extra_parameters": f"Runsheet sets {name.lower()} itself."
    }


@pytest.mark.parametrize("typed", ["{", "[]", '{"a": 1}', "[" * 4_000])
def test_parameters_that_are_no_object_of_texts_are_refused(typed: str) -> None:
    assert list(problems(extra_parameters=typed)) == ["extra_parameters"]


def test_a_parameter_of_any_other_name_goes_into_the_address(app: Flask) -> None:
    settings = {**SETTINGS, "extra_parameters": '{"user_scope": "chat:write", "url": "u", "self": "s"}'}
    with app.app_context():
        address = oauth.authorize_url(
            settings, redirect_uri="https://here.example/back", state="abc", code_verifier="v" * 43
        )
    query = {name: value[0] for name, value in parse_qs(urlsplit(address).query).items()}
    assert query.pop("code_challenge") and query == {
        "response_type": "code",
        "client_id": "2141029472.691202649728",
        "redirect_uri": "https://here.example/back",
        "scope": "chat:write",
        "state": "abc",
        "code_challenge_method": "S256",
        "user_scope": "chat:write",
        "url": "u",
        "self": "s",
    }


def test_a_client_id_that_basic_cannot_carry_is_refused() -> None:
    assert list(problems(client_id="żółć")) == ["client_id"]
    assert problems(client_id="żółć", client_authentication="client_secret_post") == {}
