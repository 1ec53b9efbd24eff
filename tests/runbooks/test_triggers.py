"""The five triggers: each asks for its runs exactly once; and what follows from a run's success."""

from __future__ import annotations

import pytest
from sqlalchemy import delete, update

from tests.runbooks.conftest import MakeAction, MakeField, MakeRunbook, Refuses, runs, states, task
from webapp.accounts.models import User
from webapp.audit.models import AuditLine
from webapp.extensions import db
from webapp.integration_runs.models import IntegrationRun
from webapp.integration_runs.operations import resolve_run
from webapp.integration_runs.signals import run_settled
from webapp.runbooks import operations
from webapp.runbooks.models import Runbook, Task
from webapp.runbooks.refusals import NotNow
from webapp.runbooks.states import Mode
from webapp.runbooks.triggers import TRIGGERS

KEYS = ["task_start", "task_finish", "task_skip", "runbook_start", "runbook_finish"]


def asked() -> list[tuple[int | None, str]]:
    return [(run.task_id, run.trigger) for run in runs()]


def test_the_five_triggers_are_those_of_the_guide() -> None:
    assert {trigger.key: trigger.label for trigger in TRIGGERS} == {
        "task_start": "On Task Start",
        "task_finish": "On Task Finish",
        "task_skip": "On Task Skip",
        "runbook_start": "On Runbook Start",
        "runbook_finish": "On Runbook Finish",
    }


@pytest.mark.parametrize("key", KEYS)
def test_each_trigger_asks_exactly_once_in_a_whole_live_run_and_at_its_moment(
    make_runbook: MakeRunbook, make_action: MakeAction, rune: User, key: str
) -> None:
    action = make_action(key)
    runbook = make_runbook("Announce", "Deploy", "Check", actions={1: action, 2: action})
    first, second = task(runbook, 1), task(runbook, 2)
    seen = {}
    operations.start_runbook(runbook, Mode.LIVE, by=rune)
    seen["runbook_start"] = asked()
    operations.start_task(first, by=rune)
    seen["task_start"] = asked()
    db.session.execute(update(IntegrationRun).values(state="succeeded"))
    db.session.expire_all()
    operations.finish_task(first, by=rune)
    seen["task_finish"] = asked()
    operations.skip_task(second, "Not needed", by=rune)
    seen["task_skip"] = asked()
    operations.skip_task(task(runbook, 3), "Not needed", by=rune)
    operations.pause_runbook(runbook, by=rune)
    operations.resume_runbook(runbook, by=rune)
    operations.complete_runbook(runbook, by=rune)
    seen["runbook_finish"] = asked()
    db.session.commit()

    both = [(first.id, key), (second.id, key)]
    expected = {
        "task_start": both[:1],
        "task_finish": both[:1],
        "task_skip": both[1:],
        "runbook_start": both,
        "runbook_finish": both,
    }[key]
    moments = list(seen)
    before = moments[: moments.index(key)]
    assert {moment: seen[moment] for moment in moments} == {
        moment: [] if moment in before else expected for moment in moments
    }
    assert {(run.runbook_id, run.workspace_id, run.requested_by_name) for run in runs()} == {
        (runbook.id, runbook.workspace_id, "Rune")
    }


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize(("called", "count"), [(False, 0), (True, 1)])
def test_a_rehearsal_calls_only_what_is_set_to_run_in_rehearsals(
    make_runbook: MakeRunbook, make_action: MakeAction, rune: User, key: str, called: bool, count: int
) -> None:
    runbook = make_runbook("Announce", actions={1: make_action(key, execute_in_rehearsal=called)})
    operations.start_runbook(runbook, Mode.REHEARSAL, by=rune)
    first = task(runbook, 1)
    if key == "task_skip":
        operations.skip_task(first, "Not needed", by=rune)
    else:
        operations.start_task(first, by=rune)
        db.session.execute(update(IntegrationRun).values(state="succeeded"))
        db.session.expire_all()
        operations.finish_task(first, by=rune)
    operations.complete_runbook(runbook, by=rune)
    assert len(runs()) == count


