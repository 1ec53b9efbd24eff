"""The switches, what each does to a call, and the controls for tests."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import requests
from flask.testing import FlaskClient

from slack_sandbox.faults import FAULTS
from slack_sandbox.sandbox import Sandbox
from slack_sandbox.switches import SWITCHES

Post = Callable[..., Any]


def send(base: str, token: str) -> requests.Response:
    return requests.post(
        base + "/api/chat.postMessage",
        json={"channel": "#ops-runbooks", "text": "hi"},
        headers={"Authorization": f"Bearer {token}"},
        allow_redirects=False,
        timeout=5,
    )


def test_every_fault_has_its_switch() -> None:
    assert {fault.key for fault in FAULTS} == {
        key for key, switch in SWITCHES.items() if switch.section == "fault"
    }


def test_an_error_code_fails_every_call_but_leaves_the_sign_in_alone(
    post: Post, exchange: Post, here: Sandbox
) -> None:
    here.switches.set({"error_code": "channel_not_found"})
    assert post() == {"ok": False, "error": "channel_not_found"}
    assert exchange("nope")["error"] == "invalid_code"
    assert here.messages.every() == []


@pytest.mark.parametrize(
    ("switch", "status", "header"),
    [
        ("server_error", 500, ("Content-Type", "text/html; charset=utf-8")),
        ("too_many_requests", 429, ("Retry-After", "1")),
        ("redirect", 302, ("Location", "/moved/chat.postMessage")),
    ],
)
def test_an_answer_instead_of_the_call_posts_nothing(
    base: str, bot_token: str, here: Sandbox, switch: str, status: int, header: tuple[str, str]
) -> None:
    here.switches.set({switch: "on"})
    response = send(base, bot_token)
    name, value = header
    assert response.status_code == status
    assert response.headers[name].removeprefix(base) == value
    assert len(response.headers["x-slack-req-id"]) == 32
    assert here.messages.every() == []


@pytest.mark.parametrize(("switch", "posted"), [("drop_before", 0), ("drop_after", 1)])
def test_a_dropped_connection_gives_no_answer(
    base: str, bot_token: str, here: Sandbox, switch: str, posted: int
) -> None:
    here.switches.set({switch: True})
    with pytest.raises(requests.ConnectionError):
        send(base, bot_token)
    assert len(here.messages.every()) == posted
    assert here.requests.total == 1


def test_a_large_answer_is_still_an_answer(post: Post, here: Sandbox) -> None:
    here.switches.set({"large_answer": True})
    answer = post()
    assert (answer["ok"], len(answer["padding"])) == (True, 5_000_000)
    assert len(here.messages.every()) == 1


def test_a_delay_comes_before_everything(post: Post, here: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    monkeypatch.setattr("slack_sandbox.faults.time.sleep", slept.append)
    here.switches.set({"delay": "1,5"})
    assert post()["ok"] is True
    assert slept == [1.5]


def test_faults_end_by_themselves_after_the_next_calls_and_rules_stay(post: Post, here: Sandbox) -> None:
    here.switches.set({"error_code": "fatal_error", "next_calls": 2, "rotation": True})
    assert [post().get("error") for _ in range(3)] == ["fatal_error", "fatal_error", None]
    assert [switch.key for switch in here.switches.on()] == ["rotation"]


@pytest.mark.parametrize(
    "wanted",
    [
        {"delay": -1},
        {"delay": 601},
        {"delay": "soon"},
        {"delay": "nan"},
        {"error_code": "Not a code"},
        {"drop_before": "perhaps"},
        {"explode": True},
    ],
)
def test_a_value_that_makes_no_sense_changes_nothing(
    client: FlaskClient, here: Sandbox, wanted: dict[str, Any]
) -> None:
    response = client.post("/sandbox/switches", json={"rotation": True, **wanted})
    assert response.status_code == 400
    assert response.get_json()["ok"] is False
    assert here.switches.on() == []


def test_switches_are_read_and_set_by_json(client: FlaskClient) -> None:
    answer = client.post("/sandbox/switches", json={"delay": 2, "rate_limit": True}).get_json()
    assert answer["on"] == ["delay", "rate_limit"]
    assert client.get("/sandbox/switches").get_json() == answer
    assert (answer["switches"]["delay"], answer["switches"]["rate_limit"]) == (2, True)


def test_messages_can_be_counted_by_channel(client: FlaskClient, post: Post) -> None:
    post(text="one")
    post("#dr-war-room", text="two")
    everything = client.get("/sandbox/messages").get_json()
    assert (everything["count"], [m["text"] for m in everything["messages"]]) == (2, ["one", "two"])
    one = client.get("/sandbox/messages?channel=dr-war-room").get_json()
    assert [(m["channel_name"], m["text"]) for m in one["messages"]] == [("dr-war-room", "two")]
    assert client.get("/sandbox/messages?channel=nowhere").status_code == 404


def test_requests_are_counted_without_secrets(
    client: FlaskClient, post: Post, exchange: Post, bot_token: str
) -> None:
    post()
    exchange("a-code-that-is-secret")
    answer = client.get("/sandbox/requests").get_json()
    assert [(r["method"], r["status"], r["error"]) for r in answer["requests"]] == [
        ("chat.postMessage", 200, None),
        ("oauth.access", 200, "invalid_code"),
    ]
    body = str(answer)
    assert [secret for secret in (bot_token, "a-code-that-is-secret", "e1b9e11d") if secret in body] == []
    assert client.get("/sandbox/requests?method=chat.postMessage").get_json()["count"] == 1


def test_reset_empties_everything_and_tokens_only_if_asked(
    client: FlaskClient, post: Post, here: Sandbox
) -> None:
    post()
    here.switches.set({"delay": 1})
    client.post("/channels/C0NOTIN55/membership", data={"member": "yes"})
    client.post("/sandbox/reset")
    assert (here.messages.every(), here.switches.on(), here.requests.total) == ([], [], 0)
    assert post("#vendor-desk")["error"] == "not_in_channel"
    assert post()["ok"] is True
    client.post("/sandbox/reset", json={"tokens": True})
    assert post()["error"] == "invalid_auth"


def test_all_tokens_can_be_revoked(client: FlaskClient, post: Post) -> None:
    assert post()["ok"] is True
    assert client.post("/sandbox/revoke").get_json() == {"ok": True, "revoked": 1}
    assert post()["error"] == "token_revoked"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/sandbox/messages"),
        ("GET", "/sandbox/requests"),
        ("POST", "/sandbox/switches"),
        ("POST", "/sandbox/reset"),
        ("POST", "/practise"),
        ("POST", "/practise/off"),
        ("POST", "/practise/clear"),
        ("POST", "/practise/revoke"),
        ("POST", "/channels/C0NOTIN55/membership"),
    ],
)
def test_the_controls_open_from_this_machine_only(client: FlaskClient, method: str, path: str) -> None:
    response = client.open(path, method=method, environ_overrides={"REMOTE_ADDR": "192.0.2.7"})
    assert response.status_code == 403


def test_another_site_cannot_flip_a_switch(client: FlaskClient, here: Sandbox) -> None:
    response = client.post("/practise", data={"delay": "9"}, headers={"Origin": "http://evil.test"})
    assert response.status_code == 403
    assert here.switches.on() == []
