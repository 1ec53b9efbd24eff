"""/api/<method>: the way every call takes, from its arrival in the log to its headers."""

from __future__ import annotations

import secrets
from typing import Any

from flask import Blueprint, Response, request

from slack_sandbox.answers import SlackError, answer, with_warnings
from slack_sandbox.calls import Call, accept_token, read_arguments, require_scope
from slack_sandbox.faults import FAULTS
from slack_sandbox.methods import METHODS
from slack_sandbox.requests_log import without_secrets
from slack_sandbox.sandbox import Sandbox, sandbox

blueprint = Blueprint("api", __name__)


@blueprint.route("/api/<name>", methods=["GET", "POST"])
def call_method(name: str) -> Response:
    here = sandbox()
    call = Call(name, secrets.token_hex(16))
    entry = here.requests.arrived(name, request.method, call.request_id)
    values = here.switches.take([fault.key for fault in FAULTS if fault.concerns(call)])
    entry["fault"] = ",".join(values) or None
    answered = _with_faults(here, call, values, entry)
    answered.headers["x-slack-req-id"] = call.request_id
    entry["status"] = answered.status_code
    return answered


def _with_faults(here: Sandbox, call: Call, values: dict[str, Any], entry: dict[str, Any]) -> Response:
    """`values` are those of the faults that are on, by key."""
    faults = [fault for fault in FAULTS if fault.key in values]
    for fault in faults:
        instead = fault.before(call, values[fault.key])
        if instead is not None:
            return instead
    answered = _carry_out(here, call, entry)
    for fault in faults:
        answered = fault.after(answered)
    return answered


def _carry_out(here: Sandbox, call: Call, entry: dict[str, Any]) -> Response:
    method = METHODS.get(call.method)
    headers: dict[str, str] = {}
    status = 200
    try:
        if method is None:
            raise SlackError("unknown_method", req_method=call.method)
        read_arguments(call, request)
        entry["arguments"] = without_secrets(call.arguments)
        if method.needs_token:
            accept_token(call, request, here.grants)
            entry["token_kind"] = call.granted().kind
            headers["x-oauth-scopes"] = ",".join(call.granted().scope)
            if method.scopes:
                headers["x-accepted-oauth-scopes"] = method.scopes[0]
            require_scope(call, method.scopes)
        body = {"ok": True, **method.carry_out(here, call)}
    except SlackError as error:
        entry["error"] = error.code
        body, status = error.body(), error.status
        headers |= error.headers
    return answer(with_warnings(body, call.warnings), status, headers)