@pytest.mark.parametrize("key", ["runbook_start", "runbook_finish"])
def test_a_call_of_the_whole_runbook_that_cannot_be_made_refuses_the_step_and_names_the_task(
    make_runbook: MakeRunbook, make_action: MakeAction, rune: User, refuses: Refuses, key: str
) -> None:
    action = make_action(key, execute_in_rehearsal=True)
    runbook = make_runbook("Announce", actions={1: action})
    if key == "runbook_finish":
        operations.start_runbook(runbook, Mode.REHEARSAL, by=rune)
        operations.skip_task(task(runbook, 1), "Not needed", by=rune)
    action.archived_at = runbook.created_at
    sentence = "#1 Announce: The integration action Post to a channel is archived. Choose another, or finish by hand."
    with refuses(NotNow, sentence):
        if key == "runbook_start":
            operations.start_runbook(runbook, Mode.REHEARSAL, by=rune)
        else:
            operations.complete_runbook(runbook, by=rune)


def test_a_deleted_task_is_not_called(make_runbook: MakeRunbook, make_action: MakeAction, rune: User) -> None:
    runbook = make_runbook("Announce", "Deploy", actions={1: make_action("runbook_start")})
    operations.delete_task(task(runbook, 1), by=rune)
    operations.start_runbook(runbook, Mode.LIVE, by=rune)
    assert runs() == []


def test_the_request_is_rendered_from_the_task_and_its_fields(
    make_runbook: MakeRunbook, make_action: MakeAction, make_field: MakeField, rune: User
) -> None:
    message = make_field("Slack Message")
    body = (
        '{"text":"{{CustomField[\'Slack Message\']}}","who":"{{User.name}}",'
        '"task":"{{Task.number}} {{Task.name}}","runbook":"{{Runbook.name}}","mode":"{{Runbook.mode}}"}'
    )
    runbook = make_runbook("Announce", actions={1: make_action(body=body)}, mode=Mode.LIVE)
    operations.save_field(task(runbook, 1), message, ["Hello"], by=rune)
    operations.start_task(task(runbook, 1), by=rune)
    assert [run.body for run in runs()] == [
        '{"text":"Hello","who":"Rune","task":"1 Announce","runbook":"Release 12","mode":"live"}'
    ]


def _unknown(
    make_runbook: MakeRunbook,
    make_action: MakeAction,
    by: User,
    *,
    trigger: str = "task_start",
    **values: bool,
) -> IntegrationRun:
    """The run of a started task, whose outcome is unknown; a second task waits for the first."""
    action = make_action(trigger, **values)
    mode = None if trigger == "runbook_start" else Mode.LIVE
    runbook = make_runbook("Announce", "Deploy", waits={2: [1]}, actions={1: action}, mode=mode)
    if mode is None:
        operations.start_runbook(runbook, Mode.LIVE, by=by)
    operations.start_task(task(runbook, 1), by=by)
    db.session.execute(update(IntegrationRun).values(state="unknown"))
    db.session.execute(delete(AuditLine))
    db.session.commit()
    (run,) = runs()
    return run


def test_success_finishes_the_task_where_its_action_says_so_and_frees_what_waits(
    make_runbook: MakeRunbook, make_action: MakeAction, rune: User
) -> None:
    run = _unknown(make_runbook, make_action, rune, finish_on_success=True)
    resolve_run(run, True, "It is in the channel", rune)
    db.session.commit()
    found = db.session.get_one(Task, run.task_id)
    assert (found.state, found.completion, found.finished_by_id) == ("complete", "integration", None)
    assert states(found.runbook) == {1: "complete", 2: "startable"}
    lines = db.session.query(AuditLine).order_by(AuditLine.id).all()
    assert [(each.verb, each.actor_name) for each in lines if each.verb.startswith("task.")] == [
        ("task.finished", "Runsheet")
    ]


