"""Take the README's pictures: follow the guide in a demo of its own, and photograph what a person sees on the way.

    make pictures

The demo has free ports and an instance in a temporary folder, so a running one is not touched. Needs Chromium.
Writes docs/pictures/*.png: 1440×900, light, one device pixel a pixel.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from playwright.sync_api import Page, expect, sync_playwright

from tests.browser.conftest import CHROMIUM, FLAGS
from tests.running import ROOT, Running
from webapp.demo import PASSWORD

PICTURES = ROOT / "docs/pictures"
LARGEST_BYTES = 250_000
RUNBOOK, TASK = "Core banking failover, region A to B", "Announce the start in Slack"
BEFORE = [
    "Open the war room bridge and call the roll",
    "Confirm that replication lag is below 5 s",
    "Declare the failover",
]
MEANWHILE = ["Stop write traffic on the core ledger", "Scale region B workers to production size"]
CHANNEL = "#ops-runbooks"
MESSAGE = "The failover of core banking to region B has started.\nBridge: war room 1. Updates follow here."
PAYLOAD = """{"channel":"{{CustomField['Slack Channel']}}","text":"{{CustomField['Slack Message']}}"}"""
CLIENT_ID, CLIENT_SECRET = "2141029472.691202649728", "e1b9e11dfcd19c1982d5de12921e17e8c"


def main() -> None:
    """Take all pictures. Raises SystemExit with one sentence where there is no browser or a picture is too large."""
    if CHROMIUM is None:
        raise SystemExit("Chromium was not found; install chromium, chromium-browser or google-chrome.")
    PICTURES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="runsheet-pictures-") as folder, sync_playwright() as playwright:
        demo = Running(Path(folder) / "instance")
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        try:
            demo.start()
            context = browser.new_context(
                viewport={"width": 1440, "height": 900},
                device_scale_factor=1,
                color_scheme="light",
                reduced_motion="reduce",
                base_url=demo.address,
            )
            page = context.new_page()
            page.set_default_timeout(10_000)
            follow_the_guide(page, demo.sandbox)
        finally:
            browser.close()
            demo.stop()
    large = [path.name for path in PICTURES.glob("*.png") if path.stat().st_size > LARGEST_BYTES]
    if large:
        raise SystemExit(f"Larger than {LARGEST_BYTES:,} bytes: {', '.join(large)}.")


def follow_the_guide(page: Page, sandbox: str) -> None:
    """docs/guide/slack.md from its first step to the message in the channel, as Dana, who may do everything."""
    sign_in(page)
    for name in ("Jira", "PagerDuty", "Slack"):
        create_connection(page, name)
    editor = create_action(page)
    create_field(page, "Slack Channel", "Text")
    create_field(page, "Slack Message", "Text area")
    page.goto(editor)
    fill_authorization(page, sandbox)
    fill_request(page, sandbox)
    save(page)
    authenticate(page)
    runbook = choose_the_action(page)
    photograph_connections(page)
    photograph_request(page, editor)
    run_it(page, runbook)
    photograph_the_channel(page, sandbox)


def photograph(page: Page, name: str) -> None:
    """docs/pictures/<name>.png of what the page shows now, once messages are gone and letters have arrived."""
    expect(page.get_by_role("region", name="Messages").get_by_role("status")).to_have_count(0)
    page.mouse.move(0, 0)
    page.evaluate("document.fonts.ready")
    page.screenshot(path=PICTURES / f"{name}.png", animations="disabled", caret="hide")


def sign_in(page: Page) -> None:
    page.goto("/sign-in")
    page.get_by_label("Email").fill("dana@example.com")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/")


def open_settings(page: Page, name: str) -> None:
    page.get_by_role("link", name="Settings", exact=True).click()
    page.get_by_role("link", name=name, exact=True).click()


def create_connection(page: Page, name: str) -> None:
    open_settings(page, "Integrations")
    page.get_by_role("link", name="Create Integration").first.click()
    dialog = page.get_by_role("dialog", name="New Integration Connection")
    expect(dialog.get_by_role("radio", name="Custom integration")).to_be_checked()
    dialog.get_by_label("Name").fill(name)
    dialog.get_by_role("button", name="Create").click()
    expect(dialog).to_have_count(0)


def create_action(page: Page) -> str:
    """The address of the new action's editor."""
    page.get_by_role("link", name="Slack", exact=True).last.click()
    expect(page.get_by_role("heading", name="Integration Actions")).to_be_visible()
    page.get_by_role("link", name="New", exact=True).click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Action", exact=True).select_option(label="Build a custom integration")
    dialog.get_by_label("Name", exact=True).fill("Post to a channel")
    dialog.get_by_label("Trigger").select_option(label="On Task Start")
    dialog.get_by_label("Cancelable").check()
    dialog.get_by_label("Finish task on success").check()
    dialog.get_by_role("button", name="Create").click()
    expect(page.get_by_role("tab", name="Authorization")).to_be_visible()
    return page.url


