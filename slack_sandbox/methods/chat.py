"""chat.postMessage, chat.update and chat.getPermalink."""

from __future__ import annotations

from typing import Any

from slack_sandbox.answers import SlackError, rate_limited
from slack_sandbox.calls import Call
from slack_sandbox.content import read_content
from slack_sandbox.grants import Grant
from slack_sandbox.messages import Author, Message
from slack_sandbox.methods.base import Method
from slack_sandbox.sandbox import Sandbox
from slack_sandbox.workspace import CHANNELS, PEOPLE, Channel, channel_named

POSTING_SCOPES = ("chat:write", "chat:write:bot", "chat:write:user", "bot", "post", "client")
LONGEST_UPDATE = 4_000  # characters
PAYLOAD_ARGUMENTS = (
    "blocks", "attachments", "markdown_text", "thread_ts", "reply_broadcast", "unfurl_links", "unfurl_media",
    "username", "icon_emoji", "icon_url", "mrkdwn", "parse", "link_names", "metadata", "as_user", "text",
)  # fmt: skip


class ChatPostMessage(Method):
    """Takes a channel's ID or name. `text` over 40,000 characters is cut, with a warning."""

    name = "chat.postMessage"
    scopes = POSTING_SCOPES

    def carry_out(self, here: Sandbox, call: Call) -> dict[str, Any]:
        grant = call.granted()
        author = _author(here, call, grant)
        channel = _visible_channel(here, grant, channel_named(call.text("channel")))
        if channel.is_archived:
            raise SlackError("is_archived")
        if not here.messages.app_is_member(channel) and "chat:write.public" not in grant.scope:
            raise SlackError("not_in_channel")
        if channel.is_read_only:
            raise SlackError("restricted_action_read_only_channel")
        content = read_content(call)
        if here.switches["rate_limit"]:
            wait = here.posting_limit.wait_before(channel.id)
            if wait:
                raise rate_limited(wait)
        payload = {name: call.arguments[name] for name in PAYLOAD_ARGUMENTS if name in call.arguments}
        if content.truncated:
            call.warnings.append("message_truncated")
            payload["text"] = content.text
        message = here.messages.add(channel.id, content.shown, author, call.request_id, payload)
        return {
            "channel": channel.id,
            "ts": message.ts,
            "message": _shape(here, message, content.text, author.is_legacy_app),
        }


class ChatUpdate(Method):
    """Takes a channel's ID only, and changes only what the same account posted."""

    name = "chat.update"
    scopes = POSTING_SCOPES

    def carry_out(self, here: Sandbox, call: Call) -> dict[str, Any]:
        grant = call.granted()
        channel = _visible_channel(here, grant, CHANNELS.get(call.text("channel")))
        message = here.messages.find(channel.id, call.text("ts"))
        if message is None:
            raise SlackError("message_not_found")
        if message.user_id != _author(here, call, grant).user_id:
            raise SlackError("cant_update_message")
        if channel.is_archived:
            raise SlackError("is_inactive")
        if len(call.text("text")) > LONGEST_UPDATE:
            raise SlackError("msg_too_long")
        content = read_content(call)
        payload = {name: call.arguments[name] for name in PAYLOAD_ARGUMENTS if name in call.arguments}
        changed = here.messages.change(message, content.shown, payload)
        return {
            "channel": channel.id,
            "ts": changed.ts,
            "text": content.text,
            "message": _shape(here, changed, content.text),
        }


class ChatGetPermalink(Method):
    """The link opens this sandbox's own page, where Slack's is on the workspace's host."""

    name = "chat.getPermalink"

    def carry_out(self, here: Sandbox, call: Call) -> dict[str, Any]:
        channel = _visible_channel(here, call.granted(), CHANNELS.get(call.text("channel")))
        message = here.messages.find(channel.id, call.text("message_ts"))
        if message is None:
            raise SlackError("message_not_found")
        link = f"{call.root}archives/{channel.id}/{message.anchor}"
        thread = message.payload.get("thread_ts")
        if thread:
            link += f"?thread_ts={thread}&cid={channel.id}"
        return {"channel": channel.id, "permalink": link}


def _visible_channel(here: Sandbox, grant: Grant, channel: Channel | None) -> Channel:
    """A private channel that the app was not invited to does not exist for it."""
    if channel is None or (channel.is_private and not here.messages.app_is_member(channel)):
        raise SlackError("channel_not_found")
    return channel


def _author(here: Sandbox, call: Call, grant: Grant) -> Author:
    """Who the message is from. A v1 user token posts as the app unless `as_user` asks for the person.

    Tokens of the current kind can't choose: they are the bot or the person, and `as_user` is refused.
    """
    as_user = call.flag("as_user")
    if as_user and not grant.is_legacy:
        raise SlackError("as_user_not_supported")
    settings = here.settings
    if grant.kind == "bot":
        return Author(settings.bot_user_id, settings.app_name, is_app=True)
    person = PEOPLE[grant.person_id]
    if grant.is_legacy and not as_user and "chat:write:bot" in grant.scope:
        name = call.text("username") or settings.app_name
        return Author(settings.bot_user_id, name, is_app=True, is_legacy_app=True)
    if as_user and not {"chat:write:user", "post", "client"} & set(grant.scope):
        raise SlackError("missing_scope", needed="chat:write:user", provided=",".join(grant.scope))
    return Author(person.id, person.name, is_app=False)


def _shape(here: Sandbox, message: Message, text: str, is_legacy_app: bool = False) -> dict[str, Any]:
    settings = here.settings
    shape: dict[str, Any] = {"type": "message", "ts": message.ts, "text": text, "team": settings.team_id}
    if is_legacy_app:
        shape |= {"subtype": "bot_message", "username": message.username, "bot_id": settings.bot_id}
    elif message.is_app:
        shape |= {"user": message.user_id, "bot_id": settings.bot_id, "app_id": settings.app_id}
        shape["bot_profile"] = {
            "id": settings.bot_id,
            "app_id": settings.app_id,
            "name": settings.app_name,
            "team_id": settings.team_id,
            "deleted": False,
        }
    else:
        shape["user"] = message.user_id
    given = {
        name: message.payload[name]
        for name in ("blocks", "attachments", "thread_ts")
        if message.payload.get(name)
    }
    if message.edited:
        given["edited"] = {"user": message.user_id, "ts": message.ts}
    return shape | given
