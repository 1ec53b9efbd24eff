"""Runs through the real dispatcher and door to a receiver on loopback."""

from __future__ import annotations

import re
import threading
import time
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event, select
from sqlalchemy.orm.attributes import set_committed_value

from tests.integration_runs.conftest import Receiver
from webapp.accounts.models import User
from webapp.audit.models import AuditLine
from webapp.clock import now
from webapp.egress import EgressPolicy
from webapp.extensions import db
from webapp.http import Door
from webapp.integration_runs import jobs, operations, queries
from webapp.integration_runs.delivery import TOLD_AT_A_TIME, Dispatcher, share_of_host
from webapp.integration_runs.models import IntegrationRun
from webapp.integration_runs.operations.claims import LEASE_MARGIN
from webapp.integration_runs.signals import run_changed, run_settled
from webapp.integrations.models import Authentication
from webapp.integrations.operations.secrets import seal_secrets
from webapp.runbooks.models import Runbook

Ask = Callable[..., IntegrationRun]


def reloaded(run: IntegrationRun) -> IntegrationRun:
    db.session.expire_all()
    return db.session.get_one(IntegrationRun, run.id)


def make_due(run: IntegrationRun) -> None:
    reloaded(run).due_at = now()
    db.session.commit()


@pytest.fixture
def runbook_id(cast: Any) -> int:
    runbook = Runbook(workspace_id=cast.payments, name="Failover")
    db.session.add(runbook)
    db.session.commit()
    return runbook.id


@pytest.fixture
def rune(cast: Any) -> User:
    return db.session.get_one(User, cast.rune)


def test_a_run_is_sent_once_and_succeeds_when_the_other_side_says_so(sent: Ask, receiver: Receiver) -> None:
    run = sent()
    assert (run.state, run.attempt_count, run.claimed_by, run.lease_until, run.due_at) == (
        "succeeded",
        1,
        None,
        None,
        None,
    )
    assert run.outcome == {
        "code": "http_200",
        "sentence": "The other system accepted it (HTTP 200).",
        "remedy": "",
        "who": "",
    }
    [attempt] = run.attempts
    assert (attempt.state, attempt.status, attempt.response_body) == ("succeeded", 200, '{"ok":true}')
    assert attempt.credential == "No authorization"
    assert receiver.bodies == ['{"channel":"#general","text":"Hello"}']
    assert receiver.received[0].headers["x-request-id"] == run.reference
    jobs.drain()
    assert len(receiver.received) == 1


def test_each_attempt_is_audited_without_its_bodies(sent: Ask) -> None:
    run = sent("/slack/channel_not_found")
    line = db.session.scalars(select(AuditLine).where(AuditLine.verb.startswith("attempt."))).one()
    assert (line.verb, line.object_id, line.actor_name) == ("attempt.failed", run.id, "Runsheet")
    assert line.after == {
        "attempt": 1,
        "host": run.host,
        "status": 200,
        "code": "channel_not_found",
        "credential": "No authorization",
        "asked by": "Runsheet",
        "state": "failed",
    }


def test_a_secret_in_the_address_stays_out_of_the_audit_log(sent: Ask, receiver: Receiver) -> None:
    sent("/hook?token=a-secret-in-the-address&to=ops")
    lines = db.session.execute(select(AuditLine.verb, AuditLine.object_name).order_by(AuditLine.id)).all()
    named = f"POST {receiver.origin}/hook?token=[hidden]&to=ops"
    assert [tuple(line) for line in lines] == [
        ("integration_run.requested", named),
        ("attempt.succeeded", named),
    ]
    assert [each.path for each in receiver.received] == ["/hook?token=a-secret-in-the-address&to=ops"]


def test_ok_false_fails_with_the_plain_sentence(sent: Ask) -> None:
    run = sent("/slack/channel_not_found")
    assert run.state == "failed"
    assert run.outcome is not None
    assert run.outcome["sentence"] == "Slack has no channel #general, or the app cannot see it."
    assert run.outcome["who"] == "runbook editor"


@pytest.mark.parametrize(
    ("path", "state", "code"),
    [
        ("/redirect", "failed", "redirect"),
        ("/status/404", "failed", "http_404"),
        ("/status/500", "unknown", "http_500"),
        ("/drop", "unknown", "connection_dropped"),
        ("http://10.11.12.13/x", "failed", "address_blocked"),
        ("http://127.0.0.1:22/x", "queued", "connection_refused"),
    ],
)
def test_each_fault_has_its_state_and_code(sent: Ask, path: str, state: str, code: str) -> None:
    run = sent(path)
    assert run.outcome is not None
    assert (run.state, run.outcome["code"]) == (state, code)
    assert run.outcome["sentence"].endswith(".")


