"""Pre-flight's look at the hosts: a worker really connects, and the page says how that went."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.cast import Cast
from tests.loopback import OK, Peer, always
from tests.runbooks.conftest import MakeAction, MakeRunbook
from webapp import jobs
from webapp.integrations.rehearsals import RehearsalRule
from webapp.runbooks.models import Runbook
from webapp.runbooks.preflight import hosts
from webapp.runbooks.preflight.plan import load_plan
from webapp.runbooks.states import Mode

ClientOf = Callable[[int], FlaskClient]
HTMX = {"HX-Request": "true"}


@pytest.fixture
def peer() -> Iterator[Peer]:
    made = Peer(always(OK))
    yield made
    made.close()


@pytest.fixture(autouse=True)
def no_notes(app: Any) -> None:
    """The broker is shared by the tests."""
    for key in jobs.queue().connection.scan_iter("runsheet:reach:*"):
        jobs.queue().connection.delete(key)


def reach_of(runbook: Runbook, mode: Mode = Mode.LIVE) -> hosts.Reach:
    [found] = hosts.reaches(load_plan(runbook, mode))
    return found


def work(runbook: Runbook) -> hosts.Reach:
    """Perform the job that is queued, as the worker would, and wait for its note."""
    [queued] = jobs.queue().jobs
    queued.perform()
    until = time.monotonic() + 10
    while (found := reach_of(runbook)).checking and time.monotonic() < until:
        time.sleep(0.02)
    return found


def test_a_host_is_not_checked_then_checking_then_reached(
    make_runbook: MakeRunbook, make_action: MakeAction, peer: Peer, client_of: ClientOf, cast: Cast
) -> None:
    action = make_action(url=peer.url("/api/post"))
    runbook = make_runbook("Announce", "Reply", actions={1: action, 2: action})
    client, page = client_of(cast.rune), f"/runbooks/{runbook.id}/preflight"
    assert "Not checked" in client.get(page).text
    answer = client.post(f"{page}/hosts?mode=live", headers=HTMX).text
    assert 'hx-trigger="every 1s"' in answer and "Checking" in answer
    found = work(runbook)
    assert (found.origin, found.tasks, found.reached) == (peer.url("").rstrip("/"), 2, True)
    assert (peer.connections, peer.requests) == (1, [])
    answer = client.get(f"{page}/hosts?mode=live", headers=HTMX).text
    assert "Reached" in answer and "every 1s" not in answer


def test_a_host_that_refuses_is_named_with_its_cause_and_remedy(
    make_runbook: MakeRunbook, make_action: MakeAction, client_of: ClientOf, cast: Cast
) -> None:
    runbook = make_runbook("Announce", actions={1: make_action()})
    client, page = client_of(cast.rune), f"/runbooks/{runbook.id}/preflight"
    assert client.post(f"{page}/hosts").location.endswith("/preflight?mode=live")
    found = work(runbook)
    assert not found.reached
    assert re.search("127.0.0.1", found.sentence) and found.remedy
    assert "Not reached" in client.get(page).text


def test_a_rehearsal_at_a_sandbox_looks_at_the_sandbox(
    make_runbook: MakeRunbook, make_action: MakeAction
) -> None:
    action = make_action()
    action.connection.rehearsal_rule = RehearsalRule.SANDBOX
    action.connection.sandbox_address = "https://sandbox.example"
    runbook = make_runbook("Announce", actions={1: action})
    assert reach_of(runbook, Mode.REHEARSAL).origin == "https://sandbox.example"
    assert reach_of(runbook, Mode.LIVE).origin == "http://127.0.0.1:9"


def test_a_check_that_was_lost_with_its_worker_does_not_go_on_for_ever(
    make_runbook: MakeRunbook, make_action: MakeAction, monkeypatch: pytest.MonkeyPatch
) -> None:
    runbook = make_runbook("Announce", actions={1: make_action()})
    hosts.ask(load_plan(runbook, Mode.LIVE))
    assert reach_of(runbook).checking
    later = hosts.now() + hosts.PROBED_WITHIN
    monkeypatch.setattr(hosts, "now", lambda: later)
    assert (reach_of(runbook).checking, reach_of(runbook).checked_at) == (False, None)


def test_who_may_only_look_sees_the_hosts_and_cannot_have_them_checked(
    make_runbook: MakeRunbook, make_action: MakeAction, client_of: ClientOf, cast: Cast
) -> None:
    runbook = make_runbook("Announce", actions={1: make_action()})
    client, page = client_of(cast.vera), f"/runbooks/{runbook.id}/preflight"
    text = client.get(page).text
    assert "http://127.0.0.1:9" in text and '/preflight/hosts?mode=live" hx-post' not in text
    assert client.post(f"{page}/hosts").status_code == 403
