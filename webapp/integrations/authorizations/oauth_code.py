"""OAuth 2 authorization code (RFC 6749 §4.1), as a functional user or as each task user.

Slack's two versions work unchanged: v1 is `/oauth/authorize` with `/api/oauth.access`, v2 `/oauth/v2/authorize` with
`/api/oauth.v2.access` (https://docs.slack.dev/authentication/installing-with-oauth).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from wtforms import RadioField, SelectField, StringField, TextAreaField
from wtforms.validators import DataRequired, Length

from webapp.forms import BaseForm, SecretField
from webapp.integrations import token_answers
from webapp.integrations.authorizations.base import AuthorizationKind, SignInAs, latin1_problem
from webapp.integrations.token_answers import Pick

OWN_PARAMETERS = frozenset(
    {
        "client_id",
        "client_secret",
        "code_challenge",
        "code_challenge_method",
        "code_verifier",
        "redirect_uri",
        "response_type",
        "scope",
        "state",
    }
)
_TOKEN_CHOICES: Mapping[str, Callable[[Mapping[str, Any]], Pick]] = {
    "bot": lambda _settings: token_answers.bot_token,
    "user": lambda _settings: token_answers.user_token,
    "path": lambda settings: token_answers.token_at(settings["token_path"]),
}
_SLACK_TOKEN_ENDPOINTS = ("/api/oauth.access", "/api/oauth.v2.access")


class OAuthCodeForm(BaseForm):
    flow = SelectField("Authorization Flow", choices={"authorization_code": "Authorization Code"})
    authenticate_as = RadioField(
        "Authenticate as",
        choices={"functional": "Functional user", "task": "Task user"},
        default="functional",
    )
    client_id = StringField("Client ID", [DataRequired("Enter the Client ID."), Length(max=300)])
    client_secret = SecretField("Client Secret", description="Stored encrypted and never shown again.")
    provider_host = StringField(
        "OAuth2 provider host",
        [DataRequired("Enter the host, such as https://slack.com.")],
        render_kw={"placeholder": "https://slack.com"},
    )
    authorization_endpoint = StringField(
        "Authorization Endpoint",
        [DataRequired("Enter the path, such as /oauth/authorize.")],
        render_kw={"placeholder": "/oauth/authorize"},
    )
    token_endpoint = StringField(
        "Token Endpoint",
        [DataRequired("Enter the path, such as /api/oauth.access.")],
        render_kw={"placeholder": "/api/oauth.access"},
    )
    scopes = StringField(
        "Scopes", [Length(max=2000)], description="Sent as typed; separate scopes with spaces."
    )
    extra_parameters = TextAreaField(
        "Additional authorize parameters",
        [Length(max=4000)],
        description='A JSON object, such as {"user_scope": "chat:write"} for Slack v2 user scopes.',
    )
    token_choice = SelectField(
        "Token to use",
        choices={"bot": "Bot token, else the only one", "user": "User token", "path": "The one at a path"},
        description="Where the answer holds several, as Slack v2's does.",
    )
    token_path = StringField(
        "Path of the token",
        [Length(max=200)],
        description="For a token at a path: names with dots between, such as authed_user.access_token.",
    )
    client_authentication = SelectField(
        "Client authentication",
        choices={"client_secret_post": "In the request body", "client_secret_basic": "As Basic header"},
    )
    pkce = SelectField(
        "PKCE",
        choices={"auto": "Auto", "on": "On", "off": "Off"},
        description="Auto: on, except for Slack, where it must be enabled in the app first.",
    )


class OAuthCode(AuthorizationKind):
    key = "oauth_code"
    label = "OAuth"
    hint = "People allow Runsheet at the other system; the token is stored encrypted."
    form = OAuthCodeForm
    secret_fields = ("client_secret",)
    signs_in = True

    def sign_in_as(self, settings: Mapping[str, Any]) -> SignInAs | None:
        return "task" if settings.get("authenticate_as") == "task" else "functional"

    def validate(self, settings: Mapping[str, Any], secrets: Mapping[str, str]) -> dict[str, str]:
        problems = {
            "provider_host": host_problem(str(settings.get("provider_host") or "")),
            "authorization_endpoint": _path_problem(str(settings.get("authorization_endpoint") or "")),
            "token_endpoint": _path_problem(str(settings.get("token_endpoint") or "")),
            "extra_parameters": _parameters_problem(str(settings.get("extra_parameters") or "")),
            "token_path": _token_path_problem(settings),
            "client_id": _carried(settings, str(settings.get("client_id") or "")),
            "client_secret": _secret_problem(settings, secrets.get("client_secret") or ""),
        }
        return {name: sentence for name, sentence in problems.items() if sentence}


def extra_parameters(settings: Mapping[str, Any]) -> dict[str, str]:
    """The additional authorize parameters; empty where none are set."""
    typed = str(settings.get("extra_parameters") or "").strip()
    return dict(json.loads(typed)) if typed else {}


def is_slack(settings: Mapping[str, Any]) -> bool:
    """Whether the token endpoint is one of Slack's, at slack.com or a Slack sandbox."""
    return str(settings.get("token_endpoint") or "").rstrip("/") in _SLACK_TOKEN_ENDPOINTS


