"""What is taken out of texts, headers and log records, and what is left alone."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from urllib.parse import quote, urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from webapp.redaction import HIDDEN, RedactingFilter, redact, redact_headers

BOT_TOKEN = "-".join(("xoxb", "17653672481", "19874698323", "pdFZKVeTuE8sk7oOcBrzbqgy"))
WEBHOOK = "https://hooks.slack.com/services/" + "/".join(("T00000000", "B00000000", "abcdefghijklmnop"))


@pytest.mark.parametrize(
    ("text", "redacted"),
    [
        (f'{{"access_token":"{BOT_TOKEN}","ok":true}}', '{"access_token":"[hidden]","ok":true}'),
        ("Authorization: Bearer eyJhbGciOi.abc.def", "Authorization: [hidden]"),
        ("authorization: Basic YWxhZGRpbjpvcGVuc2VzYW1l\nHost: a", "authorization: [hidden]\nHost: a"),
        (
            "POST /api/oauth.access?client_id=1&client_secret=e1b9e11dfcd19&code=4724469134.46440",
            "POST /api/oauth.access?client_id=1&client_secret=[hidden]&code=[hidden]",
        ),
        ("xoxe.xoxp-1-Mi0yLTg1 and xoxe-1-My0xLTg", "[hidden] and [hidden]"),
        (f"sent {BOT_TOKEN}.", "sent [hidden]"),
        ("refresh_token=abc123&scope=a", "refresh_token=[hidden]&scope=a"),
        ("code=abcdef&redirect_uri=x", "code=[hidden]&redirect_uri=x"),
        (
            "GET /callback?code=abcdef&state=ghijkl HTTP/1.1",
            "GET /callback?code=[hidden]&state=[hidden] HTTP/1.1",
        ),
        ('{"password": "a\\"b c, d", "x": 1}', '{"password": "[hidden]", "x": 1}'),
        ('{"client_secret":"cut off', '{"client_secret":"[hidden]'),
        (
            json.dumps(json.dumps({"access_token": "abc", "a": 1})),
            '"{\\"access_token\\": \\"[hidden]\\", \\"a\\": 1}"',
        ),
        ("{'password': 'abc', 'a': 1}", "{'password': '[hidden]', 'a': 1}"),
        ("password = hunter2, next", "password = [hidden], next"),
        ("api_key: abcdef", "api_key: [hidden]"),
        (
            "postgresql+psycopg://runsheet:p4ss@db/runsheet",
            "postgresql+psycopg://runsheet:[hidden]@db/runsheet",
        ),
        ("redis://:p4ss@cache:6379/0", "redis://:[hidden]@cache:6379/0"),
        (WEBHOOK, "https://hooks.slack.com/services/[hidden]"),
        ("see Bearer abcdefghijklmnop now", "see Bearer [hidden] now"),
        ("ghp_" + "a1" * 18, "[hidden]"),
        ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl", "[hidden]"),
        ("-----BEGIN PRIVATE KEY-----\nabc\n-----END PRIVATE KEY-----\nrest", "[hidden]\nrest"),
        ("-----BEGIN RSA PRIVATE KEY-----\ncut off", "[hidden]"),
        ("Set-Cookie: session=abc; HttpOnly\nX: y", "Set-Cookie: [hidden]\nX: y"),
    ],
)
def test_what_looks_like_a_secret_is_hidden(text: str, redacted: str) -> None:
    assert redact(text) == redacted


@pytest.mark.parametrize(
    "text",
    [
        "runbook code: blue, task token count 3",
        '{"ok":false,"error":"invalid_auth","code":"channel_not_found","state":"queued"}',
        '{"ok":true,"channel":"C123ABC456","ts":"1503435956.000247","message":{"text":"Go, basic plan is live"}}',
        "The password must have at least 12 characters.",
        "https://example.com:8443/path?statement=a&encode=utf8",
        "Basic access is enough; the bearer of this news is Jonas.",
        "see https://api.slack.com/authentication/token-types#bot",
        "",
    ],
)
def test_what_is_no_secret_is_left_alone(text: str) -> None:
    assert redact(text) == text


def test_a_known_secret_is_hidden_wherever_it_stands() -> None:
    assert redact("before hunter-2 after, xhunter-2y", ["hunter-2"]) == "before [hidden] after, x[hidden]y"


@pytest.mark.parametrize("secret", ['a"b\\c/d', "zwölf & mehr", "p=ss wörd", "tab\there", "日本語のパス"])
def test_a_known_secret_is_hidden_in_the_forms_in_which_it_is_sent(secret: str) -> None:
    sent = (
        json.dumps({"x": secret}),
        json.dumps({"x": secret}, ensure_ascii=False),
        urlencode({"x": secret}),
        "/path/" + quote(secret, safe=""),
    )
    assert [redact(text, [secret]) for text in sent] == [
        '{"x": "[hidden]"}',
        '{"x": "[hidden]"}',
        "x=[hidden]",
        "/path/[hidden]",
    ]


def test_a_known_secret_that_holds_another_leaves_no_rest() -> None:
    assert redact("abcdefgh abcd", ["abcd", "abcdefgh"]) == "[hidden] [hidden]"


@pytest.mark.parametrize("short", ["", "a", "abc"])
def test_a_known_secret_too_short_to_be_told_apart_does_not_tear_the_text(short: str) -> None:
    assert redact("abc a b c", [short]) == "abc a b c"


@settings(deadline=None)
@given(
    st.text(
        alphabet=st.sampled_from("aBx:=&?\"' {}[],\\\npassword authorization token code= bearer xoxb- //@."),
        max_size=200,
    )
)
def test_redacting_twice_is_redacting_once(text: str) -> None:
    once = redact(text)
    assert redact(once) == once


def test_a_letter_beyond_ascii_that_counts_as_another_hides_no_name() -> None:
    assert redact("pa\u017f\u017fword=hunter22") == "pa\u017f\u017fword=[hidden]"


PRINTABLE = st.characters(exclude_categories=["Cc", "Cs"])


@settings(deadline=None)
@given(
    st.text(PRINTABLE, max_size=40),
    st.text(PRINTABLE, min_size=4, max_size=20),
    st.text(PRINTABLE, max_size=40),
)
def test_a_known_secret_is_never_left_in_the_text(before: str, secret: str, after: str) -> None:
    assert secret not in redact(before + secret + after, [secret]).replace(HIDDEN, "\x00")


def test_a_known_secret_that_no_url_can_hold_is_hidden_all_the_same() -> None:
    assert redact("is \ud800abc", ["\ud800abc"]) == "is [hidden]"


@pytest.mark.parametrize(
    "piece",
    [
        "a.",
        "a:",
        '"access_token":"\\',
        "password ",
        "https://a:",
        "eyJaaaaaa.",
        "bearer ",
        "-----BEGIN PRIVATE KEY-----",
    ],
)
@pytest.mark.timeout(30)
def test_a_hostile_text_takes_time_in_proportion_to_its_length(piece: str) -> None:
    text = piece * (400_000 // len(piece))
    assert len(redact(text)) <= len(text) * len(HIDDEN)


@pytest.mark.parametrize(
    "name",
    [
        "Authorization",
        "proxy-authorization",
        "Cookie",
        "Set-Cookie",
        "X-Api-Key",
        "apikey",
        "X-Auth-Token",
        "X-Auth-Email",
        "Private-Token",
        "X-Amz-Security-Token",
        "Ocp-Apim-Subscription-Key",
        "DD-APPLICATION-KEY",
        "X-Client-Secret",
    ],
)
def test_a_header_that_carries_credentials_is_hidden_by_name(name: str) -> None:
    assert redact_headers({name: "value"}) == {name: HIDDEN}


def test_other_headers_are_kept_and_redacted_as_text() -> None:
    headers = {
        "Content-Type": "application/json; charset=utf-8",
        "x-slack-req-id": "abc123",
        "Retry-After": "30",
        "Idempotency-Key": "run-7-attempt-1",
        "Location": "https://a.test/cb?code=abcdef&x=1",
        "X-Note": "uses hunter-2 today",
    }
    assert redact_headers(headers, ["hunter-2"]) == headers | {
        "Location": "https://a.test/cb?code=[hidden]&x=1",
        "X-Note": "uses [hidden] today",
    }


@pytest.fixture
def log() -> Iterator[tuple[logging.Logger, io.StringIO]]:
    """A child logger, below the one whose handler has the filter."""
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(logging.Formatter("%(levelname)s %(message)s"))
    handler.addFilter(RedactingFilter(["process-secret"]))
    parent = logging.getLogger("redaction-test")
    parent.propagate = False
    parent.setLevel(logging.DEBUG)
    parent.addHandler(handler)
    yield logging.getLogger("redaction-test.child"), written
    parent.removeHandler(handler)


def test_a_log_line_of_a_child_logger_is_redacted(log: tuple[logging.Logger, io.StringIO]) -> None:
    logger, written = log
    logger.info("answer %s for %d", {"access_token": "abc"}, 7)
    logger.warning("with process-secret")
    assert written.getvalue() == "INFO answer {'access_token': '[hidden]'} for 7\nWARNING with [hidden]\n"


def test_the_text_of_an_exception_and_of_its_cause_is_redacted(
    log: tuple[logging.Logger, io.StringIO],
) -> None:
    logger, written = log
    try:
        try:
            raise ValueError("refused https://a.test/?client_secret=abcdef")
        except ValueError as error:
            raise RuntimeError("Authorization: Bearer abc.def") from error
    except RuntimeError:
        logger.exception("failed")
    assert "client_secret=[hidden]" in written.getvalue()
    assert "RuntimeError: Authorization: [hidden]" in written.getvalue()
    assert "abcdef" not in written.getvalue()
    assert "abc.def" not in written.getvalue()


def test_the_stack_is_redacted(log: tuple[logging.Logger, io.StringIO]) -> None:
    logger, written = log
    logger.info("here", stack_info=True)  # the stack shows this line: process-secret
    assert "process-secret" not in written.getvalue()
    assert "[hidden]" in written.getvalue()


def test_a_record_that_another_handler_has_formatted_already_is_redacted(
    log: tuple[logging.Logger, io.StringIO],
) -> None:
    logger, written = log
    record = logger.makeRecord(logger.name, logging.ERROR, "f", 1, "failed", (), None)
    record.exc_text = "ValueError: password=hunter2"
    logger.handle(record)
    assert written.getvalue() == "ERROR failed\nValueError: password=[hidden]\n"


def test_arguments_that_do_not_fit_do_not_stop_the_program(log: tuple[logging.Logger, io.StringIO]) -> None:
    logger, written = log
    logger.info("two %s %s", "password=hunter2")  # noqa: PLE1206
    assert written.getvalue() == "INFO two %s %s ('password=[hidden]',)\n"
