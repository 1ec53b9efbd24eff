"""What is typed into a task's details and fields stays, whatever arrives meanwhile and whoever else types there."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from tests.browser.conftest import OpenAs
from tests.browser.test_two_viewers import planned_runbook, started_runbook

pytestmark = pytest.mark.browser


def opened(page: Page, address: str) -> None:
    page.goto(f"{address}?task=1")
    expect(page.get_by_role("textbox", name="Description")).to_be_visible()


def held_back(page: Page, address: str = "**/tasks/1") -> list[Route]:
    """The page's requests to save, which do not leave before the test lets them."""
    waiting: list[Route] = []
    page.route(address, lambda route: waiting.append(route))
    return waiting


def wait_until_held(page: Page, waiting: list[Route]) -> None:
    """Until the page has asked for something that is held back."""
    for _ in range(250):
        if waiting:
            return
        page.wait_for_timeout(20)
    raise AssertionError("The page asked for nothing.")


def let_go(page: Page, waiting: list[Route], address: str = "**/tasks/1") -> None:
    """Send the next request on and wait for its answer."""
    wait_until_held(page, waiting)
    with page.expect_response(address):
        waiting.pop(0).continue_()


def add_field(page: Page, name: str, kind: str = "Text") -> None:
    """A custom field of that type, on every task."""
    page.goto("/settings/custom-fields/new")
    page.get_by_label("Name", exact=True).fill(name)
    page.get_by_label("Field type").select_option(label=kind)
    page.get_by_role("button", name="Create", exact=True).click()
    expect(page.get_by_role("link", name=name)).to_be_visible()


def test_what_someone_else_changed_is_not_undone_by_saving_another_field(open_as: OpenAs) -> None:
    rune, dana = open_as("Rune"), open_as("Dana")
    address = planned_runbook(rune, "Described by two", "Open the bridge")
    opened(rune, address)
    dana.route("**/changes**", lambda route: route.abort())  # Dana's page is behind
    opened(dana, address)
    name = dana.get_by_label("Name", exact=True)
    name.fill("Open the brid")
    rune.get_by_role("textbox", name="Description").fill("Call the roll")
    rune.get_by_role("textbox", name="Description").blur()
    expect(rune.get_by_text("Saved").last).to_be_visible()
    name.press_sequentially("ge now")
    name.blur()
    expect(rune.get_by_label("Name", exact=True)).to_have_value("Open the bridge now")
    expect(dana.get_by_role("textbox", name="Description")).to_have_value("Call the roll")
    rune.reload()
    expect(rune.get_by_role("textbox", name="Description")).to_have_value("Call the roll")


def test_someone_else_s_change_shows_beside_what_is_being_typed(open_as: OpenAs) -> None:
    rune, dana = open_as("Rune"), open_as("Dana")
    address = planned_runbook(rune, "Watched by two", "Open the bridge")
    opened(rune, address)
    opened(dana, address)
    name = dana.get_by_label("Name", exact=True)
    name.fill("Open the brid")
    rune.get_by_role("textbox", name="Description").fill("Call the roll")
    rune.get_by_role("textbox", name="Description").blur()
    expect(dana.get_by_role("textbox", name="Description")).to_have_value("Call the roll")
    expect(name).to_have_value("Open the brid")
    expect(name).to_be_focused()


def test_what_is_typed_while_a_save_is_under_way_stays(open_as: OpenAs) -> None:
    dana = open_as("Dana")
    address = planned_runbook(dana, "Typed while saving", "Open the bridge")
    opened(dana, address)
    waiting = held_back(dana)
    dana.get_by_label("Name", exact=True).fill("Open the bridge now")
    dana.get_by_label("Name", exact=True).blur()
    description, duration = (
        dana.get_by_role("textbox", name="Description"),
        dana.get_by_role("textbox", name="Duration"),
    )
    description.fill("Call the roll")
    description.blur()
    duration.fill("44")
    let_go(dana, waiting)
    expect(description).to_have_value("Call the roll")
    expect(duration).to_have_value("44")
    expect(duration).to_be_focused()
    let_go(dana, waiting)
    duration.press_sequentially("m")
    duration.blur()
    let_go(dana, waiting)
    dana.unroute("**/tasks/1")
    dana.reload()
    values = [dana.get_by_label(label, exact=True).input_value() for label in ("Name", "Duration")]
    assert (values, description.input_value()) == (["Open the bridge now", "44m"], "Call the roll")


