"""The guide's steps, by its labels and roles, in a real browser: as Ines, Carl and Rune, until the message arrives."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
import requests
from playwright.sync_api import Page, expect

from tests.browser.conftest import OpenAs
from tests.running import Running

pytestmark = pytest.mark.browser

PAYLOAD_AS_PRINTED = (
    """{"channel":"{{CustomField['Slack Channel']}}","text":"{{CustomField['Slack Message']}}}"""
)
CLIENT_ID, CLIENT_SECRET = "2141029472.691202649728", "e1b9e11dfcd19c1982d5de12921e17e8c"


@dataclass(frozen=True)
class Way:
    """One way to authenticate: which of Slack's versions, and who signs in."""

    name: str
    authorize: str
    token: str
    scopes: str
    as_: str
    typed_first: str = "#ops-runbooks"


V1 = ("/oauth/authorize", "/api/oauth.access", "write channels:read chat:write:bot chat:write:user")
V2 = ("/oauth/v2/authorize", "/api/oauth.v2.access", "chat:write")
WAYS = [
    Way("Slack v1 functional", *V1, "Functional user"),
    Way("Slack v1 task user", *V1, "Task user"),
    Way("Slack v2 functional", *V2, "Functional user", typed_first="#ops-runboks"),
    Way("Slack v2 task user", *V2, "Task user"),
]


def create_connection_and_action(ines: Page, name: str) -> None:
    ines.get_by_role("link", name="Settings", exact=True).click()
    ines.get_by_role("link", name="Integrations", exact=True).click()
    expect(ines.get_by_role("heading", name="Integration Connections")).to_be_visible()
    ines.get_by_role("link", name="Create Integration").first.click()
    dialog = ines.get_by_role("dialog", name="New Integration Connection")
    expect(dialog.get_by_role("radio", name="Custom integration")).to_be_checked()
    dialog.get_by_label("Name").fill(name)
    dialog.get_by_role("button", name="Create").click()
    ines.get_by_role("link", name=name, exact=True).last.click()
    expect(ines.get_by_role("heading", name="Integration Actions")).to_be_visible()
    ines.get_by_role("link", name="New", exact=True).click()
    editor = ines.get_by_role("dialog")
    editor.get_by_label("Action", exact=True).select_option(label="Build a custom integration")
    editor.get_by_label("Name", exact=True).fill("Post to a channel")
    editor.get_by_label("Trigger").select_option(label="On Task Start")
    editor.get_by_label("Cancelable").check()
    editor.get_by_label("Finish task on success").check()
    editor.get_by_role("button", name="Create").click()
    expect(ines.get_by_role("tab", name="Authorization")).to_be_visible()


def create_field(carl: Page, name: str, kind: str, restricted_to: str) -> None:
    carl.get_by_role("link", name="Settings", exact=True).click()
    carl.get_by_role("link", name="Custom Fields", exact=True).click()
    carl.get_by_role("link", name="Add a custom field").click()
    carl.get_by_label("Name", exact=True).fill(name)
    carl.get_by_label("Field type").select_option(label=kind)
    expect(carl.get_by_label("Task edit")).to_be_checked()
    carl.get_by_label(restricted_to).check()
    carl.get_by_label("Required").check()
    carl.get_by_label("Transient").check()
    carl.get_by_role("button", name="Create").click()
    expect(carl.get_by_role("link", name=name, exact=True).last).to_be_visible()


def fill_authorization(ines: Page, way: Way, sandbox: str) -> None:
    ines.get_by_role("tab", name="Authorization").click()
    ines.get_by_label("Authorization Type").select_option(label="OAuth")
    expect(ines.get_by_label("Authorization Flow")).to_have_value("authorization_code")
    ines.get_by_role("radio", name=way.as_).check()
    ines.get_by_label("Client ID").fill(CLIENT_ID)
    ines.get_by_label("Client Secret").fill(CLIENT_SECRET)
    ines.get_by_label("OAuth2 provider host").fill(sandbox)
    ines.get_by_label("Authorization Endpoint").fill(way.authorize)
    ines.get_by_label("Token Endpoint").fill(way.token)
    ines.get_by_label("Scopes", exact=True).fill(way.scopes)
    expect(ines.get_by_label("Redirect URI")).to_have_value(
        ines.url.split("/settings")[0]
        + "/api/integrations/oauth/authentications/payload_transformer/callback"
    )


