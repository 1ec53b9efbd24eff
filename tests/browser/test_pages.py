"""Every page by axe's WCAG 2.2 AA rules, in light and dark, and on a phone's width, as the person who sees most of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import PATIENCE_MS
from tests.running import Running
from webapp.demo import PASSWORD

pytestmark = pytest.mark.browser

AXE = (Path(__file__).parent / "vendor" / "axe.min.js").read_text()
# Colours are all that a theme changes, so the second theme is asked about them only.
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
RUN = """async (only) => {
  await new Promise(requestAnimationFrame);
  const fading = document.getAnimations().filter((each) => each instanceof CSSTransition);
  await Promise.allSettled(fading.map((each) => each.finished));
  const options = { runOnly: only, resultTypes: ['violations'], preload: false, iframes: false };
  const { violations } = await axe.run(document, options);
  return violations.flatMap(({ id, nodes }) => nodes.map(({ target }) => `${id}: ${target.join(' ')}`));
}"""
PHONE, DESK = {"width": 390, "height": 844}, {"width": 1440, "height": 900}

# What the page is, and its address. {live} is a runbook under way whose tasks have met Slack's sandbox; runbook 1 is planned.
PAGES = {
    "home": "/",
    "runbooks": "/runbooks",
    "a new runbook": "/runbooks/new",
    "a planned runbook": "/runbooks/1",
    "a task in planning": "/runbooks/1?task=2",
    "a file to import into a plan": "/runbooks/1/import",
    "a file to import into a new runbook": "/runbooks/import",
    "the run sheet": "/runbooks/1/run-sheet",
    "a runbook's name": "/runbooks/1/edit",
    "a new stream": "/runbooks/1/streams/new",
    "a message to everyone": "/runbooks/1/message",
    "the duplicate of a runbook": "/runbooks/1/duplicate",
    "the start of a live run": "/runbooks/1/start?mode=live",
    "a live runbook": "{live}",
    "a task whose message was delivered": "{live}?task=1",
    "a task whose message failed": "{live}?task=2",
    "a task that asks for a sign-in": "{live}?task=3",
    "pre-flight": "/runbooks/1/preflight",
    "a review": "{live}/review",
    "a review before the start": "/runbooks/1/review",
    "the reason of a skip": "{live}/tasks/3/skip",
    "no match for a filter": "{live}?show=late",
    "my tasks": "/my-tasks",
    "integrations": "/settings/integrations",
    "a new connection": "/settings/integrations/new",
    "a new predefined connection": "/settings/integrations/new?type=predefined",
    "a connection": "/settings/integrations/1",
    "a new action": "/settings/integrations/1/actions/new",
    "an action, General": "/settings/integrations/1/actions/1#general",
    "an action, Authorization": "/settings/integrations/1/actions/1#authorization",
    "an action, Request": "/settings/integrations/1/actions/1#request",
    "custom fields": "/settings/custom-fields",
    "a custom field": "/settings/custom-fields/1",
    "a new custom field": "/settings/custom-fields/new",
    "integration runs": "/settings/runs",
    "a delivered run": "/settings/runs/1",
    "a failed run": "/settings/runs/2",
    "the audit log": "/settings/audit",
    "users": "/settings/users",
    "a user": "/settings/users/1",
    "roles": "/settings/roles",
    "workspaces": "/settings/workspaces",
    "a workspace": "/settings/workspaces/1",
    "the profile": "/profile",
    "the guide": "/guides/slack",
    "a page that is not there": "/nowhere",
    "the sandbox's channel": "{sandbox}/channels/C024BE91L",
    "the sandbox's faults": "{sandbox}/channels/C024BE91L?practise=1",
    "the sandbox's app": "{sandbox}/app-settings",
}


def signed_in(browser: Browser, demo: Running, name: str) -> Page:
    """A page without the Content Security Policy, which would refuse axe; test_guide runs with it."""
    context = browser.new_context(
        viewport=DESK, base_url=demo.address, bypass_csp=True, reduced_motion="reduce"
    )
    page = context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    page.goto("/sign-in")
    page.get_by_label("Email").fill(f"{name}@example.com")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/")
    return page


def add_connection(page: Page, sandbox: str) -> None:
    page.goto("/settings/integrations/new?type=predefined")
    page.get_by_role("radio", name="Task user").check()
    page.get_by_label("Client ID").fill("2141029472.691202649728")
    page.get_by_label("Client Secret").fill("e1b9e11dfcd19c1982d5de12921e17e8c")
    page.get_by_label("Base URL").fill(sandbox)
    page.get_by_role("button", name="Create", exact=True).click()
    page.wait_for_url("**/settings/integrations/1/actions/1**")


def plan_and_start(page: Page, channels: dict[str, str]) -> str:
    """A live runbook with one Slack task per title and its channel. Its path."""
    page.goto("/runbooks/new")
    page.get_by_label("Name", exact=True).fill(
        "Failover of the core banking system from region A to region B"
    )
    page.get_by_role("button", name="Create", exact=True).click()
    adding = page.get_by_placeholder("Type a task name and press Enter")
    for title, channel in channels.items():
        adding.fill(title)
        adding.press("Enter")
        page.get_by_role("link", name=title).click()
        expect(page.get_by_label("Task details").get_by_role("heading", name=title)).to_be_visible()
        page.get_by_label("Type", exact=True).select_option(label="Slack: Post to a channel")
        for label, value in {"Slack Channel": channel, "Slack Message": title}.items():
            with page.expect_response("**/fields/*"):
                page.get_by_label(label).fill(value)
                page.get_by_label(label).blur()
    page.get_by_role("link", name="Start live run").click()
    page.get_by_role("dialog").get_by_role("button", name="Start live run").click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    return page.url.split("?")[0]


def call(page: Page, address: str, outcome: str) -> None:
    page.goto(address)
    page.get_by_role("button", name="Authenticate").click()
    page.get_by_role("button", name="Allow").click()
    page.get_by_role("button", name="Start task").click()
    expect(page.get_by_label("Task details").get_by_text(outcome).first).to_be_visible()


@pytest.fixture(scope="module")
def dana(chromium: Browser, demo: Running) -> Iterator[Page]:
    page = signed_in(chromium, demo, "dana")
    yield page
    page.context.close()


@pytest.fixture(scope="module")
def places(demo: Running, dana: Page) -> dict[str, str]:
    """The addresses that PAGES leaves open, after one message was delivered and one refused."""
    add_connection(dana, demo.sandbox)
    live = plan_and_start(
        dana, {"Announce": "#ops-runbooks", "Post the all clear": "#nowhere", "Thank": "#dr-war-room"}
    )
    call(dana, f"{live}?task=1", "Done")
    call(dana, f"{live}?task=2", "channel_not_found")
    return {"live": live, "sandbox": demo.sandbox}


def violations(page: Page) -> list[str]:
    """What axe finds in light, then the contrasts that it finds in dark."""
    page.evaluate(AXE)
    page.emulate_media(color_scheme="light")
    found = page.evaluate(RUN, {"type": "tag", "values": TAGS})
    page.emulate_media(color_scheme="dark")
    return [*found, *(f"dark {each}" for each in page.evaluate(RUN, ["color-contrast"]))]


def wider_than_a_phone(page: Page) -> bool:
    """Whether the document, or its scrolling column, would scroll sideways at 390 px."""
    page.set_viewport_size(PHONE)
    sizes: Any = page.evaluate(
        "[document.documentElement, ...document.querySelectorAll('.main, .scroll')]"
        ".map((each) => [each.scrollWidth, each.clientWidth])"
    )
    page.set_viewport_size(DESK)
    return any(inner > outer for inner, outer in sizes)


@pytest.mark.parametrize("name", PAGES)
def test_a_page_meets_wcag_in_light_and_dark_and_fits_a_phone(
    dana: Page, places: dict[str, str], name: str
) -> None:
    dana.goto("about:blank")  # or an address that differs in its hash only would not be loaded
    dana.goto(PAGES[name].format(**places))
    assert violations(dana) == []
    assert not wider_than_a_phone(dana)


def test_the_pages_of_people_who_are_kept_out_meet_wcag_and_fit_a_phone(
    chromium: Browser, demo: Running
) -> None:
    vera = signed_in(chromium, demo, "vera")
    vera.goto("/settings/users")
    expect(vera.get_by_text("You may not open this page")).to_be_visible()
    assert violations(vera) == []
    assert not wider_than_a_phone(vera)
    vera.context.clear_cookies()
    vera.goto("/sign-in")
    assert violations(vera) == []
    assert not wider_than_a_phone(vera)
    vera.context.close()


def test_the_sandboxs_consent_meets_wcag_and_fits_a_phone(dana: Page, places: dict[str, str]) -> None:
    dana.goto(f"{places['live']}?task=3")
    dana.get_by_role("button", name="Authenticate").click()
    expect(dana.get_by_role("button", name="Allow")).to_be_visible()
    assert violations(dana) == []
    assert not wider_than_a_phone(dana)