def create_field(page: Page, name: str, kind: str) -> None:
    page.goto("/")
    open_settings(page, "Custom Fields")
    page.get_by_role("link", name="Add a custom field").click()
    page.get_by_label("Name", exact=True).fill(name)
    page.get_by_label("Field type").select_option(label=kind)
    page.get_by_label("Slack: Post to a channel").check()
    page.get_by_label("Required").check()
    page.get_by_role("button", name="Create").click()
    expect(page.get_by_role("link", name=name, exact=True).last).to_be_visible()


def fill_authorization(page: Page, sandbox: str) -> None:
    page.get_by_role("tab", name="Authorization").click()
    page.get_by_label("Authorization Type").select_option(label="OAuth")
    page.get_by_role("radio", name="Functional user").check()
    page.get_by_label("Client ID").fill(CLIENT_ID)
    page.get_by_label("Client Secret").fill(CLIENT_SECRET)
    page.get_by_label("OAuth2 provider host").fill(sandbox)
    page.get_by_label("Authorization Endpoint").fill("/oauth/v2/authorize")
    page.get_by_label("Token Endpoint").fill("/api/oauth.v2.access")
    page.get_by_label("Scopes", exact=True).fill("chat:write")


def fill_request(page: Page, sandbox: str) -> None:
    page.get_by_role("tab", name="Request").click()
    page.get_by_label("URL", exact=True).fill(f"{sandbox}/api/chat.postMessage")
    page.get_by_label("Request headers").fill('{"Content-Type":"application/json"}')
    page.get_by_label("Outbound payload").fill(PAYLOAD)
    page.get_by_label("Execution mode").select_option(label="Fire and forget")


def save(page: Page) -> None:
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("region", name="Messages").get_by_text("saved")).to_be_visible()


def authenticate(page: Page) -> None:
    page.get_by_role("tab", name="Authorization").click()
    page.get_by_role("button", name="Authenticate").click()
    page.get_by_role("button", name="Allow").click()
    expect(page.get_by_text("Authenticated as").first).to_be_visible()


def photograph_connections(page: Page) -> None:
    page.goto("/")
    open_settings(page, "Integrations")
    page.get_by_role("link", name="Slack", exact=True).last.click()
    expect(page.get_by_role("heading", name="Integration Actions")).to_be_visible()
    photograph(page, "integrations")


def choose_the_action(page: Page) -> str:
    """Choose the action on the demo's task and fill in its fields. The runbook's address."""
    page.goto("/runbooks")
    page.get_by_role("link", name=RUNBOOK).first.click()
    page.get_by_role("link", name=TASK).first.click()
    page.get_by_label("Type", exact=True).select_option(label="Slack: Post to a channel")
    for label, value in (("Slack Channel", CHANNEL), ("Slack Message", MESSAGE)):
        page.get_by_label(label).fill(value)
        page.get_by_label(label).blur()
        expect(page.get_by_text("Saved").last).to_be_visible()
    return page.url.split("?")[0]


def photograph_request(page: Page, editor: str) -> None:
    page.goto(f"{editor.partition('#')[0]}#request")
    page.get_by_label("Sample").select_option(index=1)
    photograph(page, "request")


def run_it(page: Page, runbook: str) -> None:
    page.goto(runbook)
    page.get_by_role("link", name="Start live run").click()
    page.get_by_role("dialog").get_by_role("button", name="Start live run").click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    for task in BEFORE:
        page.get_by_role("link", name=task).first.click()
        page.get_by_role("button", name="Start task").click()
        page.get_by_role("button", name="Finish task").click()
    for task in MEANWHILE:
        page.get_by_role("link", name=task).first.click()
        page.get_by_role("button", name="Start task").click()
        expect(page.get_by_role("button", name="Finish task")).to_be_visible()
    page.get_by_role("link", name=TASK).first.click()
    expect(page.get_by_role("button", name="Start task")).to_be_visible()
    photograph(page, "task")
    page.get_by_role("button", name="Start task").click()
    expect(page.get_by_text("Delivered").first).to_be_visible()
    photograph(page, "runbook")


def photograph_the_channel(page: Page, sandbox: str) -> None:
    page.goto(f"{sandbox}/channels/C024BE91L")
    expect(page.get_by_text("The failover of core banking").last).to_be_visible()
    photograph(page, "sandbox")


if __name__ == "__main__":
    main()
