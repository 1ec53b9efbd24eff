"""A complete task that is opened again: who waits, what is called, and what is not."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select, update

from tests.cast import Cast
from tests.runbooks.conftest import MakeAction, MakeRunbook, Refuses, runs, states, task
from webapp.accounts.models import User
from webapp.audit.models import AuditLine
from webapp.extensions import db
from webapp.integration_runs.models import IntegrationRun
from webapp.integration_runs.signals import run_settled
from webapp.runbooks import operations
from webapp.runbooks.models import Runbook
from webapp.runbooks.refusals import NotNow
from webapp.runbooks.states import Mode

ClientOf = Callable[[int], FlaskClient]


def done(runbook: Runbook, number: int, by: User) -> None:
    """Start and finish a task, its call succeeding where it has one."""
    operations.start_task(task(runbook, number), by=by)
    db.session.execute(update(IntegrationRun).values(state="succeeded"))
    db.session.expire_all()
    operations.finish_task(task(runbook, number), by=by)
    db.session.commit()


def test_a_reopened_task_can_be_started_and_what_waits_for_it_waits_again(
    make_runbook: MakeRunbook, rune: User
) -> None:
    runbook = make_runbook("Drain", "Switch", "Verify", waits={2: [1], 3: [2]}, mode=Mode.LIVE)
    done(runbook, 1, rune)
    assert states(runbook) == {1: "complete", 2: "startable", 3: "not_startable"}
    operations.reopen_task(task(runbook, 1), "Two nodes came back", by=rune)
    db.session.commit()
    assert states(runbook) == {1: "startable", 2: "not_startable", 3: "not_startable"}
    first = task(runbook, 1)
    assert (first.completion, first.started_at, first.finished_at, first.started_by_id) == (None,) * 4
    done(runbook, 1, rune)
    assert states(runbook) == {1: "complete", 2: "startable", 3: "not_startable"}


def test_what_has_begun_after_it_stays(make_runbook: MakeRunbook, rune: User) -> None:
    runbook = make_runbook("Drain", "Switch", "Verify", waits={2: [1], 3: [1]}, mode=Mode.LIVE)
    done(runbook, 1, rune)
    operations.start_task(task(runbook, 2), by=rune)
    operations.reopen_task(task(runbook, 1), "Two nodes came back", by=rune)
    assert states(runbook) == {1: "startable", 2: "in_progress", 3: "not_startable"}


def test_the_reason_is_needed_and_audited_with_how_it_had_ended(
    make_runbook: MakeRunbook, rune: User
) -> None:
    runbook = make_runbook("Drain", mode=Mode.LIVE)
    operations.skip_task(task(runbook, 1), "Not needed", by=rune)
    db.session.commit()
    with pytest.raises(ValueError, match="Say why it is opened again"):
        operations.reopen_task(task(runbook, 1), "  ", by=rune)
    operations.reopen_task(task(runbook, 1), "It is needed after all", by=rune)
    line = db.session.scalars(select(AuditLine).where(AuditLine.verb == "task.reopened")).one()
    assert (line.note, line.before, line.after) == (
        "It is needed after all",
        {"state": "complete", "completion": "skipped"},
        {"state": "startable"},
    )
    assert task(runbook, 1).skip_reason == ""


def test_only_what_is_complete_in_a_running_runbook_is_reopened(
    make_runbook: MakeRunbook, rune: User, refuses: Refuses
) -> None:
    runbook = make_runbook("Drain", mode=Mode.LIVE)
    with refuses(NotNow, "The task cannot be reopened now. It has not been started yet."):
        operations.reopen_task(task(runbook, 1), "Again", by=rune)
    done(runbook, 1, rune)
    operations.pause_runbook(runbook, by=rune)
    with refuses(NotNow, "The runbook is paused. Resume it first."):
        operations.reopen_task(task(runbook, 1), "Again", by=rune)
    operations.resume_runbook(runbook, by=rune)
    operations.complete_runbook(runbook, by=rune)
    with refuses(NotNow, "The runbook is complete."):
        operations.reopen_task(task(runbook, 1), "Again", by=rune)


def test_what_starts_by_itself_does_not_call_again_until_someone_starts_it(
    make_runbook: MakeRunbook, make_action: MakeAction, rune: User
) -> None:
    runbook = make_runbook("Page", actions={1: make_action(auto_start=True)})
    operations.start_runbook(runbook, Mode.LIVE, by=rune)
    db.session.execute(update(IntegrationRun).values(state="succeeded"))
    db.session.expire_all()
    operations.finish_task(task(runbook, 1), by=rune)
    operations.reopen_task(task(runbook, 1), "Nobody came", by=rune)
    operations.pause_runbook(runbook, by=rune)
    operations.resume_runbook(runbook, by=rune)
    assert (states(runbook), len(runs())) == ({1: "startable"}, 1)
    operations.start_task(task(runbook, 1), by=rune)
    assert (states(runbook), len(runs())) == ({1: "in_progress"}, 2)


def test_calls_of_before_neither_show_nor_finish_the_task_again(
    make_runbook: MakeRunbook, make_action: MakeAction, rune: User, cast: Cast, client_of: ClientOf
) -> None:
    runbook = make_runbook("Page", actions={1: make_action(finish_on_success=True)}, mode=Mode.LIVE)
    operations.start_task(task(runbook, 1), by=rune)
    db.session.execute(update(IntegrationRun).values(state="failed"))
    db.session.expire_all()
    operations.finish_by_hand(task(runbook, 1), "Phoned them", by=rune)
    operations.reopen_task(task(runbook, 1), "Wrong number", by=rune)
    db.session.commit()
    assert operations.call_of(task(runbook, 1)) is None
    page = client_of(cast.rune).get(f"/runbooks/{runbook.id}?task=1").text
    assert "1 earlier run" in page and "/retry" not in page
    [earlier] = runs()
    operations.start_task(task(runbook, 1), by=rune)
    earlier.state = "succeeded"
    run_settled.send(earlier)
    assert task(runbook, 1).state == "in_progress"


def test_who_conducts_the_runbook_is_asked_for_the_reason_and_told_what_has_begun(
    make_runbook: MakeRunbook, rune: User, cast: Cast, client_of: ClientOf
) -> None:
    runbook = make_runbook("Drain", "Switch", waits={2: [1]}, mode=Mode.LIVE)
    done(runbook, 1, rune)
    operations.start_task(task(runbook, 2), by=rune)
    db.session.commit()
    address = f"/runbooks/{runbook.id}/tasks/1/reopen"
    assert "Reopen…" in client_of(cast.rune).get(f"/runbooks/{runbook.id}?task=1").text
    assert "1 task has begun after it already" in client_of(cast.rune).get(address).text
    assert client_of(cast.vera).post(address, data={"reason": "Again"}).status_code == 403
    assert client_of(cast.rune).post(address, data={"reason": ""}).status_code == 422
    answer = client_of(cast.rune).post(address, data={"reason": "Again"}, headers={"HX-Request": "true"})
    assert answer.status_code == 200
    assert states(runbook) == {1: "startable", 2: "in_progress"}
