"""Reading the answers of token endpoints, Slack's odd ones too. Pure.

Slack answers errors with HTTP 200 `{"ok": false, "error": …}`; v1 nests the bot's token under `bot`, v2 the user's
under `authed_user`, with token types `bot` and `user` that OAuth libraries refuse. A refreshed user token comes at the
top level (https://docs.slack.dev/authentication/installing-with-oauth, …/using-token-rotation).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

_LIFTED = ("access_token", "refresh_token", "expires_in", "scope")
_BEARER_BY_OTHER_NAMES = frozenset({"", "bot", "user", "app", "token"})


# Finds the object that holds the wanted token in an answer, as `{"access_token": …, …}`; raises NoToken.
Pick = Callable[[Mapping[str, Any]], Mapping[str, Any]]


class NoToken(Exception):
    """The answer does not hold the wanted token. Its text is the code of oauth_sentences that says why."""


def normalized(answer: Mapping[str, Any], pick: Pick) -> dict[str, Any]:
    """The answer in the shape of RFC 6749 §5.1: the token that `pick` finds at the top, type bearer.

    An answer without that token becomes `{"error": code}`, an error stays one.
    """
    if "error" in answer:
        return dict(answer)
    if answer.get("ok") is False:
        return {**answer, "error": "unknown_error"}
    try:
        picked = pick(answer)
    except NoToken as missing:
        return {"error": str(missing)}
    found = dict(answer)
    if picked is not answer:
        for name in _LIFTED:
            found.pop(name, None)
            if picked.get(name) is not None:
                found[name] = picked[name]
    if not isinstance(found.get("access_token"), str) or not found["access_token"]:
        return {"error": "no_access_token"}
    if str(found.get("token_type") or "").lower() in _BEARER_BY_OTHER_NAMES:
        found["token_type"] = "bearer"
    return found


def bot_token(answer: Mapping[str, Any]) -> Mapping[str, Any]:
    """The bot's token, else the only one."""
    user, bot = _mapping(answer.get("authed_user")), _mapping(answer.get("bot"))
    if bot.get("bot_access_token"):
        return {"access_token": bot["bot_access_token"], "scope": answer.get("scope")}
    return user if user.get("access_token") and not answer.get("access_token") else answer


def user_token(answer: Mapping[str, Any]) -> Mapping[str, Any]:
    """The user's own token; never the bot's in its stead."""
    user = _mapping(answer.get("authed_user"))
    if user.get("access_token"):
        return user
    if answer.get("token_type") == "bot":
        raise NoToken("no_user_token")
    return answer


def token_at(path: str) -> Pick:
    """The token at a path of names with dots between, such as `authed_user.access_token`.

    What stands beside it under the names of RFC 6749 (refresh_token, expires_in, scope) belongs to it.
    """
    *parents, name = path.split(".")

    def pick(answer: Mapping[str, Any]) -> Mapping[str, Any]:
        place = answer
        for parent in parents:
            place = _mapping(place.get(parent))
        if not place.get(name):
            raise NoToken("no_token_at_path")
        return {**place, "access_token": place[name]}

    return pick


def or_top(pick: Pick) -> Pick:
    """For refreshing: a nested token's successor may come at the top level, as Slack's user token does."""

    def found(answer: Mapping[str, Any]) -> Mapping[str, Any]:
        try:
            return pick(answer)
        except NoToken:
            if not answer.get("access_token"):
                raise
            return answer

    return found


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
