"""The authorize pages: what is shown, what goes back, and what Slack refuses on a page of its own."""

from __future__ import annotations

from collections.abc import Callable
from html import unescape
from typing import Any

import pytest
from flask.testing import FlaskClient

from slack_sandbox import Settings, create_app

Decide = Callable[..., dict[str, str]]
Asking = dict[str, str]


def page_of(client: FlaskClient, asked: Asking, version: str = "") -> tuple[int, str]:
    response = client.get(f"/oauth{version}/authorize", query_string=asked)
    return response.status_code, unescape(response.get_data(as_text=True))


def test_the_consent_page_names_the_app_the_people_and_each_scope_in_words(
    client: FlaskClient, asking: Asking
) -> None:
    status, page = page_of(client, asking)
    assert status == 200
    said = [
        "Runsheet asks for access to Slack sandbox",
        "<b>Ines</b>",
        "<b>Rune</b>",
        "<b>Carl</b>",
        "<b>Ada</b>",
        "Post messages as the app",
        "Post messages in your name",
        ">Cancel</button>",
        ">Allow</button>",
    ]
    assert [words for words in said if words not in page] == []


def test_v2_shows_what_the_app_and_what_the_person_gives(client: FlaskClient, asking_v2: Asking) -> None:
    status, page = page_of(client, asking_v2, "/v2")
    assert status == 200
    assert [words for words in ("As the app", "On your behalf") if words not in page] == []


def test_the_consent_form_may_end_at_the_app_that_asked(client: FlaskClient, asking: Asking) -> None:
    policy = client.get("/oauth/authorize", query_string=asking).headers["Content-Security-Policy"]
    assert policy.split("; ")[5] == "form-action 'self' http://127.0.0.1:5055"


def test_allow_sends_a_code_and_the_state_back(decide: Decide, asking: Asking) -> None:
    back = decide(asking)
    assert back["to"] == asking["redirect_uri"]
    assert sorted(back) == ["code", "state", "to"]
    assert back["state"] == "xyz"


def test_cancel_sends_access_denied_and_the_state_back(decide: Decide, asking: Asking) -> None:
    assert decide(asking, decision="cancel") == {
        "to": asking["redirect_uri"],
        "error": "access_denied",
        "state": "xyz",
    }


def test_the_person_chosen_last_is_chosen_again(client: FlaskClient, decide: Decide, asking: Asking) -> None:
    decide(asking, person="U0RUNE4JK")
    page = page_of(client, asking)[1]
    assert 'value="U0RUNE4JK" checked' in page
    assert page.count(" checked") == 1


@pytest.mark.parametrize(
    ("change", "said", "remedy"),
    [
        ({"client_id": "nobody"}, "Invalid client_id parameter", "Copy the Client ID from App settings."),
        ({"client_id": "A0KRD7HC3"}, "Invalid client_id parameter", "A0KRD7HC3 is an App ID."),
        (
            {"redirect_uri": "https://evil.test/callback"},
            "redirect_uri did not match any configured URIs. Passed URI: https://evil.test/callback",
            "Redirect URLs",
        ),
        ({"scope": "chat:write"}, "invalid_scope: Invalid permissions requested: chat:write", "v2/authorize"),
        ({"scope": ""}, "invalid_scope: Missing scope", "at least one scope"),
        ({"code_challenge": "abc"}, "pkce_not_allowed", "Switch PKCE on"),
    ],
)
def test_slack_refuses_on_a_page_of_its_own(
    client: FlaskClient, asking: Asking, change: Asking, said: str, remedy: str
) -> None:
    status, page = page_of(client, asking | change)
    assert status == 400
    assert f"<code>{said}</code>" in page
    assert remedy in page


@pytest.mark.parametrize(
    ("change", "wrong"),
    [
        ({"scope": "chat:write:bot"}, "chat:write:bot"),
        ({"user_scope": "chat:write.public"}, "chat:write.public"),
    ],
)
def test_v2_refuses_scopes_of_the_other_kind(
    client: FlaskClient, asking_v2: Asking, change: Asking, wrong: str
) -> None:
    status, page = page_of(client, asking_v2 | change, "/v2")
    assert status == 400
    assert f"Invalid permissions requested: {wrong}</code>" in page


def test_an_address_below_a_registered_one_is_accepted(decide: Decide, asking: Asking) -> None:
    below = asking["redirect_uri"] + "/here"
    assert decide(asking | {"redirect_uri": below})["to"] == below


def test_without_redirect_uri_the_only_registered_one_is_used(
    decide: Decide, asking: Asking, settings: Settings
) -> None:
    del asking["redirect_uri"]
    assert decide(asking)["to"] == settings.redirect_uris[0]


def test_without_redirect_uri_and_several_registered_nobody_is_sent_back(asking: Asking) -> None:
    app = create_app(Settings(redirect_uris=[asking["redirect_uri"], "https://run.example.test/callback"]))
    del asking["redirect_uri"]
    status, page = page_of(app.test_client(), asking)
    assert (status, "redirect_uri is missing" in page) == (400, True)
    app.extensions["slack_sandbox"].store.close()


def test_another_site_cannot_press_allow(client: FlaskClient, asking: Asking) -> None:
    pressed: dict[str, Any] = {"query_string": asking, "data": {"person": "U061F7AUR", "decision": "allow"}}
    for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.test"}):
        assert client.post("/oauth/authorize", **pressed, headers=headers).status_code == 403


def test_a_made_up_person_gets_no_code(client: FlaskClient, asking: Asking) -> None:
    response = client.post(
        "/oauth/authorize", query_string=asking, data={"person": "U0NOBODY", "decision": "allow"}
    )
    assert response.status_code == 400
