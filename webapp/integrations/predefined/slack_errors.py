"""Slack's error codes in plain words: what happened, what to do, who does it.

Codes: https://docs.slack.dev/reference/methods/chat.postMessage and .../chat.update (read November 2026). Placeholders:
{channel} and {length} come from the request, {needed}, {provided} and {details} from the answer, {code} is the code.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class SlackError:
    """One row of words for several codes.

    `may_have_happened`: the message may stand in the channel all the same. `repeatable`: nothing was posted, and the
    same request may go through later. `refuses_sign_in`: the token is no longer good.
    """

    codes: tuple[str, ...]
    sentence: str
    remedy: str
    who: str
    may_have_happened: bool = False
    repeatable: bool = False
    refuses_sign_in: bool = False


EDITOR, TASK_USER, ADMIN, SLACK_ADMIN = "runbook editor", "task user", "integration admin", "Slack admin"

SLACK_ERRORS: tuple[SlackError, ...] = (
    SlackError(
        ("channel_not_found",),
        "Slack has no channel {channel}, or the app cannot see it.",
        "Use the channel ID (in Slack: channel name, View details, at the bottom); for a private channel invite the app.",
        EDITOR,
    ),
    SlackError(
        ("not_in_channel",),
        "The account that posts is not a member of {channel}.",
        "In Slack type /invite and the app’s name in that channel, then retry.",
        TASK_USER,
    ),
    SlackError(
        ("is_archived",),
        "{channel} is archived.",
        "Choose another channel or unarchive it.",
        TASK_USER,
    ),
    SlackError(
        ("no_text",),
        "The message is empty.",
        "Fill in the field that holds the message, such as “Slack Message”.",
        TASK_USER,
    ),
    SlackError(
        (
            "msg_too_long",
            "msg_blocks_too_long",
            "too_many_attachments",
            "attachment_payload_limit_exceeded",
            "metadata_too_large",
        ),
        "The message is too long for Slack ({length} characters).",
        "Keep it under 4,000.",
        TASK_USER,
    ),
    SlackError(
        (
            "invalid_blocks",
            "invalid_blocks_format",
            "markdown_text_conflict",
            "invalid_metadata_format",
            "invalid_metadata_schema",
        ),
        "The payload’s blocks are not valid: {details}",
        "Correct the payload in the action’s Request tab.",
        ADMIN,
    ),
    SlackError(
        (
            "restricted_action",
            "restricted_action_read_only_channel",
            "restricted_action_thread_only_channel",
            "restricted_action_non_threadable_channel",
            "restricted_action_thread_locked",
            "ekm_access_denied",
            "messages_tab_disabled",
            "app_access_restricted",
        ),
        "Slack’s workspace settings do not let this account post there.",
        "Ask a Slack admin, or use another channel.",
        SLACK_ADMIN,
    ),
    SlackError(
        ("not_authed",),
        "No token was sent.",
        "Press Authenticate.",
        "integration admin or task user",
    ),
    SlackError(
        (
            "invalid_auth",
            "token_revoked",
            "token_expired",
            "account_inactive",
            "invalid_token",
            "two_factor_setup_required",
        ),
        "Slack no longer accepts the stored sign-in.",
        "Press Authenticate again, then retry.",
        "whoever signed in",
        refuses_sign_in=True,
    ),
    SlackError(
        ("missing_scope",),
        "The sign-in lacks the permission {needed} (it has {provided}).",
        "Add it to Scopes and to the Slack app, then authenticate again.",
        ADMIN,
    ),
    SlackError(
        ("not_allowed_token_type", "as_user_not_supported", "is_bot", "no_permission"),
        "This kind of token cannot do that (bot or user).",
        "Choose the other token under Token to use, then authenticate again.",
        ADMIN,
    ),
    SlackError(
        ("ratelimited", "rate_limited", "message_limit_exceeded"),
        "Slack asked to wait{wait}.",
        "Wait a while, then retry.",
        TASK_USER,
        repeatable=True,
    ),
    SlackError(
        (
            "invalid_json",
            "json_not_object",
            "invalid_form_data",
            "invalid_post_type",
            "missing_post_type",
            "invalid_charset",
            "invalid_arg_name",
            "invalid_array_arg",
            "invalid_arguments",
            "unknown_method",
            "method_deprecated",
            "deprecated_endpoint",
        ),
        "Slack could not read the request.",
        "Check URL, headers and payload of the action.",
        ADMIN,
    ),
    SlackError(
        (
            "fatal_error",
            "internal_error",
            "service_unavailable",
            "request_timeout",
            "team_added_to_org",
            "org_login_required",
        ),
        "Slack had a problem; the message may or may not have been posted.",
        "Look in the channel before you send it again.",
        TASK_USER,
        may_have_happened=True,
    ),
    SlackError(
        ("access_denied", "accesslimited", "enterprise_is_restricted", "team_not_found"),
        "Slack refuses this from here (network or enterprise rules).",
        "Ask a Slack admin to allow it.",
        SLACK_ADMIN,
    ),
    SlackError(
        ("cant_update_message", "edit_window_closed", "message_not_found", "block_mismatch", "is_inactive"),
        "Slack cannot change that message: it is not there, not this account’s, or too old.",
        "Check channel and message timestamp, and that the same account posted it.",
        TASK_USER,
    ),
)

OTHER = SlackError(
    (), "Slack answered: {code}.", "Look the code up in Slack’s list of errors for this method.", ADMIN
)
SERVER_ERROR = next(each for each in SLACK_ERRORS if "fatal_error" in each.codes)

BY_CODE: dict[str, SlackError] = {code: each for each in SLACK_ERRORS for code in each.codes}
