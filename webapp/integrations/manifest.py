"""The Slack app manifest: one text that creates a Slack app with the right scopes and redirect URL.

Slack takes it at api.slack.com/apps > Create New App > From a manifest. The names follow Slack's manifest
reference, https://docs.slack.dev/reference/app-manifest (read November 2026).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

APP_NAME_LENGTH = 35
BOT_NAME_LENGTH = 80
DESCRIPTION_LENGTH = 140

# A manifest makes an app of today's kind, which knows no legacy scopes; these say the same in today's words.
_BOT_SCOPES = {"chat:write:bot": "chat:write", "bot": "chat:write"}
_USER_SCOPES = {"chat:write:user": "chat:write", "write": "channels:write"}

_SLACK_ENDPOINTS = frozenset({"/oauth/authorize", "/oauth/v2/authorize"})


def is_slack(authorization_settings: Mapping[str, Any], request_host: str) -> bool:
    """Whether these are a Slack app's settings: Slack's host, or a sandbox with Slack's endpoints."""
    hosts = {request_host, urlsplit(str(authorization_settings.get("provider_host") or "")).hostname or ""}
    if any(host == "slack.com" or host.endswith(".slack.com") for host in hosts):
        return True
    endpoint = str(authorization_settings.get("authorization_endpoint") or "")
    return (urlsplit(endpoint).path or endpoint) in _SLACK_ENDPOINTS


def is_legacy(authorization_settings: Mapping[str, Any]) -> bool:
    """Whether they use the first version of Slack's OAuth, which only apps made before June 2024 can."""
    return str(authorization_settings.get("authorization_endpoint") or "").endswith("/oauth/authorize")


def scopes_of(authorization_settings: Mapping[str, Any]) -> tuple[list[str], list[str]]:
    """(bot scopes, user scopes) of an app that can do what the settings ask for."""
    bot: list[str] = []
    user: list[str] = []
    asked = str(authorization_settings.get("scopes") or "").replace(",", " ").split()
    plain = user if is_legacy(authorization_settings) else bot
    for scope in asked:
        if scope in _BOT_SCOPES:
            bot.append(_BOT_SCOPES[scope])
        elif scope in _USER_SCOPES:
            user.append(_USER_SCOPES[scope])
        else:
            plain.append(scope)
    user += _user_scope(authorization_settings.get("extra_parameters"))
    return sorted(set(bot)), sorted(set(user))


def slack_manifest(
    name: str, authorization_settings: Mapping[str, Any], redirect_uri: str, *, description: str = ""
) -> str:
    """The manifest as indented JSON."""
    bot, user = scopes_of(authorization_settings)
    scopes = {kind: names for kind, names in (("bot", bot), ("user", user)) if names}
    manifest: dict[str, Any] = {
        "display_information": {"name": name[:APP_NAME_LENGTH]},
        "oauth_config": {"redirect_urls": [redirect_uri], "scopes": scopes},
        "settings": {
            "org_deploy_enabled": False,
            "socket_mode_enabled": False,
            "token_rotation_enabled": False,
        },
    }
    if description:
        manifest["display_information"]["description"] = description[:DESCRIPTION_LENGTH]
    if bot:
        manifest["features"] = {"bot_user": {"display_name": name[:BOT_NAME_LENGTH], "always_online": False}}
    return json.dumps(manifest, indent=2, ensure_ascii=False)


def _user_scope(parameters: Any) -> list[str]:
    if isinstance(parameters, str):
        try:
            parameters = json.loads(parameters or "{}")
        except ValueError:
            return []
    if not isinstance(parameters, Mapping):
        return []
    return str(parameters.get("user_scope") or "").replace(",", " ").split()
