"""The scopes each OAuth version knows, and each in words for the consent page."""

from __future__ import annotations

LEGACY_SCOPES = {
    "identify": "See who you are",
    "write": "Do what you can do, in your name",
    "read": "Read what you can read",
    "post": "Post messages in your name",
    "client": "Act as your client",
    "bot": "Add a bot user with the app's name",
    "commands": "Add slash commands",
    "channels:read": "See the names and topics of public channels",
    "channels:write": "Create and change public channels in your name",
    "channels:history": "Read messages in public channels",
    "groups:read": "See the names and topics of your private channels",
    "groups:write": "Change your private channels in your name",
    "chat:write:bot": "Post messages as the app",
    "chat:write:user": "Post messages in your name",
    "users:read": "See the people of the workspace",
    "team:read": "See the workspace's name",
}

BOT_SCOPES = {
    "chat:write": "Post messages as the app, in channels it is a member of",
    "chat:write.public": "Post messages as the app in public channels it has not joined",
    "chat:write.customize": "Post under another name and picture",
    "channels:read": "See the names and topics of public channels",
    "channels:manage": "Create and change public channels",
    "channels:join": "Join public channels",
    "channels:history": "Read messages in public channels the app is a member of",
    "groups:read": "See private channels the app is a member of",
    "groups:write": "Change private channels the app is a member of",
    "groups:history": "Read messages in private channels the app is a member of",
    "commands": "Add shortcuts and slash commands",
    "reactions:read": "See emoji reactions",
    "reactions:write": "Add and change emoji reactions",
    "files:write": "Upload and change files",
    "users:read": "See the people of the workspace",
    "users:read.email": "See people's email addresses",
    "team:read": "See the workspace's name",
}

USER_SCOPES = {
    "chat:write": "Post messages in your name",
    "channels:read": "See the names and topics of public channels",
    "channels:write": "Create and change public channels in your name",
    "channels:history": "Read messages in your public channels",
    "groups:read": "See the names and topics of your private channels",
    "groups:write": "Change your private channels in your name",
    "groups:history": "Read messages in your private channels",
    "reactions:read": "See emoji reactions",
    "reactions:write": "Add and change your emoji reactions",
    "files:write": "Upload and change files in your name",
    "users:read": "See the people of the workspace",
    "users:read.email": "See people's email addresses",
    "team:read": "See the workspace's name",
}

# What the guide's app has.
APP_BOT_SCOPES = ("chat:write",)
APP_USER_SCOPES = ("channels:read", "channels:write", "chat:write")
