"""Settling runs: by what came back, or, where a worker was lost, by what can be known."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import bindparam, insert, select, update

from webapp.audit.models import AuditLine
from webapp.extensions import db
from webapp.http import MaybeSent
from webapp.integration_runs.exchanges import Finished
from webapp.integration_runs.models import Attempt, IntegrationRun, request_name
from webapp.integration_runs.operations.news import anyone_listens, tell
from webapp.integration_runs.outcomes import Rules, Verdict, verdict_of
from webapp.integration_runs.states import SETTLED, TRANSITIONS, RunEvent, RunState
from webapp.integrations.models import Action, Authentication
from webapp.integrations.operations import mark_refused

FOLLOW_UP_FOR = timedelta(minutes=10)
BATCH = 500

_R = IntegrationRun
_ATTEMPT_STATES = {
    RunEvent.SUCCEED: RunState.SUCCEEDED,
    RunEvent.FAIL: RunState.FAILED,
    RunEvent.LOSE: RunState.UNKNOWN,
}
# Core tables and statements made once: many runs are settled in one transaction.
_runs, _attempts = IntegrationRun.__table__, Attempt.__table__
_STANDING = (
    select(
        _runs.c.id,
        _runs.c.state,
        _runs.c.attempt_count,
        _runs.c.automatic_retries,
        _runs.c.method,
        _runs.c.url,
        _runs.c.host,
        _runs.c.workspace_id,
        _runs.c.runbook_id,
        _runs.c.asked_by_name,
    )
    .where(_runs.c.id.in_(bindparam("ids", expanding=True)))
    .order_by(_runs.c.id)
    .with_for_update()
)
# audit.operations.record makes an object a line; here there are as many lines as the worker can send.
_AUDITED = insert(AuditLine.__table__)  # type: ignore[arg-type]
_UPDATE_RUN = (
    update(_runs)  # type: ignore[arg-type]
    .where(_runs.c.id == bindparam("b_id"))
    .values(
        {
            name: bindparam(f"b_{name}")
            for name in (
                "state",
                "due_at",
                "automatic_retries",
                "settled_at",
                "outcome",
                "claimed_by",
                "lease_until",
            )
        }
    )
)
_UPDATE_ATTEMPT = (
    update(_attempts)  # type: ignore[arg-type]
    .where(_attempts.c.run_id == bindparam("b_run_id"), _attempts.c.number == bindparam("b_number"))
    .values(
        {
            name: bindparam(f"b_{name}")
            for name in (
                "state",
                "finished_at",
                "duration_ms",
                "credential",
                "request_headers",
                "status",
                "response_headers",
                "response_body",
                "response_truncated",
                "code",
                "sentence",
            )
        }
    )
)


@dataclass(frozen=True)
class _Settlement:
    """One attempt that ended, and the values that its row gets."""

    run_id: int
    number: int
    verdict: Verdict
    attempt: dict[str, Any]
    finished_at: datetime


def settle_runs(finished: Sequence[Finished]) -> datetime | None:
    """Settle each run by its outcome, once: a run that has moved on since keeps its state, its attempt gets the truth.

    Answers when the first of those that are tried again by themselves is due.
    """
    next_due = _settle([_settlement(each) for each in finished])
    for each in finished:
        if each.verdict.refuses_sign_in and each.authentication_id is not None:
            _refuse(each.authentication_id, each.verdict.code, each.claim.started_at)
    return next_due


def expire_leases(moment: datetime) -> int:
    """Give up what is still being sent after its lease: its outcome is unknown, because it may have left.

    Where the action is safe to repeat it is queued again. Idempotent; any number of sweepers may run. Answers how many.
    """
    query = (
        select(_R.id, _R.attempt_count, _R.automatic_retries, Action.safe_to_repeat)
        .join(Action, Action.id == _R.action_id)
        .where(_R.state == RunState.SENDING, _R.lease_until < moment)
        .order_by(_R.id)
        .limit(BATCH)
        .with_for_update(of=_R, skip_locked=True)
    )
    lost = []
    for run_id, number, repeats, safe_to_repeat in db.session.execute(query):
        outcome = MaybeSent(
            "worker_lost",
            "The worker stopped while it was sending this. The request may have arrived.",
            "Look at the other side before you send it again.",
            0,
        )
        rules = Rules(safe_to_repeat=safe_to_repeat, repeats=repeats)
        verdict = verdict_of(outcome, rules, lambda _: None, moment=moment)
        lost.append(_Settlement(run_id, number, verdict, {}, moment))
    if lost:
        _settle(lost)
    return len(lost)


def follow_up_again(moment: datetime) -> int:
    """Send run_settled once more for runs whose listener failed in the last minutes. Answers how many."""
    query = (
        select(_R.id)
        .where(_R.follow_up_error.is_not(None), _R.settled_at > moment - FOLLOW_UP_FOR)
        .limit(BATCH)
    )
    run_ids = list(db.session.scalars(query))
    tell(run_ids, settled=run_ids)
    return len(run_ids)


def _settlement(finished: Finished) -> _Settlement:
    return _Settlement(
        finished.claim.run_id,
        finished.claim.number,
        finished.verdict,
        {
            "duration_ms": finished.duration_ms,
            "credential": finished.credential[:300],
            "request_headers": dict(finished.request_headers),
            "status": finished.status,
            "response_headers": dict(finished.response_headers),
            "response_body": finished.response_body,
            "response_truncated": finished.response_truncated,
        },
        finished.finished_at,
    )


def _settle(settlements: Iterable[_Settlement]) -> datetime | None:
    by_run = {each.run_id: each for each in settlements}
    if not by_run:
        return None
    connection = db.session.connection()
    run_values, lines, told, settled = [], [], [], []
    next_due: datetime | None = None
    for row in connection.execute(_STANDING, {"ids": list(by_run)}).all():
        each = by_run[row.id]
        state = _state_after(row, each)
        if state is not None:
            values = _run_values(row, each, state)
            run_values.append(values)
            if state is RunState.QUEUED and (next_due is None or values["b_due_at"] < next_due):
                next_due = values["b_due_at"]
            if row.runbook_id is not None and anyone_listens():
                told.append(row.id)
                if state in SETTLED:
                    settled.append(row.id)
        lines.append(_audit_line(row, each, state))
    if lines:
        connection.execute(_AUDITED, lines)
    if run_values:
        connection.execute(_UPDATE_RUN, run_values)
    connection.execute(_UPDATE_ATTEMPT, [_attempt_values(each) for each in by_run.values()])
    tell(told, settled=settled)
    return next_due


def _state_after(row: Any, each: _Settlement) -> RunState | None:
    """The run's next state; None where it is no longer this attempt's to move."""
    if row.attempt_count != each.number:
        return None
    event = each.verdict.event
    if event is RunEvent.DEFER and row.state == RunState.UNKNOWN:
        event = each.verdict.attempt_event  # given up meanwhile: a person decides about a repeat
    return TRANSITIONS.get((RunState(row.state), event))


def _run_values(row: Any, each: _Settlement, state: RunState) -> dict[str, Any]:
    deferred = state is RunState.QUEUED
    wait = timedelta(seconds=each.verdict.wait_s or 0.0)
    return {
        "b_id": row.id,
        "b_state": state,
        "b_due_at": each.finished_at + wait if deferred else None,
        "b_automatic_retries": row.automatic_retries + deferred,
        "b_settled_at": each.finished_at if state in SETTLED else None,
        "b_outcome": each.verdict.outcome,
        "b_claimed_by": None,
        "b_lease_until": None,
    }


def _attempt_values(each: _Settlement) -> dict[str, Any]:
    kept = {
        "duration_ms": None,
        "credential": "",
        "request_headers": {},
        "status": None,
        "response_headers": {},
        "response_body": None,
        "response_truncated": False,
        **each.attempt,
        "state": _ATTEMPT_STATES[each.verdict.attempt_event],
        "finished_at": each.finished_at,
        "code": each.verdict.code[:80],
        "sentence": each.verdict.sentence,
    }
    values = {f"b_{name}": value for name, value in kept.items()}
    return {"b_run_id": each.run_id, "b_number": each.number, **values}


def _audit_line(row: Any, each: _Settlement, state: RunState | None) -> dict[str, Any]:
    """The values of one line by Runsheet itself, as audit.operations.record would write it."""
    ended = _ATTEMPT_STATES[each.verdict.attempt_event]
    facts = {
        "attempt": each.number,
        "host": row.host,
        "status": each.attempt.get("status"),
        "code": each.verdict.code,
        "credential": each.attempt.get("credential") or None,
        "asked by": row.asked_by_name,
        "state": state,
    }
    return {
        "at": each.finished_at,
        "actor_id": None,
        "actor_name": "Runsheet",
        "verb": f"attempt.{ended}",
        "object_type": IntegrationRun.__tablename__,
        "object_id": row.id,
        "object_name": request_name(row.method, row.url)[:300],
        "workspace_id": row.workspace_id,
        "runbook_id": row.runbook_id,
        "before": None,
        "after": {name: value for name, value in facts.items() if value is not None},
        "note": each.verdict.sentence,
    }


def _refuse(authentication_id: int, code: str, sent_at: datetime) -> None:
    found = db.session.get(Authentication, authentication_id)
    if found is not None and found.granted_at <= sent_at:
        mark_refused(found, code)
