"""Milestones, validations and fixed starts while a runbook runs."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import delete, select, update

from tests.cast import Cast
from tests.runbooks.conftest import Audit, MakeAction, MakeRunbook, Refuses, runs, states, task
from webapp.accounts.models import User
from webapp.audit.models import AuditLine
from webapp.clock import now
from webapp.extensions import db
from webapp.jobs import swept
from webapp.runbooks import operations
from webapp.runbooks.models import Runbook, Task
from webapp.runbooks.refusals import NotNow, ResultMissing
from webapp.runbooks.states import Mode, Result

ClientOf = Callable[[int], FlaskClient]
HTMX = {"HX-Request": "true"}


def planned(runbook: Runbook, number: int, **values: Any) -> Task:
    found = task(runbook, number)
    for name, value in values.items():
        setattr(found, name, value)
    db.session.commit()
    return found


def reasons() -> list[tuple[str, str | None]]:
    """Why what would start by itself did not."""
    query = select(AuditLine.object_name, AuditLine.note).where(
        AuditLine.verb == "task.not_started_by_itself"
    )
    return [(name, note) for name, note in db.session.execute(query.order_by(AuditLine.id))]


# Milestones


def test_a_milestone_is_reached_by_one_press(make_runbook: MakeRunbook, rune: User, audit: Audit) -> None:
    runbook = make_runbook("Window open", "Go on", waits={2: [1]}, mode=Mode.LIVE)
    found = planned(runbook, 1, type="milestone", duration_s=0)
    operations.start_task(found, by=rune)
    assert states(runbook) == {1: "complete", 2: "startable"}
    assert (found.completion, found.started_by_id, found.finished_by_id) == ("normally", rune.id, rune.id)
    assert audit() == [("task.reached", "#1 Window open", "Rune")]


def test_milestones_are_reached_by_themselves_one_after_the_other_however_many(
    make_runbook: MakeRunbook, rune: User
) -> None:
    count = 120
    runbook = make_runbook(
        *(f"Step {number}" for number in range(1, count + 1)),
        waits={number: [number - 1] for number in range(2, count + 1)},
        mode=Mode.LIVE,
    )
    db.session.execute(
        update(Task).where(Task.number.between(2, count - 1)).values(type="milestone", auto_start=True)
    )
    operations.start_task(task(runbook, 1), by=rune)
    operations.finish_task(task(runbook, 1), by=rune)
    db.session.commit()
    assert states(runbook) == {**dict.fromkeys(range(1, count), "complete"), count: "startable"}
    assert task(runbook, 2).finished_by_id is None


def test_a_milestone_that_waits_for_nothing_is_reached_by_nobody_but_a_person(
    make_runbook: MakeRunbook, rune: User
) -> None:
    runbook = make_runbook("Window open")
    planned(runbook, 1, type="milestone", auto_start=True)
    operations.start_runbook(runbook, Mode.LIVE, by=rune, accepted="Fine")
    assert (states(runbook), reasons()) == ({1: "startable"}, [])


@pytest.mark.parametrize("how", ["skip", "fail", "not_tested"])
def test_a_milestone_whose_predecessor_was_not_really_done_asks_a_person(
    make_runbook: MakeRunbook, rune: User, how: str
) -> None:
    runbook = make_runbook("Check", "Proven", waits={2: [1]}, mode=Mode.LIVE)
    planned(runbook, 1, type="validation")
    planned(runbook, 2, type="milestone", auto_start=True)
    if how == "skip":
        operations.skip_task(task(runbook, 1), "No time", by=rune)
    else:
        operations.start_task(task(runbook, 1), by=rune)
        operations.finish_task(task(runbook, 1), by=rune, result=Result(how), comment="See the log")
    db.session.commit()
    words = {"skip": "was skipped", "fail": "failed", "not_tested": "was not tested"}[how]
    assert states(runbook)[2] == "startable"
    assert reasons() == [("#2 Proven", f"#1 {words}, so a person has to decide.")]
    operations.start_task(task(runbook, 2), by=rune)
    assert states(runbook)[2] == "complete"


# Validations


def test_a_validation_is_finished_with_its_result(
    make_runbook: MakeRunbook, rune: User, refuses: Refuses
) -> None:
    runbook = make_runbook("Check the ledger", mode=Mode.LIVE)
    found = planned(runbook, 1, type="validation")
    operations.start_task(found, by=rune)
    with refuses(ResultMissing, "Say what the validation found."):
        operations.finish_task(found, by=rune)
    sentence = "Say what failed, or why it was not tested, so that others can decide."
    for result in (Result.FAIL, Result.NOT_TESTED):
        with refuses(ValueError, sentence):
            operations.finish_task(found, by=rune, result=result, comment="  ")
    by_hand = "A validation is finished with its result. Where it cannot be tested, say “not tested”."
    with refuses(NotNow, by_hand):
        operations.finish_by_hand(found, "Done", by=rune)
    operations.finish_task(found, by=rune, result=Result.FAIL, comment=" Two sums differ ")
    db.session.commit()
    assert (found.state, found.result, found.result_comment) == ("complete", "fail", "Two sums differ")
    line = db.session.scalars(select(AuditLine).where(AuditLine.verb == "task.finished")).one()
    assert (line.note, line.after) == (
        "Two sums differ",
        {"state": "complete", "completion": "normally", "result": "fail"},
    )


def test_a_reopened_validation_has_no_result(make_runbook: MakeRunbook, rune: User) -> None:
    runbook = make_runbook("Check", mode=Mode.LIVE)
    found = planned(runbook, 1, type="validation")
    operations.start_task(found, by=rune)
    operations.finish_task(found, by=rune, result=Result.FAIL, comment="Wrong")
    operations.reopen_task(found, "Mended", by=rune)
    db.session.commit()
    assert (found.state, found.result, found.result_comment) == ("startable", None, "")


def test_what_starts_by_itself_does_not_after_a_validation_that_failed(
    make_runbook: MakeRunbook, make_action: MakeAction, rune: User
) -> None:
    runbook = make_runbook(
        "Check", "Deploy", waits={2: [1]}, actions={2: make_action(auto_start=True)}, mode=Mode.LIVE
    )
    planned(runbook, 1, type="validation")
    operations.start_task(task(runbook, 1), by=rune)
    operations.finish_task(task(runbook, 1), by=rune, result=Result.FAIL, comment="Wrong")
    assert (states(runbook)[2], runs()) == ("startable", [])
    assert reasons() == [("#2 Deploy", "#1 failed, so a person has to decide.")]


def test_the_result_is_asked_for_in_a_dialog_that_keeps_what_was_typed(
    make_runbook: MakeRunbook, cast: Cast, rune: User, client_of: ClientOf
) -> None:
    runbook = make_runbook("Check", mode=Mode.LIVE)
    operations.start_task(planned(runbook, 1, type="validation"), by=rune)
    db.session.commit()
    runes, address = client_of(cast.rune), f"/runbooks/{runbook.id}/tasks/1/finish"
    asked = runes.post(address, headers=HTMX)
    assert (asked.status_code, asked.text.count('name="result"')) == (422, 3)
    assert "Choose one." not in asked.text
    nothing = runes.post(address, data={"asked": "1"}, headers=HTMX)
    assert (nothing.status_code, "Choose one." in nothing.text) == (422, True)
    failed = runes.post(address, data={"asked": "1", "result": "fail"}, headers=HTMX)
    assert failed.status_code == 422
    assert "Say what failed, or why it was not tested" in failed.text
    assert 'value="fail" checked' in failed.text
    data = {"asked": "1", "result": "fail", "comment": "Two sums differ"}
    assert runes.post(address, data=data, headers=HTMX).status_code == 200
    found = task(runbook, 1)
    assert (found.result, found.result_comment) == ("fail", "Two sums differ")
    page = runes.get(f"/runbooks/{runbook.id}?task=1").text
    assert "Two sums differ" in page
    assert "Off track" in page


def test_a_failed_validation_shows_wherever_people_look(
    make_runbook: MakeRunbook, cast: Cast, rune: User, client_of: ClientOf
) -> None:
    runbook = make_runbook("Check", "Last", mode=Mode.LIVE)
    planned(runbook, 2, duration_s=3600)
    operations.start_task(planned(runbook, 1, type="validation"), by=rune)
    operations.finish_task(task(runbook, 1), by=rune, result=Result.FAIL, comment="Two sums differ")
    db.session.commit()
    runes, address = client_of(cast.rune), f"/runbooks/{runbook.id}"
    dashboard = runes.get(f"{address}/dashboard").text
    assert "Validation #1 failed." in dashboard
    assert "Validations that did not pass" in dashboard
    assert "No integration has failed." in dashboard
    filtered = runes.get(f"{address}?show=failed").text
    assert ('id="t-1"' in filtered, 'id="t-2"' in filtered) == (True, False)
    assert "Two sums differ" in runes.get(f"{address}/review").text
    assert "Validation: failed" in runes.get(f"{address}/run-sheet").text


# Fixed starts


def soon(minutes: int) -> datetime:
    return now() + timedelta(minutes=minutes)


def test_nobody_starts_a_task_before_its_fixed_start(
    make_runbook: MakeRunbook, cast: Cast, rune: User, refuses: Refuses, client_of: ClientOf
) -> None:
    runbook = make_runbook("Announce", mode=Mode.LIVE)
    found = planned(runbook, 1, fixed_start=True, planned_start=soon(60))
    with refuses(NotNow, f"This task has a fixed start: {found.planned_start:%-d %b %Y, %H:%M} in UTC."):
        operations.start_task(found, by=rune)
    page = client_of(cast.rune).get(f"/runbooks/{runbook.id}").text
    assert ("Not before" in page, "tasks/1/start" in page) == (True, False)
    planned(runbook, 1, planned_start=soon(-1))
    operations.start_task(found, by=rune)
    assert found.state == "in_progress"


@pytest.mark.parametrize("whose", ["task", "action"])
def test_what_starts_by_itself_at_a_fixed_time_starts_then_and_once(
    make_runbook: MakeRunbook, make_action: MakeAction, rune: User, audit: Audit, whose: str
) -> None:
    of_action = whose == "action"
    action = make_action(auto_start=of_action, fixed_start=of_action)
    runbook = make_runbook("Announce", "Later", actions={1: action})
    ways = {} if of_action else {"fixed_start": True, "auto_start": True}
    planned(runbook, 1, planned_start=soon(60), **ways)
    planned(runbook, 2, planned_start=soon(60), fixed_start=True, auto_start=True)
    operations.start_runbook(runbook, Mode.LIVE, by=rune)
    db.session.execute(delete(AuditLine))
    db.session.commit()
    swept.send(None)
    assert (states(runbook), runs(), audit()) == ({1: "startable", 2: "startable"}, [], [])
    planned(runbook, 1, planned_start=soon(-1))
    for _ in range(2):
        swept.send(None)
    assert states(runbook) == {1: "in_progress", 2: "startable"}
    assert [line[0] for line in audit()] == ["task.started", "integration_run.requested"]
    assert (len(runs()), task(runbook, 1).started_by_id) == (1, None)


def test_what_cannot_start_at_its_time_says_why_once_and_is_left_to_people(
    make_runbook: MakeRunbook, make_action: MakeAction, rune: User
) -> None:
    action = make_action()
    runbook = make_runbook("Announce", actions={1: action}, mode=Mode.LIVE)
    action.body = '{"text":"{{CustomField[\'No such\']}}"}'
    planned(runbook, 1, planned_start=soon(-1), fixed_start=True, auto_start=True)
    for _ in range(3):
        swept.send(None)
    assert (states(runbook), len(reasons())) == ({1: "startable"}, 1)
    planned(runbook, 1, planned_start=now())
    swept.send(None)
    assert len(reasons()) == 2


def test_a_task_whose_time_has_come_looks_anew_to_those_who_watch(
    make_runbook: MakeRunbook, rune: User
) -> None:
    runbook = make_runbook("Announce", mode=Mode.LIVE)
    found = planned(runbook, 1, planned_start=soon(-1), fixed_start=True)
    before = runbook.seq
    swept.send(None)
    db.session.expire_all()
    assert (found.state, found.seq > before) == ("startable", True)
    seq = runbook.seq
    swept.send(None)
    db.session.expire_all()
    assert runbook.seq == seq


@pytest.mark.parametrize("state", ["paused", "reopened"])
def test_in_a_pause_or_once_reopened_nothing_starts_at_its_time(
    make_runbook: MakeRunbook, rune: User, state: str
) -> None:
    runbook = make_runbook("Announce", mode=Mode.LIVE)
    planned(runbook, 1, planned_start=soon(-1), fixed_start=True, auto_start=True)
    if state == "paused":
        operations.pause_runbook(runbook, by=rune)
    else:
        planned(runbook, 1, reopened_at=now())
    db.session.commit()
    swept.send(None)
    assert states(runbook) == {1: "startable"}
    if state == "paused":
        operations.resume_runbook(runbook, by=rune)
        assert states(runbook) == {1: "in_progress"}


def test_a_failed_validation_is_shown_as_failed_to_what_waits_and_with_its_comment_in_the_sheet(
    make_runbook: MakeRunbook, rune: User, cast: Cast, client_of: ClientOf
) -> None:
    runbook = make_runbook("Check the lag", "Go on", waits={2: [1]}, mode=Mode.LIVE)
    found = planned(runbook, 1, type="validation")
    operations.start_task(found, by=rune)
    operations.finish_task(found, by=rune, result=Result.FAIL, comment="It is 40 s.")
    db.session.commit()
    panel = client_of(cast.rune).get(f"/runbooks/{runbook.id}/tasks/2", headers=HTMX).text
    link = panel[panel.index('<a class="chip sq"') :]
    assert 'aria-label="Failed"' in link[: link.index("</a>")]
    operations.cancel_runbook(runbook, "Enough", by=rune)
    db.session.commit()
    sheet = (
        client_of(cast.rune).get(f"/runbooks/{runbook.id}/review/live-1/review.csv").data.decode("utf-8-sig")
    )
    rows = list(csv.DictReader(io.StringIO(sheet)))
    assert (rows[0]["Ended"], rows[0]["Reason"]) == ("Validation: failed", "It is 40 s.")
