"""chat.*, conversations.list and auth.test: shapes, error codes, warnings and the posting limit."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient

from slack_sandbox.limits import BURST, PostingLimit
from slack_sandbox.sandbox import Sandbox

Post = Callable[..., Any]
OPS = "C024BE91L"


def test_a_posted_message_is_answered_in_slacks_shape(post: Post, here: Sandbox) -> None:
    answer = post(text="Failover has started")
    ts = answer["ts"]
    assert answer == {
        "ok": True,
        "channel": OPS,
        "ts": ts,
        "message": {
            "type": "message",
            "ts": ts,
            "text": "Failover has started",
            "team": "T9TK3CUKW",
            "user": "U0KRQLJ9H",
            "bot_id": "B0KRD7HC3",
            "app_id": "A0KRD7HC3",
            "bot_profile": {
                "id": "B0KRD7HC3",
                "app_id": "A0KRD7HC3",
                "name": "Runsheet",
                "team_id": "T9TK3CUKW",
                "deleted": False,
            },
        },
    }
    assert [message.text for message in here.messages.every()] == ["Failover has started"]


def test_the_answer_carries_slacks_headers(client: FlaskClient, bot_token: str, here: Sandbox) -> None:
    response = client.post(
        "/api/chat.postMessage",
        json={"channel": OPS, "text": "hi"},
        headers={"Authorization": f"Bearer {bot_token}"},
    )
    assert response.headers["Content-Type"] == "application/json; charset=utf-8"
    assert response.headers["x-oauth-scopes"] == "chat:write"
    assert response.headers["x-accepted-oauth-scopes"] == "chat:write"
    assert response.headers["x-slack-req-id"] == here.messages.every()[0].request_id


@pytest.mark.parametrize(
    ("channel", "error"),
    [
        (OPS, None),
        ("#dr-war-room", None),
        ("payments-ops", None),
        ("#nowhere", "channel_not_found"),
        ("", "channel_not_found"),
        ("#exec-crisis", "channel_not_found"),
        ("#vendor-desk", "not_in_channel"),
        ("#old-ops", "is_archived"),
        ("#announcements", "restricted_action_read_only_channel"),
    ],
)
def test_each_channel_has_its_own_refusal(post: Post, channel: str, error: str | None) -> None:
    assert post(channel).get("error") == error


def test_an_invited_app_may_post_and_one_with_the_public_scope_need_not_be(post: Post, here: Sandbox) -> None:
    public = here.grants.mint("bot", 2, "U061F7AUR", ("chat:write", "chat:write.public")).access_token
    assert post("#vendor-desk", token=public)["ok"] is True
    assert post("#exec-crisis", token=public)["error"] == "channel_not_found"
    for channel in ("C0NOTIN55", "C0PRIVATE8"):
        here.store.write("INSERT INTO memberships VALUES (?, 1)", channel)
        assert post(channel)["ok"] is True


@pytest.mark.parametrize(
    ("headers", "body", "error"),
    [
        ({"Content-Type": "application/json"}, "{", "invalid_json"),
        ({"Content-Type": "application/json"}, "[]", "json_not_object"),
        ({"Content-Type": "application/json; charset=latin-1"}, "{}", "invalid_charset"),
        ({"Content-Type": "text/plain"}, "{}", "invalid_post_type"),
        ({}, "{}", "missing_post_type"),
    ],
)
def test_a_body_slack_does_not_read_is_refused(
    client: FlaskClient, bot_token: str, headers: dict[str, str], body: str, error: str
) -> None:
    response = client.post(
        "/api/chat.postMessage", data=body, headers={"Authorization": f"Bearer {bot_token}", **headers}
    )
    assert (response.status_code, response.get_json()["error"]) == (200, error)


def test_json_without_a_charset_is_warned_about(client: FlaskClient, bot_token: str) -> None:
    answer = client.post(
        "/api/chat.postMessage",
        data=json.dumps({"channel": OPS, "text": "hi"}),
        content_type="application/json",
        headers={"Authorization": f"Bearer {bot_token}"},
    ).get_json()
    assert answer["warning"] == "missing_charset"
    assert answer["response_metadata"] == {"warnings": ["missing_charset"]}


def test_a_form_may_carry_the_token_and_json_may_not(client: FlaskClient, bot_token: str) -> None:
    sent = {"channel": OPS, "text": "hi", "token": bot_token}
    assert client.post("/api/chat.postMessage", data=sent).get_json()["ok"] is True
    assert client.post("/api/chat.postMessage", json=sent).get_json()["error"] == "not_authed"


def test_tokens_are_told_apart(post: Post, here: Sandbox) -> None:
    reader = here.grants.mint("user", 2, "U061F7AUR", ("channels:read",)).access_token
    assert post(token="xoxb-made-up")["error"] == "invalid_auth"
    assert post(token=reader) == {
        "ok": False,
        "error": "missing_scope",
        "needed": "chat:write",
        "provided": "channels:read",
    }
    here.grants.revoke_all()
    assert post(token=reader)["error"] == "token_revoked"


def test_who_a_message_is_from_follows_the_token(post: Post, here: Sandbox) -> None:
    def token(version: int, *scope: str) -> str:
        return here.grants.mint("user", version, "U0RUNE4JK", scope).access_token

    guide = token(1, "chat:write:bot", "chat:write:user")
    as_app = post(token=guide)["message"]
    assert (as_app["subtype"], as_app["username"], as_app["bot_id"]) == (
        "bot_message",
        "Runsheet",
        "B0KRD7HC3",
    )
    assert post(token=guide, as_user=True)["message"]["user"] == "U0RUNE4JK"
    assert post(token=token(1, "chat:write:user"))["message"]["user"] == "U0RUNE4JK"
    assert post(token=token(1, "chat:write:bot"), as_user=True)["needed"] == "chat:write:user"
    assert post(token=token(2, "chat:write"))["message"]["user"] == "U0RUNE4JK"
    assert post(token=token(2, "chat:write"), as_user=True)["error"] == "as_user_not_supported"
    assert [(message.username, message.is_app) for message in here.messages.every()] == [
        ("Runsheet", True),
        ("Rune", False),
        ("Rune", False),
        ("Rune", False),
    ]


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"text": ""}, "no_text"),
        ({"text": "  "}, "no_text"),
        ({"text": "a", "markdown_text": "b"}, "markdown_text_conflict"),
        ({"text": "", "markdown_text": "b" * 12_001}, "msg_too_long"),
        ({"text": "", "blocks": "[{"}, "invalid_blocks_format"),
        ({"text": "", "blocks": {"type": "section"}}, "invalid_blocks_format"),
        ({"text": "", "blocks": ["section"]}, "invalid_blocks"),
        ({"text": "", "blocks": [{"text": "no type"}]}, "invalid_blocks"),
        ({"text": "", "blocks": [{"type": "divider"}] * 51}, "invalid_blocks"),
        ({"text": "", "attachments": [{"text": "a"}] * 101}, "too_many_attachments"),
    ],
)
def test_a_message_without_proper_content_is_refused(
    post: Post, here: Sandbox, arguments: dict[str, Any], error: str
) -> None:
    assert post(**arguments)["error"] == error
    assert here.messages.every() == []


def test_blocks_alone_are_a_message(post: Post, here: Sandbox) -> None:
    blocks = [
        {"type": "header", "text": {"type": "plain_text", "text": "Failover"}},
        {"type": "divider"},
        {"type": "section", "fields": [{"type": "mrkdwn", "text": "*Region* B"}]},
    ]
    assert post(text="", blocks=blocks)["message"]["blocks"] == blocks
    assert here.messages.every()[0].text == "Failover\n*Region* B"


def test_a_text_over_40000_characters_is_cut_with_a_warning(post: Post) -> None:
    answer = post(text="x" * 40_001)
    assert (answer["ok"], answer["warning"], len(answer["message"]["text"])) == (
        True,
        "message_truncated",
        40_000,
    )


def test_a_lone_surrogate_is_stored_rather_than_breaking_the_answer(post: Post, here: Sandbox) -> None:
    assert post(text="a\ud800b")["ok"] is True
    assert here.messages.every()[0].text == "a?b"


def test_the_posting_limit_allows_a_burst_and_then_one_a_second() -> None:
    now = [100.0]
    limit = PostingLimit(clock=lambda: now[0])
    assert [limit.wait_before("C1") for _ in range(BURST + 1)] == [0] * BURST + [1]
    assert limit.wait_before("C2") == 0
    now[0] += 1
    assert [limit.wait_before("C1") for _ in range(2)] == [0, 1]


def test_a_burst_is_answered_429_with_retry_after(client: FlaskClient, bot_token: str, here: Sandbox) -> None:
    here.switches.set({"rate_limit": True})
    responses = [
        client.post(
            "/api/chat.postMessage",
            json={"channel": OPS, "text": "hi"},
            headers={"Authorization": f"Bearer {bot_token}"},
        )
        for _ in range(BURST + 1)
    ]
    assert [response.status_code for response in responses] == [200] * BURST + [429]
    assert responses[-1].headers["Retry-After"] == "1"
    assert responses[-1].get_json()["error"] == "ratelimited"
    assert len(here.messages.every()) == BURST


def test_an_update_changes_the_text_and_says_edited(post: Post, call: Post, here: Sandbox) -> None:
    ts = post()["ts"]
    answer = call("chat.update", {"channel": OPS, "ts": ts, "text": "Failover is done"})
    assert (answer["ok"], answer["ts"], answer["text"]) == (True, ts, "Failover is done")
    assert [(message.text, message.edited) for message in here.messages.every()] == [
        ("Failover is done", True)
    ]


def test_an_update_is_refused_for_names_strangers_and_long_texts(
    post: Post, call: Post, here: Sandbox
) -> None:
    ts = post()["ts"]
    rune = here.grants.mint("user", 2, "U0RUNE4JK", ("chat:write",)).access_token

    def update(token: str | None = None, **changes: str) -> Any:
        sent = {"channel": OPS, "ts": ts, "text": "changed", **changes}
        return call("chat.update", sent, **({"token": token} if token else {}))["error"]

    assert update(channel="#ops-runbooks") == "channel_not_found"
    assert update(ts="1.000001") == "message_not_found"
    assert update(text="x" * 4_001) == "msg_too_long"
    assert update(text="") == "no_text"
    assert update(token=rune) == "cant_update_message"


def test_a_permalink_leads_to_the_message(post: Post, call: Post, client: FlaskClient) -> None:
    ts = post()["ts"]
    answer = call("chat.getPermalink", {"channel": OPS, "message_ts": ts})
    anchor = "p" + ts.replace(".", "")
    assert answer == {
        "ok": True,
        "channel": OPS,
        "permalink": f"http://localhost/archives/{OPS}/{anchor}",
    }
    assert client.get(answer["permalink"]).headers["Location"] == f"/channels/{OPS}#{anchor}"
    assert call("chat.getPermalink", {"channel": OPS, "message_ts": "1.0"})["error"] == "message_not_found"


def test_a_reply_keeps_its_thread(post: Post, call: Post) -> None:
    parent = post()["ts"]
    reply = post(thread_ts=parent)
    assert reply["message"]["thread_ts"] == parent
    link = call("chat.getPermalink", {"channel": OPS, "message_ts": reply["ts"]})["permalink"]
    assert link.endswith(f"?thread_ts={parent}&cid={OPS}")


def test_auth_test_names_the_bot_or_the_person(call: Post, here: Sandbox) -> None:
    team = {
        "ok": True,
        "url": "http://localhost/",
        "team": "Slack sandbox",
        "team_id": "T9TK3CUKW",
        "is_enterprise_install": False,
    }
    assert call("auth.test", {}) == team | {
        "user": "runsheet",
        "user_id": "U0KRQLJ9H",
        "bot_id": "B0KRD7HC3",
    }
    rune = here.grants.mint("user", 2, "U0RUNE4JK", ("chat:write",)).access_token
    assert call("auth.test", {}, token=rune) == team | {"user": "rune", "user_id": "U0RUNE4JK"}


def test_conversations_are_listed_page_by_page(call: Post, here: Sandbox) -> None:
    reader = here.grants.mint("bot", 2, "U061F7AUR", ("channels:read",)).access_token

    def listed(**arguments: Any) -> Any:
        return call("conversations.list", arguments, token=reader)

    names = [channel["name"] for channel in listed()["channels"]]
    assert names == ["ops-runbooks", "dr-war-room", "payments-ops", "announcements", "vendor-desk", "old-ops"]
    first = listed(limit=4, exclude_archived=True)
    second = listed(limit=4, exclude_archived=True, cursor=first["response_metadata"]["next_cursor"])
    assert [channel["name"] for channel in first["channels"] + second["channels"]] == names[:5]
    assert second["response_metadata"] == {"next_cursor": ""}
    assert [listed(**wrong)["error"] for wrong in ({"cursor": "?"}, {"limit": 0}, {"types": "x"})] == [
        "invalid_cursor",
        "invalid_limit",
        "invalid_types",
    ]
    assert listed(types="private_channel")["needed"] == "groups:read"


def test_an_unknown_method_is_named(call: Post) -> None:
    assert call("chat.shout", {}) == {"ok": False, "error": "unknown_method", "req_method": "chat.shout"}