def test_the_same_news_twice_finishes_the_task_once(
    make_runbook: MakeRunbook, make_action: MakeAction, rune: User
) -> None:
    run = _unknown(make_runbook, make_action, rune, finish_on_success=True)
    resolve_run(run, True, "It is in the channel", rune)
    run_settled.send(run)
    db.session.commit()
    verbs = [each.verb for each in db.session.query(AuditLine)]
    assert verbs.count("task.finished") == 1


@pytest.mark.parametrize(
    ("succeeded", "values"), [(False, {"finish_on_success": True}), (True, {"finish_on_success": False})]
)
def test_otherwise_the_task_stays_in_progress(
    make_runbook: MakeRunbook, make_action: MakeAction, rune: User, succeeded: bool, values: dict[str, bool]
) -> None:
    run = _unknown(make_runbook, make_action, rune, **values)
    resolve_run(run, succeeded, "I looked", rune)
    db.session.commit()
    assert [each for _, each in sorted(_states_of(run).items())] == ["in_progress", "not_startable"]


def test_the_success_of_a_call_at_the_runbook_s_start_finishes_no_task(
    make_runbook: MakeRunbook, make_action: MakeAction, rune: User
) -> None:
    run = _unknown(make_runbook, make_action, rune, trigger="runbook_start", finish_on_success=True)
    resolve_run(run, True, "It is in the channel", rune)
    assert _states_of(run)[1] == "in_progress"


def test_a_success_in_a_pause_finishes_the_task_and_starts_nothing(
    make_runbook: MakeRunbook, make_action: MakeAction, rune: User
) -> None:
    run = _unknown(make_runbook, make_action, rune, finish_on_success=True)
    runbook = db.session.get_one(Runbook, run.runbook_id)
    task(runbook, 2).action = make_action(auto_start=True)
    operations.pause_runbook(runbook, by=rune)
    resolve_run(run, True, "It is in the channel", rune)
    assert states(runbook) == {1: "complete", 2: "startable"}
    operations.resume_runbook(runbook, by=rune)
    assert states(runbook) == {1: "complete", 2: "in_progress"}


def test_a_success_after_the_runbook_was_cancelled_leaves_the_task_as_it_was(
    make_runbook: MakeRunbook, make_action: MakeAction, rune: User
) -> None:
    run = _unknown(make_runbook, make_action, rune, finish_on_success=True)
    runbook = db.session.get_one(Runbook, run.runbook_id)
    operations.cancel_runbook(runbook, "The vendor is down", by=rune)
    resolve_run(run, True, "It is in the channel", rune)
    assert states(runbook) == {1: "in_progress", 2: "not_startable"}


def test_a_late_success_of_an_earlier_rehearsal_does_not_finish_the_task_of_the_live_run(
    make_runbook: MakeRunbook, make_action: MakeAction, rune: User
) -> None:
    action = make_action(finish_on_success=True, execute_in_rehearsal=True)
    runbook = make_runbook("Announce", actions={1: action}, mode=Mode.REHEARSAL)
    operations.start_task(task(runbook, 1), by=rune)
    db.session.execute(update(IntegrationRun).values(state="unknown"))
    db.session.expire_all()
    (old,) = runs()
    operations.cancel_runbook(runbook, "Enough for today", by=rune)
    operations.plan_again(runbook, by=rune)
    operations.start_runbook(runbook, Mode.LIVE, by=rune)
    operations.start_task(task(runbook, 1), by=rune)
    resolve_run(old, True, "It is in the channel", rune)
    assert states(runbook) == {1: "in_progress"}
    assert len(runs()) == 2


def test_viewers_hear_of_every_change_of_a_run(
    make_runbook: MakeRunbook, make_action: MakeAction, rune: User
) -> None:
    run = _unknown(make_runbook, make_action, rune)
    runbook = db.session.get_one(Runbook, run.runbook_id)
    seq = runbook.seq
    resolve_run(run, False, "It is not there", rune)
    db.session.expire_all()
    assert (runbook.seq, task(runbook, 1).seq) == (seq + 1, seq + 1)


def _states_of(run: IntegrationRun) -> dict[int, str]:
    return states(db.session.get_one(Runbook, run.runbook_id))