def test_a_refused_field_keeps_what_was_typed_and_takes_no_focus(open_as: OpenAs) -> None:
    rune, dana = open_as("Rune"), open_as("Dana")
    address = planned_runbook(rune, "Refused while typing", "Open the bridge")
    opened(rune, address)
    opened(dana, address)
    waiting = held_back(dana)
    waits_for, description = dana.get_by_label("Waits for"), dana.get_by_role("textbox", name="Description")
    waits_for.fill("999")
    waits_for.blur()
    description.fill("Call the r")
    let_go(dana, waiting)
    expect(dana.get_by_text("There is no task #999.")).to_be_visible()
    expect(description).to_have_value("Call the r")
    expect(description).to_be_focused()
    dana.unroute("**/tasks/1")
    rune.get_by_role("textbox", name="Duration").fill("44m")
    rune.get_by_role("textbox", name="Duration").blur()
    expect(dana.get_by_role("textbox", name="Duration")).to_have_value("44m")
    expect(waits_for).to_have_value("999")
    expect(description).to_have_value("Call the r")
    waits_for.fill("")
    waits_for.blur()
    expect(dana.get_by_text("There is no task #999.")).to_have_count(0)
    expect(rune.get_by_role("textbox", name="Description")).to_have_value("Call the r")


def test_a_field_that_is_changed_again_while_it_is_saved_keeps_the_later_text(open_as: OpenAs) -> None:
    rune, dana = open_as("Rune"), open_as("Dana")
    add_field(dana, "Change number")
    address = planned_runbook(rune, "Filled in twice", "Open the bridge")
    rune.goto(f"{address}?task=1")
    opened(dana, address)
    waiting = held_back(dana, "**/fields/*")
    change, seen = dana.get_by_label("Change number"), rune.get_by_label("Change number")
    change.fill("first")
    change.blur()
    change.fill("second")
    change.blur()
    let_go(dana, waiting, "**/fields/*")
    expect(change).to_have_value("second")
    let_go(dana, waiting, "**/fields/*")
    expect(seen).to_have_value("second")
    seen.fill("thi")
    change.fill("fourth")
    change.blur()
    let_go(dana, waiting, "**/fields/*")
    expect(change).to_have_value("fourth")
    expect(seen).to_have_value("thi")
    expect(seen).to_be_focused()
    seen.press_sequentially("rd")
    seen.blur()
    expect(change).to_have_value("third")


def test_a_field_that_was_refused_says_so_until_it_is_mended(open_as: OpenAs) -> None:
    rune, dana = open_as("Rune"), open_as("Dana")
    add_field(dana, "Seats", "Number")
    address = planned_runbook(rune, "Refused a field", "Open the bridge")
    opened(rune, address)
    opened(dana, address)
    seats, field = dana.get_by_label("Seats"), dana.locator("#p-fields form").filter(has_text="Seats")
    seats.fill("many")
    seats.blur()
    sentence = field.get_by_text("“many” is not a number. Write digits, with a point for decimals.")
    expect(sentence).to_be_visible()
    expect(field.locator("[data-saved]")).to_have_text("Not saved")
    rune.get_by_role("textbox", name="Description").fill("Call the roll")
    rune.get_by_role("textbox", name="Description").blur()
    expect(dana.get_by_role("textbox", name="Description")).to_have_value("Call the roll")
    expect(sentence).to_be_visible()
    expect(seats).to_have_value("many")
    seats.fill("12")
    seats.blur()
    expect(rune.get_by_label("Seats")).to_have_value("12")
    expect(sentence).to_have_count(0)


