"""Reading the answers of token endpoints, Slack's odd ones too. Pure.

Slack answers errors with HTTP 200 `{"ok": false, "error": …}`; v1 nests the bot's token under `bot`, v2 the user's
under `authed_user`, with token types `bot` and `user` that OAuth libraries refuse. A refreshed user token comes at the
top level (https://docs.slack.dev/authentication/installing-with-oauth, …/using-token-rotation).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_LIFTED = ("access_token", "refresh_token", "expires_in", "scope")
_BEARER_BY_OTHER_NAMES = frozenset({"", "bot", "user", "app", "token"})


def normalized(answer: Mapping[str, Any], prefer: str) -> dict[str, Any]:
    """The answer in the shape of RFC 6749 §5.1: the wanted token (`prefer` is bot or user) at the top, type bearer.

    An answer without a token becomes `{"error": "no_access_token", …}`, an error stays one.
    """
    if "error" in answer:
        return dict(answer)
    if answer.get("ok") is False:
        return {**answer, "error": "unknown_error"}
    picked = _pick(answer, prefer)
    found = dict(answer)
    if picked is not answer:
        for name in _LIFTED:
            found.pop(name, None)
            if picked.get(name) is not None:
                found[name] = picked[name]
    if not isinstance(found.get("access_token"), str) or not found["access_token"]:
        return {
            "error": "no_access_token",
            "error_description": "The provider answered without an access token.",
        }
    if str(found.get("token_type") or "").lower() in _BEARER_BY_OTHER_NAMES:
        found["token_type"] = "bearer"
    return found


def _pick(answer: Mapping[str, Any], prefer: str) -> Mapping[str, Any]:
    user = _mapping(answer.get("authed_user"))
    bot = _mapping(answer.get("bot"))
    if prefer == "user" and user.get("access_token"):
        return user
    if prefer == "bot" and bot.get("bot_access_token"):
        return {"access_token": bot["bot_access_token"], "scope": answer.get("scope")}
    if not answer.get("access_token") and user.get("access_token"):
        return user
    return answer


def identity_of(answer: Mapping[str, Any]) -> dict[str, str]:
    """Who the token speaks for, as far as the answer tells: user, team, scopes."""
    team = _mapping(answer.get("team"))
    user = _mapping(answer.get("authed_user"))
    found = {
        "user": answer.get("user_id") or user.get("id"),
        "team": team.get("name") or answer.get("team_name"),
        "scopes": str(answer.get("scope") or "").replace(",", " "),
    }
    return {name: str(value) for name, value in found.items() if value}


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
