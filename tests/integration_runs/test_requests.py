"""Asking for a call: what is written, and that the nudge waits for the commit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select

from tests.integration_runs.conftest import CONTEXT
from webapp.accounts.models import User
from webapp.audit.models import AuditLine
from webapp.extensions import db
from webapp.integration_runs import nudges, operations
from webapp.integration_runs.models import IntegrationRun
from webapp.integration_runs.signals import run_changed
from webapp.integrations.models import Action

Ask = Callable[..., IntegrationRun]


def test_a_run_holds_the_rendered_request_and_who_asked(
    make_action: Callable[..., Action], cast: Any
) -> None:
    rune = db.session.get_one(User, cast.rune)
    action = make_action("/api/{{CustomField['Slack Message']}}")
    run = operations.request_run(
        action, trigger="task_start", context=CONTEXT, by=rune, workspace_id=cast.payments
    )
    assert (run.state, run.method, run.attempt_count) == ("queued", "POST", 0)
    assert run.url.endswith("/api/Hello")
    assert run.host.startswith("127.0.0.1:")
    assert run.headers == {"Content-Type": "application/json"}
    assert run.body == '{"channel":"#general","text":"Hello"}'
    assert (run.requested_by_name, run.asked_by_id, run.workspace_id) == ("Rune", cast.rune, cast.payments)
    assert len(run.reference) == 36


def test_asking_is_audited_in_the_same_transaction(make_action: Callable[..., Action]) -> None:
    operations.request_run(make_action(), trigger="task_start", context=CONTEXT, by=None, workspace_id=None)
    line = db.session.scalars(select(AuditLine)).one()
    assert (line.verb, line.object_type, line.actor_name) == (
        "integration_run.requested",
        "integration_runs",
        "Runsheet",
    )
    db.session.rollback()
    assert db.session.scalars(select(AuditLine)).all() == []


def test_a_request_that_cannot_be_made_is_refused_with_its_place(make_action: Callable[..., Action]) -> None:
    action = make_action(body='{"a":"{{CustomField[\'Slack Chanel\']}}"}')
    with pytest.raises(operations.RequestInvalid) as refused:
        operations.request_run(action, trigger="task_start", context=CONTEXT, by=None, workspace_id=None)
    assert refused.value.part == "body"
    assert refused.value.line == 1
    assert refused.value.sentence.startswith("Payload, line 1, column ")
    assert db.session.scalars(select(IntegrationRun)).all() == []


def test_the_news_of_a_new_run_is_sent_in_its_transaction(ask: Ask) -> None:
    heard = []
    with run_changed.connected_to(lambda run: heard.append((run.id, run.state))):
        run = ask()
    assert heard == [(run.id, "queued")]


def test_the_nudge_waits_for_the_commit(
    make_action: Callable[..., Action], queued_jobs: Callable[[], list[str]]
) -> None:
    operations.request_run(make_action(), trigger="task_start", context=CONTEXT, by=None, workspace_id=None)
    assert queued_jobs() == []
    db.session.commit()
    assert queued_jobs() == ["drain"]


def test_a_rollback_forgets_the_nudge(
    make_action: Callable[..., Action], queued_jobs: Callable[[], list[str]]
) -> None:
    operations.request_run(make_action(), trigger="task_start", context=CONTEXT, by=None, workspace_id=None)
    db.session.rollback()
    db.session.commit()
    assert queued_jobs() == []


def test_a_savepoint_neither_sends_the_nudge_nor_forgets_it(
    make_action: Callable[..., Action], queued_jobs: Callable[[], list[str]]
) -> None:
    operations.request_run(make_action(), trigger="task_start", context=CONTEXT, by=None, workspace_id=None)
    with db.session.begin_nested():
        pass
    assert queued_jobs() == []
    with pytest.raises(ZeroDivisionError), db.session.begin_nested():
        raise ZeroDivisionError
    db.session.commit()
    assert queued_jobs() == ["drain"]


def test_a_burst_of_starts_makes_one_queue_entry(
    ask: Ask, make_action: Callable[..., Action], queued_jobs: Callable[[], list[str]]
) -> None:
    action = make_action()
    for _ in range(30):
        ask(action=action)
    assert queued_jobs() == ["drain"]


def test_a_nudge_after_a_drain_has_begun_queues_another(
    ask: Ask, make_action: Callable[..., Action], queued_jobs: Callable[[], list[str]]
) -> None:
    action = make_action()
    ask(action=action)
    nudges.take_flag()  # a drain begins: from now on it may look, and miss what is committed afterwards
    ask(action=action)
    assert queued_jobs() == ["drain", "drain"]


def test_the_flag_of_a_nudge_ends_by_itself(ask: Ask, app: Any) -> None:
    ask()
    ttl = app.extensions["runsheet_queue"].connection.ttl(nudges.FLAG)
    assert 0 < ttl <= nudges.FLAG_S
