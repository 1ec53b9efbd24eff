"""The Web API methods the sandbox knows. A new one is a class in the file of its family and a line here."""

from __future__ import annotations

from slack_sandbox.methods.auth import AuthRevoke, AuthTest
from slack_sandbox.methods.base import Method
from slack_sandbox.methods.chat import ChatGetPermalink, ChatPostMessage, ChatUpdate
from slack_sandbox.methods.conversations import ConversationsList
from slack_sandbox.methods.oauth import OauthAccess, OauthV2Access

METHODS: dict[str, Method] = {
    method.name: method
    for method in (
        AuthRevoke(),
        AuthTest(),
        ChatGetPermalink(),
        ChatPostMessage(),
        ChatUpdate(),
        ConversationsList(),
        OauthAccess(),
        OauthV2Access(),
    )
}
