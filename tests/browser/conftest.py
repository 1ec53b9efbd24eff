"""A real Chromium, and the demo that it drives. Without Chromium these tests are skipped with one line.

All modules of a test process share one demo. So each test makes the runbooks that it changes (`planned_runbook`, or
`failover`, a copy of the demo's small runbook), names what it makes like nothing else, and takes back what would meet
other tests: a field that every task requires, for one. What the demo was seeded with (/runbooks/1 and /runbooks/2, the
people) may be looked at and is changed by nobody.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, StorageState, expect, sync_playwright

from tests.running import Running
from webapp.demo import PASSWORD

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

# How long anything may take before a test fails: a busy machine is no fault.
PATIENCE_MS = 30_000
expect.set_options(timeout=PATIENCE_MS)

OpenAs = Callable[..., Page]
ContextAs = Callable[..., BrowserContext]
PATH_OF_A_RUNBOOK = re.compile(r"/runbooks/\d+$")
# The browser's own line for a refused form or a cut connection, and htmx's for a request that a newer one replaced.
EXPECTED = re.compile(r"^Failed to load resource|^htmx:(afterRequest|sendAbort)")


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("Chromium was not found; browser tests are left out.")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def sessions() -> dict[str, StorageState]:
    """Who has signed in to the demo, which takes few sign-ins a minute."""
    return {}


@pytest.fixture(scope="session")
def context_as(chromium: Browser, demo: Running, sessions: dict[str, StorageState]) -> ContextAs:
    """A browser of its own in which that person of the demo is signed in; whoever asks for it closes it."""

    def opened(name: str, **options: Any) -> BrowserContext:
        options = {"viewport": {"width": 1440, "height": 900}, "base_url": demo.address, **options}
        context = chromium.new_context(storage_state=sessions.get(name), **options)
        context.set_default_timeout(PATIENCE_MS)
        if name not in sessions:
            page = context.new_page()
            page.goto("/sign-in")
            page.get_by_label("Email").fill(f"{name.lower()}@example.com")
            page.get_by_label("Password").fill(PASSWORD)
            page.get_by_role("button", name="Sign in").click()
            page.wait_for_url("**/")
            sessions[name] = context.storage_state()
            page.close()
        return context

    return opened


@pytest.fixture
def open_as(context_as: ContextAs) -> Iterator[OpenAs]:
    """A page in a browser of its own, signed in as that person of the demo; console errors fail the test."""
    contexts, complaints = [], []

    def opened(name: str, **options: object) -> Page:
        context = context_as(name, **options)
        contexts.append(context)
        page = context.new_page()
        page.on(
            "console",
            lambda message: (
                complaints.append(message.text)
                if message.type == "error" and not EXPECTED.search(message.text)
                else None
            ),
        )
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto("/")
        return page

    yield opened
    for context in contexts:
        context.close()
    assert complaints == []


@pytest.fixture(scope="module")
def failover(context_as: ContextAs, request: pytest.FixtureRequest) -> Iterator[str]:
    """The path of this module's own copy of the demo's small runbook: in planning, Rune's, with all its tasks."""
    context = context_as("Rune")
    page = context.new_page()
    page.goto("/runbooks/1/duplicate")
    page.get_by_label("Name", exact=True).fill(f"Failover of {request.module.__name__.rpartition('.')[2]}")
    page.get_by_role("button", name="Duplicate", exact=True).click()
    page.wait_for_url(PATH_OF_A_RUNBOOK)
    path = urlsplit(page.url).path
    assert path != "/runbooks/1"
    yield path
    context.close()


@pytest.fixture(scope="session")
def slack(context_as: ContextAs, demo: Running) -> Iterator[str]:
    """The path of the action “Slack: Post to a channel”, whose task users sign in to the demo's sandbox."""
    context = context_as("Dana")
    page = context.new_page()
    page.goto("/settings/integrations/new?type=predefined")
    page.get_by_role("radio", name="Task user").check()
    page.get_by_label("Client ID").fill("2141029472.691202649728")
    page.get_by_label("Client Secret").fill("e1b9e11dfcd19c1982d5de12921e17e8c")
    page.get_by_label("Base URL").fill(demo.sandbox)
    page.get_by_role("button", name="Create", exact=True).click()
    page.wait_for_url("**/settings/integrations/*/actions/*")
    yield urlsplit(page.url).path
    context.close()