@pytest.mark.parametrize(
    ("path", "verb", "sentence", "remedy"),
    [
        (
            "/slack/channel_not_found",
            "attempt.failed",
            "Slack has no channel #general, or the app cannot see it.",
            (
                "Use the channel ID (in Slack: channel name, View details, at the bottom); "
                "for a private channel invite the app."
            ),
        ),
        (
            "/slack/not_in_channel",
            "attempt.failed",
            "The account that posts is not a member of #general.",
            "In Slack type /invite and the app’s name in that channel, then retry.",
        ),
        (
            "/slack/token_revoked",
            "attempt.failed",
            "Slack no longer accepts the stored sign-in.",
            "Press Authenticate again, then retry.",
        ),
        (
            "/slack/ratelimited",
            "attempt.failed",
            "Slack asked to wait. It is tried again by itself in N s (repeat 1 of 5).",
            "Nothing needs to be done.",
        ),
        (
            "/slow/2",
            "attempt.unknown",
            "127.0.0.1 did not answer within 1 s. The request may have arrived.",
            "Look at the other side before you send it again.",
        ),
        (
            "http://127.0.0.1:22/x",
            "attempt.failed",
            "127.0.0.1 refused the connection on port 22. It is tried again by itself in N s (repeat 1 of 5).",
            "Check host and port, and that the service is up.",
        ),
        (
            "/redirect",
            "attempt.failed",
            (
                "127.0.0.1 answered with a redirect to https://elsewhere.example/api (HTTP 302). "
                "Redirects are not followed."
            ),
            "Use the final address as the action’s URL.",
        ),
        (
            "/big",
            "attempt.succeeded",
            (
                "The other system accepted it (HTTP 200). "
                "Its answer was larger than what is read, so only the start of it was kept."
            ),
            "",
        ),
        (
            "http://10.11.12.13/x",
            "attempt.failed",
            "10.11.12.13 is not a public address.",
            "If Runsheet may call it, an administrator adds 10.11.12.13:80 to EGRESS_ALLOW.",
        ),
    ],
)
def test_each_fault_is_said_with_its_remedy_and_audited_in_the_same_words(
    sent: Ask, path: str, verb: str, sentence: str, remedy: str
) -> None:
    run = sent(path, timeout_s=1)
    assert run.outcome is not None
    assert re.sub(r"itself in \d+ s", "itself in N s", run.outcome["sentence"]) == sentence
    assert run.outcome["remedy"] == remedy
    line = db.session.scalars(select(AuditLine).where(AuditLine.verb.startswith("attempt."))).one()
    assert (line.verb, line.object_id, line.note) == (verb, run.id, run.outcome["sentence"])


def test_a_timeout_is_unknown_and_not_sent_again(sent: Ask, receiver: Receiver) -> None:
    run = sent("/slow/3", timeout_s=1)
    assert run.state == "unknown"
    assert run.outcome is not None
    assert "did not answer within 1 s" in run.outcome["sentence"]
    assert run.attempts[0].state == "unknown"
    jobs.drain()
    assert len(receiver.received) == 1


def test_a_timeout_is_sent_again_where_that_is_safe(sent: Ask) -> None:
    run = sent("/slow/3", timeout_s=1, safe_to_repeat=True)
    assert (run.state, run.automatic_retries, run.attempts[0].state) == ("queued", 1, "unknown")


def test_a_large_answer_is_cut_and_stored_within_its_limit(sent: Ask) -> None:
    run = sent("/big")
    [attempt] = run.attempts
    assert (run.state, attempt.response_truncated) == ("succeeded", True)
    assert len(attempt.response_body or "") == 65_536
    assert "larger than what is read" in attempt.sentence


def test_a_rate_limit_is_obeyed_and_tried_again(sent: Ask, receiver: Receiver) -> None:
    receiver.headers = {"Retry-After": "30"}
    asked_at = now()
    run = sent("/status/429")
    assert (run.state, run.automatic_retries, run.settled_at) == ("queued", 1, None)
    assert run.due_at is not None
    assert run.due_at >= asked_at + timedelta(seconds=30)
    jobs.drain()
    assert len(receiver.received) == 1
    make_due(run)
    jobs.drain()
    again = reloaded(run)
    assert [attempt.number for attempt in again.attempts] == [1, 2]
    assert (again.automatic_retries, len(receiver.received)) == (2, 2)


