"""What many watchers pull is worked out once; what differs from one to the other stays their own."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import permutations
from typing import Any

import pytest
from flask.testing import FlaskClient
from itsdangerous import URLSafeTimedSerializer

from tests.cast import Cast
from tests.runbooks.conftest import MakeAction, MakeRunbook, task
from webapp.accounts.models import User, UserSession
from webapp.clock import now
from webapp.extensions import db
from webapp.integrations.models import Authentication
from webapp.permissions import Role
from webapp.runbooks import operations
from webapp.runbooks.models import Runbook
from webapp.runbooks.rules import Rule
from webapp.runbooks.states import Mode
from webapp.runbooks.views.pulls import MOST_WAIT_S
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


@pytest.fixture
def viewers(cast: Cast, client_of: Callable[[int], FlaskClient]) -> list[FlaskClient]:
    """Two viewers of whom no task tells."""
    found = []
    for name in ("Yan", "Zoe"):
        user = User(name=name, email=f"{name.lower()}@example.com")
        db.session.add_all([user, Membership(user=user, workspace_id=cast.payments, role=Role.VIEWER)])
        db.session.commit()
        found.append(client_of(user.id))
    return found


def test_whoever_would_get_the_same_costs_no_more_than_the_question_whether_they_may(
    make_runbook: MakeRunbook, viewers: list[FlaskClient], counting_queries: Counting, rune: User
) -> None:
    runbook = make_runbook("Stop writes", "Copy the data", mode=Mode.LIVE)
    operations.add_comment(task(runbook, 1), "Soon", by=rune)
    db.session.commit()
    base, since = f"/runbooks/{runbook.id}", runbook.seq - 1
    with counting_queries() as statements:
        first = pull(viewers[0], base, since=since)
    assert len(statements) > 10
    with counting_queries(shared=True) as statements:
        second = pull(viewers[1], base, since=since)
    tables = [re.findall(r"FROM (\w+)", each) for each in statements]
    assert (second, tables) == (first, [["user_sessions"], ["runbooks"]])


def test_pages_at_other_cursors_get_what_they_lack(
    make_runbook: MakeRunbook, viewers: list[FlaskClient], rune: User
) -> None:
    runbook = make_runbook("Stop writes", "Copy the data", mode=Mode.LIVE)
    for number in (1, 2):
        operations.add_comment(task(runbook, number), "Soon", by=rune)
    db.session.commit()
    got = [
        re.findall(r'id="t-(\d+)"', pull(client, f"/runbooks/{runbook.id}", since=runbook.seq - back))
        for client, back in zip([*viewers, *viewers], (1, 2, 2, 1), strict=True)
    ]
    assert got == [["2"], ["1", "2"], ["1", "2"], ["2"]]


def test_who_is_put_off_sight_or_signed_out_gets_nothing_of_what_others_share(
    watched: Runbook, viewers: list[FlaskClient]
) -> None:
    base = f"/runbooks/{watched.id}"
    headers = {"HX-Request": "true"}
    url = f"{base}/changes?since={watched.seq - 1}"
    yan, zoe = viewers
    assert [yan.get(url, headers=headers).status_code, zoe.get(url, headers=headers).status_code] == [
        200,
        200,
    ]
    lost = db.session.scalars(db.select(Membership).join(Membership.user).where(User.name == "Yan")).one()
    db.session.delete(lost)
    signed_in = db.session.scalars(
        db.select(UserSession).join(UserSession.user).where(User.name == "Zoe")
    ).one()
    signed_in.revoked_at = now()
    db.session.commit()
    assert [yan.get(url, headers=headers).status_code, zoe.get(url, headers=headers).status_code] == [
        403,
        401,
    ]


def test_each_page_gets_its_own_token_where_a_form_is_among_what_changed(
    make_runbook: MakeRunbook, cast: Cast, client_of: Callable[[int], FlaskClient], rune: User
) -> None:
    runbook = make_runbook("Stop writes")
    operations.add_stream(runbook, "Network", by=rune)
    db.session.commit()
    url = f"/runbooks/{runbook.id}/changes?since={runbook.seq - 1}"
    clients = [client_of(cast.rune), client_of(cast.rune)]
    answers = [client.get(url, headers={"HX-Request": "true"}).text for client in clients]
    with_their_token = []
    for client in clients:
        with client.session_transaction() as session:
            secret = session["csrf_token"]
        signed = URLSafeTimedSerializer(client.application.secret_key, salt="wtf-csrf-token")
        with_their_token.append(
            [
                all(signed.loads(token) == secret for token in found) and bool(found)
                for found in (re.findall(r'name="csrf_token" value="([^"]+)"', each) for each in answers)
            ]
        )
    assert with_their_token == [[True, False], [False, True]]


def test_only_who_changed_the_plan_is_offered_to_undo_it_whoever_asked_before(
    make_runbook: MakeRunbook, cast: Cast, client_of: Callable[[int], FlaskClient], rune: User
) -> None:
    runbook = make_runbook("Stop writes")
    operations.add_task(runbook, runbook.streams[0], "Copy the data", by=rune)
    editor = User(name="Ed", email="ed@example.com")
    db.session.add_all([editor, Membership(user=editor, workspace_id=cast.payments, role=Role.EDITOR)])
    db.session.commit()
    clients = {"Rune": client_of(cast.rune), "Ed": client_of(editor.id)}
    for order in permutations(clients):
        forget_all()
        texts = {
            name: pull(clients[name], f"/runbooks/{runbook.id}", since=runbook.seq - 1) for name in order
        }
        assert {name: 'aria-label="Undo: ' in text for name, text in texts.items()} == {
            "Rune": True,
            "Ed": False,
        }


def test_only_who_started_a_task_is_offered_to_finish_it_where_its_rule_says_so(
    make_runbook: MakeRunbook, cast: Cast, client_of: Callable[[int], FlaskClient], rune: User
) -> None:
    runbook = make_runbook("Stop writes", mode=Mode.LIVE)
    task(runbook, 1).finish_rule = Rule.WHO_STARTED
    members = [User(name=name, email=f"{name.lower()}@example.com") for name in ("Mia", "Max")]
    db.session.add_all(
        Membership(user=each, workspace_id=cast.payments, role=Role.MEMBER) for each in members
    )
    db.session.commit()
    operations.start_task(task(runbook, 1), by=members[0])
    db.session.commit()
    clients = {each.name: client_of(each.id) for each in members}
    for order in permutations(clients):
        forget_all()
        base = f"/runbooks/{runbook.id}"
        got = {name: offers(pull(clients[name], base, since=runbook.seq - 1)) for name in order}
        assert got == {"Mia": ["1 Finish"], "Max": []}


def test_a_pull_says_when_to_come_again(watched: Runbook, viewers: list[FlaskClient]) -> None:
    url = f"/runbooks/{watched.id}/changes?since="
    answers = [
        viewers[0].get(f"{url}{since}", headers={"HX-Request": "true"})
        for since in (watched.seq - 1, watched.seq)
    ]
    assert [each.status_code for each in answers] == [200, 204]
    most = round(MOST_WAIT_S * 1000)
    assert [0 < int(each.headers["X-Wait"]) <= most for each in answers] == [True, True]
