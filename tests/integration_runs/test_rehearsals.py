"""Where a rehearsal's calls go: a runbook is really rehearsed, and counted is what arrived where."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.integration_runs.conftest import Receiver
from webapp.accounts.models import User
from webapp.extensions import db
from webapp.integration_runs import jobs
from webapp.integration_runs.models import IntegrationRun
from webapp.integrations import operations as integrations
from webapp.integrations.models import Action
from webapp.integrations.operations.secrets import seal_secrets
from webapp.integrations.rehearsals import Destination, RehearsalRule, destination_in_rehearsal
from webapp.runbooks import operations
from webapp.runbooks.models import Task
from webapp.runbooks.refusals import CannotCall
from webapp.runbooks.states import Mode
from webapp.workspaces.models import Workspace

REAL = "http://real.example:9"
MakeAction = Callable[..., Action]


@pytest.fixture
def rune(cast: Any) -> User:
    return db.session.get_one(User, cast.rune)


@pytest.fixture
def task_of(cast: Any, rune: User) -> Callable[..., Task]:
    """The started task of a runbook that calls the action, in that mode."""

    def started(action: Action, mode: Mode) -> Task:
        workspace = db.session.get_one(Workspace, cast.payments)
        runbook = operations.create_runbook(name="Failover", workspace=workspace, by=rune)
        task = operations.add_task(runbook, runbook.streams[0], "Announce", by=rune)
        task.action = action
        db.session.commit()
        operations.start_runbook(runbook, mode, by=rune)
        db.session.commit()
        db.session.refresh(task)
        operations.start_task(task, by=rune)
        db.session.commit()
        jobs.drain()
        db.session.expire_all()
        return task

    return started


def with_token(make_action: MakeAction, url: str, **values: Any) -> Action:
    """An action with a stored token, that posts its task's name."""
    action = make_action(
        url, body='{"text":"{{Task.name}}"}', authorization="token", authorization_settings={}, **values
    )
    seal_secrets(action, {"token": "real-token-123"}, by=None)
    db.session.commit()
    return action


def only_run() -> IntegrationRun:
    return db.session.query(IntegrationRun).one()


@pytest.mark.parametrize(
    ("rule", "execute", "destination"),
    [
        ("by_action", False, Destination.NOWHERE),
        ("by_action", True, Destination.REAL),
        ("not_called", True, Destination.NOWHERE),
        ("sandbox", False, Destination.SANDBOX),
        ("real", False, Destination.REAL),
        ("of a later version", True, Destination.NOWHERE),
    ],
)
def test_the_connections_rule_decides_and_leaves_it_to_the_action_only_where_it_says_so(
    rule: str, execute: bool, destination: Destination
) -> None:
    assert destination_in_rehearsal(rule, execute) == destination


def test_at_a_sandbox_the_same_request_arrives_with_the_sandbox_token_and_never_the_real_one(
    make_action: MakeAction, task_of: Any, receiver: Receiver, rune: User
) -> None:
    action = with_token(make_action, f"{REAL}/post?thread=7")
    integrations.set_rehearsal(
        action.connection,
        RehearsalRule.SANDBOX,
        sandbox_address=receiver.origin,
        sandbox_token="practice-456",
        by=rune,
    )
    task_of(action, Mode.REHEARSAL)
    [arrived] = receiver.received
    assert (arrived.path, arrived.body) == ("/post?thread=7", '{"text":"Announce"}')
    assert arrived.headers["authorization"] == "Bearer practice-456"
    run = only_run()
    assert (run.state, run.to_sandbox, run.host) == ("succeeded", True, receiver.origin[7:])
    assert run.attempts[0].credential == "Sandbox token"
    assert "practice" not in str(run.attempts[0].request_headers)


def test_at_a_sandbox_without_a_token_nothing_that_authorizes_is_sent(
    make_action: MakeAction, task_of: Any, receiver: Receiver, rune: User
) -> None:
    action = with_token(make_action, f"{REAL}/post")
    integrations.set_rehearsal(
        action.connection, RehearsalRule.SANDBOX, sandbox_address=receiver.origin, by=rune
    )
    task_of(action, Mode.REHEARSAL)
    assert "authorization" not in receiver.received[0].headers


def test_a_live_run_calls_for_real_whatever_the_rule_for_rehearsals(
    make_action: MakeAction, task_of: Any, receiver: Receiver, rune: User
) -> None:
    action = with_token(make_action, "/post")
    integrations.set_rehearsal(
        action.connection, RehearsalRule.SANDBOX, sandbox_address="http://127.0.0.1:9", by=rune
    )
    task_of(action, Mode.LIVE)
    assert receiver.received[0].headers["authorization"] == "Bearer real-token-123"
    assert not only_run().to_sandbox


def test_a_connection_that_is_not_called_in_rehearsals_sends_nothing(
    make_action: MakeAction, task_of: Any, receiver: Receiver, rune: User
) -> None:
    action = with_token(make_action, "/post", execute_in_rehearsal=True)
    integrations.set_rehearsal(action.connection, RehearsalRule.NOT_CALLED, sandbox_address="", by=rune)
    assert task_of(action, Mode.REHEARSAL).state == "in_progress"
    assert (receiver.received, db.session.query(IntegrationRun).count()) == ([], 0)


@pytest.mark.parametrize("as_", ["functional", "task"])
def test_at_a_sandbox_nobody_has_to_sign_in(
    make_action: MakeAction, task_of: Any, receiver: Receiver, rune: User, as_: str
) -> None:
    settings = {"authenticate_as": as_, "provider_host": "https://slack.com"}
    action = make_action(
        f"{REAL}/post", body="{}", authorization="oauth_code", authorization_settings=settings
    )
    connection = action.connection
    integrations.set_rehearsal(connection, RehearsalRule.REAL, sandbox_address="", by=rune)
    with pytest.raises(CannotCall):
        task_of(action, Mode.REHEARSAL)
    db.session.rollback()
    integrations.set_rehearsal(connection, RehearsalRule.SANDBOX, sandbox_address=receiver.origin, by=rune)
    task_of(action, Mode.REHEARSAL)
    assert len(receiver.received) == 1


def test_a_request_that_waits_while_the_sandbox_moves_does_not_take_the_token_to_the_new_address(
    make_action: MakeAction, task_of: Any, receiver: Receiver, rune: User
) -> None:
    action = with_token(make_action, f"{REAL}/post")
    connection = action.connection
    integrations.set_rehearsal(
        connection, RehearsalRule.SANDBOX, sandbox_address=receiver.origin, sandbox_token="old-1", by=rune
    )
    task_of(action, Mode.REHEARSAL)
    run = only_run()
    run.state, run.due_at = "queued", run.requested_at
    integrations.set_rehearsal(
        connection,
        RehearsalRule.SANDBOX,
        sandbox_address="http://other.example",
        sandbox_token="new-2",
        by=rune,
    )
    db.session.commit()
    jobs.drain()
    db.session.expire_all()
    outcome = only_run().outcome
    assert outcome is not None
    assert (outcome["code"], len(receiver.received)) == ("host_moved", 1)