def fill_request(ines: Page, sandbox: str) -> None:
    ines.get_by_role("tab", name="Request").click()
    ines.get_by_label("URL", exact=True).fill(f"{sandbox}/api/chat.postMessage")
    ines.get_by_label("Request headers").fill('{"Content-Type":"application/json"}')
    payload = ines.get_by_label("Outbound payload")
    payload.fill(PAYLOAD_AS_PRINTED)
    payload.blur()
    expect(ines.get_by_text("Line 1, column 54").first).to_be_visible()
    ines.get_by_role("button", name="Fix it").first.click()
    expect(ines.get_by_text("Line 1, column 54")).to_have_count(0)
    expect(ines.get_by_label("Execution mode")).to_have_value("fire_and_forget")


def save(ines: Page) -> None:
    ines.get_by_role("button", name="Save", exact=True).click()
    expect(ines.get_by_role("region", name="Messages").get_by_text("saved")).to_be_visible()


def allow_at_the_provider(page: Page) -> None:
    page.get_by_role("button", name="Allow").click()
    expect(page.get_by_text("Authenticated as").first).to_be_visible()


def messages(demo: Running, text: str) -> list[dict[str, object]]:
    found = requests.get(f"{demo.sandbox}/sandbox/messages", timeout=5).json()["messages"]
    return [message for message in found if message["text"] == text]


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.name)
def test_a_started_task_posts_to_the_channel(demo: Running, open_as: OpenAs, way: Way) -> None:
    ines, carl, rune = open_as("Ines"), open_as("Carl"), open_as("Rune")
    create_connection_and_action(ines, way.name)
    editor_url = ines.url
    restriction = f"{way.name}: Post to a channel"
    create_field(carl, "Slack Channel", "Text", restriction)
    create_field(carl, "Slack Message", "Text area", restriction)
    ines.goto(editor_url)
    fill_authorization(ines, way, demo.sandbox)
    fill_request(ines, demo.sandbox)
    save(ines)
    if way.as_ == "Functional user":
        ines.get_by_role("tab", name="Authorization").click()
        ines.get_by_role("button", name="Authenticate").click()
        allow_at_the_provider(ines)

    rune.goto("/runbooks")
    rune.get_by_role("link", name="New runbook").first.click()
    rune.get_by_label("Name", exact=True).fill(f"Failover by {way.name}")
    rune.get_by_role("button", name="Create", exact=True).click()
    adding = rune.get_by_placeholder("Type a task name and press Enter").first
    adding.fill("Announce the start")
    adding.press("Enter")
    rune.get_by_role("link", name="Announce the start").first.click()
    rune.get_by_label("Type", exact=True).select_option(label=restriction)
    rune.get_by_label("Slack Channel").fill(way.typed_first)
    rune.get_by_label("Slack Channel").blur()
    text = f'Failover “{way.name}” started,\nas "planned" & on time'
    rune.get_by_label("Slack Message").fill(text)
    rune.get_by_label("Slack Message").blur()
    expect(rune.get_by_text("Saved").last).to_be_visible()
    rune.get_by_role("link", name="Start live run").click()
    rune.get_by_role("dialog").get_by_role("button", name="Start live run").click()
    if way.as_ == "Task user":
        rune.get_by_role("button", name="Authenticate").click()
        allow_at_the_provider(rune)
    rune.get_by_role("button", name="Start task").click()
    if way.typed_first != "#ops-runbooks":
        expect(rune.get_by_text(f"Slack has no channel {way.typed_first}").first).to_be_visible()
        assert not messages(demo, text)
        rune.get_by_label("Slack Channel").fill("#ops-runbooks")
        rune.get_by_role("button", name="Retry").first.click()
    expect(rune.get_by_text("Delivered").first).to_be_visible()
    expect(rune.get_by_label("Task details").get_by_text("Done", exact=True).first).to_be_visible()

    [arrived] = messages(demo, text)
    assert arrived["channel"] == "C024BE91L"
    seen = rune.context.new_page()
    seen.goto(f"{demo.sandbox}/channels/C024BE91L")
    expect(seen.get_by_text(f"Failover “{way.name}” started,").last).to_be_visible()
