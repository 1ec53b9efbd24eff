"""A real Chromium, and the demo that it drives. Without Chromium these tests are skipped with one line."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Page, StorageState, expect, sync_playwright

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


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory, worker_number: int) -> Iterator[Running]:
    """A demo of this module's own, because its tests change what is in it."""
    running = Running(tmp_path_factory.mktemp("demo"), number=3 * worker_number)
    try:
        running.start()
        yield running
    finally:
        running.stop()


@pytest.fixture(scope="module")
def sessions(demo: Running) -> dict[str, StorageState]:
    """Who has signed in to this module's demo, which takes few sign-ins a minute."""
    return {}


@pytest.fixture
def open_as(chromium: Browser, demo: Running, sessions: dict[str, StorageState]) -> Iterator[OpenAs]:
    """A page in a browser of its own, signed in as that person of the demo; console errors fail the test."""
    contexts, complaints = [], []

    def opened(name: str, **options: object) -> Page:
        context = chromium.new_context(
            viewport={"width": 1440, "height": 900},
            base_url=demo.address,
            storage_state=sessions.get(name),
            **options,
        )
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(PATIENCE_MS)
        page.on(
            "console",
            lambda message: (
                complaints.append(message.text)
                if message.type == "error" and not EXPECTED.search(message.text)
                else None
            ),
        )
        page.on("pageerror", lambda error: complaints.append(str(error)))
        if name in sessions:
            page.goto("/")
            return page
        page.goto("/sign-in")
        page.get_by_label("Email").fill(f"{name.lower()}@example.com")
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url("**/")
        sessions[name] = context.storage_state()
        return page

    yield opened
    for context in contexts:
        context.close()
    assert complaints == []
