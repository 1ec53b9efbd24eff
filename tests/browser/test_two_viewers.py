"""Two people on one runbook, each in a browser of their own."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import OpenAs

pytestmark = pytest.mark.browser


def started_runbook(page: Page, name: str, *tasks: str) -> str:
    """Make and start a live runbook with these tasks. Its address."""
    page.goto("/runbooks")
    page.get_by_role("link", name="New runbook").first.click()
    page.get_by_label("Name", exact=True).fill(name)
    page.get_by_role("button", name="Create", exact=True).click()
    adding = page.get_by_placeholder("Type a task name and press Enter").first
    for task in tasks:
        adding.fill(task)
        adding.press("Enter")
        expect(page.get_by_role("link", name=task)).to_have_count(1)
    page.get_by_role("link", name="Start live run").click()
    page.get_by_role("dialog").get_by_role("button", name="Start live run").click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    return page.url.split("?")[0]


def test_a_start_is_seen_by_another_viewer_who_loses_nothing_typed(open_as: OpenAs) -> None:
    rune, dana = open_as("Rune"), open_as("Dana")
    address = started_runbook(rune, "Seen by two", "Open the bridge", "Drain the nodes")
    dana.goto(address)
    dana.get_by_role("link", name="Drain the nodes").click()
    comment = dana.get_by_label("Write a comment")
    comment.fill("Waiting for the bri")
    rune.get_by_role("link", name="Open the bridge").click()
    rune.get_by_role("button", name="Start task").click()
    row = dana.get_by_role("listitem").filter(has=dana.get_by_role("link", name="Open the bridge"))
    expect(row.get_by_role("button", name="Finish")).to_be_visible()
    expect(comment).to_have_value("Waiting for the bri")
    expect(comment).to_be_focused()
    comment.press_sequentially("dge")
    comment.press("Control+Enter")
    expect(dana.get_by_label("Task details").get_by_text("Waiting for the bridge")).to_be_visible()


def test_the_second_click_on_start_is_told_who_was_first(open_as: OpenAs) -> None:
    rune, dana = open_as("Rune"), open_as("Dana")
    address = started_runbook(rune, "Started by two", "Open the bridge")
    for page in (rune, dana):
        page.goto(address)
        page.get_by_role("link", name="Open the bridge").click()
    dana.context.set_offline(True)  # Dana's page is not told of Rune's click
    rune.get_by_role("button", name="Start task").click()
    expect(rune.get_by_role("button", name="Finish task")).to_be_visible()
    dana.route("**/changes**", lambda route: route.abort())
    dana.context.set_offline(False)
    dana.get_by_role("button", name="Start task").click()
    expect(
        dana.get_by_role("region", name="Messages").get_by_text(re.compile("^Rune started this"))
    ).to_be_visible()
