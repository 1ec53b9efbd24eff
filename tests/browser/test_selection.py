"""Selecting tasks in a real browser: mouse, keyboard, someone else's change meanwhile, and the change itself."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import OpenAs

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


def listed(page: Page, stream: int) -> list[str]:
    """The numbers of the tasks in a stream, in their order."""
    return page.locator(f"#s-{stream}-l .tid").all_inner_texts()


def test_selected_tasks_move_by_keyboard_and_by_drag_for_everyone_who_watches(open_as: OpenAs) -> None:
    rune, other = open_as("Rune"), open_as("Rune")
    rune.goto("/runbooks/1")
    other.goto("/runbooks/1")
    assert (listed(rune, 1), listed(rune, 2)) == (["#1", "#2", "#3", "#4"], ["#5", "#6", "#7"])
    rune.locator("#l-4").focus()
    rune.keyboard.press("Alt+ArrowDown")
    expect(other.locator("#s-2-l .tid")).to_have_text(["#4", "#5", "#6", "#7"])
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
        expect(page.locator("#s-1-l .tid")).to_have_text(["#1", "#2", "#4", "#6", "#3"])
        expect(page.locator("#s-2-l .tid")).to_have_text(["#5", "#7"])
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