def uses_pkce(settings: Mapping[str, Any]) -> bool:
    """PKCE (RFC 7636): as set; `auto` is on except for Slack, which answers pkce_not_allowed unless enabled there."""
    wanted = settings.get("pkce") or "auto"
    return wanted == "on" or (wanted == "auto" and not is_slack(settings))


def wanted_token(settings: Mapping[str, Any]) -> Pick:
    """What finds the token to use in the provider's answers."""
    return _TOKEN_CHOICES[settings.get("token_choice") or "bot"](settings)


def looks_like_app_id(client_id: str) -> bool:
    """Slack's App ID (A0KRD7HC3) is easily taken for its Client ID (2141029472.691202649728)."""
    return bool(re.fullmatch(r"A[A-Z0-9]{8,}", client_id.strip()))


def host_problem(host: str) -> str | None:
    """A sentence where the text is not `https://host`. http is for loopback only: codes and secrets travel there."""
    try:
        parts = urlsplit(host)
        port_ok = parts.port is None or parts.port > 0
    except ValueError:
        parts, port_ok = urlsplit(""), False
    if parts.scheme not in ("https", "http") or not parts.hostname or not port_ok:
        return "Write the host with https:// in front, such as https://slack.com."
    if parts.username or parts.password or parts.path not in ("", "/") or parts.query or parts.fragment:
        return "Only the host belongs here; the endpoints have fields of their own."
    if parts.scheme == "http" and parts.hostname not in ("localhost", "127.0.0.1", "::1"):
        return "Use https://: the client secret would travel in the clear."
    return None


def _path_problem(path: str) -> str | None:
    if not path.startswith("/") or path.startswith("//") or re.search(r"[\s\\#?]|[\x00-\x1f]", path):
        return "Write the path that follows the host, such as /oauth/authorize."
    return None


def _token_path_problem(settings: Mapping[str, Any]) -> str | None:
    if settings.get("token_choice") != "path":
        return None
    if not re.fullmatch(r"[\w-]+(\.[\w-]+)*", str(settings.get("token_path") or "")):
        return "Write names with dots between, such as authed_user.access_token."
    return None


def _parameters_problem(typed: str) -> str | None:
    if not typed.strip():
        return None
    try:
        found = json.loads(typed)
    except ValueError as error:
        return f"This is not JSON: {error}."
    except RecursionError:
        return "This is nested too deeply."
    if not isinstance(found, dict) or not all(isinstance(value, str) for value in found.values()):
        return 'Write a JSON object of texts, such as {"user_scope": "chat:write"}.'
    taken = OWN_PARAMETERS & {name.lower() for name in found}
    return f"Runsheet sets {', '.join(sorted(taken))} itself." if taken else None


def _secret_problem(settings: Mapping[str, Any], secret: str) -> str | None:
    if not secret:
        return "Enter the Client Secret."
    return _carried(settings, secret)


def _carried(settings: Mapping[str, Any], text: str) -> str | None:
    """A sentence where the client authenticates by Basic and that cannot carry the text."""
    return latin1_problem(text) if settings.get("client_authentication") == "client_secret_basic" else None
