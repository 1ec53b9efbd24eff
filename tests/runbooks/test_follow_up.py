"""What follows when someone cancels a task's call."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from tests.runbooks.conftest import MakeAction, MakeRunbook, runs, task
from webapp.accounts.models import User
from webapp.extensions import db
from webapp.integration_runs.operations import cancel_run
from webapp.runbooks import operations
from webapp.runbooks.models import Comment
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