def test_enter_saves_a_field_and_leaves_the_page_as_it_is(open_as: OpenAs) -> None:
    rune, dana = open_as("Rune"), open_as("Dana")
    add_field(dana, "Bridge number")
    address = planned_runbook(rune, "Saved by Enter", "Open the bridge")
    opened(rune, address)
    opened(dana, address)
    comment = dana.get_by_label("Write a comment")
    comment.fill("Waiting for the bri")
    dana.get_by_label("Bridge number").fill("4711")
    dana.get_by_label("Bridge number").press("Enter")
    expect(rune.get_by_label("Bridge number")).to_have_value("4711")
    expect(comment).to_have_value("Waiting for the bri")


def test_what_is_typed_into_a_field_that_is_locked_meanwhile_is_not_called_saved(open_as: OpenAs) -> None:
    rune, dana = open_as("Rune"), open_as("Dana")
    add_field(dana, "Window")
    address = started_runbook(rune, "Locked while typing", "Open the bridge")
    for page in (dana, rune):
        page.goto(f"{address}?task=1")
    window = dana.get_by_label("Window")
    window.fill("22:00 to mid")
    rune.get_by_role("button", name="Start task").click()
    expect(dana.locator("#p-fields").get_by_text("Locked: the task has run")).to_be_visible()
    expect(window).to_have_value("22:00 to mid")
    window.blur()
    expect(window).to_be_disabled()
    expect(window).to_have_value("")
    field = dana.locator("#p-fields form").filter(has_text="Window")
    expect(field.locator("[data-saved]")).to_have_text("Not saved")


def test_news_of_the_task_before_leave_the_task_that_was_opened_meanwhile(open_as: OpenAs) -> None:
    rune, dana = open_as("Rune"), open_as("Dana")
    address = planned_runbook(rune, "Late news", "Open the bridge", "Drain the nodes")
    opened(dana, address)
    waiting = held_back(dana, "**/changes**")
    rune.goto(f"{address}?task=1")
    rune.get_by_role("textbox", name="Description").fill("Call the roll")
    rune.get_by_role("textbox", name="Description").blur()
    wait_until_held(dana, waiting)
    dana.get_by_role("link", name="Drain the nodes").click()
    heading = dana.get_by_label("Task details").get_by_role("heading", level=2)
    expect(heading).to_have_text("Drain the nodes")
    with dana.expect_response("**/changes**"):
        let_go(dana, waiting, "**/changes**")
    dana.get_by_role("textbox", name="Description").fill("Twelve of them")
    with dana.expect_response(lambda answer: answer.request.method == "POST"):
        dana.get_by_role("textbox", name="Description").blur()
    expect(heading).to_have_text("Drain the nodes")
    dana.goto(f"{address}?task=2")
    expect(dana.get_by_role("textbox", name="Description")).to_have_value("Twelve of them")
    dana.goto(f"{address}?task=1")
    expect(dana.get_by_role("textbox", name="Description")).to_have_value("Call the roll")


def test_a_change_that_waits_for_another_is_saved_before_the_next_task_opens(open_as: OpenAs) -> None:
    rune = open_as("Rune")
    address = planned_runbook(rune, "Saved before leaving", "Open the bridge", "Drain the nodes")
    opened(rune, address)
    waiting = held_back(rune)
    rune.get_by_role("textbox", name="Description").fill("Call the roll")
    rune.get_by_role("textbox", name="Duration").fill("45m")
    rune.get_by_role("textbox", name="Duration").blur()
    rune.get_by_role("link", name="Drain the nodes").click()
    heading = rune.get_by_label("Task details").get_by_role("heading", level=2)
    for _ in range(2):
        expect(heading).to_have_text("Open the bridge")
        let_go(rune, waiting)
    expect(heading).to_have_text("Drain the nodes")
    rune.goto(f"{address}?task=1")
    expect(rune.get_by_role("textbox", name="Description")).to_have_value("Call the roll")
    expect(rune.get_by_role("textbox", name="Duration")).to_have_value("45m")


