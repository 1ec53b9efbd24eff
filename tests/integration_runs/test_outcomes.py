"""How exchanges are judged, and which are tried again by themselves."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from webapp.http import Answered, MaybeSent, NotSent, Outcome
from webapp.integration_runs.modes import MODES
from webapp.integration_runs.outcomes import Rules, Verdict, text_of, verdict_of, wait_before
from webapp.integration_runs.states import RunEvent

MOMENT = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
BODY = '{"channel":"#general","text":"Hello"}'
JSON = {"Content-Type": "application/json"}


def answered(status: int, body: bytes = b"", truncated: bool = False, **headers: str) -> Answered:
    return Answered(
        status, {name.replace("_", "-"): value for name, value in headers.items()}, body, truncated, 12
    )


USUAL = Rules()


def judged(outcome: Outcome, rules: Rules = USUAL, url: str = "https://api.example.com/x") -> Verdict:
    mode = MODES["fire_and_forget"]
    return verdict_of(
        outcome,
        rules,
        lambda found: mode.judge(found, url=url, body=BODY, headers=JSON, rules=rules),
        moment=MOMENT,
        chance=lambda: 0.5,
    )


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_any_2xx_is_a_success(status: int) -> None:
    assert judged(answered(status)).event is RunEvent.SUCCEED


def test_ok_false_is_a_failure_unless_the_action_says_otherwise() -> None:
    no = answered(200, b'{"ok":false,"error":"channel_not_found"}')
    assert judged(no).event is RunEvent.FAIL
    assert judged(no, Rules(ok_false_fails=False)).event is RunEvent.SUCCEED


@pytest.mark.parametrize(
    "body", [b'{"ok":0}', b'{"ok":null}', b'[{"ok":false}]', b"not json", b'{"ok":"false"}']
)
def test_only_an_ok_that_is_exactly_false_counts(body: bytes) -> None:
    assert judged(answered(200, body)).event is RunEvent.SUCCEED


@pytest.mark.parametrize(
    ("status", "event"),
    [
        (301, RunEvent.FAIL),
        (400, RunEvent.FAIL),
        (401, RunEvent.FAIL),
        (403, RunEvent.FAIL),
        (404, RunEvent.FAIL),
        (408, RunEvent.DEFER),
        (409, RunEvent.FAIL),
        (413, RunEvent.FAIL),
        (418, RunEvent.FAIL),
        (422, RunEvent.FAIL),
        (425, RunEvent.DEFER),
        (429, RunEvent.DEFER),
        (500, RunEvent.LOSE),
        (501, RunEvent.FAIL),
        (502, RunEvent.LOSE),
        (503, RunEvent.FAIL),
        (504, RunEvent.LOSE),
    ],
)
def test_each_status_is_a_no_a_perhaps_or_a_later(status: int, event: RunEvent) -> None:
    assert judged(answered(status)).event is event


def test_503_is_tried_again_where_it_says_when() -> None:
    found = judged(answered(503, retry_after="7"))
    assert (found.event, found.attempt_event) == (RunEvent.DEFER, RunEvent.FAIL)
    assert found.wait_s == 7.5


def test_retry_after_is_obeyed_as_a_date_too() -> None:
    later = format_datetime(MOMENT + timedelta(seconds=90), usegmt=True)
    assert judged(answered(429, retry_after=later)).wait_s == 90.5


def test_a_wait_of_more_than_an_hour_is_left_to_people() -> None:
    found = judged(answered(429, retry_after="7200"))
    assert found.event is RunEvent.FAIL
    assert "longer than an hour" in found.sentence


@pytest.mark.parametrize("odd", ["soon", "-5", "1.5.2", "²"])
def test_an_odd_retry_after_is_taken_for_none(odd: str) -> None:
    assert judged(answered(429, retry_after=odd)).wait_s == 2.0


def test_waits_grow_and_are_jittered() -> None:
    assert [wait_before(repeat, lambda: 0.5) for repeat in range(1, 6)] == [2, 4, 8, 16, 32]
    assert (wait_before(1, lambda: 0.0), wait_before(1, lambda: 1.0)) == (1.5, 2.5)


def test_after_five_repeats_it_fails_and_says_so() -> None:
    found = judged(answered(429), Rules(repeats=5))
    assert found.event is RunEvent.FAIL
    assert found.sentence == (
        "api.example.com asked to slow down (HTTP 429). It was tried again 5 times by itself."
    )


def test_what_was_never_sent_is_tried_again_where_that_may_help() -> None:
    refused = NotSent("connection_refused", "x.test refused the connection.", "Check it.", 3, True)
    blocked = NotSent("address_blocked", "x.test is not a public address.", "Allow it.", 3, False)
    assert judged(refused).event is RunEvent.DEFER
    assert judged(refused).sentence == (
        "x.test refused the connection. It is tried again by itself in 2 s (repeat 1 of 5)."
    )
    assert judged(blocked).event is RunEvent.FAIL


def test_what_may_have_arrived_is_repeated_only_where_that_is_safe() -> None:
    lost = MaybeSent("timeout", "No answer.", "Look.", 30_000)
    assert judged(lost).event is RunEvent.LOSE
    safe = judged(lost, Rules(safe_to_repeat=True))
    assert (safe.event, safe.attempt_event) == (RunEvent.DEFER, RunEvent.LOSE)
    assert judged(answered(500), Rules(safe_to_repeat=True)).event is RunEvent.DEFER
    assert judged(lost, Rules(safe_to_repeat=True, repeats=5)).event is RunEvent.LOSE


def test_slacks_rate_limit_is_tried_again_in_a_200_as_well() -> None:
    body = b'{"ok":false,"error":"ratelimited"}'
    found = judged(answered(200, body, retry_after="3"), url="https://slack.com/api/chat.postMessage")
    assert found.event is RunEvent.DEFER
    assert found.sentence == "Slack asked to wait 3 s. It is tried again by itself in 4 s (repeat 1 of 5)."
    assert (found.remedy, found.who) == ("Nothing needs to be done.", "nobody")


def test_other_slack_errors_are_not_tried_again() -> None:
    body = b'{"ok":false,"error":"channel_not_found"}'
    assert judged(answered(200, body), url="https://slack.com/api/x").event is RunEvent.FAIL


def test_slacks_own_trouble_is_unknown() -> None:
    body = b'{"ok":false,"error":"internal_error"}'
    assert judged(answered(200, body), url="https://slack.com/api/x").event is RunEvent.LOSE
    assert judged(answered(500, b"<html>"), url="https://slack.com/api/x").event is RunEvent.LOSE


def test_an_answer_that_was_cut_says_so() -> None:
    assert judged(answered(200, b"x", truncated=True)).sentence == (
        "The other system accepted it (HTTP 200). "
        "Its answer was larger than what is read, so only the start of it was kept."
    )


@pytest.mark.parametrize(
    ("body", "event"),
    [
        (b'{"ok": false, "error": "nope", "log": "aaaa', RunEvent.FAIL),
        (b'{"log": ["x", {"ok": true}], "ok":false,', RunEvent.FAIL),
        (b'{"ok": true, "log": {"ok": false, "more": "aaaa', RunEvent.SUCCEED),
        (b'{"log": "\\"ok\\": false, aaaa', RunEvent.SUCCEED),
        (b'{"log": "aaaa", "ok": fal', RunEvent.SUCCEED),
        (b'{"a\\q": 1, "ok": false, "log": "a', RunEvent.SUCCEED),
        (b'[{"ok": false}, "aaaa', RunEvent.SUCCEED),
        (b'"ok": false, "aaaa', RunEvent.SUCCEED),
    ],
)
def test_a_no_at_the_start_of_an_answer_that_was_cut_is_a_no(body: bytes, event: RunEvent) -> None:
    assert judged(answered(200, body, truncated=True)).event is event


def test_a_cut_no_of_slack_is_explained_by_its_code() -> None:
    cut = answered(200, b'{"ok":false,"error":"not_in_channel","log":"aaaa', truncated=True)
    assert judged(cut, url="https://slack.com/api/chat.postMessage").code == "not_in_channel"


def test_an_answer_that_is_nested_too_deeply_to_read_is_only_a_2xx() -> None:
    verdict = judged(answered(200, b"[" * 200_000))
    assert (verdict.event, verdict.code) == (RunEvent.SUCCEED, "http_200")


@pytest.mark.parametrize(
    ("content_type", "body", "text"),
    [
        ("application/json", "zażółć".encode(), "zażółć"),
        ("text/plain; charset=iso-8859-2", "zażółć".encode("iso-8859-2"), "zażółć"),
        ('text/plain; charset="utf-8"; x=1', b"a", "a"),
        ("text/plain; charset=klingon", b"a", "a"),
        ("", b"a\x00b\xff", "a\ufffdb\ufffd"),
    ],
)
def test_bodies_are_read_in_their_charset_and_never_fail(content_type: str, body: bytes, text: str) -> None:
    assert text_of(answered(200, body, content_type=content_type)) == text
