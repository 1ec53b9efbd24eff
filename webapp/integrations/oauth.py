"""The OAuth exchanges with a provider, through the guarded door: authorize address, code exchange, refresh.

Authlib's OAuth2Session is used directly: providers are made by admins while the program runs, and the state of a
sign-in is a row bound to action, user and browser, which Authlib's Flask registry cannot express.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import requests
from authlib.common.errors import AuthlibBaseError
from authlib.common.urls import add_params_to_uri
from authlib.integrations.requests_client import OAuth2Session
from flask import current_app

from webapp.integrations import token_answers
from webapp.integrations.authorizations.oauth_code import extra_parameters, is_slack, uses_pkce, wanted_token
from webapp.integrations.oauth_sentences import PASSING, sentence_for
from webapp.integrations.settings import origin_of

TIMEOUT_S = 10


class OAuthRefused(Exception):
    """The provider did not give a token. `code` is its word, the text a sentence with cause and remedy."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code

    @property
    def passing(self) -> bool:
        """Whether it was trouble of the provider's own, so that the same may work later."""
        return self.code in PASSING


@dataclass(frozen=True)
class Granted:
    """A token and whom it speaks for. `expires_in` in seconds, None where it does not expire."""

    access_token: str
    refresh_token: str | None
    expires_in: int | None
    identity: dict[str, str]


def authorize_url(
    settings: Mapping[str, Any], *, redirect_uri: str, state: str, code_verifier: str | None
) -> str:
    """Where the browser goes to allow us."""
    with _session(settings, "", redirect_uri) as session:
        address, _ = session.create_authorization_url(
            _at(settings, "authorization_endpoint"),
            state=state,
            code_verifier=code_verifier,
        )
    # Added afterwards: as keywords, some names would be taken for the method's own arguments.
    return str(add_params_to_uri(address, list(extra_parameters(settings).items())))


def issued_by(settings: Mapping[str, Any], issuer: str) -> bool:
    """Whether the issuer that came with the answer (`iss`, RFC 9207 §2.4) is at the provider that was asked.

    The issuer's own name is not among the settings, so its origin is compared: a mix-up comes from another one.
    """
    return origin_of(issuer) == origin_of(str(settings["provider_host"]))


def exchange(
    settings: Mapping[str, Any],
    client_secret: str,
    *,
    redirect_uri: str,
    code: str,
    code_verifier: str | None,
) -> Granted:
    """Turn the code into a token. Raises OAuthRefused. Makes outbound calls: hold no transaction."""
    with _session(settings, client_secret, redirect_uri) as session:
        # grant_type and code are given, or Authlib would guess a grant from what else is there.
        answer = _asked(
            lambda: session.fetch_token(
                _at(settings, "token_endpoint"),
                code=code,
                grant_type="authorization_code",
                **({"code_verifier": code_verifier} if code_verifier else {}),
            )
        )
        identity = token_answers.identity_of(answer)
        if is_slack(settings):
            identity |= _slack_names(session, settings, answer["access_token"])
    return _granted(answer, identity)


def refresh(settings: Mapping[str, Any], client_secret: str, refresh_token: str) -> Granted:
    """A new token for an old one. Raises OAuthRefused. Makes an outbound call: hold no transaction."""
    with _session(settings, client_secret, None) as session:
        answer = _asked(
            lambda: session.refresh_token(_at(settings, "token_endpoint"), refresh_token=refresh_token)
        )
    return _granted(answer, {})


def _session(settings: Mapping[str, Any], client_secret: str, redirect_uri: str | None) -> OAuth2Session:
    session = OAuth2Session(
        settings["client_id"],
        client_secret,
        scope=settings.get("scopes") or None,
        redirect_uri=redirect_uri,
        token_endpoint_auth_method=settings.get("client_authentication") or "client_secret_post",
        code_challenge_method="S256" if uses_pkce(settings) else None,
        default_timeout=TIMEOUT_S,
    )
    current_app.extensions["door"].mount(session)
    pick = wanted_token(settings)
    session.register_compliance_hook("access_token_response", _normalizing(pick))
    session.register_compliance_hook("refresh_token_response", _normalizing(token_answers.or_top(pick)))
    return session


def _normalizing(pick: token_answers.Pick) -> Callable[[requests.Response], requests.Response]:
    def hook(answer: requests.Response) -> requests.Response:
        try:
            found = answer.json()
        except (ValueError, RecursionError):
            return answer
        if isinstance(found, dict):
            answer._content = json.dumps(token_answers.normalized(found, pick)).encode()
        return answer

    return hook


def _asked(ask: Callable[[], Any]) -> dict[str, Any]:
    try:
        answer = ask()
    except AuthlibBaseError as error:
        raise OAuthRefused(
            error.error or "unknown_error", sentence_for(error.error, error.description)
        ) from None
    except requests.RequestException as error:
        raise OAuthRefused("token_endpoint_unreachable", _why_unreachable(error)) from None
    except (ValueError, TypeError, AttributeError, RecursionError):
        raise OAuthRefused("not_json", sentence_for("not_json")) from None
    return dict(answer)


def _why_unreachable(error: requests.RequestException) -> str:
    if isinstance(error, requests.HTTPError) and error.response is not None:
        return f"The token endpoint answered HTTP {error.response.status_code}. Try again in a moment."
    said = str(error).strip().rstrip(".")
    return f"The token endpoint could not be used: {said or type(error).__name__}."


def _granted(answer: dict[str, Any], identity: dict[str, str]) -> Granted:
    lasts = answer.get("expires_in")
    return Granted(
        access_token=answer["access_token"],
        refresh_token=answer.get("refresh_token"),
        expires_in=int(lasts) if isinstance(lasts, (int, float, str)) and str(lasts).isdecimal() else None,
        identity=identity,
    )


def _slack_names(session: OAuth2Session, settings: Mapping[str, Any], token: str) -> dict[str, str]:
    """The names behind the ids (auth.test). Only for show, so a failure costs nothing but the names."""
    try:
        answer = session.request(
            "POST",
            settings["provider_host"].rstrip("/") + "/api/auth.test",
            withhold_token=True,
            headers={"Authorization": f"Bearer {token}"},
            timeout=TIMEOUT_S / 2,
        ).json()
    except (requests.RequestException, ValueError, RecursionError):
        return {}
    if not isinstance(answer, dict) or answer.get("ok") is not True:
        return {}
    names = {name: answer.get(name) for name in ("user", "team", "user_id")}
    return {name: value for name, value in names.items() if isinstance(value, str) and value}


def _at(settings: Mapping[str, Any], endpoint: str) -> str:
    return str(settings["provider_host"]).rstrip("/") + str(settings[endpoint])
