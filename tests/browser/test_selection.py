"""Selecting tasks in a real browser: mouse, keyboard, someone else's change meanwhile, and the change itself."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import OpenAs
from tests.browser.test_two_viewers import planned_runbook

pytestmark = pytest.mark.browser


def checked(page: Page) -> list[str]:
    return page.eval_on_selector_all(".pick:checked", "(found) => found.map((each) => each.value)")


def test_a_selection_outlives_another_s_change_and_is_changed_at_once(open_as: OpenAs, failover: str) -> None:
    rune, other = open_as("Rune"), open_as("Rune")
    rune.goto(failover)
    other.goto(f"{failover}?task=2")
    count = rune.get_by_role("status").filter(has_text="selected")
    rune.locator("#l-1").focus()
    rune.keyboard.press("x")
    expect(count).to_have_text("1 task selected")
    rune.keyboard.press("Shift+ArrowDown")
    expect(count).to_have_text("2 tasks selected")
    rune.keyboard.press("Escape")
    expect(count).to_be_hidden()
    rune.locator("#t-1").hover()
    rune.locator("#x-1").click()
    rune.locator("#x-3").click(modifiers=["Shift"])
    expect(count).to_have_text("3 tasks selected")
    assert checked(rune) == ["1", "2", "3"]

    name = other.get_by_role("complementary", name="Task details").get_by_label("Name", exact=True)
    name.fill("Told by someone else")
    name.blur()
    expect(rune.locator("#l-2")).to_have_text("Told by someone else")
    assert checked(rune) == ["1", "2", "3"]

    rune.get_by_role("button", name="Change…").click()
    expect(rune.locator("#panel")).to_be_hidden()
    rune.get_by_role("dialog").get_by_label("Duration").fill("42m")
    rune.get_by_role("dialog").get_by_role("button", name="Change 3 tasks").click()
    expect(rune.get_by_text("3 tasks changed.")).to_be_visible()
    for page in (rune, other):
        for number in (1, 2, 3):
            expect(page.locator(f"#t-{number} .dur")).to_have_text("42m")
    assert checked(rune) == ["1", "2", "3"]


def test_selected_tasks_move_by_keyboard_and_by_drag_for_everyone_who_watches(
    open_as: OpenAs, failover: str
) -> None:
    rune, other = open_as("Rune"), open_as("Rune")
    rune.goto(failover)
    other.goto(failover)
    lanes = rune.locator("#streams > .stream")
    first, second = (f"#{lanes.nth(at).get_attribute('id')}-l .tid" for at in (0, 1))
    expect(rune.locator(first)).to_have_text(["#1", "#2", "#3", "#4"])
    expect(rune.locator(second)).to_have_text(["#5", "#6", "#7"])
    rune.locator("#l-4").focus()
    rune.keyboard.press("Alt+ArrowDown")
    expect(other.locator(second)).to_have_text(["#4", "#5", "#6", "#7"])
    expect(rune.locator("#say")).to_have_text("#4 is now number 1 in Database.")
    expect(rune.locator("#l-4")).to_be_focused()
    rune.keyboard.press("x")
    rune.locator("#x-6").check(force=True)
    grip, target = rune.locator("#t-6 .grip"), rune.locator("#t-2")
    rune.locator("#t-6").hover()
    grip.hover()
    rune.mouse.down()
    box = target.bounding_box()
    assert box is not None
    rune.mouse.move(box["x"] + 200, box["y"] + box["height"] - 4, steps=4)
    expect(rune.locator(".dropline")).to_be_visible()
    rune.mouse.up()
    for page in (rune, other):
        expect(page.locator(first)).to_have_text(["#1", "#2", "#4", "#6", "#3"])
        expect(page.locator(second)).to_have_text(["#5", "#7"])
    assert checked(rune) == ["4", "6"]


def test_what_is_deleted_at_once_comes_back_by_the_toast_and_by_the_keyboard(
    open_as: OpenAs, failover: str
) -> None:
    rune, other = open_as("Rune"), open_as("Rune")
    rune.goto(failover)
    other.goto(failover)
    for number in (8, 9):
        rune.locator(f"#t-{number}").hover()
        rune.locator(f"#x-{number}").click()
    rune.get_by_role("button", name="Delete…").click()
    rune.get_by_role("dialog").get_by_role("button", name="Delete 2 tasks").click()
    expect(other.locator("#t-8")).to_have_count(0)
    rune.get_by_role("region", name="Messages").get_by_role("button", name="Undo").click()
    expect(rune.get_by_text("Undone: Deleted 2 tasks.")).to_be_visible()
    for page in (rune, other):
        expect(page.locator("#t-8, #t-9")).to_have_count(2)

    rune.locator("body").press("Control+Shift+z")
    expect(rune.locator("#t-8, #t-9")).to_have_count(0)
    field = rune.get_by_label("Find a task")
    field.press("Control+z")
    field.blur()
    expect(rune.get_by_role("button", name="Undo: Deleted 2 tasks")).to_be_enabled()
    rune.locator("body").press("Control+z")
    for page in (rune, other):
        expect(page.locator("#t-8, #t-9")).to_have_count(2)


def test_a_stream_selects_its_sub_streams_too_and_a_link_to_a_task_shows_its_row(open_as: OpenAs) -> None:
    rune = open_as("Rune")
    address = planned_runbook(rune, "Cable work in forty rooms", "Open the rooms")
    adding = rune.get_by_placeholder("Type a task name and press Enter").first
    adding.evaluate(
        """(input) => {
          const clipboardData = new DataTransfer();
          clipboardData.setData('text/plain', Array.from({ length: 39 }, (_, at) => `Room ${at}`).join('\\n'));
          input.dispatchEvent(new ClipboardEvent('paste', { clipboardData, bubbles: true, cancelable: true }));
        }"""
    )
    expect(rune.locator("#t-40")).to_have_count(1)
    rune.get_by_role("button", name="More actions for Tasks").click()
    rune.get_by_role("link", name="Add sub-stream…").click()
    rune.get_by_role("dialog").get_by_label("Name").fill("Basement")
    rune.get_by_role("dialog").get_by_role("button", name="Add stream").click()
    adding = rune.get_by_label("New task in Basement")
    adding.fill("Close the rooms")
    adding.press("Enter")
    expect(rune.locator("#t-41")).to_have_count(1)

    rune.goto(f"{address}?task=41")
    expect(rune.locator("#t-41")).to_be_in_viewport()
    assert rune.evaluate("document.scrollingElement.scrollHeight - innerHeight") == 0, "only the list scrolls"
    rune.get_by_role("button", name="More actions for Tasks").click()
    rune.get_by_role("button", name="Select all tasks").first.click()
    expect(rune.get_by_role("status").filter(has_text="selected")).to_have_text("41 tasks selected")
