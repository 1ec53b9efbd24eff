"""Plain sentences for Slack's errors and for HTTP's."""

from __future__ import annotations

import json
from typing import Any

import pytest

from webapp.integrations.explanations import Answer, Explanation, explain, values_of_body
from webapp.integrations.predefined.slack_errors import BY_CODE, SLACK_ERRORS

VALUES = {"channel": "#general", "text": "Hello"}


def slack(error: str, status: int = 200, headers: dict[str, str] | None = None, **more: Any) -> Explanation:
    text = json.dumps({"ok": False, "error": error, **more})
    found = explain(
        Answer("https://slack.com/api/chat.postMessage", status, headers or {}, text), values=VALUES
    )
    assert found is not None
    return found


@pytest.mark.parametrize("code", sorted(BY_CODE))
def test_every_slack_code_has_a_whole_sentence_a_remedy_and_someone_who_acts(code: str) -> None:
    found = slack(code)
    assert found.code == code
    assert "{" not in found.sentence + found.remedy
    assert found.sentence[0].isupper() or found.sentence.startswith("#general")
    assert found.sentence.rstrip(")").endswith((".", "given"))
    assert found.remedy.endswith(".")
    assert found.who


def test_no_code_stands_in_two_rows() -> None:
    codes = [code for row in SLACK_ERRORS for code in row.codes]
    assert len(codes) == len(set(codes))


def test_sentences_quote_the_request_and_the_answer() -> None:
    assert slack("channel_not_found").sentence == "Slack has no channel #general, or the app cannot see it."
    assert slack("not_in_channel").sentence == "The account that posts is not a member of #general."
    assert slack("msg_too_long").sentence == "The message is too long for Slack (5 characters)."
    assert slack("missing_scope", needed="chat:write", provided="channels:read").sentence == (
        "The sign-in lacks the permission chat:write (it has channels:read)."
    )
    details = {"messages": ["[ERROR] must be more than 0 characters", "second"]}
    assert slack("invalid_blocks", response_metadata=details).sentence == (
        "The payload’s blocks are not valid: [ERROR] must be more than 0 characters; second"
    )


def test_braces_in_quoted_values_are_left_alone() -> None:
    text = '{"ok":false,"error":"channel_not_found"}'
    found = explain(Answer("https://slack.com/x", 200, {}, text), values={"channel": "{code} {0.__class__}"})
    assert found is not None
    assert found.sentence == "Slack has no channel {code} {0.__class__}, or the app cannot see it."


def test_an_unknown_slack_code_is_named() -> None:
    assert slack("brand_new_error").sentence == "Slack answered: brand_new_error."


@pytest.mark.parametrize("code", ["invalid_auth", "token_revoked", "token_expired", "account_inactive"])
def test_codes_that_refuse_the_sign_in_say_so(code: str) -> None:
    assert slack(code).refuses_sign_in


def test_slack_is_known_by_its_host_and_by_its_header() -> None:
    text = '{"ok":false,"error":"is_archived"}'
    for url, headers in (
        ("https://slack.com/api/x", {}),
        ("https://acme.slack.com/api/x", {}),
        ("http://127.0.0.1:5056/api/x", {"x-slack-req-id": "1"}),
    ):
        found = explain(Answer(url, 200, headers, text), values=VALUES)
        assert found is not None
        assert found.sentence == "#general is archived."
    other = explain(Answer("https://notslack.com/api/x", 200, {}, text), values=VALUES)
    assert other is not None
    assert other.sentence == "notslack.com answered “ok”: false (is_archived)."


def test_a_429_of_slack_reads_like_its_code() -> None:
    assert slack("ratelimited", 429, {"retry-after": "30"}) == slack(
        "ratelimited", 200, {"retry-after": "30"}
    )
    assert slack("ratelimited", 429, {"retry-after": "30"}).sentence == "Slack asked to wait 30 s."


def test_html_from_slack_is_its_own_trouble() -> None:
    found = explain(Answer("https://slack.com/api/x", 502, {}, "<html>"), values=VALUES)
    assert found is not None
    assert (found.code, found.may_have_happened) == ("http_502", True)


def test_a_redirect_names_its_target_and_is_not_followed() -> None:
    found = explain(
        Answer("http://api.example.com/x", 301, {"location": "https://api.example.com/x"}, ""), values={}
    )
    assert found is not None
    assert found.sentence == (
        "api.example.com answered with a redirect to https://api.example.com/x (HTTP 301). Redirects are not followed."
    )
    assert found.remedy == "Use the final address as the action’s URL."


@pytest.mark.parametrize("status", [*range(400, 427), 429, 451, *range(500, 506), 599])
def test_every_http_error_has_a_sentence_that_names_it(status: int) -> None:
    found = explain(Answer("https://api.example.com/x", status, {}, ""), values={})
    assert found is not None
    assert f"HTTP {status}" in found.sentence
    assert found.remedy.endswith(".")


def test_a_401_ends_the_sign_in_only_where_it_says_that_the_token_is_bad() -> None:
    bad = {"www-authenticate": 'Bearer error="invalid_token"'}
    found = explain(Answer("https://api.example.com/x", 401, bad, ""), values={})
    plain = explain(Answer("https://api.example.com/x", 401, {}, ""), values={})
    assert found is not None
    assert plain is not None
    assert (found.refuses_sign_in, plain.refuses_sign_in) == (True, False)


@pytest.mark.parametrize(
    ("body", "content_type", "values"),
    [
        ('{"channel":"C1"}', "application/json", {"channel": "C1"}),
        ("channel=C1&text=a+b", "application/x-www-form-urlencoded", {"channel": "C1", "text": "a b"}),
        ("[1]", "application/json", {}),
        ("<x/>", "text/xml", {}),
        (None, "", {}),
    ],
)
def test_values_are_read_from_the_bodies_that_have_names(
    body: str | None, content_type: str, values: dict[str, str]
) -> None:
    assert values_of_body(body, content_type) == values
