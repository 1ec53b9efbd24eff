"""A template's whole way in real browsers: saved, submitted, approved by somebody else, used, changed, compared."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import PATH_OF_A_RUNBOOK, OpenAs

pytestmark = pytest.mark.browser


def submit(page: Page, note: str) -> None:
    page.get_by_role("link", name="Submit for approval…").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("What changes").fill(note)
    dialog.get_by_role("button", name="Submit").click()
    expect(page.get_by_text("It can be approved by Dana.")).to_be_visible()


def approve(page: Page, address: str) -> None:
    page.goto(address)
    page.get_by_role("button", name="Approve").click()
    page.get_by_role("dialog").get_by_role("button", name="Approve").click()
    expect(page.get_by_text("is approved and can be used.")).to_be_visible()


def test_a_template_goes_from_a_runbook_over_an_approval_into_the_next_runbook(
    open_as: OpenAs, failover: str
) -> None:
    rune, dana = open_as("Rune"), open_as("Dana")
    rune.goto(failover)
    rune.get_by_role("button", name="More actions for this runbook").click()
    rune.get_by_role("link", name="Save as template…").click()
    dialog = rune.get_by_role("dialog")
    dialog.get_by_label("Name").fill("Failover by the book")
    dialog.get_by_role("button", name="Save as a draft").click()
    rune.wait_for_url(re.compile(r"/templates/\d+$"))
    template = rune.url
    submit(rune, "As it went in spring")
    expect(rune.get_by_role("button", name="Approve")).to_have_count(0)
    approve(dana, template)

    rune.reload()
    rune.get_by_role("link", name="New runbook from it").click()
    dialog = rune.get_by_role("dialog")
    expect(dialog.get_by_label("Workspace")).to_be_hidden()
    dialog.get_by_label("Name", exact=True).fill("Failover by the book in May")
    dialog.get_by_label("Planned start").fill("2027-05-01T22:00")
    dialog.get_by_role("button", name="Create").click()
    rune.wait_for_url(PATH_OF_A_RUNBOOK)
    adding = rune.get_by_placeholder("Type a task name and press Enter").first
    adding.fill("Tell the regulator")
    adding.press("Enter")
    expect(rune.locator("#t-11")).to_be_visible()

    rune.get_by_role("button", name="More actions for this runbook").click()
    rune.get_by_role("link", name="Save as template…").click()
    dialog = rune.get_by_role("dialog")
    expect(dialog.get_by_label("The next version of Failover by the book")).to_be_checked()
    expect(dialog.get_by_text("1 task added.")).to_be_visible()
    expect(dialog.get_by_label("Name", exact=True)).to_be_hidden()
    dialog.get_by_label("What changes").fill("The regulator hears of it")
    dialog.get_by_role("button", name="Save as a draft").click()
    rune.wait_for_url(template)
    rune.get_by_role("link", name="Compare version 2 with version 1").click()
    expect(rune.get_by_role("heading", name="Version 2 against version 1")).to_be_visible()
    expect(rune.get_by_role("region", name="Added").get_by_role("listitem")).to_have_text(
        [re.compile("#11 Tell the regulator")]
    )


def test_who_plans_a_draft_is_kept_from_it_the_moment_it_is_submitted(open_as: OpenAs, failover: str) -> None:
    rune, other = open_as("Rune"), open_as("Rune")
    rune.goto(f"{failover}/save-as-template")
    dialog = rune.get_by_role("dialog")
    dialog.get_by_label("Name").fill("Failover in haste")
    dialog.get_by_role("button", name="Save as a draft").click()
    rune.wait_for_url(re.compile(r"/templates/\d+$"))
    other.goto(rune.get_by_role("link", name="Open the plan").get_attribute("href") or "")
    adding = other.get_by_placeholder("Type a task name and press Enter")
    expect(adding.first).to_be_visible()
    submit(rune, "Quickly")
    expect(other.get_by_text("Its plan cannot be changed while it is in review.")).to_be_visible()
    expect(adding).to_have_count(0)
    rune.get_by_role("button", name="Take back to change it").click()
    expect(adding.first).to_be_visible()
