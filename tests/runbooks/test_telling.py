"""What people are told of a rehearsal or live run, and who."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.cast import Cast
from tests.runbooks.conftest import MakeRunbook, Told, task
from webapp.accounts.models import User
from webapp.audit.models import AuditLine
from webapp.extensions import db
from webapp.notifications.operations import choose_kinds
from webapp.permissions import Role
from webapp.runbooks import operations
from webapp.runbooks.audiences import AUDIENCES, counts
from webapp.runbooks.models import Runbook
from webapp.runbooks.operations import Plan
from webapp.runbooks.states import Mode
from webapp.workspaces.models import Membership

ClientOf = Callable[[int], FlaskClient]


@pytest.fixture
def mara(cast: Cast) -> User:
    return member(cast, "Mara")


def member(cast: Cast, name: str) -> User:
    user = User(name=name, email=f"{name.lower().replace(' ', '.')}@example.com")
    db.session.add(Membership(workspace_id=cast.payments, user=user, role=Role.MEMBER))
    db.session.commit()
    return user


def plan_of(runbook: Runbook, number: int) -> Plan:
    """The plan of a task as it is."""
    found = task(runbook, number)
    return Plan(
        title=found.title,
        description=found.description,
        stream=found.stream,
        duration_s=found.duration_s,
        planned_start=found.planned_start,
        predecessor_ids=[each.id for each in found.predecessors],
        assignees=list(found.assignees),
        action=found.action,
    )


@pytest.mark.parametrize(
    ("audience", "people"),
    [("assigned", ["Vera"]), ("members", ["Mara", "Vera"]), ("owners", ["Mara"]), ("nobody", [])],
)
def test_a_start_is_told_to_whom_was_chosen_and_the_audit_log_says_so(
    make_runbook: MakeRunbook,
    rune: User,
    vera: User,
    mara: User,
    told: Told,
    audience: str,
    people: list[str],
) -> None:
    runbook = make_runbook("Announce", "Deploy", waits={2: [1]})
    task(runbook, 2).assignees = [rune, vera]
    runbook.owners = [rune, mara]
    assert counts(runbook, besides=rune)[audience] == len(people)
    operations.start_runbook(runbook, Mode.LIVE, by=rune, audience=audience)
    sentence, link = "Rune started the live run of “Release 12”.", f"/runbooks/{runbook.id}"
    assert sorted(told()) == [(name, "runbook_started", sentence, link) for name in people]
    line = db.session.query(AuditLine).filter_by(verb="runbook.started").one()
    assert (line.after["notified"], line.after["people notified"]) == (  # type: ignore[index]
        AUDIENCES[audience].label,
        len(people),
    )
    assert runbook.audience == audience


@pytest.mark.parametrize(("mode", "audience"), [(Mode.LIVE, "assigned"), (Mode.REHEARSAL, "nobody")])
def test_without_a_choice_a_live_run_tells_its_people_and_a_rehearsal_nobody(
    make_runbook: MakeRunbook, rune: User, mode: Mode, audience: str
) -> None:
    runbook = make_runbook("Announce")
    operations.start_runbook(runbook, mode, by=rune)
    assert runbook.audience == audience


def test_pauses_and_the_end_go_to_those_who_heard_of_the_start(
    make_runbook: MakeRunbook, rune: User, vera: User, told: Told
) -> None:
    runbook = make_runbook("Announce")
    operations.start_runbook(runbook, Mode.REHEARSAL, by=rune, audience="members")
    operations.pause_runbook(runbook, by=rune)
    operations.resume_runbook(runbook, by=rune)
    operations.start_task(task(runbook, 1), by=rune)
    operations.finish_task(task(runbook, 1), by=rune)
    operations.complete_runbook(runbook, by=rune)
    link = f"/runbooks/{runbook.id}"
    assert told() == [
        ("Vera", "runbook_started", "Rune started the rehearsal of “Release 12”.", link),
        ("Vera", "runbook_news", "Rune paused the rehearsal of “Release 12”.", link),
        ("Vera", "runbook_news", "Rune resumed the rehearsal of “Release 12”.", link),
        ("Vera", "runbook_news", "Rune completed the rehearsal of “Release 12”.", link),
    ]
    operations.plan_again(runbook, by=rune)
    assert runbook.audience is None


def test_a_cancellation_comes_with_its_reason(make_runbook: MakeRunbook, rune: User, told: Told) -> None:
    runbook = make_runbook("Announce")
    operations.start_runbook(runbook, Mode.LIVE, by=rune, audience="members")
    operations.cancel_runbook(runbook, "The vendor called it off", by=rune)
    assert told()[-1][2] == "Rune cancelled the live run of “Release 12”: The vendor called it off"


def test_nobody_hears_of_a_start_that_tells_nobody(
    make_runbook: MakeRunbook, rune: User, vera: User, told: Told
) -> None:
    runbook = make_runbook("Announce", "Deploy", waits={2: [1]})
    for number in (1, 2):
        task(runbook, number).assignees = [vera]
    operations.start_runbook(runbook, Mode.REHEARSAL, by=rune)
    operations.start_task(task(runbook, 1), by=rune)
    operations.finish_task(task(runbook, 1), by=rune)
    operations.cancel_runbook(runbook, "Enough", by=rune)
    assert told() == []


def test_an_assignee_hears_that_their_task_can_be_started(
    make_runbook: MakeRunbook, rune: User, vera: User, told: Told
) -> None:
    runbook = make_runbook("Announce", "Deploy", "Check", waits={2: [1], 3: [2]})
    task(runbook, 2).assignees, task(runbook, 3).assignees = [rune, vera], [vera]
    operations.start_runbook(runbook, Mode.LIVE, by=rune, audience="assigned")
    before = len(told())
    operations.start_task(task(runbook, 1), by=rune)
    operations.finish_task(task(runbook, 1), by=rune)
    link = f"/runbooks/{runbook.id}?task=2"
    assert told()[before:] == [("Vera", "task_ready", "#2 Deploy is ready in “Release 12”.", link)]


def test_several_tasks_that_are_ready_at_once_make_one_notification(
    make_runbook: MakeRunbook, rune: User, vera: User, told: Told
) -> None:
    runbook = make_runbook("One", "Two", "Three", waits={2: [1], 3: [1]})
    for number in (2, 3):
        task(runbook, number).assignees = [vera]
    operations.start_runbook(runbook, Mode.LIVE, by=rune)
    operations.start_task(task(runbook, 1), by=rune)
    operations.finish_task(task(runbook, 1), by=rune)
    link = f"/runbooks/{runbook.id}?show=mine"
    assert told()[1:] == [("Vera", "task_ready", "2 of your tasks are ready in “Release 12”.", link)]


def test_who_did_not_want_to_hear_of_ready_tasks_does_not(
    make_runbook: MakeRunbook, rune: User, vera: User, told: Told
) -> None:
    runbook = make_runbook("One")
    task(runbook, 1).assignees = [vera]
    choose_kinds(vera, {"runbook_started"})
    operations.start_runbook(runbook, Mode.LIVE, by=rune)
    assert [row[1] for row in told()] == ["runbook_started"]


def test_a_resumed_run_says_again_what_is_ready(
    make_runbook: MakeRunbook, rune: User, vera: User, told: Told
) -> None:
    runbook = make_runbook("One", "Two", mode=Mode.LIVE)
    operations.pause_runbook(runbook, by=rune)
    for number in (1, 2):
        task(runbook, number).assignees = [vera]
    before = len(told())
    operations.resume_runbook(runbook, by=rune)
    assert [row[2] for row in told()[before:]] == [
        "Rune resumed the live run of “Release 12”.",
        "2 of your tasks are ready in “Release 12”.",
    ]


def test_a_thousand_tasks_that_are_ready_cost_as_much_as_two(
    cast: Cast,
    make_runbook: MakeRunbook,
    rune: User,
    told: Told,
    counting_queries: Callable[[], Any],
) -> None:
    people, counted = [member(cast, f"Person {at}") for at in range(50)], []
    for size, crowd in ((2, people[:2]), (1000, people)):
        runbook = make_runbook("First", name=f"Release {size}")
        operations.start_runbook(runbook, Mode.LIVE, by=rune, audience="members")
        first = task(runbook, 1)
        many = [
            type(first)(
                runbook=runbook,
                stream=first.stream,
                number=at,
                position=at,
                title=f"Task {at}",
                assignees=[crowd[at % len(crowd)]],
                predecessors=[first],
            )
            for at in range(2, size + 2)
        ]
        db.session.add_all(many)
        db.session.commit()
        operations.start_task(first, by=rune)
        db.session.commit()
        before = len(told())
        db.session.refresh(first)
        with counting_queries() as seen:
            operations.finish_task(first, by=rune)
        counted.append([each.split()[0] for each in seen if "notifications" in each or "muted" in each])
        assert len(told()) - before == len(crowd)
    assert counted == [["SELECT", "SELECT", "INSERT"]] * 2
    assert told()[-1][2] == "20 of your tasks are ready in “Release 1000”."


def test_who_is_given_a_task_of_a_runbook_under_way_hears_of_it(
    make_runbook: MakeRunbook, rune: User, vera: User, mara: User, told: Told
) -> None:
    runbook = make_runbook("One", "Two", waits={2: [1]})
    operations.edit_task(task(runbook, 1), replace(plan_of(runbook, 1), assignees=[vera]), by=rune)
    assert told() == []
    operations.start_runbook(runbook, Mode.REHEARSAL, by=rune)
    operations.edit_task(
        task(runbook, 1), replace(plan_of(runbook, 1), assignees=[vera, mara, rune]), by=rune
    )
    operations.edit_task(task(runbook, 2), replace(plan_of(runbook, 2), assignees=[vera]), by=rune)
    base = f"/runbooks/{runbook.id}?task="
    assert told() == [
        (
            "Mara",
            "task_assigned",
            "Rune assigned #1 One in “Release 12” to you. It can be started now.",
            f"{base}1",
        ),
        ("Vera", "task_assigned", "Rune assigned #2 Two in “Release 12” to you.", f"{base}2"),
    ]


def test_a_message_of_a_runbook_under_way_reaches_those_who_do_not_look(
    make_runbook: MakeRunbook, rune: User, told: Told
) -> None:
    runbook = make_runbook("One")
    operations.set_message(runbook, "Not yet", by=rune)
    operations.start_runbook(runbook, Mode.LIVE, by=rune, audience="members")
    operations.set_message(runbook, "Bridge 4 is open", by=rune)
    operations.set_message(runbook, "", by=rune)
    assert [row[1:3] for row in told()] == [
        ("runbook_started", "Rune started the live run of “Release 12”."),
        ("message", "Rune to everyone in “Release 12”: Bridge 4 is open"),
    ]


def test_who_may_no_longer_read_the_runbook_is_told_nothing(
    cast: Cast, make_runbook: MakeRunbook, rune: User, vera: User, told: Told
) -> None:
    runbook = make_runbook("One")
    otto = db.session.get_one(User, cast.otto)
    task(runbook, 1).assignees = [otto, vera]
    runbook.owners = [otto]
    vera.active = False
    db.session.commit()
    assert counts(runbook, besides=rune) == {"assigned": 0, "members": 0, "owners": 0, "nobody": 0}
    operations.start_runbook(runbook, Mode.LIVE, by=rune, audience="assigned")
    operations.edit_task(task(runbook, 1), replace(plan_of(runbook, 1), assignees=[]), by=rune)
    operations.edit_task(task(runbook, 1), replace(plan_of(runbook, 1), assignees=[otto]), by=rune)
    assert told() == []


def test_who_turned_starts_off_is_not_counted_in_the_dialog(
    make_runbook: MakeRunbook, rune: User, vera: User
) -> None:
    runbook = make_runbook("One")
    choose_kinds(vera, {"mention"})
    assert counts(runbook, besides=rune) == {"assigned": 0, "members": 0, "owners": 0, "nobody": 0}


def test_the_dialog_offers_who_is_notified_with_how_many_people_that_is(
    make_runbook: MakeRunbook, cast: Cast, vera: User, mara: User, client_of: ClientOf
) -> None:
    runbook = make_runbook("One")
    task(runbook, 1).assignees = [vera]
    client = client_of(cast.rune)

    def offered(mode: str) -> list[tuple[str, bool]]:
        page = client.get(f"/runbooks/{runbook.id}/start?mode={mode}").text
        found = re.findall(r'<input([^>]*name="audience"[^>]*)>\s*(?:<[^>]*>\s*)*([^<]+)<', page)
        return [(text.strip(), "checked" in attributes) for attributes, text in found]

    labels = [
        "Everybody assigned in it (1 person)",
        "All members of the workspace (2 people)",
        "Its owners only (0 people)",
        "Nobody",
    ]
    assert offered("live") == [(label, label == labels[0]) for label in labels]
    assert offered("rehearsal") == [(label, label == labels[3]) for label in labels]


def test_the_form_starts_with_the_audience_that_was_chosen_and_takes_no_other(
    make_runbook: MakeRunbook, cast: Cast, client_of: ClientOf, told: Told
) -> None:
    runbook = make_runbook("One")
    client, address = client_of(cast.rune), f"/runbooks/{runbook.id}/start"
    assert client.post(address, data={"mode": "live", "audience": "everyone"}).status_code == 400
    assert client.post(address, data={"mode": "live", "audience": "members"}).status_code == 303
    assert [row[0] for row in told()] == ["Vera"]
