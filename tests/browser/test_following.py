"""A page that is left without its stream: it goes on to follow, and says truly how things stand."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import OpenAs
from tests.browser.test_two_viewers import add_task, planned_runbook

pytestmark = pytest.mark.browser

POLLS, CUT_OFF = "Updating every 5 s", "No connection. Trying again…"


def says(page: Page, words: str) -> None:
    expect(page.locator("#conn")).to_have_text(words)


def test_a_page_whose_stream_is_refused_polls_and_says_so(open_as: OpenAs) -> None:
    rune, dana = open_as("Rune"), open_as("Dana")
    address = planned_runbook(rune, "Followed by polling", "Open the bridge")
    says(rune, "Live")
    dana.context.route("**/live", lambda route: route.abort())
    dana.goto(address)
    says(dana, POLLS)
    add_task(rune, "Drain the nodes")
    expect(dana.get_by_role("link", name="Drain the nodes")).to_have_count(1)
    second = dana.context.new_page()
    second.goto(address)
    says(second, POLLS)

    dana.route("**/changes**", lambda route: route.abort())
    says(dana, CUT_OFF)
    dana.unroute("**/changes**")
    dana.route("**/changes**", lambda route: route.fulfill(status=500, body="A problem"))
    says(dana, CUT_OFF)
    dana.unroute("**/changes**")
    says(dana, POLLS)

    dana.context.unroute("**/live")
    says(dana, "Live")
    says(second, "Live")


def test_news_that_could_not_be_fetched_are_fetched_again(open_as: OpenAs) -> None:
    rune, dana = open_as("Rune"), open_as("Dana")
    address = planned_runbook(rune, "Followed with a gap", "Open the bridge")
    dana.goto(address)
    says(dana, "Live")
    dana.route("**/changes**", lambda route: route.fulfill(status=502, body="A problem"))
    add_task(rune, "Drain the nodes")
    says(dana, CUT_OFF)
    dana.unroute("**/changes**")
    expect(dana.get_by_role("link", name="Drain the nodes")).to_have_count(1)
    says(dana, "Live")


def test_a_page_comes_compressed_and_its_stream_does_not(open_as: OpenAs) -> None:
    rune = open_as("Rune")
    with rune.expect_response("**/live") as stream:
        answer = rune.goto("/runbooks")
    assert answer is not None
    assert answer.headers["content-encoding"] in ("zstd", "br", "gzip")
    assert stream.value.headers["content-type"].startswith("text/event-stream")
    assert "content-encoding" not in stream.value.headers


def test_a_pull_that_is_never_answered_is_given_up_and_made_again(open_as: OpenAs) -> None:
    rune, dana = open_as("Rune"), open_as("Dana")
    address = planned_runbook(rune, "Followed into silence", "Open the bridge")
    dana.clock.install()
    dana.goto(address)
    says(dana, "Live")
    held: list[Route] = []
    dana.route("**/changes**", lambda route: held.append(route))
    with dana.expect_request("**/changes**"):
        add_task(rune, "Drain the nodes")
    dana.clock.fast_forward(16_000)
    says(dana, CUT_OFF)
    dana.unroute("**/changes**")
    dana.clock.fast_forward(5_000)
    expect(dana.get_by_role("link", name="Drain the nodes")).to_have_count(1)
    says(dana, "Live")


def test_after_a_sleep_the_stream_is_opened_anew_and_what_was_missed_is_caught_up(open_as: OpenAs) -> None:
    rune = open_as("Rune")
    address = planned_runbook(rune, "Followed after a sleep", "Open the bridge")
    rune.clock.install()
    with rune.expect_response("**/live"):
        rune.goto(address)
    says(rune, "Live")
    with rune.expect_request("**/live"):
        rune.clock.fast_forward(60_000)
    with rune.expect_request("**/changes**"):
        rune.clock.fast_forward(5_000)
    says(rune, "Live")
