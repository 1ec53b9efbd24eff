"""What many watchers pull is worked out once; what differs from one to the other stays their own."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import permutations
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.cast import Cast
from tests.runbooks.conftest import MakeAction, MakeRunbook, task
from webapp.accounts.models import User
from webapp.clock import now
from webapp.extensions import db
from webapp.integrations.models import Authentication
from webapp.permissions import Role
from webapp.runbooks import operations
from webapp.runbooks.models import Runbook
from webapp.runbooks.states import Mode
from webapp.sharing import forget_all
from webapp.workspaces.models import Membership

Counting = Callable[[], Any]


@pytest.fixture
def watched(make_runbook: MakeRunbook, make_action: MakeAction, rune: User, vera: User) -> Runbook:
    """Live: one task for anybody, one of Vera's, one that needs a sign-in of whoever starts it, which Rune has."""
    slack = make_action(
        authorization="oauth_code",
        authorization_settings={"authenticate_as": "task", "provider_host": "https://slack.com"},
    )
    runbook = make_runbook("Stop writes", "Copy the data", "Announce", actions={3: slack}, mode=Mode.LIVE)
    task(runbook, 2).assignees = [vera]
    db.session.add(
        Authentication(
            action_id=slack.id,
            task_id=task(runbook, 3).id,
            user_id=rune.id,
            provider_host="https://slack.com",
            request_host="127.0.0.1:9",
            identity={"label": "rune in team Payments"},
            granted_at=now(),
            granted_by_id=rune.id,
        )
    )
    for number in (1, 2, 3):
        operations.add_comment(task(runbook, number), "Soon", by=rune)
    db.session.commit()
    return runbook


@pytest.fixture
def clients(cast: Cast, client_of: Callable[[int], FlaskClient]) -> dict[str, FlaskClient]:
    """Rune, who edits; Mia, a member; Vera, a viewer to whom a task is assigned; Zoe, a viewer."""
    found = {"Rune": client_of(cast.rune), "Vera": client_of(cast.vera)}
    for name, role in (("Mia", Role.MEMBER), ("Zoe", Role.VIEWER)):
        user = User(name=name, email=f"{name.lower()}@example.com")
        db.session.add_all([user, Membership(user=user, workspace_id=cast.payments, role=role)])
        db.session.commit()
        found[name] = client_of(user.id)
    return found


def pull(client: FlaskClient, base: str, shows: str = "", *, since: int = 2) -> str:
    """What the client gets, without its token and without times, which go on."""
    headers = {"HX-Request": "true", "HX-Current-URL": f"http://localhost{base}{shows}"}
    answer = client.get(f"{base}/changes?since={since}", headers=headers)
    assert answer.status_code == 200
    return re.sub(r'name="csrf_token" [^>]*>|<time [^>]*>[^<]*</time>', "", answer.text)


def offers(text: str) -> list[str]:
    """The buttons of the rows: "1 Start"."""
    return [
        f"{number} {words}"
        for number, words in re.findall(r'id="b-(\d+)".*?</svg>(?:<svg.*?</svg>)?([^<]+)</', text)
    ]


def mine(text: str) -> str:
    found = re.search(r'My tasks <span class="count">(\d+)<', text)
    assert found is not None
    return found[1]


def test_each_watcher_is_offered_what_is_theirs_whoever_asked_before(
    watched: Runbook, clients: dict[str, FlaskClient]
) -> None:
    base = f"/runbooks/{watched.id}"
    expected = {
        "Rune": (["1 Start", "2 Start", "3 Start"], "0", True),
        "Mia": (["1 Start", "2 Start", "3 Sign in"], "0", False),
        "Vera": (["2 Start"], "1", False),
        "Zoe": ([], "0", False),
    }
    for order in permutations(clients):
        forget_all()
        for name in order:
            text = pull(clients[name], base)
            assert (offers(text), mine(text), f"{base}/pause" in text) == expected[name], (name, order)


@pytest.mark.parametrize("shows", ["", "?show=mine", "?task=2", "/dashboard", "/map", "/map?show=mine"])
def test_a_watcher_gets_after_others_what_they_would_get_alone(
    shows: str, watched: Runbook, clients: dict[str, FlaskClient]
) -> None:
    base, since = f"/runbooks/{watched.id}", watched.seq - 3  # a comment on each task
    alone = {}
    for name, client in clients.items():
        forget_all()
        alone[name] = pull(client, base, shows, since=since)
    assert len(set(alone.values())) > 1
    for order in permutations(clients):
        for name in order:
            assert pull(clients[name], base, shows, since=since) == alone[name], (name, order)


def test_the_second_watcher_costs_no_reading_of_the_tasks(
    watched: Runbook, clients: dict[str, FlaskClient], counting_queries: Counting
) -> None:
    base = f"/runbooks/{watched.id}"
    with counting_queries() as first:
        pull(clients["Zoe"], base)
    with counting_queries(shared=True) as second:
        pull(clients["Mia"], base)

    def readings(statements: list[str]) -> int:
        return sum("tasks.duration_s" in each and "tasks.placed_seq" in each for each in statements)

    assert (readings(first), readings(second)) == (1, 0)


def test_what_this_process_commits_is_seen_by_the_next_watcher_even_without_a_new_seq(
    watched: Runbook, clients: dict[str, FlaskClient], rune: User
) -> None:
    base = f"/runbooks/{watched.id}"
    task(watched, 1).assignees = [rune]
    assert "Rune Berg" not in pull(clients["Zoe"], base)
    rune.name = "Rune Berg"
    db.session.commit()
    assert "Rune Berg" in pull(clients["Zoe"], base)


def test_who_loses_a_right_is_no_longer_offered_what_it_allows(
    watched: Runbook, clients: dict[str, FlaskClient], cast: Cast
) -> None:
    base = f"/runbooks/{watched.id}"
    assert f"{base}/pause" in pull(clients["Rune"], base)
    query = db.select(Membership).where(Membership.user_id == cast.rune)
    db.session.scalars(query).one().role = Role.VIEWER
    watched.owners = []
    text = pull(clients["Rune"], base)
    assert (offers(text), f"{base}/pause" in text) == ([], False)
