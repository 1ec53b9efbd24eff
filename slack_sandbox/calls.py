"""One call of a Web API method: its arguments, its token, and what Slack checks before the method itself."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from flask import Request, request

from slack_sandbox.answers import SlackError
from slack_sandbox.grants import Grant, Grants

FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")


@dataclass
class Call:
    """`arguments` are JSON values or form texts, by name. `grant` is set once the token was accepted."""

    method: str
    request_id: str
    arguments: dict[str, Any] = field(default_factory=dict)
    is_json: bool = False
    warnings: list[str] = field(default_factory=list)
    grant: Grant | None = None

    @property
    def root(self) -> str:
        """The address this sandbox was reached at, with a slash at the end."""
        return request.url_root

    def text(self, name: str) -> str:
        """An argument as text; missing, null, lists and objects are the empty text."""
        value = self.arguments.get(name)
        return str(value) if isinstance(value, str | int | float) and not isinstance(value, bool) else ""

    def flag(self, name: str) -> bool:
        return str(self.arguments.get(name, "")).lower() in ("1", "true")

    def granted(self) -> Grant:
        """The token's grant, in methods that need one."""
        assert self.grant is not None, f"{self.method} runs without a token"
        return self.grant


def read_arguments(call: Call, sent: Request) -> None:
    """Fill in the arguments. Raises SlackError for a body that Slack does not read.

    A JSON body without a charset earns the warning missing_charset, a form with one superfluous_charset.
    """
    call.arguments = sent.args.to_dict()
    body = sent.get_data(cache=True)
    content_type = sent.headers.get("Content-Type", "")
    if sent.method == "GET" or (not body and not content_type):
        return
    if not content_type:
        raise SlackError("missing_post_type")
    charset = sent.mimetype_params.get("charset")
    if sent.mimetype == "application/json":
        call.is_json = True
        if charset is None:
            call.warnings.append("missing_charset")
        elif charset.lower().replace("-", "") != "utf8":
            raise SlackError("invalid_charset")
        call.arguments |= _json_object(body)
    elif sent.mimetype in FORMS:
        if charset is not None:
            call.warnings.append("superfluous_charset")
        call.arguments |= sent.form.to_dict()
    else:
        raise SlackError("invalid_post_type")


def _json_object(body: bytes) -> dict[str, Any]:
    try:
        read = json.loads(body)
    except ValueError:
        raise SlackError("invalid_json") from None
    if not isinstance(read, dict):
        raise SlackError("json_not_object")
    return read


def accept_token(call: Call, sent: Request, grants: Grants) -> None:
    """Set the grant. The token comes in the Authorization header; only a form may carry it as an argument."""
    header = sent.headers.get("Authorization", "")
    scheme, _, token = header.partition(" ")
    if scheme.lower() != "bearer":
        token = "" if call.is_json else call.text("token")
    token = token.strip()
    if not token:
        raise SlackError("not_authed")
    grant = grants.find(token)
    if grant is None:
        raise SlackError("invalid_auth")
    if grant.revoked:
        raise SlackError("token_revoked")
    if grant.expired:
        raise SlackError("token_expired")
    call.grant = grant


def require_scope(call: Call, accepted: tuple[str, ...]) -> None:
    """The token must hold one of the accepted scopes; the first is the one Slack names when none is there."""
    scope = call.granted().scope
    if accepted and not set(accepted) & set(scope):
        raise SlackError("missing_scope", needed=accepted[0], provided=",".join(scope))