def test_the_worker_is_woken_when_a_repeat_is_due(sent: Ask, app: Any) -> None:
    run = sent("/status/408")
    scheduled = app.extensions["runsheet_queue"].scheduled_job_registry
    [job_id] = scheduled.get_job_ids()
    assert run.due_at is not None
    assert abs((scheduled.get_scheduled_time(job_id) - run.due_at).total_seconds()) < 2


def test_after_five_repeats_it_fails(sent: Ask, receiver: Receiver) -> None:
    run = sent("/status/429")
    for _ in range(6):
        if reloaded(run).state == "queued":
            make_due(run)
            jobs.drain()
    assert (reloaded(run).state, len(receiver.received)) == ("failed", 6)


def test_cancelling_before_it_is_sent_prevents_the_call(ask: Ask, receiver: Receiver, rune: User) -> None:
    run = ask()
    operations.cancel_run(run, rune)
    db.session.commit()
    jobs.drain()
    assert (reloaded(run).state, receiver.received) == ("cancelled", [])


def test_cancelling_while_it_is_sent_is_refused_with_the_reason(ask: Ask, rune: User) -> None:
    run = ask()
    claims = operations.claim_runs("w", free=1, busy={}, slots=4, credential_of=lambda *_: None)  # type: ignore[arg-type, return-value]
    db.session.commit()
    assert [claim.run_id for claim in claims] == [run.id]
    with pytest.raises(operations.NotNow, match="being sent at this moment"):
        operations.cancel_run(reloaded(run), rune)


def test_of_a_cancel_and_a_claim_the_first_wins_whatever_the_page_had_loaded(ask: Ask, rune: User) -> None:
    run = ask()
    with db.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE integration_runs SET state = 'sending'")
    db.session.refresh(run)
    set_committed_value(run, "state", "queued")  # what a page read a moment ago
    with pytest.raises(operations.NotNow, match="being sent"):
        operations.cancel_run(run, rune)


def test_a_retry_is_a_new_attempt_that_a_person_asked_for(sent: Ask, receiver: Receiver, rune: User) -> None:
    run = sent("/status/400")
    operations.retry_run(run, rune)
    db.session.commit()
    jobs.drain()
    again = reloaded(run)
    assert [(attempt.number, attempt.asked_by) for attempt in again.attempts] == [
        (1, "Runsheet"),
        (2, "Rune"),
    ]
    assert len(receiver.received) == 2


def test_what_succeeded_cannot_be_retried(sent: Ask, rune: User) -> None:
    with pytest.raises(operations.NotNow, match="already succeeded"):
        operations.retry_run(sent(), rune)


@pytest.mark.parametrize(("succeeded", "state"), [(True, "succeeded"), (False, "failed")])
def test_a_person_resolves_an_unknown_outcome_with_a_note(
    sent: Ask, rune: User, succeeded: bool, state: str
) -> None:
    run = sent("/drop")
    with pytest.raises(ValueError, match="Say how you know"):
        operations.resolve_run(run, succeeded, "  ", rune)
    operations.resolve_run(run, succeeded, "It stands in the channel", rune)
    db.session.commit()
    assert reloaded(run).state == state
    line = db.session.scalars(select(AuditLine).where(AuditLine.verb == "integration_run.resolved")).one()
    assert (line.actor_name, line.note) == ("Rune", "It stands in the channel")


def test_a_lost_worker_leaves_an_unknown_outcome(ask: Ask, receiver: Receiver) -> None:
    run = ask()
    operations.claim_runs("w", free=1, busy={}, slots=4, credential_of=lambda *_: None)  # type: ignore[arg-type, return-value]
    db.session.commit()
    assert operations.expire_leases(now()) == 0
    later = now() + timedelta(seconds=30) + LEASE_MARGIN + timedelta(seconds=1)
    assert operations.expire_leases(later) == 1
    assert operations.expire_leases(later) == 0
    db.session.commit()
    found = reloaded(run)
    assert (found.state, found.attempts[0].state, found.attempts[0].code) == (
        "unknown",
        "unknown",
        "worker_lost",
    )
    jobs.drain()
    assert receiver.received == []


