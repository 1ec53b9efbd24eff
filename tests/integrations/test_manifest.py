"""The Slack app manifest."""

from __future__ import annotations

import json
from typing import Any

import pytest

from webapp.integrations.manifest import is_slack, scopes_of, slack_manifest

GUIDE = {
    "provider_host": "https://slack.com",
    "authorization_endpoint": "/oauth/authorize",
    "scopes": "write channels:read chat:write:bot chat:write:user",
}
V2 = {
    "provider_host": "https://slack.com",
    "authorization_endpoint": "/oauth/v2/authorize",
    "scopes": "chat:write",
    "extra_parameters": '{"user_scope": "chat:write,channels:read"}',
}


def test_the_guides_legacy_scopes_become_the_scopes_that_the_guide_adds_to_the_app() -> None:
    assert scopes_of(GUIDE) == (["chat:write"], ["channels:read", "channels:write", "chat:write"])


def test_scopes_of_version_two_are_the_bots_and_user_scope_the_persons() -> None:
    assert scopes_of(V2) == (["chat:write"], ["channels:read", "chat:write"])


def test_parameters_that_are_not_json_add_no_scopes() -> None:
    assert scopes_of({**V2, "extra_parameters": "{"}) == (["chat:write"], [])


def test_the_manifest_has_redirect_uri_scopes_and_a_bot_user() -> None:
    manifest = json.loads(slack_manifest("Slack", V2, "https://run.example.test/callback"))
    assert manifest == {
        "display_information": {"name": "Slack"},
        "features": {"bot_user": {"display_name": "Slack", "always_online": False}},
        "oauth_config": {
            "redirect_urls": ["https://run.example.test/callback"],
            "scopes": {"bot": ["chat:write"], "user": ["channels:read", "chat:write"]},
        },
        "settings": {
            "org_deploy_enabled": False,
            "socket_mode_enabled": False,
            "token_rotation_enabled": False,
        },
    }


def test_an_app_without_bot_scopes_has_no_bot_user() -> None:
    settings = {**V2, "scopes": ""}
    manifest = json.loads(slack_manifest("Slack", settings, "https://run.example.test/callback"))
    assert "features" not in manifest
    assert manifest["oauth_config"]["scopes"] == {"user": ["channels:read", "chat:write"]}


def test_a_long_name_is_cut_to_what_slack_takes() -> None:
    manifest = json.loads(slack_manifest("x" * 120, V2, "https://run.example.test/callback"))
    assert len(manifest["display_information"]["name"]) == 35
    assert len(manifest["features"]["bot_user"]["display_name"]) == 80


@pytest.mark.parametrize(
    ("settings", "host", "slack"),
    [
        (GUIDE, "", True),
        ({"provider_host": "https://slack.com"}, "api.example.test", True),
        ({}, "hooks.slack.com", True),
        (
            {"provider_host": "http://127.0.0.1:5060", "authorization_endpoint": "/oauth/v2/authorize"},
            "127.0.0.1",
            True,
        ),
        (
            {"provider_host": "https://notslack.com", "authorization_endpoint": "/authorize"},
            "notslack.com",
            False,
        ),
        ({}, "", False),
    ],
)
def test_slack_is_told_by_its_host_or_by_its_endpoints(
    settings: dict[str, Any], host: str, slack: bool
) -> None:
    assert is_slack(settings, host) is slack
