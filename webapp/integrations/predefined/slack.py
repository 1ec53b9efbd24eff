"""Slack: post to a channel, reply in a thread, update a message.

Endpoints and scopes: https://docs.slack.dev/authentication/installing-with-oauth and
https://docs.slack.dev/reference/methods/chat.postMessage (read November 2026).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from wtforms import RadioField, SelectField, StringField, ValidationError
from wtforms.validators import DataRequired, Length

from webapp.forms import BaseForm, SecretField
from webapp.integrations.predefined.base import ActionTemplate, FieldTemplate, Predefined, Preset
from webapp.integrations.predefined.slack_errors import BY_CODE
from webapp.integrations.settings import Authorization, General

VERSIONS: dict[str, dict[str, str]] = {
    "v2": {"authorization_endpoint": "/oauth/v2/authorize", "token_endpoint": "/api/oauth.v2.access"},
    "v1": {"authorization_endpoint": "/oauth/authorize", "token_endpoint": "/api/oauth.access"},
}
V1_SCOPES = "write channels:read chat:write:bot chat:write:user"


class SlackForm(BaseForm):
    """What only the admin knows about the Slack app."""

    client_id = StringField(
        "Client ID",
        [DataRequired("Enter the Client ID of your Slack app."), Length(max=200)],
        description="On the Slack app’s Basic Information page, under App Credentials. It is not the App ID.",
    )
    client_secret = SecretField("Client Secret", [DataRequired("Enter the Client Secret of your Slack app.")])
    authenticate_as = RadioField(
        "Authenticate as",
        choices={"functional": "Functional user", "task": "Task user"},
        default="functional",
    )
    api_version = SelectField(
        "API version",
        choices={"v2": "v2, for apps made today", "v1": "v1, for classic apps made before June 2024"},
        default="v2",
    )
    base_url = StringField(
        "Base URL",
        [DataRequired("Enter the address of Slack."), Length(max=300)],
        default="https://slack.com",
        description="Leave it for Slack itself. To practise, enter the address of the Slack sandbox.",
    )

    def validate_base_url(self, field: StringField) -> None:
        parts = urlsplit(field.data or "")
        if parts.scheme not in ("http", "https") or not parts.netloc or "@" in parts.netloc:
            raise ValidationError("Start the address with https://, as in https://slack.com.")
        if parts.path not in ("", "/") or parts.query or parts.fragment:
            raise ValidationError("Enter the address without a path, as in https://slack.com.")


class Slack(Predefined):
    """Slack's own rules for the two versions of its OAuth."""

    def authorization(self, answers: Mapping[str, Any]) -> Authorization:
        as_task_user = answers["authenticate_as"] == "task"
        version = answers["api_version"]
        settings: dict[str, Any] = {
            "flow": "authorization_code",
            "authenticate_as": answers["authenticate_as"],
            "client_id": answers["client_id"],
            "provider_host": self.base_url(answers),
            **VERSIONS[version],
            "scopes": V1_SCOPES,
            "extra_parameters": "",
            "token_choice": "bot",
            "token_path": "",
            "client_authentication": "client_secret_post",
            "pkce": "auto",
        }
        if version == "v2":
            # Bot scopes go into `scope`, a person's own scopes into `user_scope`.
            settings["scopes"] = "" if as_task_user else "chat:write"
            if as_task_user:
                settings["token_choice"] = "user"
                settings["extra_parameters"] = json.dumps({"user_scope": "chat:write"})
        return Authorization("oauth_code", settings, {"client_secret": answers["client_secret"]})


_CHANNEL = FieldTemplate(
    "Slack Channel",
    help_text="The channel’s ID (channel name, View details, at the bottom), or its name with #.",
)
_MESSAGE = FieldTemplate(
    "Slack Message", kind="text_area", help_text="What to post. Keep it under 4,000 characters."
)
_THREAD = FieldTemplate(
    "Slack Thread", help_text="The timestamp of the message to reply to, as in 1503435956.000247."
)
_TIMESTAMP = FieldTemplate(
    "Slack Timestamp", help_text="The timestamp of the message to change, as in 1503435956.000247."
)

_SETTINGS: dict[str, Any] = {"cancelable": True, "finish_on_success": True}


def _payload(**fields: FieldTemplate) -> str:
    pairs = [f'"{name}":"{{{{CustomField[\'{field.name}\']}}}}"' for name, field in fields.items()]
    return "{" + ",".join(pairs) + "}"


SLACK = Slack(
    key="slack",
    label="Slack",
    hint="Post messages to channels, as one shared account or as the person who starts the task.",
    icon="brand-slack",
    guide="slack",
    form=SlackForm,
    default_base_url="https://slack.com",
    errors=BY_CODE,
    presets=(
        Preset(
            "Slack (v2)",
            "oauth_code",
            {
                "provider_host": "https://slack.com",
                **VERSIONS["v2"],
                "scopes": "chat:write",
                "token_choice": "bot",
            },
        ),
        Preset(
            "Slack (v1)",
            "oauth_code",
            {
                "provider_host": "https://slack.com",
                **VERSIONS["v1"],
                "scopes": V1_SCOPES,
                "token_choice": "bot",
            },
        ),
    ),
    actions=(
        ActionTemplate(
            key="post",
            label="Post to a channel",
            hint="Sends a message to a channel when the task starts.",
            general=General("Post to a channel", **_SETTINGS),
            path="/api/chat.postMessage",
            body=_payload(channel=_CHANNEL, text=_MESSAGE),
            fields=(_CHANNEL, _MESSAGE),
        ),
        ActionTemplate(
            key="reply",
            label="Reply in a thread",
            hint="Answers an earlier message in its thread.",
            general=General("Reply in a thread", **_SETTINGS),
            path="/api/chat.postMessage",
            body=_payload(channel=_CHANNEL, thread_ts=_THREAD, text=_MESSAGE),
            fields=(_CHANNEL, _THREAD, _MESSAGE),
        ),
        ActionTemplate(
            key="update",
            label="Update a message",
            hint="Changes the text of a message that the same account posted.",
            general=General("Update a message", **_SETTINGS, safe_to_repeat=True),
            path="/api/chat.update",
            body=_payload(channel=_CHANNEL, ts=_TIMESTAMP, text=_MESSAGE),
            fields=(_CHANNEL, _TIMESTAMP, _MESSAGE),
        ),
    ),
)