def test_a_lost_worker_s_run_goes_out_again_where_that_is_safe(ask: Ask) -> None:
    run = ask(safe_to_repeat=True)
    operations.claim_runs("w", free=1, busy={}, slots=4, credential_of=lambda *_: None)  # type: ignore[arg-type, return-value]
    operations.expire_leases(now() + timedelta(hours=1))
    db.session.commit()
    assert (reloaded(run).state, reloaded(run).attempts[0].state) == ("queued", "unknown")


def test_an_answer_that_comes_after_the_lease_settles_what_was_unknown(ask: Ask, receiver: Receiver) -> None:
    run = ask("/slow/0.6", timeout_s=5)
    drain = threading.Thread(target=_drain_in_own_context, args=(_app(),))
    drain.start()
    _wait_for(lambda: len(receiver.received) == 1)
    operations.expire_leases(now() + timedelta(hours=1))
    db.session.commit()
    assert reloaded(run).state == "unknown"
    db.session.commit()
    drain.join()
    assert (reloaded(run).state, reloaded(run).attempts[0].state) == ("succeeded", "succeeded")


def test_a_late_answer_does_not_undo_what_a_person_resolved(ask: Ask, receiver: Receiver, rune: User) -> None:
    run = ask("/slow/0.6", timeout_s=5)
    drain = threading.Thread(target=_drain_in_own_context, args=(_app(),))
    drain.start()
    _wait_for(lambda: len(receiver.received) == 1)
    operations.expire_leases(now() + timedelta(hours=1))
    operations.resolve_run(reloaded(run), False, "Not in the channel", rune)
    db.session.commit()
    drain.join()
    assert (reloaded(run).state, reloaded(run).attempts[0].state) == ("failed", "succeeded")


