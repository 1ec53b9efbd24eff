"""/sandbox/…: JSON for tests and journeys, from this machine only.

GET  /sandbox/health
GET  /sandbox/messages?channel=<ID or name>     count, and every message in the order of arrival
GET  /sandbox/requests?method=<name>            total, count, and the calls without secrets
GET  /sandbox/switches                          values, and the keys of those that are on
POST /sandbox/switches  {"delay": 2, "rate_limit": false, …}
POST /sandbox/revoke                            every token
POST /sandbox/reset     {"tokens": true}        messages, requests, switches; tokens only if asked for
"""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, jsonify, request

from slack_sandbox.guard import loopback_only
from slack_sandbox.messages import Message
from slack_sandbox.sandbox import sandbox
from slack_sandbox.workspace import channel_named

blueprint = Blueprint("control", __name__, url_prefix="/sandbox")
blueprint.before_request(loopback_only)


@blueprint.get("/health")
def health() -> Response:
    return jsonify(ok=True)


@blueprint.get("/messages")
def messages() -> tuple[Response, int]:
    reference = request.args.get("channel")
    channel = channel_named(reference) if reference else None
    if reference and channel is None:
        return jsonify(ok=False, error=f"There is no channel {reference}."), 404
    found = sandbox().messages.every(channel.id if channel else None)
    return jsonify(ok=True, count=len(found), messages=[_shown(message) for message in found]), 200


@blueprint.get("/requests")
def requests() -> Response:
    log = sandbox().requests
    entries = log.entries(request.args.get("method"))
    return jsonify(ok=True, total=log.total, count=len(entries), requests=entries)


@blueprint.get("/switches")
def switches() -> Response:
    here = sandbox().switches
    return jsonify(ok=True, switches=here.values(), on=[switch.key for switch in here.on()])


@blueprint.post("/switches")
def set_switches() -> tuple[Response, int] | Response:
    wanted = request.get_json(silent=True)
    if not isinstance(wanted, dict):
        return jsonify(ok=False, error="Send a JSON object of switches."), 400
    try:
        sandbox().switches.set(wanted)
    except ValueError as error:
        return jsonify(ok=False, error=str(error)), 400
    return switches()


@blueprint.post("/revoke")
def revoke() -> Response:
    return jsonify(ok=True, revoked=sandbox().grants.revoke_all())


@blueprint.post("/reset")
def reset() -> Response:
    wanted = request.get_json(silent=True) or {}
    sandbox().reset(tokens=isinstance(wanted, dict) and wanted.get("tokens") is True)
    return jsonify(ok=True)


def _shown(message: Message) -> dict[str, Any]:
    return {
        "channel": message.channel_id,
        "channel_name": message.channel.name,
        "ts": message.ts,
        "text": message.text,
        "user": message.user_id,
        "username": message.username,
        "is_app": message.is_app,
        "edited": message.edited,
        "request_id": message.request_id,
        "payload": message.payload,
    }
