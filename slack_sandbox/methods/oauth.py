"""oauth.access and oauth.v2.access: a code, or a refresh token, for tokens.

The orders of checks and the shapes follow Slack's reference of both methods; every refusal is HTTP 200.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from typing import Any

from flask import request

from slack_sandbox.answers import SlackError
from slack_sandbox.calls import Call
from slack_sandbox.grants import Code, Grant, Minted
from slack_sandbox.methods.base import Method
from slack_sandbox.sandbox import Sandbox


class OauthAccess(Method):
    """The version of classic apps: no token_type, no expiry, the bot's token in an object of its own."""

    name = "oauth.access"
    needs_token = False

    def carry_out(self, here: Sandbox, call: Call) -> dict[str, Any]:
        code = _exchange(here, call, version=1)
        scope = ("identify", *(name for name in code.scope if name != "identify"))
        answer: dict[str, Any] = {
            "access_token": here.grants.mint("user", 1, code.person_id, scope).access_token,
            "scope": ",".join(scope),
            "user_id": code.person_id,
            "team_name": here.settings.team_name,
            "team_id": here.settings.team_id,
            "enterprise_id": None,
        }
        if "bot" in scope:
            answer["bot"] = {
                "bot_user_id": here.settings.bot_user_id,
                "bot_access_token": here.grants.mint("bot", 1, code.person_id, ("bot",)).access_token,
            }
        return answer


class OauthV2Access(Method):
    """The current version: the bot's token on top, the person's in authed_user; either may be missing."""

    name = "oauth.v2.access"
    needs_token = False

    def carry_out(self, here: Sandbox, call: Call) -> dict[str, Any]:
        grant_type = call.text("grant_type") or "authorization_code"
        exchanges = {"authorization_code": self._authorization_code, "refresh_token": self._refresh_token}
        if grant_type not in exchanges:
            _authenticate_client(here, call)
            raise SlackError("invalid_grant_type")
        return exchanges[grant_type](here, call) | {
            "app_id": here.settings.app_id,
            "team": {"id": here.settings.team_id, "name": here.settings.team_name},
            "enterprise": None,
            "is_enterprise_install": False,
        }

    def _authorization_code(self, here: Sandbox, call: Call) -> dict[str, Any]:
        code = _exchange(here, call, version=2)
        lifetime = _lifetime(here)
        answer: dict[str, Any] = {"authed_user": {"id": code.person_id}}
        if code.scope:
            minted = here.grants.mint("bot", 2, code.person_id, code.scope, lifetime)
            answer |= _token(minted, "bot", code.scope) | {"bot_user_id": here.settings.bot_user_id}
        if code.user_scope:
            minted = here.grants.mint("user", 2, code.person_id, code.user_scope, lifetime)
            answer["authed_user"] |= _token(minted, "user", code.user_scope)
        return answer

    def _refresh_token(self, here: Sandbox, call: Call) -> dict[str, Any]:
        """A refreshed user token stands at the top, too."""
        _authenticate_client(here, call)
        old: Grant | None = here.grants.take_refresh(call.text("refresh_token"))
        if old is None:
            raise SlackError("invalid_refresh_token")
        minted = here.grants.mint(old.kind, 2, old.person_id, old.scope, here.switches["token_lifetime"])
        answer = _token(minted, old.kind, old.scope)
        if old.kind == "bot":
            answer["bot_user_id"] = here.settings.bot_user_id
        return answer


def _lifetime(here: Sandbox) -> int | None:
    return int(here.switches["token_lifetime"]) if here.switches["rotation"] else None


def _token(minted: Minted, kind: str, scope: tuple[str, ...]) -> dict[str, Any]:
    answer: dict[str, Any] = {
        "access_token": minted.access_token,
        "token_type": kind,
        "scope": ",".join(scope),
    }
    if minted.refresh_token:
        answer |= {"expires_in": minted.expires_in, "refresh_token": minted.refresh_token}
    return answer


def _authenticate_client(here: Sandbox, call: Call) -> None:
    """The client by HTTP Basic or in the body. With PKCE the app is a public client: no secret is fine."""
    basic = request.authorization
    if basic is not None and basic.type == "basic":
        client_id, secret = basic.username or "", basic.password or ""
    else:
        client_id, secret = call.text("client_id"), call.text("client_secret")
    if client_id != here.settings.client_id:
        raise SlackError("invalid_client_id")
    if not secret and here.switches["pkce"]:
        return
    if not hmac.compare_digest(secret.encode(), here.settings.client_secret.encode()):
        raise SlackError("bad_client_secret")


def _exchange(here: Sandbox, call: Call, version: int) -> Code:
    """Check the exchange against what was asked for at the authorize page, and take the code, once."""
    _authenticate_client(here, call)
    given = call.text("code")
    code = here.grants.code(given)
    if code is None or code.expired:
        raise SlackError("invalid_code")
    if code.version != version:
        raise SlackError("oauth_authorization_url_mismatch")
    used = SlackError("code_already_used" if version == 1 else "invalid_code")
    if code.used:
        raise used
    if (code.redirect_uri or "") != call.text("redirect_uri"):
        raise SlackError("bad_redirect_uri")
    _check_verifier(here, call, code)
    if not here.grants.use_code(given):
        raise used
    return code


def _check_verifier(here: Sandbox, call: Call, code: Code) -> None:
    """RFC 7636, S256. Unless the app has switched PKCE on, Slack refuses any verifier."""
    verifier = call.text("code_verifier")
    if verifier and not here.switches["pkce"]:
        raise SlackError("pkce_not_allowed")
    if code.challenge is None:
        return
    digest = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    if not hmac.compare_digest(digest.encode(), code.challenge.encode()):
        raise SlackError("invalid_code_verifier")