def test_two_drains_at_once_send_each_run_once(
    ask: Ask, receiver: Receiver, make_action: Any, app: Any
) -> None:
    action = make_action()
    for _ in range(40):
        ask(action=action)
    threads = [threading.Thread(target=_drain_as_another_worker, args=(app,)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    references = Counter(each.headers["x-request-id"] for each in receiver.received)
    assert (len(references), set(references.values())) == (40, {1})


def test_a_slow_host_does_not_hold_up_another(
    make_action: Any, ask: Ask, receiver: Receiver, app: Any
) -> None:
    slow = make_action("/slow/1.5")
    for _ in range(12):
        ask(action=slow)
    # The same receiver by another name: hosts are told apart by how the URL names them.
    ask(action=make_action(f"http://localhost:{receiver.port}/quick"))
    drain = threading.Thread(target=_drain_as_another_worker, args=(app,))
    drain.start()
    drain.join()
    # With 8 slots the slow host had 6 of them, and nothing of it was answered when the quick one had its turn.
    assert Counter(each.path for each in receiver.received[:7]) == {"/slow/1.5": 6, "/quick": 1}


@pytest.mark.parametrize(
    ("slots", "busy", "share"),
    [
        (64, {}, 48),
        (64, {"a": 48}, 0),
        (64, {"a": 40}, 8),
        (64, {"b": 48}, 12),
        (64, {"b": 60}, 3),
        (64, {"b": 63}, 1),
        (1, {}, 1),
        (4, {"b": 3}, 1),
    ],
)
def test_a_host_may_have_three_quarters_of_what_no_other_host_holds(
    slots: int, busy: dict[str, int], share: int
) -> None:
    assert share_of_host(slots, busy, "a") == share


def test_no_database_connection_is_held_during_an_exchange(ask: Ask, receiver: Receiver, app: Any) -> None:
    ask("/slow/0.5")
    db.session.remove()
    drain = threading.Thread(target=_drain_in_own_context, args=(app,))
    drain.start()
    _wait_for(lambda: len(receiver.received) == 1)
    held = max(_checked_out() for _ in range(5))
    drain.join()
    assert held <= 1  # the dispatcher's look for new runs, between exchanges


def test_a_listener_that_fails_loses_its_own_changes_and_not_the_settlement(
    ask: Ask, runbook_id: int, cast: Any
) -> None:
    run = ask(workspace_id=cast.payments, runbook_id=runbook_id)

    def fails(found: IntegrationRun) -> None:
        db.session.get_one(Runbook, runbook_id).name = "Spoilt"
        db.session.flush()
        raise RuntimeError("the task is gone")

    with run_settled.connected_to(fails):
        jobs.drain()
    found = reloaded(run)
    assert (found.state, found.follow_up_error) == ("succeeded", "RuntimeError: the task is gone")
    assert db.session.get_one(Runbook, runbook_id).name == "Failover"

    heard = []
    with run_settled.connected_to(lambda each: heard.append(each.state)):
        jobs.sweep()
    assert (heard, reloaded(run).follow_up_error) == (["succeeded"], None)


@pytest.mark.parametrize(
    ("path", "news"),
    [
        ("/ok", [("changed", "succeeded"), ("settled", "succeeded")]),
        ("/slow/0.5", [("changed", "sending"), ("changed", "succeeded"), ("settled", "succeeded")]),
    ],
)
def test_news_is_sent_of_the_settlement_and_of_a_sending_that_lasts(
    ask: Ask, runbook_id: int, cast: Any, path: str, news: list[tuple[str, str]]
) -> None:
    ask(path, workspace_id=cast.payments, runbook_id=runbook_id)
    heard: list[tuple[str, str]] = []
    with (
        run_changed.connected_to(lambda run: heard.append(("changed", run.state))),
        run_settled.connected_to(lambda run: heard.append(("settled", run.state))),
    ):
        jobs.drain()
    assert heard == news


def test_runs_that_someone_hears_of_are_settled_a_few_at_a_time(
    ask: Ask, make_action: Any, runbook_id: int, cast: Any
) -> None:
    action = make_action()
    for _ in range(20):
        ask(action=action, workspace_id=cast.payments, runbook_id=runbook_id)
    heard: list[int] = []
    per_commit: list[int] = []

    def count(_session: Any) -> None:
        if not db.session().in_nested_transaction() and heard:
            per_commit.append(len(heard))
            heard.clear()

    event.listen(db.session(), "after_commit", count)
    with run_settled.connected_to(lambda run: heard.append(run.id)):
        jobs.drain()
    event.remove(db.session(), "after_commit", count)
    assert sum(per_commit) == 20
    assert max(per_commit) <= TOLD_AT_A_TIME


def test_a_token_is_sent_and_neither_stored_nor_shown(make_action: Any, ask: Ask, receiver: Receiver) -> None:
    action = make_action("/echo", authorization="token", authorization_settings={"token_type": "Bearer"})
    seal_secrets(action, {"token": "very-secret-value-1"}, by=None)
    db.session.commit()
    run = ask(action=action)
    jobs.drain()
    attempt = reloaded(run).attempts[0]
    assert "very-secret-value-1" in receiver.received[0].headers["authorization"]
    assert attempt.request_headers["Authorization"] == "[hidden]"
    assert "very-secret" not in (attempt.response_body or "")
    assert "[hidden]" in (attempt.response_body or "")


def test_a_missing_sign_in_fails_before_anything_is_sent(sent: Ask, receiver: Receiver) -> None:
    run = sent(
        authorization="oauth_code", authorization_settings={"authenticate_as": "functional", "client_id": "1"}
    )
    assert run.outcome is not None
    assert (run.state, run.outcome["code"], receiver.received) == ("failed", "not_authenticated", [])


def test_a_credential_does_not_go_to_the_host_that_a_run_was_made_for_before_the_action_moved(
    make_action: Any, ask: Ask, receiver: Receiver
) -> None:
    action = make_action(authorization="token", authorization_settings={"token_type": "Bearer"})
    seal_secrets(action, {"token": "very-secret-value-1"}, by=None)
    db.session.commit()
    run = ask(action=action)
    action.url = "https://other.example.com/x"
    db.session.commit()
    jobs.drain()
    found = reloaded(run)
    assert found.outcome is not None
    assert (found.state, found.outcome["code"], receiver.received) == ("failed", "host_moved", [])


def test_a_sign_in_that_slack_refuses_is_marked(
    make_action: Any, ask: Ask, receiver: Receiver, app: Any
) -> None:
    action = make_action(
        "/slack/token_revoked",
        authorization="oauth_code",
        authorization_settings={"authenticate_as": "functional", "provider_host": receiver.origin},
    )
    authentication = Authentication(
        action_id=action.id,
        provider_host=receiver.origin,
        request_host=receiver.origin.removeprefix("http://"),
        identity={"label": "bot"},
    )
    db.session.add(authentication)
    db.session.flush()
    authentication.token = app.extensions["vault"].seal(
        authentication.secrets_row_key, {"access_token": "xoxb-12345678"}
    )
    run = ask(action=action)
    jobs.drain()
    db.session.refresh(authentication)
    assert reloaded(run).state == "failed"
    assert (authentication.refused_at is not None, authentication.refusal) == (True, "token_revoked")
    assert reloaded(run).attempts[0].credential == "Functional user: bot"


def test_a_run_whose_execution_mode_is_gone_fails_with_a_sentence(sent: Ask, receiver: Receiver) -> None:
    run = sent(mode="telepathy")
    assert run.outcome is not None
    assert (run.state, run.outcome["code"], receiver.received) == ("failed", "mode_unavailable", [])


def test_the_sweeper_wakes_the_workers_for_what_a_lost_nudge_left(
    ask: Ask, app: Any, queued_jobs: Callable[[], list[str]]
) -> None:
    ask()
    app.extensions["runsheet_queue"].connection.flushdb()
    jobs.sweep()
    assert queued_jobs() == ["drain"]


def test_the_sweeper_leaves_a_broker_alone_where_nothing_is_due(
    app: Any, queued_jobs: Callable[[], list[str]]
) -> None:
    jobs.sweep()
    assert queued_jobs() == []


def test_arming_queues_a_sweep_at_once_and_again_after_the_broker_lost_everything(
    app: Any, queued_jobs: Callable[[], list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "SWEEP_EVERY_S", 1)
    stop = jobs.arm(app)
    try:
        _wait_for(lambda: queued_jobs() == ["sweep"])
        app.extensions["runsheet_queue"].connection.flushdb()
        _wait_for(lambda: queued_jobs() == ["sweep"])
    finally:
        stop.set()


def test_a_stopped_dispatcher_claims_nothing_more(ask: Ask, receiver: Receiver, app: Any) -> None:
    ask()
    dispatcher = Dispatcher(app.extensions["door"], slots=2)
    dispatcher.stop()
    ledger = jobs._DatabaseLedger(app, 2)
    assert dispatcher.drain(ledger, until=time.monotonic() + 5) is True
    assert receiver.received == []
    assert queries.any_due(now())


def test_a_claim_that_comes_too_late_to_its_lease_is_not_sent(ask: Ask, receiver: Receiver, app: Any) -> None:
    from dataclasses import replace

    from webapp.integration_runs.exchanges import perform
    from webapp.integrations.authorizations import Credential

    run = ask()
    [claim] = operations.claim_runs("w", free=1, busy={}, slots=4, credential_of=lambda *_: Credential())
    late = replace(claim, send_before=now() - timedelta(seconds=1))
    finished = perform(late, app.extensions["door"])
    operations.settle_runs([finished])
    db.session.commit()
    assert receiver.received == []
    assert (reloaded(run).state, reloaded(run).attempts[0].code) == ("queued", "worker_busy")


def test_a_door_that_breaks_leaves_an_unknown_outcome(ask: Ask, caplog: pytest.LogCaptureFixture) -> None:
    from webapp.integration_runs.exchanges import perform
    from webapp.integrations.authorizations import Credential

    class Broken:
        def send(self, *_: Any, **__: Any) -> Any:
            raise RuntimeError("a bug")

    ask()
    [claim] = operations.claim_runs("w", free=1, busy={}, slots=4, credential_of=lambda *_: Credential())
    finished = perform(claim, Broken())
    assert (finished.verdict.event, finished.verdict.code) == ("lose", "internal_error")
    assert "a bug" in caplog.text


def _app() -> Any:
    from flask import current_app

    return current_app._get_current_object()  # type: ignore[attr-defined]


def _drain_in_own_context(app: Any) -> None:
    with app.app_context():
        jobs.drain()


def _drain_as_another_worker(app: Any) -> None:
    with app.app_context():
        door = Door(EgressPolicy.parse("127.0.0.1, localhost"))
        ledger = jobs._DatabaseLedger(app, 8)
        Dispatcher(door, slots=8).drain(ledger, until=time.monotonic() + 20)
        door.close()


def _checked_out() -> int:
    time.sleep(0.02)
    return int(db.engine.pool.checkedout())  # type: ignore[attr-defined]


def _wait_for(condition: Callable[[], bool], seconds: float = 10.0) -> None:
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "it did not happen in time"
        time.sleep(0.01)
