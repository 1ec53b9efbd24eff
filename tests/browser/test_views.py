"""The views of a runbook in a real browser: one selection over all, keyboard, two viewers, and no accessibility faults."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import OpenAs
from tests.browser.test_two_viewers import planned_runbook

pytestmark = pytest.mark.browser

AXE = Path(__file__).parent / "vendor" / "axe.min.js"
VIEWS = ["map", "timeline", "dashboard", "wall"]


def faults(page: Page) -> list[str]:
    """What axe finds against WCAG 2.2 AA."""
    page.evaluate(AXE.read_text())
    return page.evaluate(
        "axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa']})"
        ".then((found) => found.violations.map((each) => `${each.id}: ${each.nodes[0].html}`))"
    )


def test_the_selected_task_goes_along_from_view_to_view(open_as: OpenAs, failover: str) -> None:
    rune = open_as("Rune")
    rune.goto(f"{failover}/map")
    rune.locator("#n-3").focus()
    rune.keyboard.press("ArrowRight")
    expect(rune.locator("#n-4, #n-5, #n-8").and_(rune.locator(":focus"))).to_have_count(1)
    rune.locator("#n-6").press("Enter")
    title = rune.get_by_role("heading", name="Wait for the replica to reach the last log position")
    expect(title).to_be_visible()
    expect(rune).to_have_url(re.compile(rf"{failover}/map\?task=6$"))
    rune.get_by_role("link", name="Timeline").click()
    expect(title).to_be_visible()
    expect(rune.locator('.gname[aria-current="true"]')).to_have_attribute("data-task", "6")
    rune.locator('.gbar[data-node="7"]').click()
    expect(rune.get_by_role("heading", name="Promote the replica to primary")).to_be_visible()
    rune.keyboard.press("Escape")
    expect(rune.locator("#l-7")).to_be_focused()
    expect(rune).to_have_url(re.compile(rf"{failover}/timeline$"))


def test_the_map_zooms_and_fits(open_as: OpenAs, failover: str) -> None:
    rune = open_as("Rune")
    rune.goto(f"{failover}/map")
    drawing = rune.locator("svg.map")
    whole = int(drawing.get_attribute("data-width") or 0)
    rune.get_by_role("button", name="Zoom out").click()
    expect(drawing).to_have_attribute("width", str(round(whole * 0.8)))
    rune.get_by_role("button", name="Fit").click()
    assert rune.evaluate(
        "document.getElementById('map').scrollWidth <= document.getElementById('map').clientWidth"
    )


def test_what_one_does_another_sees_on_the_map_and_on_the_wall(open_as: OpenAs, failover: str) -> None:
    rune, vera, wall = open_as("Rune"), open_as("Vera"), open_as("Vera")
    rune.goto(f"{failover}/start?mode=live")
    rune.get_by_role("dialog").get_by_role("button", name="Start").last.click()
    expect(rune.get_by_text("Live", exact=True).first).to_be_visible()
    vera.goto(f"{failover}/map")
    wall.goto(f"{failover}/wall")
    vera.locator("#n-2").focus()
    rune.goto(f"{failover}/dashboard?task=1")
    rune.get_by_role("button", name="Start task").click()
    expect(vera.locator("#n-1.run")).to_be_visible()
    expect(vera.locator("#n-2")).to_be_focused()
    expect(wall.get_by_role("region", name="In progress")).to_contain_text("Open the war room bridge")


def test_a_page_keeps_its_zone_whatever_its_viewer_chooses_in_another_window(open_as: OpenAs) -> None:
    rune, vera = open_as("Rune"), open_as("Vera", timezone_id="Asia/Tokyo")
    address = planned_runbook(rune, "Told in two zones", "Open the bridge")
    rune.goto(f"{address}/edit")
    rune.get_by_label("Planned start").fill("2026-03-29T01:30")
    rune.get_by_label("Time zone").fill("berlin")
    rune.get_by_role("button", name="Save").click()
    expect(rune.get_by_text("Times in Europe/Berlin")).to_be_visible()
    start = "#t-1 .when time"
    vera.goto(address)
    expect(vera.locator(start)).to_have_text("03:30")
    vera.get_by_role("button", name="Show mine").click()
    expect(vera.locator(start)).to_have_text("10:30")
    second = vera.context.new_page()
    second.goto(address)
    expect(second.get_by_text("Times in Asia/Tokyo, yours")).to_be_visible()
    second.get_by_role("button", name="Show the runbook’s").click()
    expect(second.locator(start)).to_have_text("03:30")
    rune.goto(f"{address}?task=1")
    name = rune.get_by_label("Name", exact=True)
    name.fill("Open both bridges")
    name.blur()
    for page, text in ((vera, "10:30"), (second, "03:30")):
        expect(page.get_by_role("link", name="Open both bridges")).to_be_visible()
        expect(page.locator(start)).to_have_text(text)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_view_has_accessibility_faults(scheme: str, open_as: OpenAs, failover: str) -> None:
    rune = open_as("Rune", color_scheme=scheme, bypass_csp=True)
    found = {}
    for view in VIEWS:
        rune.goto(f"{failover}/{view}")
        found[view] = faults(rune)
    assert found == {view: [] for view in VIEWS}
