"""A plan from a file, in a real browser and with a real worker: columns, dates that are asked for, import, undo."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import FilePayload, Page, expect

from tests.browser.conftest import OpenAs
from tests.browser.test_two_viewers import planned_runbook

pytestmark = pytest.mark.browser

PLAN = """What,When,How long,Who,After
Open the bridge,03/04/2026 18:00,10,rune@example.com,
Drain the nodes,03/04/2026 18:10,1:30,Dana,2
Go,,,,3
"""


def upload(page: Page, data: bytes, name: str = "plan.csv") -> None:
    """Choose the file and send it."""
    page.get_by_label("File", exact=True).set_input_files(
        FilePayload(name=name, mimeType="text/csv", buffer=data)
    )
    page.get_by_role("button", name="Upload").click()


def test_a_plan_is_imported_column_by_column_and_undone(open_as: OpenAs) -> None:
    page = open_as("Rune")
    address = planned_runbook(page, "From a file")
    page.get_by_role("link", name="Import a plan").first.click()
    upload(page, PLAN.encode("utf-16"))

    expect(page.get_by_text("No column is chosen for the title.")).to_be_visible()
    expect(page.get_by_role("button", name=re.compile("^Import"))).to_be_disabled()
    page.get_by_role("combobox", name=re.compile("^What ")).select_option("Title")
    expect(page.get_by_text("can be read with the day or with the month first")).to_be_visible()
    page.get_by_label("Day first").check()
    expect(page.get_by_text("03 Apr 2026, 18:00")).to_be_visible()
    page.get_by_role("button", name="Import 3 tasks").click()

    page.get_by_role("link", name="Open the runbook").click()
    page.wait_for_url(address)
    expect(page.locator(".task .tt")).to_have_text(["Open the bridge", "Drain the nodes", "Go"])
    expect(page.locator("#t-3 .waits")).to_have_text("2")

    page.go_back()
    page.get_by_role("button", name="Undo the import").click()
    page.get_by_role("dialog").get_by_role("button", name="Undo the import").click()
    page.wait_for_url(address)
    expect(page.get_by_text("The import is undone: 3 tasks taken away.")).to_be_visible()
    expect(page.locator(".task")).to_have_count(0)


def test_a_file_that_is_too_large_is_never_sent(open_as: OpenAs, tmp_path: Path) -> None:
    page = open_as("Rune")
    page.goto("/runbooks/import")
    page.get_by_label("Name of the new runbook").fill("Too large")
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.method) if request.method == "POST" else None)
    large = tmp_path / "plan.csv"
    large.write_bytes(b"x" * 10_000_001)
    page.get_by_label("File", exact=True).set_input_files(large)
    page.get_by_role("button", name="Upload").click()
    expect(page.get_by_role("alert").filter(has_text="A file may have at most 10 MB.")).to_be_visible()
    assert sent == []
