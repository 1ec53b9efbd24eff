"""Two people on one runbook, each in a browser of their own."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import PATIENCE_MS, OpenAs

pytestmark = pytest.mark.browser


def planned_runbook(page: Page, name: str, *tasks: str) -> str:
    """Make a runbook with these tasks. Its address."""
    page.goto("/runbooks")
    page.get_by_role("link", name="New runbook").first.click()
    page.get_by_label("Name", exact=True).fill(name)
    page.get_by_role("button", name="Create", exact=True).click()
    expect(page.get_by_role("heading", name=name)).to_be_visible()
    for task in tasks:
        add_task(page, task)
    return page.url.split("?")[0].split("#")[0]


def add_task(page: Page, title: str) -> None:
    """Add a task to the first stream."""
    adding = page.get_by_placeholder("Type a task name and press Enter").first
    adding.fill(title)
    adding.press("Enter")
    expect(page.get_by_role("link", name=title)).to_have_count(1)


def started_runbook(page: Page, name: str, *tasks: str) -> str:
    """Make and start a live runbook with these tasks. Its address."""
    address = planned_runbook(page, name, *tasks)
    page.get_by_role("link", name="Start live run").click()
    page.get_by_role("dialog").get_by_role("button", name="Start live run").click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    return address


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
        expect(page.get_by_role("button", name="Start task")).to_be_visible()
    dana.context.set_offline(True)  # Dana's page is not told of Rune's click
    rune.get_by_role("button", name="Start task").click()
    expect(rune.get_by_role("button", name="Finish task")).to_be_visible()
    dana.route("**/changes**", lambda route: route.abort())
    dana.context.set_offline(False)
    dana.get_by_role("button", name="Start task").click()
    expect(
        dana.get_by_role("region", name="Messages").get_by_text(re.compile("^Rune started this"))
    ).to_be_visible()


def test_a_task_opens_though_its_row_moves_meanwhile(open_as: OpenAs) -> None:
    rune, dana = open_as("Rune"), open_as("Dana")
    address = planned_runbook(rune, "Moved by another", "Open the bridge")
    rune.get_by_role("link", name="Add stream").click()
    rune.get_by_role("dialog").get_by_label("Name").fill("Network")
    rune.get_by_role("dialog").get_by_role("button", name="Add stream").click()
    dana.goto(address)
    answers: list[Route] = []
    dana.route("**/tasks/1", lambda answer: answers.append(answer))
    dana.get_by_role("link", name="Open the bridge").click()
    rune.get_by_role("button", name="More actions for Tasks").click()
    rune.get_by_role("button", name="Move down").click()
    expect(dana.locator(".stream .name")).to_have_text(["Network", "Tasks"])
    for answer in answers:
        answer.continue_()
    details = dana.get_by_label("Task details")
    expect(details.get_by_role("heading", name="Open the bridge")).to_be_visible()


def test_a_click_on_a_row_just_added_survives_the_news_of_it(open_as: OpenAs) -> None:
    dana = open_as("Dana")
    address = planned_runbook(dana, "Added by one")
    dana.goto(address)
    news: list[Route] = []
    dana.route("**/changes**", lambda each: news.append(each))
    dana.evaluate("() => { pulled = new Promise((told) => document.body.addEventListener('pulled', told)) }")
    add_task(dana, "Open the bridge")
    expect(dana.get_by_label("Task details")).to_be_hidden()
    while not news:
        dana.wait_for_timeout(20)
    dana.get_by_role("link", name="Open the bridge").hover()
    dana.mouse.down()
    for each in news:
        each.continue_()
    dana.evaluate("pulled.then(() => null)")
    dana.mouse.up()
    details = dana.get_by_label("Task details")
    expect(details.get_by_role("heading", name="Open the bridge")).to_be_visible()


def test_what_is_duplicated_stands_after_its_original_for_the_other_viewer_too(open_as: OpenAs) -> None:
    rune, dana = open_as("Rune"), open_as("Dana")
    address = planned_runbook(rune, "Duplicated by one", "Open the bridge", "Drain the nodes")
    dana.goto(address)
    rune.get_by_role("link", name="Open the bridge").click()
    rune.get_by_role("button", name="More actions for this task").click()
    rune.get_by_role("button", name="Duplicate", exact=True).click()
    rune.get_by_role("button", name="More actions for Tasks", exact=True).click()
    rune.get_by_role("button", name="Duplicate with its tasks").click()
    names = ["Open the bridge", "Open the bridge (copy)", "Drain the nodes"]
    for page in (rune, dana):
        expect(page.get_by_role("heading", name="Tasks (copy)")).to_be_visible()
        expect(page.get_by_role("link", name=re.compile("^(Open|Drain) the"))).to_have_text(names * 2)


def test_a_message_reaches_the_other_viewer_who_is_seen_to_watch(open_as: OpenAs) -> None:
    rune, dana = open_as("Rune"), open_as("Dana")
    address = planned_runbook(rune, "Watched by two", "Open the bridge")
    dana.goto(address)
    watching = dana.get_by_role("button", name="2 watching")
    watching.click()
    expect(dana.locator(".watchers li")).to_have_text([re.compile("Dana.*you"), re.compile("Rune")])
    rune.get_by_role("button", name="More actions for this runbook").click()
    rune.get_by_role("link", name="Message to everyone…").click()
    rune.get_by_role("dialog").get_by_label("Message").fill("Bridge 4 is open")
    rune.get_by_role("dialog").get_by_role("button", name="Show").click()
    message = dana.get_by_role("status").filter(has_text="Bridge 4 is open")
    expect(message).to_be_visible()
    rune.get_by_role("button", name="Take down").click()
    expect(message).to_have_count(0)


def test_a_mention_by_keyboard_reaches_the_other_person_at_once(open_as: OpenAs) -> None:
    rune, dana = open_as("Rune"), open_as("Dana")
    dana.goto("/my-tasks")
    bell = dana.locator(".side [data-number]")
    before = int(bell.inner_text() or 0) if bell.is_visible() else 0
    planned_runbook(rune, "Mentioned by one", "Open the bridge")
    rune.get_by_role("link", name="Open the bridge").click()
    comment = rune.get_by_label("Write a comment")
    comment.press_sequentially("Please look, @d")
    people = rune.get_by_role("listbox", name="People to mention")
    expect(people.get_by_role("option")).to_have_text([re.compile("Dana")])
    comment.press("Escape")
    expect(people).to_be_hidden()
    comment.press_sequentially("a")
    expect(comment).to_have_attribute("aria-expanded", "true")
    comment.press("Enter")
    expect(comment).to_have_value("Please look, @Dana ")
    expect(people).to_be_hidden()
    comment.press("Control+Enter")
    expect(rune.get_by_label("Task details").locator(".mention")).to_have_text("@Dana")
    expect(dana.get_by_role("link", name=f"Notifications {before + 1} unread")).to_be_visible()
    toast = dana.get_by_role("region", name="Messages").get_by_role("button", name="Rune mentioned you")
    toast.click()
    expect(dana.get_by_label("Task details").locator(".mention.me")).to_have_text("@Dana")
    expect(bell).to_have_text(str(before))


# What the browser would show, and a page that nobody looks at: Chromium without a window shows neither.
IN_THE_BACKGROUND = """
window.shown = [];
window.Notification = class extends EventTarget {
  static permission = 'granted';
  constructor(title, { body, tag }) { super(); window.shown.push(`${title}: ${body}`); window.last = this; }
  close() {}
};
Object.defineProperty(document, 'hidden', { get: () => !window.looked });
"""


def test_one_tab_of_several_has_the_browser_show_what_comes_while_nobody_looks(open_as: OpenAs) -> None:
    rune, dana = open_as("Rune"), open_as("Dana")
    dana.context.add_init_script(IN_THE_BACKGROUND)
    dana.goto("/notifications/settings")
    dana.get_by_role("button", name="Show them", exact=True).click()
    expect(dana.get_by_text("On. This browser shows what comes while you look elsewhere.")).to_be_visible()
    other = dana.context.new_page()
    other.goto("/my-tasks")
    address = planned_runbook(rune, "Shown by the browser", "Open the bridge")
    rune.get_by_role("link", name="Open the bridge").click()
    rune.get_by_label("Write a comment").fill("@Dana")
    rune.get_by_role("button", name="Comment", exact=True).click()
    tabs = (dana, other)
    for tab in tabs:
        expect(tab.get_by_role("link", name=re.compile(r"Notifications \d+ unread"))).to_be_visible()
    for _ in range(PATIENCE_MS // 50):
        if any(tab.evaluate("shown.length") for tab in tabs):
            break
        dana.wait_for_timeout(50)
    sentence = "Rune mentioned you on #1 Open the bridge in “Shown by the browser”."
    assert [each for tab in tabs for each in tab.evaluate("shown")] == [f"Runsheet: {sentence}"]
    asking = next(tab for tab in tabs if tab.evaluate("shown.length"))
    asking.evaluate("last.dispatchEvent(new Event('click'))")
    asking.wait_for_url(f"{address}?task=1")
