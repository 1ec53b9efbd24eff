"""The life of a runbook: each step's rows and audit line, and what is refused."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime

import pytest
from sqlalchemy import delete

from tests.cast import Cast
from tests.runbooks.conftest import (
    Audit,
    MakeAction,
    MakeRunbook,
    Refuses,
    only_line,
    runs,
    states,
    tables,
    task,
)
from webapp.accounts.models import User
from webapp.audit.models import AuditLine
from webapp.extensions import db
from webapp.runbooks import operations
from webapp.runbooks.models import Runbook
from webapp.runbooks.refusals import NotNow
from webapp.runbooks.states import Mode, RunbookState
from webapp.workspaces.models import Workspace

LEADS_TO = {
    "planning": {"start": "running"},
    "running": {"pause": "paused", "complete": "complete", "cancel": "cancelled"},
    "paused": {"resume": "running", "cancel": "cancelled"},
    "complete": {"plan again": "planning"},
    "cancelled": {"plan again": "planning"},
}
VERBS = ["start", "pause", "resume", "complete", "cancel", "plan again"]


def do(verb: str, runbook: Runbook, by: User) -> None:
    {
        "start": lambda: operations.start_runbook(runbook, Mode.REHEARSAL, by=by),
        "pause": lambda: operations.pause_runbook(runbook, by=by),
        "resume": lambda: operations.resume_runbook(runbook, by=by),
        "complete": lambda: operations.complete_runbook(runbook, by=by),
        "cancel": lambda: operations.cancel_runbook(runbook, "The vendor is down", by=by),
        "plan again": lambda: operations.plan_again(runbook, by=by),
    }[verb]()


def bring(runbook: Runbook, state: str, by: User) -> None:
    """Bring a rehearsal of the runbook to that state, its tasks skipped where it was started."""
    if state != "planning":
        do("start", runbook, by)
        operations.skip_task(task(runbook, 1), "Only a test", by=by)
    steps = {"paused": ["pause"], "complete": ["complete"], "cancelled": ["cancel"]}
    for verb in steps.get(state, []):
        do(verb, runbook, by)
    assert runbook.state == state
    db.session.execute(delete(AuditLine))
    db.session.commit()


def test_a_new_runbook_is_planned_owned_and_has_one_stream(cast: Cast, rune: User) -> None:
    payments = db.session.get_one(Workspace, cast.payments)
    runbook = operations.create_runbook(name="Release 12", workspace=payments, by=rune, description="Why")
    assert (runbook.state, runbook.mode, runbook.description) == ("planning", None, "Why")
    assert (runbook.workspace_id, runbook.created_by_id, runbook.owners) == (
        cast.payments,
        cast.rune,
        [rune],
    )
    assert [(each.name, each.color) for each in runbook.streams] == [("Tasks", 0)]
    line = only_line()
    assert (line.verb, line.object_type, line.object_id, line.object_name) == (
        "runbook.created",
        "runbooks",
        runbook.id,
        "Release 12",
    )
    assert (line.after, line.runbook_id, line.workspace_id) == (
        {"name": "Release 12", "workspace": "Payments", "time_zone": "UTC"},
        runbook.id,
        cast.payments,
    )


def test_renaming_tells_only_what_changed(make_runbook: MakeRunbook, rune: User) -> None:
    runbook = make_runbook("Announce")
    ten = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
    operations.rename_runbook(runbook, name="Release 13", description="", planned_start=ten, by=rune)
    assert (runbook.name, runbook.planned_start) == ("Release 13", ten)
    line = only_line()
    assert (line.verb, line.before, line.after) == (
        "runbook.changed",
        {"name": "Release 12", "planned_start": None},
        {"name": "Release 13", "planned_start": "2026-11-23T10:00:00+00:00"},
    )


@pytest.mark.parametrize(("state", "verb"), list(itertools.product(RunbookState, VERBS)))
def test_each_step_leads_where_the_table_says_or_is_refused_and_changes_nothing(
    make_runbook: MakeRunbook, rune: User, audit: Audit, state: str, verb: str
) -> None:
    runbook = make_runbook("Announce")
    bring(runbook, state, rune)
    before = tables()
    expected = LEADS_TO[state].get(verb)
    if expected is None:
        with pytest.raises(NotNow, match=r"^[A-Z].*\.$"):
            do(verb, runbook, rune)
        db.session.rollback()
        assert tables() == before
        return
    do(verb, runbook, rune)
    said = {
        "start": "started",
        "pause": "paused",
        "resume": "resumed",
        "complete": "completed",
        "cancel": "cancelled",
        "plan again": "planned_again",
    }
    assert runbook.state == expected
    assert audit() == [(f"runbook.{said[verb]}", "Release 12", "Rune")]
    db.session.rollback()
    assert tables() == before


@pytest.mark.parametrize("mode", list(Mode))
def test_a_start_notes_mode_and_moment_and_frees_what_waits_for_nothing(
    make_runbook: MakeRunbook, rune: User, mode: Mode
) -> None:
    runbook = make_runbook("Announce", "Deploy", "Check", waits={2: [1]})
    operations.start_runbook(runbook, mode, by=rune)
    db.session.commit()
    assert (runbook.state, runbook.mode, runbook.ended_at) == ("running", mode, None)
    assert runbook.started_at is not None
    assert states(runbook) == {1: "startable", 2: "not_startable", 3: "startable"}
    assert {each.seq for each in runbook.tasks} == {runbook.seq}
    notified = {Mode.LIVE: "Everybody assigned in it", Mode.REHEARSAL: "Nobody"}[mode]
    assert only_line().after == {
        "mode": mode,
        "state": "running",
        "notified": notified,
        "people notified": 0,
    }


def test_a_runbook_without_tasks_is_not_started(
    make_runbook: MakeRunbook, rune: User, refuses: Refuses
) -> None:
    runbook = make_runbook("Announce")
    operations.delete_task(task(runbook, 1), by=rune)
    with refuses(NotNow, "There is nothing to run yet. Add a task first."):
        operations.start_runbook(runbook, Mode.LIVE, by=rune)


@pytest.mark.parametrize(
    ("mode", "words"), [(Mode.LIVE, "cancel the live run"), (Mode.REHEARSAL, "cancel the rehearsal")]
)
def test_a_runbook_is_not_completed_while_tasks_are_open(
    make_runbook: MakeRunbook, rune: User, refuses: Refuses, mode: Mode, words: str
) -> None:
    runbook = make_runbook("Announce", "Deploy", mode=mode)
    rest = f"not done. Finish or skip what is left, or {words}."
    with refuses(NotNow, f"2 tasks are {rest}"):
        operations.complete_runbook(runbook, by=rune)
    operations.skip_task(task(runbook, 1), "Not needed", by=rune)
    with refuses(NotNow, f"1 task is {rest}"):
        operations.complete_runbook(runbook, by=rune)
    operations.skip_task(task(runbook, 2), "Not needed", by=rune)
    operations.complete_runbook(runbook, by=rune)
    assert runbook.state == "complete"
    assert runbook.ended_at is not None


def test_a_deleted_task_does_not_keep_a_runbook_open(make_runbook: MakeRunbook, rune: User) -> None:
    runbook = make_runbook("Announce", "Deploy", mode=Mode.LIVE)
    operations.skip_task(task(runbook, 1), "Not needed", by=rune)
    operations.delete_task(task(runbook, 2), by=rune)
    operations.complete_runbook(runbook, by=rune)
    assert runbook.state == "complete"


def test_a_runbook_is_cancelled_with_a_reason_that_is_kept(make_runbook: MakeRunbook, rune: User) -> None:
    runbook = make_runbook("Announce", mode=Mode.LIVE)
    operations.cancel_runbook(runbook, "  The vendor is down ", by=rune)
    line = only_line()
    assert (line.verb, line.note) == ("runbook.cancelled", "The vendor is down")
    assert (line.before, line.after) == ({"state": "running"}, {"state": "cancelled"})
    assert runbook.ended_at is not None


def test_a_runbook_is_not_cancelled_without_a_reason(
    make_runbook: MakeRunbook, rune: User, refuses: Refuses
) -> None:
    runbook = make_runbook("Announce", mode=Mode.LIVE)
    with refuses(ValueError, "Say why it is cancelled."):
        operations.cancel_runbook(runbook, " ", by=rune)


def test_a_rehearsal_goes_back_to_planning_with_every_task_as_before(
    make_runbook: MakeRunbook, rune: User
) -> None:
    runbook = make_runbook("Announce", "Deploy", "Check", "Verify", mode=Mode.REHEARSAL)
    operations.start_task(task(runbook, 1), by=rune)
    operations.finish_task(task(runbook, 1), by=rune)
    operations.skip_task(task(runbook, 2), "Not needed", by=rune)
    operations.start_task(task(runbook, 3), by=rune)
    operations.cancel_runbook(runbook, "Enough for today", by=rune)
    operations.plan_again(runbook, by=rune)
    db.session.commit()
    assert (runbook.state, runbook.mode, runbook.started_at, runbook.ended_at) == (
        "planning",
        None,
        None,
        None,
    )
    for each in runbook.tasks:
        assert (each.state, each.completion, each.skip_reason) == ("not_startable", None, "")
        assert (each.started_at, each.started_by_id, each.finished_at, each.finished_by_id) == (None,) * 4
        assert each.seq == runbook.seq


def test_a_live_run_stays_as_it_happened(make_runbook: MakeRunbook, rune: User, refuses: Refuses) -> None:
    runbook = make_runbook("Announce", mode=Mode.LIVE)
    operations.cancel_runbook(runbook, "The vendor is down", by=rune)
    with refuses(NotNow, "Only a rehearsal can go back to planning. A live run stays as it happened."):
        operations.plan_again(runbook, by=rune)


def test_a_call_of_the_rehearsal_is_not_taken_for_one_of_the_live_run(
    make_runbook: MakeRunbook, make_action: MakeAction, rune: User
) -> None:
    action = make_action(execute_in_rehearsal=True)
    runbook = make_runbook("Announce", actions={1: action}, mode=Mode.REHEARSAL)
    operations.start_task(task(runbook, 1), by=rune)
    db.session.commit()
    assert operations.call_of(task(runbook, 1)) == runs()[0]
    operations.cancel_runbook(runbook, "Enough for today", by=rune)
    operations.plan_again(runbook, by=rune)
    operations.start_runbook(runbook, Mode.LIVE, by=rune)
    db.session.commit()
    assert operations.call_of(task(runbook, 1)) is None
