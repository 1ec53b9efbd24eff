"""Where a credential goes, and what counts as going somewhere else."""

from __future__ import annotations

import pytest

from webapp.integrations.settings import REQUEST_HOST, TYPE, Move, moves, origin_of, target_of

SLACK = {"provider_host": "https://slack.com", "token_endpoint": "/api/oauth.access", "client_id": "1.2"}
POST = "https://slack.com/api/chat.postMessage"


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://slack.com/api/x", "https://slack.com"),
        (" HTTPS://Slack.com:8443/x?y=1 ", "https://slack.com:8443"),
        ("http://127.0.0.1:5060", "http://127.0.0.1:5060"),
        ("", ""),
        ("slack.com/api", ""),
        ("https://[", ""),
    ],
)
def test_an_origin_is_scheme_host_and_port(url: str, origin: str) -> None:
    assert origin_of(url) == origin


@pytest.mark.parametrize(
    ("settings", "url", "moved"),
    [
        (SLACK, POST, []),
        (SLACK, "https://slack.com/api/chat.update", []),
        ({**SLACK, "provider_host": "https://slack.com/"}, POST, []),
        ({**SLACK, "scopes": "chat:write"}, POST, []),
        (SLACK, "https://evil.test/api", [Move(REQUEST_HOST, "https://slack.com", "https://evil.test")]),
        (SLACK, "http://slack.com/api", [Move(REQUEST_HOST, "https://slack.com", "http://slack.com")]),
        (SLACK, "", [Move(REQUEST_HOST, "https://slack.com", "")]),
        (
            {**SLACK, "provider_host": "https://evil.test"},
            POST,
            [Move("OAuth2 provider host", "https://slack.com", "https://evil.test")],
        ),
        (
            {**SLACK, "token_endpoint": "/api/oauth.v2.access", "client_id": "3.4"},
            POST,
            [
                Move("Token Endpoint", "/api/oauth.access", "/api/oauth.v2.access"),
                Move("Client ID", "1.2", "3.4"),
            ],
        ),
    ],
)
def test_a_credential_moves_when_host_endpoint_or_client_change(
    settings: dict[str, str], url: str, moved: list[Move]
) -> None:
    assert moves(target_of("OAuth", SLACK, POST), target_of("OAuth", settings, url)) == moved


def test_a_first_url_at_the_providers_own_host_is_no_move() -> None:
    assert moves(target_of("OAuth", SLACK, ""), target_of("OAuth", SLACK, POST)) == []


def test_a_first_url_at_another_host_is_a_move() -> None:
    found = moves(target_of("OAuth", SLACK, ""), target_of("OAuth", SLACK, "https://evil.test/"))
    assert found == [Move(REQUEST_HOST, "", "https://evil.test")]
    assert found[0].sentence == "the request host is set for the first time, to https://evil.test"


def test_another_type_says_it_all() -> None:
    found = moves(target_of("OAuth", SLACK, POST), target_of("Basic Auth", {}, "https://evil.test"))
    assert found == [Move(TYPE, "OAuth", "Basic Auth")]
    assert found[0].sentence == "the authorization type changes from OAuth to Basic Auth"
