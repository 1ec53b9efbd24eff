"""/oauth/authorize and /oauth/v2/authorize: checked like Slack does, then asked of a person.

A request that Slack refuses is answered by a page of the sandbox: nothing goes back to the app. The consent
form posts to the address it was opened with, so both steps check the same query.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit

from flask import Blueprint, Response, make_response, redirect, render_template, request
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response as AnyResponse

from slack_sandbox.guard import policy
from slack_sandbox.sandbox import Sandbox, sandbox
from slack_sandbox.scopes import BOT_SCOPES, LEGACY_SCOPES, USER_SCOPES
from slack_sandbox.workspace import PEOPLE

LAST_PERSON = "slack_sandbox_person"  # cookie; a product on the same host has cookies of its own
APP_ID = re.compile(r"A[A-Z0-9]{8,}")

blueprint = Blueprint("authorization", __name__)


class Refused(Exception):
    """`said` is Slack's own wording, `remedy` is ours."""

    def __init__(self, said: str, remedy: str) -> None:
        super().__init__(said)
        self.said = said
        self.remedy = remedy


@dataclass(frozen=True)
class Asked:
    """A valid request. `given_redirect_uri` is None when the app relied on its only registered one."""

    version: int
    scope: list[str]
    user_scope: list[str]
    redirect_uri: str
    given_redirect_uri: str | None
    state: str
    challenge: str | None

    def back(self, **values: str) -> str:
        """The redirect URI with these values and the state."""
        joint = "&" if "?" in self.redirect_uri else "?"
        return self.redirect_uri + joint + urlencode({**values, "state": self.state})

    @property
    def origin(self) -> str:
        parts = urlsplit(self.redirect_uri)
        return f"{parts.scheme}://{parts.netloc}"


@blueprint.get("/oauth/authorize", defaults={"version": 1})
@blueprint.get("/oauth/v2/authorize", defaults={"version": 2})
def consent(version: int) -> Response:
    here = sandbox()
    try:
        asked = read(here, version, request.args)
    except Refused as refusal:
        return refused(refusal)
    chosen = request.cookies.get(LAST_PERSON, "")
    response = make_response(
        render_template(
            "consent.html",
            asked=asked,
            people=PEOPLE.values(),
            chosen=chosen if chosen in PEOPLE else next(iter(PEOPLE)),
            bot_words=[(name, (LEGACY_SCOPES if version == 1 else BOT_SCOPES)[name]) for name in asked.scope],
            user_words=[(name, USER_SCOPES[name]) for name in asked.user_scope],
        )
    )
    # Chromium applies form-action to the redirect that answers the form, too.
    response.headers["Content-Security-Policy"] = policy(form_action=asked.origin)
    return response


@blueprint.post("/oauth/authorize", defaults={"version": 1})
@blueprint.post("/oauth/v2/authorize", defaults={"version": 2})
def decide(version: int) -> AnyResponse:
    here = sandbox()
    try:
        asked = read(here, version, request.args)
        person = PEOPLE.get(request.form.get("person", ""))
        if person is None:
            raise Refused("Nobody is signed in", "Choose one of the people of the workspace.")
    except Refused as refusal:
        return refused(refusal)
    if request.form.get("decision") != "allow":
        return redirect(asked.back(error="access_denied"), 303)
    code = here.grants.issue_code(
        version, person.id, asked.scope, asked.user_scope, asked.given_redirect_uri, asked.challenge
    )
    response = redirect(asked.back(code=code), 303)
    response.set_cookie(LAST_PERSON, person.id, max_age=30 * 86_400, httponly=True, samesite="Lax")
    return response


def refused(refusal: Refused) -> Response:
    return make_response(render_template("refused.html", refusal=refusal), 400)


def read(here: Sandbox, version: int, query: MultiDict[str, str]) -> Asked:
    """Raises Refused where Slack shows a page of its own instead of sending the person back."""
    _check_client(here, query.get("client_id", ""))
    given = query.get("redirect_uri") or None
    redirect_uri = _redirect_uri(here, given)
    scope, user_scope = _listed(query.get("scope", "")), _listed(query.get("user_scope", ""))
    if version == 1:
        user_scope = []
        _check_scopes(scope, LEGACY_SCOPES, "scope")
    else:
        _check_scopes(scope, BOT_SCOPES, "scope")
        _check_scopes(user_scope, USER_SCOPES, "user_scope")
    if not scope and not user_scope:
        raise Refused("invalid_scope: Missing scope", "Ask for at least one scope.")
    return Asked(
        version=version,
        scope=scope,
        user_scope=user_scope,
        redirect_uri=redirect_uri,
        given_redirect_uri=given,
        state=query.get("state", ""),
        challenge=_challenge(here, query),
    )


def _check_client(here: Sandbox, client_id: str) -> None:
    if client_id == here.settings.client_id:
        return
    remedy = "Copy the Client ID from App settings. It is two numbers with a dot between them."
    if APP_ID.fullmatch(client_id):
        remedy = (
            f"{client_id} is an App ID. The Client ID stands below it in App settings: two numbers with "
            "a dot between them."
        )
    raise Refused("Invalid client_id parameter", remedy)


def _redirect_uri(here: Sandbox, given: str | None) -> str:
    """The registered one or an address below it."""
    registered = here.settings.redirect_uris
    if given is None:
        if len(registered) == 1:
            return registered[0]
        raise Refused("redirect_uri is missing", "Send one of the Redirect URLs that App settings lists.")
    if any(given == known or given.startswith(known.rstrip("/") + "/") for known in registered):
        return given
    raise Refused(
        f"redirect_uri did not match any configured URIs. Passed URI: {given}",
        "Add this address to the app's Redirect URLs, or send one that App settings lists.",
    )


def _check_scopes(asked: list[str], known: dict[str, str], argument: str) -> None:
    wrong = [name for name in asked if name not in known]
    if wrong:
        raise Refused(
            f"invalid_scope: Invalid permissions requested: {', '.join(wrong)}",
            f"These are not valid in {argument} at this address. Scopes like chat:write:user belong to "
            "/oauth/authorize, scopes like chat:write to /oauth/v2/authorize; there, what a person allows "
            "belongs in user_scope.",
        )


def _challenge(here: Sandbox, query: MultiDict[str, str]) -> str | None:
    challenge = query.get("code_challenge")
    if not challenge:
        return None
    if not here.switches["pkce"]:
        raise Refused(
            "pkce_not_allowed", "Switch PKCE on under Practise faults, or leave code_challenge out."
        )
    if query.get("code_challenge_method") != "S256":
        raise Refused("invalid_code_challenge_method", "Send code_challenge_method=S256.")
    return challenge


def _listed(scopes: str) -> list[str]:
    """Separated by commas or spaces; each once, in the order given."""
    return list(dict.fromkeys(name for name in re.split(r"[ ,]+", scopes) if name))
