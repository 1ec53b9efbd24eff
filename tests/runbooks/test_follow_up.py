"""What follows when a task's call is settled."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from tests.runbooks.conftest import MakeAction, MakeField, MakeRunbook, runs, states, task
from webapp.accounts.models import User
from webapp.audit.models import AuditLine
from webapp.extensions import db
from webapp.integration_runs.operations import cancel_run
from webapp.integration_runs.states import RunState
from webapp.runbooks import operations
from webapp.runbooks.models import Comment
from webapp.runbooks.operations.follow_up import finish_after_success
from webapp.runbooks.states import Mode


@pytest.mark.parametrize(
    ("notify", "told"), [(True, [("Vera", "Cancelled the call Slack: Post to a channel.")]), (False, [])]
)
def test_a_cancelled_call_is_told_to_the_task_s_people_where_its_action_says_so(
    make_runbook: MakeRunbook, make_action: MakeAction, rune: User, vera: User, notify: bool, told: list[str]
) -> None:
    action = make_action(notify_on_cancel=notify, cancelable=True)
    runbook = make_runbook("Announce", actions={1: action}, mode=Mode.LIVE)
    operations.start_task(task(runbook, 1), by=rune)
    cancel_run(runs()[0], vera)
    db.session.commit()
    comments = db.session.scalars(select(Comment)).all()
    assert [(each.user.name, each.body) for each in comments] == told


def test_a_task_whose_call_succeeded_waits_for_what_is_required_at_its_finish(
    make_runbook: MakeRunbook, make_action: MakeAction, make_field: MakeField, rune: User
) -> None:
    action = make_action(finish_on_success=True)
    result = make_field("Result", displays_on=["task_finish"], required=True)
    runbook = make_runbook("Announce", "Go on", waits={2: [1]}, actions={1: action}, mode=Mode.LIVE)
    first = task(runbook, 1)
    operations.start_task(first, by=rune)
    [run] = runs()
    run.state = RunState.SUCCEEDED
    finish_after_success(run)
    db.session.commit()
    assert states(runbook) == {1: "in_progress", 2: "not_startable"}
    [line] = db.session.scalars(select(AuditLine).where(AuditLine.verb == "task.not_finished_by_itself"))
    assert (line.actor_name, line.note) == ("Runsheet", "Fill in Result first.")
    operations.save_field(first, result, ["All well"], by=rune)
    operations.finish_task(first, by=rune)
    assert states(runbook) == {1: "complete", 2: "startable"}
