"""conversations.list."""

from __future__ import annotations

import base64
import binascii
from typing import Any

from slack_sandbox.answers import SlackError
from slack_sandbox.calls import Call
from slack_sandbox.methods.base import Method
from slack_sandbox.sandbox import Sandbox
from slack_sandbox.workspace import CHANNELS, PEOPLE, Channel

CREATED = 1_700_000_000  # Unix seconds
MOST = 1000
SCOPE_BY_TYPE = {
    "public_channel": "channels:read",
    "private_channel": "groups:read",
    "im": "im:read",
    "mpim": "mpim:read",
}


class ConversationsList(Method):
    """Private channels appear only where the app is a member, and need groups:read."""

    name = "conversations.list"
    scopes = ("channels:read", "groups:read", "read", "client")

    def carry_out(self, here: Sandbox, call: Call) -> dict[str, Any]:
        types = [name.strip() for name in (call.text("types") or "public_channel").split(",")]
        if not set(types) <= set(SCOPE_BY_TYPE):
            raise SlackError("invalid_types")
        scope = call.granted().scope
        for name in types:
            if not {SCOPE_BY_TYPE[name], "read", "client"} & set(scope):
                raise SlackError("missing_scope", needed=SCOPE_BY_TYPE[name], provided=",".join(scope))
        channels = [
            channel
            for channel in CHANNELS.values()
            if ("private_channel" if channel.is_private else "public_channel") in types
            and (here.messages.app_is_member(channel) or not channel.is_private)
            and not (channel.is_archived and call.flag("exclude_archived"))
        ]
        limit, offset = _limit(call), _offset(call, len(channels))
        end = offset + limit
        following = base64.b64encode(f"offset:{end}".encode()).decode() if end < len(channels) else ""
        return {
            "channels": [_shown(here, channel) for channel in channels[offset:end]],
            "response_metadata": {"next_cursor": following},
        }


def _limit(call: Call) -> int:
    given = call.text("limit") or "100"
    if not given.isdecimal() or not 1 <= int(given) <= MOST:
        raise SlackError("invalid_limit")
    return int(given)


def _offset(call: Call, count: int) -> int:
    cursor = call.text("cursor")
    if not cursor:
        return 0
    try:
        word, _, number = base64.b64decode(cursor, validate=True).decode().partition(":")
        offset = int(number)
    except (binascii.Error, ValueError):
        raise SlackError("invalid_cursor") from None
    if word != "offset" or not 0 <= offset < count:
        raise SlackError("invalid_cursor")
    return offset


def _shown(here: Sandbox, channel: Channel) -> dict[str, Any]:
    creator = next(reversed(PEOPLE))
    return {
        "id": channel.id,
        "name": channel.name,
        "name_normalized": channel.name,
        "is_channel": not channel.is_private,
        "is_group": channel.is_private,
        "is_im": False,
        "is_mpim": False,
        "is_private": channel.is_private,
        "is_archived": channel.is_archived,
        "is_general": False,
        "is_shared": False,
        "is_ext_shared": False,
        "is_org_shared": False,
        "is_member": here.messages.app_is_member(channel),
        "created": CREATED,
        "creator": creator,
        "topic": {"value": channel.topic, "creator": creator, "last_set": CREATED},
        "purpose": {"value": "", "creator": "", "last_set": 0},
        "num_members": len(PEOPLE),
    }
