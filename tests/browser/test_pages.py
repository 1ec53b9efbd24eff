"""Every page by axe's WCAG 2.2 AA rules, in light and dark, and on a phone's width, as the person who sees most of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import ContextAs
from tests.browser.test_two_viewers import planned_runbook
from tests.running import Running

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
# The Content Security Policy would refuse axe; the other modules run with it.
AS_AXE_NEEDS_IT = {"bypass_csp": True, "reduced_motion": "reduce"}
ACTION = "Slack: Post to a channel"

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
    "a runbook to save as a template": "/runbooks/1/save-as-template",
    "a snippet to insert": "/runbooks/1/insert-snippet",
    "templates": "/templates",
    "a template": "/templates/1",
    "two versions side by side": "/templates/1/diff",
    "the plan of a template": "/runbooks/3",
    "the start of a live run": "/runbooks/1/start?mode=live",
    "a live runbook": "{live}",
    "a task whose message was delivered": "{live}?task=1",
    "a task whose message failed": "{live}?task=2",
    "a task that asks for a sign-in": "{live}?task=3",
    "pre-flight": "/runbooks/1/preflight",
    "a review": "{live}/review",
    "a review before the start": "/runbooks/1/review",
    "the review of a rehearsal": "{rehearsed}/review/rehearsal-1",
    "two rehearsals compared": "{rehearsed}/compare",
    "a comparison with only one": "{live}/compare",
    "the reason of a skip": "{live}/tasks/3/skip",
    "no match for a filter": "{live}?show=late",
    "my tasks": "/my-tasks",
    "notifications": "/notifications",
    "what one is notified of": "/notifications/settings",
    "integrations": "/settings/integrations",
    "a new connection": "/settings/integrations/new",
    "a new predefined connection": "/settings/integrations/new?type=predefined",
    "a connection": "{connection}",
    "a new action": "{connection}/actions/new",
    "an action, General": "{slack}#general",
    "an action, Authorization": "{slack}#authorization",
    "an action, Request": "{slack}#request",
    "custom fields": "/settings/custom-fields",
    "a custom field": "{field}",
    "a new custom field": "/settings/custom-fields/new",
    "integration runs": "/settings/runs",
    "a delivered run": "{delivered}",
    "a failed run": "{failed}",
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
        page.get_by_label("Type", exact=True).select_option(label=ACTION)
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


def rehearse_twice(page: Page) -> str:
    """A runbook that was rehearsed once, taken back to planning, and is being rehearsed again. Its path."""
    path = planned_runbook(page, "Failover that is rehearsed twice", "Ring the bridge")
    for again in (True, False):
        page.get_by_role("link", name="Start rehearsal").click()
        page.get_by_role("dialog").get_by_role("button", name="Start rehearsal").click()
        expect(page.get_by_role("dialog")).to_have_count(0)
        if again:
            page.get_by_role("button", name="More actions for this runbook").click()
            page.get_by_role("link", name="Cancel the rehearsal").click()
            page.get_by_label("Reason").fill("Enough for today")
            page.get_by_role("button", name="Cancel the rehearsal").click()
            page.get_by_role("button", name="Back to planning").click()
            expect(page.get_by_role("link", name="1 rehearsal", exact=True)).to_be_visible()
    return path


@pytest.fixture(scope="module")
def dana(context_as: ContextAs) -> Iterator[Page]:
    context = context_as("Dana", **AS_AXE_NEEDS_IT)
    yield context.new_page()
    context.close()


def path_of(page: Page, list_of_them: str, name: str) -> str:
    """Where the link of that name leads on the page at that address."""
    page.goto(list_of_them)
    return page.get_by_role("link", name=name, exact=True).first.get_attribute("href") or ""


@pytest.fixture(scope="module")
def places(demo: Running, dana: Page, slack: str) -> dict[str, str]:
    """The addresses that PAGES leaves open, after one message was delivered and one refused."""
    live = plan_and_start(
        dana, {"Announce": "#ops-runbooks", "Post the all clear": "#nowhere", "Thank": "#dr-war-room"}
    )
    call(dana, f"{live}?task=1", "Done")
    call(dana, f"{live}?task=2", "channel_not_found")
    return {
        "live": live,
        "rehearsed": rehearse_twice(dana),
        "sandbox": demo.sandbox,
        "slack": slack,
        "connection": slack.partition("/actions/")[0],
        "field": path_of(dana, "/settings/custom-fields", "Slack Channel"),
        "delivered": path_of(dana, "/settings/runs?state=succeeded", ACTION),
        "failed": path_of(dana, "/settings/runs?state=failed", ACTION),
    }


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


def test_the_pages_of_people_who_are_kept_out_meet_wcag_and_fit_a_phone(context_as: ContextAs) -> None:
    vera = context_as("Vera", **AS_AXE_NEEDS_IT).new_page()
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
