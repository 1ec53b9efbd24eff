"""The workspace in a browser, and messages as safe HTML."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup

from slack_sandbox import Settings
from slack_sandbox.mrkdwn import mrkdwn
from slack_sandbox.sandbox import Sandbox

Post = Callable[..., Any]
PAGES = ("/", "/?practise=1", "/channels/C0NOTIN55", "/channels/C0ARCHIVE", "/app-settings")


@pytest.mark.parametrize("path", PAGES)
def test_a_page_runs_under_a_strict_policy_with_nothing_inline(
    client: FlaskClient, post: Post, path: str
) -> None:
    post()
    response = client.get(path)
    page = response.get_data(as_text=True)
    assert response.status_code == 200
    assert response.headers["Content-Security-Policy"] == (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )
    assert [inline for inline in (" style=", "<style", " onclick=", "<script>") if inline in page] == []
    assert "Nothing here reaches Slack." in page


def test_the_first_channel_says_that_it_is_empty_until_a_message_comes(
    client: FlaskClient, post: Post
) -> None:
    assert '<div class="empty" data-empty>' in client.get("/").get_data(as_text=True)
    post(text="Failover *started*")
    page = client.get("/").get_data(as_text=True)
    assert '<div class="empty" data-empty hidden>' in page
    assert "Failover <strong>started</strong>" in page


def test_the_script_learns_of_new_and_changed_messages_once(
    client: FlaskClient, post: Post, call: Post
) -> None:
    def look(after: int | None) -> tuple[list[str], Any]:
        news = client.get(f"/channels/C024BE91L/updates?after={after}").get_json()
        return [message["id"] for message in news["messages"]], news["revision"]

    first = post()["ts"]
    anchor = "p" + first.replace(".", "")
    seen, revision = look(0)
    assert seen == [anchor]
    assert look(revision) == ([], None)
    call("chat.update", {"channel": "C024BE91L", "ts": first, "text": "changed"})
    post("#dr-war-room")
    assert look(revision)[0] == [anchor]


def test_clearing_the_messages_tells_open_pages_to_reload(client: FlaskClient, post: Post) -> None:
    post()
    epochs = []
    for _ in range(2):
        epochs.append(client.get("/channels/C024BE91L/updates").get_json()["epoch"])
        client.post("/practise/clear")
    assert epochs == [0, 1]


def test_a_switch_is_shown_on_every_page_while_it_is_on(client: FlaskClient, here: Sandbox) -> None:
    here.switches.set({"delay": 3, "rotation": True})
    words = "Answers are 3 s late; Token rotation is on."
    assert [path for path in PAGES if words not in client.get(path).get_data(as_text=True)] == []
    here.switches.reset()
    assert "Practising:" not in client.get("/").get_data(as_text=True)


def test_the_panel_saves_a_switch_at_once_with_and_without_the_script(
    client: FlaskClient, here: Sandbox
) -> None:
    response = client.post("/practise", data={"server_error": "on"})
    assert (response.status_code, response.headers["Location"]) == (303, "/?practise=1")
    answer = client.post("/practise", data={"delay": "2"}, headers={"X-Wanted": "panel"}).get_json()
    assert "Answers are 2 s late; Every call gets HTTP 500." in answer["banner"]
    assert [switch.key for switch in here.switches.on()] == ["delay", "server_error"]


def test_the_panel_says_why_a_value_was_refused(client: FlaskClient) -> None:
    answer = client.post("/practise", data={"delay": "9999"}, headers={"X-Wanted": "panel"}).get_json()
    assert 'role="alert">Answer late: give a number from 0 to 600.<' in answer["panel"]


def test_app_settings_has_what_the_guide_copies(client: FlaskClient, settings: Settings) -> None:
    page = client.get("/app-settings").get_data(as_text=True)
    values = [
        settings.app_id,
        settings.client_id,
        settings.client_secret,
        settings.redirect_uris[0],
        "http://localhost",
        "http://localhost/api/chat.postMessage",
    ]
    assert [value for value in values if f'value="{value}"' not in page] == []


def test_a_sign_in_can_be_seen_and_revoked(client: FlaskClient, post: Post, here: Sandbox) -> None:
    post()
    assert "Allowed by Ines" in client.get("/app-settings").get_data(as_text=True)
    client.post("/practise/revoke", data={"grant": str(here.grants.active()[0].id)})
    assert post()["error"] == "token_revoked"
    assert "Nobody has allowed the app yet." in client.get("/app-settings").get_data(as_text=True)


def test_inviting_the_app_lets_it_post(client: FlaskClient, post: Post) -> None:
    assert post("#vendor-desk")["error"] == "not_in_channel"
    client.post("/channels/C0NOTIN55/membership", data={"member": "yes"})
    assert post("#vendor-desk")["ok"] is True
    client.post("/channels/C0NOTIN55/membership", data={"member": "no"})
    assert post("#vendor-desk")["error"] == "not_in_channel"


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("*bold* _it_ ~no~", "<strong>bold</strong> <em>it</em> <s>no</s>"),
        ("2*3*4 and snake_case_name", "2*3*4 and snake_case_name"),
        ("<script>alert(1)</script>", "&lt;script&gt;alert(1)&lt;/script&gt;"),
        ("&lt;b&gt; &amp; co", "&lt;b&gt; &amp; co"),
        ("`a *b*` *c*", "<code>a *b*</code> <strong>c</strong>"),
        ("```x\n<y>```", "<pre>x\n&lt;y&gt;</pre>"),
        (
            "<https://x.test/?a=1&amp;b=2|docs>",
            '<a href="https://x.test/?a=1&amp;b=2" rel="noopener noreferrer" target="_blank">docs</a>',
        ),
        ("<javascript:alert(1)|x>", "&lt;javascript:alert(1)|x&gt;"),
        (
            "<!channel> <@U061F7AUR|ines>",
            '<span class="mention">@channel</span> <span class="mention">@ines</span>',
        ),
        ("one\ntwo", "one\ntwo"),
    ],
)
def test_a_little_mrkdwn_is_shown_and_everything_else_escaped(text: str, html: str) -> None:
    assert mrkdwn(text) == Markup(html)


@given(st.text(alphabet="<>&\"'*_~`|@!#:/ahtps \n", max_size=60))
def test_no_text_brings_its_own_tags(text: str) -> None:
    html = str(mrkdwn(text))
    for tag in ("strong", "em", "s", "code", "pre", "span", "a"):
        html = html.replace(f"</{tag}>", "").replace(f"<{tag}>", "")
    html = html.replace('<span class="mention">', "")
    while '<a href="http' in html:
        before, _, rest = html.partition('<a href="http')
        address, mark, after = rest.partition('" rel="noopener noreferrer" target="_blank">')
        assert mark
        assert '"' not in address
        html = before + after
    assert "<" not in html