def test_a_start_waits_for_what_was_typed_and_does_not_come_where_that_is_refused(open_as: OpenAs) -> None:
    rune = open_as("Rune")
    opened(rune, started_runbook(rune, "Saved before starting", "Open the bridge"))
    waiting = held_back(rune)
    waits_for, start = rune.get_by_label("Waits for"), rune.get_by_role("button", name="Start task")
    waits_for.fill("999")
    start.click()
    let_go(rune, waiting)
    expect(rune.get_by_text("There is no task #999.")).to_be_visible()
    expect(start).to_be_visible()
    waits_for.fill("")
    rune.get_by_role("textbox", name="Description").fill("Call the roll")
    start.click()
    let_go(rune, waiting)
    let_go(rune, waiting)
    expect(rune.get_by_role("button", name="Finish task")).to_be_visible()
    rune.reload()
    expect(rune.get_by_role("textbox", name="Description")).to_have_value("Call the roll")


def test_that_a_field_is_saved_still_stands_there_after_the_news_of_it(open_as: OpenAs) -> None:
    rune = open_as("Rune")
    opened(rune, planned_runbook(rune, "Saved and told", "Open the bridge"))
    description = rune.get_by_role("textbox", name="Description")
    description.fill("Call the roll")
    with rune.expect_response(lambda answer: "/changes" in answer.url and answer.status == 200):
        description.blur()
    expect(rune.get_by_text("Rune changed description")).to_be_visible()
    field = rune.locator(".field").filter(has=description)
    expect(field.locator("[data-saved]")).to_have_text(re.compile("^Saved [0-9]{2}:[0-9]{2}$"))


@pytest.fixture
def conference_number(open_as: OpenAs) -> Iterator[str]:
    """The name of a field that every task requires, until the test is over."""
    carl, name = open_as("Carl"), "Conference number"
    carl.goto("/settings/custom-fields/new")
    carl.get_by_label("Name", exact=True).fill(name)
    carl.get_by_label("Field type").select_option(label="Text")
    carl.get_by_label("Required").check()
    carl.get_by_role("button", name="Create", exact=True).click()
    expect(carl.get_by_role("link", name=name)).to_be_visible()
    yield name
    carl.get_by_role("link", name=name).click()
    carl.get_by_role("button", name="Archive", exact=True).click()
    carl.get_by_role("dialog").get_by_role("button", name="Archive").click()
    expect(carl.get_by_role("link", name=name)).to_have_count(0)


def test_the_start_dialog_speaks_of_what_was_typed_just_before_it(
    open_as: OpenAs, conference_number: str
) -> None:
    rune = open_as("Rune")
    address = planned_runbook(rune, "Started at once", "Open the bridge")
    opened(rune, address)
    expect(rune.get_by_role("textbox", name=f"{conference_number} required")).to_be_visible()
    waiting = held_back(rune, "**/tasks/1/fields/*")
    rune.get_by_label(conference_number).fill("4")
    rune.get_by_role("link", name="Start live run").click()
    expect(rune.get_by_role("dialog")).to_have_count(0)
    let_go(rune, waiting, "**/tasks/1/fields/*")
    dialog = rune.get_by_role("dialog")
    expect(dialog.get_by_role("button", name="Start live run")).to_be_visible()
    expect(dialog).not_to_contain_text("Solve this first")


def cell(page: Page, number: int, name: str) -> Locator:
    """That cell of the plan; `name` is its field."""
    return page.locator(f"#t-{number} [data-c={name}]")


