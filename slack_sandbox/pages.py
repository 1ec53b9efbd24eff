"""The workspace in a browser: channels with their messages, Practise faults, and App settings."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, abort, jsonify, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from slack_sandbox.guard import loopback_only
from slack_sandbox.sandbox import sandbox
from slack_sandbox.scopes import APP_BOT_SCOPES, APP_USER_SCOPES, BOT_SCOPES, USER_SCOPES
from slack_sandbox.switches import SWITCHES
from slack_sandbox.workspace import CHANNELS, PEOPLE, Channel

ERROR_CODES = (
    "channel_not_found", "not_in_channel", "is_archived", "no_text", "msg_too_long", "invalid_blocks",
    "restricted_action", "not_authed", "invalid_auth", "token_revoked", "token_expired", "account_inactive",
    "missing_scope", "not_allowed_token_type", "ratelimited", "rate_limited", "message_limit_exceeded",
    "invalid_json", "invalid_arguments", "fatal_error", "internal_error", "service_unavailable",
    "request_timeout", "access_denied", "team_access_not_granted", "ekm_access_denied",
)  # fmt: skip
SECTIONS = (("fault", "Faults"), ("scope", "How long"), ("rule", "Slack's own rules"))

blueprint = Blueprint("pages", __name__)


@blueprint.get("/")
def workspace() -> str:
    return _channel_page(next(iter(CHANNELS.values())))


@blueprint.get("/channels/<channel_id>")
def channel(channel_id: str) -> str:
    return _channel_page(_known(channel_id))


@blueprint.get("/archives/<channel_id>/<anchor>")
def permalink(channel_id: str, anchor: str) -> AnyResponse:
    """Where chat.getPermalink points to."""
    return redirect(url_for("pages.channel", channel_id=_known(channel_id).id, _anchor=anchor), 303)


@blueprint.get("/channels/<channel_id>/updates")
def updates(channel_id: str) -> Response:
    """What changed after a revision, for the page's script: rendered messages, counts, the banner."""
    here = sandbox()
    found = here.messages.since(_known(channel_id).id, request.args.get("after", 0, int))
    return jsonify(
        epoch=here.messages.epoch,
        revision=found[-1].revision if found else None,
        messages=[
            {"id": message.anchor, "html": render_template("_message.html", message=message)}
            for message in found
        ],
        counts=here.messages.counts(),
        banner=render_template("_banner.html", banners=here.switches.banners()),
    )


@blueprint.post("/channels/<channel_id>/membership")
def set_membership(channel_id: str) -> AnyResponse:
    """Invite the app, as /invite does in Slack, or remove it."""
    loopback_only()
    channel = _known(channel_id)
    sandbox().messages.set_membership(channel, request.form.get("member") == "yes")
    return redirect(url_for("pages.channel", channel_id=channel.id), 303)


@blueprint.post("/practise")
def practise() -> AnyResponse | tuple[AnyResponse, int]:
    """Set one switch. The script asks for the panel alone and gets a refusal beside the switches."""
    loopback_only()
    here = sandbox()
    refusal = ""
    try:
        here.switches.set(request.form.to_dict())
    except ValueError as error:
        refusal = str(error)
    return _panel_or_page(refusal)


@blueprint.post("/practise/off")
def switch_all_off() -> AnyResponse | tuple[AnyResponse, int]:
    loopback_only()
    sandbox().switches.reset()
    return _panel_or_page()


@blueprint.post("/practise/clear")
def clear_messages() -> AnyResponse:
    loopback_only()
    sandbox().messages.clear()
    return redirect(url_for("pages.workspace", practise=1), 303)


@blueprint.post("/practise/revoke")
def revoke() -> AnyResponse:
    """One token by its number, or all of them."""
    loopback_only()
    here = sandbox()
    number = request.form.get("grant", type=int)
    if number is None:
        here.grants.revoke_all()
    else:
        here.grants.revoke(number)
    return redirect(url_for("pages.app_settings", _anchor="sign-ins"), 303)


@blueprint.get("/app-settings")
def app_settings() -> str:
    here = sandbox()
    return render_template(
        "app_settings.html",
        channels=_channels(),
        banners=here.switches.banners(),
        bot_scopes=[(name, BOT_SCOPES[name]) for name in APP_BOT_SCOPES],
        user_scopes=[(name, USER_SCOPES[name]) for name in APP_USER_SCOPES],
        grants=[(grant, PEOPLE[grant.person_id]) for grant in here.grants.active()],
        root=request.url_root.rstrip("/"),
    )


def _known(channel_id: str) -> Channel:
    return CHANNELS.get(channel_id) or abort(404)


def _channels() -> list[tuple[Channel, int]]:
    counts = sandbox().messages.counts()
    return [(channel, counts[channel.id]) for channel in CHANNELS.values()]


def _channel_page(channel: Channel) -> str:
    here = sandbox()
    # The revision first: a message that arrives in between is then fetched again, not missed.
    revision = here.messages.revision
    return render_template(
        "channel.html",
        channel=channel,
        is_member=here.messages.app_is_member(channel),
        messages=here.messages.latest(channel.id),
        revision=revision,
        epoch=here.messages.epoch,
        channels=_channels(),
        banners=here.switches.banners(),
        practising="practise" in request.args,
        **_panel(),
    )


def _panel(refusal: str = "") -> dict[str, Any]:
    switches = sandbox().switches
    return {
        "sections": [
            (title, [switch for switch in SWITCHES.values() if switch.section == section])
            for section, title in SECTIONS
        ],
        "values": switches.values(),
        "on": {switch.key for switch in switches.on()},
        "error_codes": ERROR_CODES,
        "refusal": refusal,
    }


def _panel_or_page(refusal: str = "") -> AnyResponse | tuple[AnyResponse, int]:
    if request.headers.get("X-Wanted") == "panel":
        return jsonify(
            panel=render_template("_panel.html", **_panel(refusal)),
            banner=render_template("_banner.html", banners=sandbox().switches.banners()),
        )
    if refusal:
        return Response(refusal, 422, content_type="text/plain; charset=utf-8")
    return redirect(url_for("pages.workspace", practise=1), 303)
