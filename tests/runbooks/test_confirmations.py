"""Several people who start or finish a task together, and who started it finishing it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from tests.cast import Cast
from tests.runbooks.conftest import Audit, MakeAction, MakeRunbook, Refuses, runs, states, task
from webapp.accounts.models import User
from webapp.audit.models import AuditLine
from webapp.extensions import db
from webapp.integration_runs.states import RunState
from webapp.runbooks import operations
from webapp.runbooks.models import Confirmation, Runbook, Task
from webapp.runbooks.operations.follow_up import finish_after_success
from webapp.runbooks.refusals import NotNow
from webapp.runbooks.states import Mode

ClientOf = Callable[[int], FlaskClient]


@pytest.fixture
def ada(cast: Cast) -> User:
    return db.session.get_one(User, cast.ada)


def planned(runbook: Runbook, number: int, **values: Any) -> Task:
    """The task with these values, whatever its rules say of them."""
    found = task(runbook, number)
    for name, value in values.items():
        setattr(found, name, value)
    db.session.commit()
    return found


def confirmed() -> list[tuple[int, str]]:
    query = select(Confirmation.user_id, Confirmation.moment).order_by(Confirmation.at, Confirmation.user_id)
    return [(user_id, moment) for user_id, moment in db.session.execute(query)]


def test_a_task_of_everyone_starts_once_with_the_last_one_s_press(
    make_runbook: MakeRunbook, make_action: MakeAction, rune: User, vera: User, audit: Audit
) -> None:
    runbook = make_runbook("Announce", actions={1: make_action()}, mode=Mode.LIVE)
    found = planned(runbook, 1, start_rule="everyone", assignees=[rune, vera])
    operations.start_task(found, by=vera)
    operations.start_task(found, by=vera)
    db.session.commit()
    assert (found.state, runs(), confirmed()) == ("startable", [], [(vera.id, "start")])
    assert found.seq == runbook.seq
    operations.start_task(found, by=rune)
    db.session.commit()
    assert (found.state, found.started_by_id, len(runs())) == ("in_progress", rune.id, 1)
    assert [line[0::2] for line in audit()][:3] == [
        ("task.start_confirmed", "Vera"),
        ("task.start_confirmed", "Rune"),
        ("task.started", "Rune"),
    ]
    notes = select(AuditLine.note).where(AuditLine.verb == "task.start_confirmed").order_by(AuditLine.id)
    assert list(db.session.scalars(notes)) == ["1 of 2", "2 of 2"]


def test_at_least_two_of_three_finish_a_task(
    make_runbook: MakeRunbook, rune: User, vera: User, ada: User
) -> None:
    runbook = make_runbook("Announce", "Go on", waits={2: [1]}, mode=Mode.LIVE)
    found = planned(runbook, 1, finish_rule="at_least", finish_quorum=2, assignees=[rune, vera, ada])
    operations.start_task(found, by=rune)
    operations.finish_task(found, by=ada)
    assert states(runbook) == {1: "in_progress", 2: "not_startable"}
    operations.finish_task(found, by=vera)
    assert states(runbook) == {1: "complete", 2: "startable"}


def test_nobody_else_starts_what_some_people_start_together(
    make_runbook: MakeRunbook, rune: User, vera: User, ada: User, refuses: Refuses
) -> None:
    runbook = make_runbook("Announce", mode=Mode.LIVE)
    found = planned(runbook, 1, start_rule="everyone", assignees=[vera, ada])
    with refuses(NotNow, "Ada and Vera start this task, and you are not assigned to it."):
        operations.start_task(found, by=rune)


def test_a_word_can_be_taken_back_until_the_last_one_presses(
    make_runbook: MakeRunbook, rune: User, vera: User, refuses: Refuses
) -> None:
    runbook = make_runbook("Announce", mode=Mode.LIVE)
    found = planned(runbook, 1, start_rule="everyone", assignees=[rune, vera])
    with refuses(NotNow, "You have not said yet that the task can start."):
        operations.take_back(found, by=vera)
    operations.start_task(found, by=vera)
    operations.take_back(found, by=vera)
    operations.start_task(found, by=rune)
    db.session.commit()
    assert (found.state, confirmed()) == ("startable", [(rune.id, "start")])
    operations.start_task(found, by=vera)
    with refuses(NotNow, "You have not said yet that the task can finish."):
        operations.take_back(found, by=vera)


def test_who_was_taken_off_the_task_no_longer_counts(
    make_runbook: MakeRunbook, rune: User, vera: User, ada: User
) -> None:
    runbook = make_runbook("Announce", mode=Mode.LIVE)
    found = planned(runbook, 1, start_rule="everyone", assignees=[rune, vera, ada])
    operations.start_task(found, by=vera)
    operations.start_task(found, by=rune)
    planned(runbook, 1, assignees=[rune, vera])
    assert found.state == "startable"
    operations.start_task(found, by=rune)
    assert found.state == "in_progress"


def test_only_who_started_a_task_finishes_it_or_who_conducts_the_runbook(
    make_runbook: MakeRunbook, rune: User, vera: User, refuses: Refuses
) -> None:
    runbook = make_runbook("Announce", "Deploy", mode=Mode.LIVE)
    for number, starter in ((1, vera), (2, rune)):
        planned(runbook, number, finish_rule="who_started", assignees=[rune, vera])
        operations.start_task(task(runbook, number), by=starter)
    sentence = "Rune started this task and finishes it. Whoever conducts the runbook can finish it too."
    with refuses(NotNow, sentence):
        operations.finish_task(task(runbook, 2), by=vera)
    operations.finish_task(task(runbook, 2), by=rune)
    operations.finish_task(task(runbook, 1), by=rune)
    query = select(AuditLine.object_name, AuditLine.note).where(AuditLine.verb == "task.finished")
    assert [tuple(row) for row in db.session.execute(query.order_by(AuditLine.id))] == [
        ("#2 Deploy", None),
        ("#1 Announce", "instead of Vera, who started it"),
    ]


@pytest.mark.parametrize("rule", ["everyone", "at_least", "who_started"])
def test_a_call_s_success_leaves_the_finish_to_the_people_that_the_rule_asks_for(
    make_runbook: MakeRunbook, make_action: MakeAction, rune: User, vera: User, rule: str
) -> None:
    runbook = make_runbook("Announce", actions={1: make_action(finish_on_success=True)}, mode=Mode.LIVE)
    found = planned(runbook, 1, finish_rule=rule, finish_quorum=2, assignees=[rune, vera])
    operations.start_task(found, by=rune)
    [run] = runs()
    run.state = RunState.SUCCEEDED
    finish_after_success(run)
    db.session.commit()
    assert found.state == "in_progress"
    words = {"everyone": "everyone assigned", "at_least": "at least 2", "who_started": "who started it"}[rule]
    query = select(AuditLine.note).where(AuditLine.verb == "task.not_finished_by_itself")
    assert db.session.scalars(query).one() == f"Who has to finish it: {words}."
    operations.finish_task(found, by=rune)
    if rule != "who_started":
        operations.finish_task(found, by=vera)
    assert found.state == "complete"


def test_an_action_that_starts_by_itself_waits_for_the_people_of_its_task(
    make_runbook: MakeRunbook, make_action: MakeAction, rune: User, vera: User
) -> None:
    runbook = make_runbook("Announce", actions={1: make_action(auto_start=True)})
    planned(runbook, 1, start_rule="everyone", assignees=[rune, vera])
    operations.start_runbook(runbook, Mode.REHEARSAL, by=rune)
    assert states(runbook) == {1: "startable"}


def test_every_word_is_forgotten_when_a_task_is_reopened_or_the_runbook_planned_again(
    make_runbook: MakeRunbook, rune: User, vera: User
) -> None:
    runbook = make_runbook("Announce", "Deploy", mode=Mode.REHEARSAL)
    for number in (1, 2):
        planned(runbook, number, start_rule="everyone", assignees=[rune, vera])
    for by in (rune, vera):
        operations.start_task(task(runbook, 1), by=by)
    operations.start_task(task(runbook, 2), by=rune)
    operations.finish_task(task(runbook, 1), by=rune)
    operations.reopen_task(task(runbook, 1), "It came loose", by=rune)
    assert confirmed() == [(rune.id, "start")]
    operations.cancel_runbook(runbook, "Enough", by=rune)
    operations.plan_again(runbook, by=rune)
    assert confirmed() == []


def act(page: str, number: int) -> str:
    """The text of what the row offers."""
    row = page.partition(f'id="t-{number}"')[2].partition("</li>")[0]
    found = row.partition('<span class="act">')[2].partition('<span class="sub">')[0]
    return "take back" if "/take-back" in found else "start" if "/start" in found else ""


def test_a_row_says_the_same_to_everybody_but_for_the_button(
    make_runbook: MakeRunbook, cast: Cast, rune: User, vera: User, client_of: ClientOf
) -> None:
    runbook = make_runbook("Announce", mode=Mode.LIVE)
    planned(runbook, 1, start_rule="everyone", assignees=[rune, vera])
    address = f"/runbooks/{runbook.id}"
    answer = client_of(cast.vera).post(f"{address}/tasks/1/start", headers={"HX-Request": "true"})
    assert answer.status_code == 200
    pages = {name: client_of(getattr(cast, name)).get(address).text for name in ("rune", "vera")}
    for page in pages.values():
        assert "1 of 2 ready</span>" in page
        assert "Vera is ready. Waiting for Rune." in page
        assert '<span class="waits trunc">Waiting for Rune</span>' in page
    assert {name: act(page, 1) for name, page in pages.items()} == {"rune": "start", "vera": "take back"}
    client_of(cast.vera).post(f"{address}/tasks/1/take-back", headers={"HX-Request": "true"})
    assert act(client_of(cast.vera).get(address).text, 1) == "start"


def test_of_two_last_ones_who_press_at_once_one_starts_the_task_and_calls_once(
    app: Flask, make_runbook: MakeRunbook, make_action: MakeAction, rune: User, vera: User
) -> None:
    runbook = make_runbook("Announce", actions={1: make_action()}, mode=Mode.LIVE)
    found = planned(runbook, 1, start_rule="everyone", assignees=[rune, vera])
    task_id, people = found.id, [rune.id, vera.id]
    db.session.commit()
    ready = threading.Barrier(2)

    def press(user_id: int) -> None:
        with app.app_context():
            chosen, who = db.session.get_one(Task, task_id), db.session.get_one(User, user_id)
            _ = (chosen.runbook, chosen.assignees, who.name)
            db.session.commit()
            ready.wait()
            operations.start_task(chosen, by=who)
            db.session.commit()

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(press, people))
    db.session.expire_all()
    assert (found.state, len(runs())) == ("in_progress", 1)
    assert sorted(confirmed()) == [(each, "start") for each in sorted(people)]