def test_a_plan_is_typed_cell_by_cell_like_a_spreadsheet(open_as: OpenAs) -> None:
    rune = open_as("Rune")
    rune.goto(planned_runbook(rune, "Typed in cells", "Open the bridge", "Drain the nodes"))
    cell(rune, 1, "duration").click()
    rune.keyboard.type("1h 30m")
    rune.keyboard.press("Enter")
    expect(rune.get_by_label("Duration of #2")).to_be_focused()
    expect(cell(rune, 1, "duration")).to_have_text("1h 30m")
    rune.keyboard.type("20m")
    rune.keyboard.press("Tab")
    adding = rune.get_by_placeholder("Type a task name and press Enter")
    expect(adding).to_be_focused()
    rune.keyboard.type("Verify")
    rune.keyboard.press("Enter")
    expect(rune.locator("#l-3")).to_have_text("Verify")
    expect(adding).to_be_focused()
    rune.locator("#l-2").focus()
    rune.keyboard.press("ArrowRight")
    rune.keyboard.press("Enter")
    waits_for = rune.get_by_label("Waits for of #2")
    expect(waits_for).to_be_focused()
    rune.keyboard.type("bridge")
    rune.get_by_role("option", name="#1 Open the bridge").click()
    expect(waits_for).to_have_value("1")
    rune.keyboard.press("Enter")
    expect(cell(rune, 2, "predecessors")).to_have_text("1")
    expect(rune.locator("#t-2 .when")).to_have_text("+1h 30m")
    rune.keyboard.press("Escape")
    cell(rune, 1, "predecessors").click()
    rune.keyboard.type("2")
    rune.keyboard.press("Enter")
    expect(rune.get_by_text("That would be a loop: #1 waits for #2 waits for #1.")).to_be_visible()
    expect(rune.get_by_label("Waits for of #1")).to_have_value("2")
    rune.get_by_label("Waits for of #1").press("Escape")
    expect(cell(rune, 1, "predecessors")).to_have_text("")
    cell(rune, 1, "assignee_ids").click()
    rune.get_by_label("People of #1").get_by_label("Dana").check()
    rune.get_by_role("button", name="Done").click()
    expect(cell(rune, 1, "assignee_ids").get_by_title("Dana")).to_be_visible()


def test_two_who_type_into_one_cell_learn_of_each_other_and_choose(open_as: OpenAs) -> None:
    rune, dana = open_as("Rune"), open_as("Dana")
    address = planned_runbook(rune, "One cell, two people", "Open the bridge", "Drain the nodes")
    dana.goto(address)
    cell(dana, 1, "duration").click()
    dana.keyboard.type("30m")
    cell(rune, 1, "duration").click()
    rune.keyboard.type("45m")
    rune.keyboard.press("Enter")
    expect(cell(dana, 1, "duration")).to_contain_text("45m")
    expect(dana.get_by_label("Duration of #1")).to_have_value("30m")
    dana.keyboard.press("Enter")
    said = dana.get_by_role("alert").filter(has_text="Rune changed this")
    expect(said).to_contain_text("to 45m; you typed 30m.")
    said.get_by_role("button", name="Save 30m").click()
    expect(cell(rune, 1, "duration")).to_have_text("30m")
    opened(dana, address)
    dana.get_by_label("Name", exact=True).fill("Open the bridge now")
    rune.locator("#l-1").focus()
    rune.keyboard.press("F2")
    rune.keyboard.type("Open both bridges")
    rune.keyboard.press("Enter")
    expect(dana.locator("#l-1")).to_have_text("Open both bridges")
    dana.get_by_label("Name", exact=True).blur()
    form = dana.locator("#details-form")
    form.get_by_role("button", name="Keep Open both bridges").click()
    expect(dana.get_by_label("Name", exact=True)).to_have_value("Open both bridges")
    dana.get_by_label("Name", exact=True).fill("Open three bridges")
    dana.get_by_label("Name", exact=True).blur()
    expect(rune.locator("#l-1")).to_have_text("Open three bridges")
