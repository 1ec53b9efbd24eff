"""What people decide about a run: cancel it, retry it, resolve an unknown outcome.

Each is a conditional UPDATE, so of a person and a worker, or of two people, exactly one moves the run.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import select, update

from webapp.accounts.models import User
from webapp.audit.operations import record
from webapp.clock import now
from webapp.extensions import db
from webapp.integration_runs.models import IntegrationRun
from webapp.integration_runs.nudges import nudge_after_commit
from webapp.integration_runs.signals import run_changed, run_settled
from webapp.integration_runs.states import NotNow, RunEvent, RunState, after, refusal

LONGEST_NOTE = 500


def cancel_run(run: IntegrationRun, by: User) -> None:
    """Cancel it before it is sent, or stop waiting for its outcome. Raises NotNow while it is being sent."""
    outcome = {
        "code": "cancelled",
        "sentence": f"{by.name} cancelled it before it was sent.",
        "remedy": "",
        "who": "",
    }
    if run.state == RunState.WAITING:
        if not run.action.cancelable:
            raise NotNow("The request was sent, and its action is not set to be cancelable.")
        outcome["sentence"] = f"{by.name} cancelled it; the other system may still act on it."
    _move(run, RunEvent.CANCEL, outcome=outcome, settled_at=now(), due_at=None)
    _tell("integration_run.cancelled", run, by, settled=True)


def retry_run(run: IntegrationRun, by: User) -> None:
    """Send the same request again, as a new attempt with the sign-in of `by`. Raises NotNow."""
    was = run.state
    if _made_again(run):
        raise NotNow("The task's call was made again meanwhile. Only the newest can be retried.")
    _move(
        run,
        RunEvent.RETRY,
        due_at=now(),
        automatic_retries=0,
        asked_by_id=by.id,
        asked_by_name=by.name,
        settled_at=None,
        follow_up_error=None,
    )
    _tell("integration_run.retried", run, by, before={"state": was})
    nudge_after_commit()


def _made_again(run: IntegrationRun) -> bool:
    newer = select(IntegrationRun.id).where(
        IntegrationRun.task_id == run.task_id,
        IntegrationRun.trigger == run.trigger,
        IntegrationRun.id > run.id,
    )
    return run.task_id is not None and db.session.scalar(newer.limit(1)) is not None


def resolve_run(run: IntegrationRun, succeeded: bool, note: str, by: User) -> None:
    """Settle an unknown outcome by what the person found at the other system. Raises NotNow, or ValueError without note."""
    note = note.strip()[:LONGEST_NOTE]
    if not note:
        raise ValueError("Say how you know, so that others can rely on it.")
    event = RunEvent.RESOLVE_SUCCEEDED if succeeded else RunEvent.RESOLVE_FAILED
    found = "it arrived" if succeeded else "it did not arrive"
    outcome = {
        "code": "resolved",
        "sentence": f"{by.name} found that {found}: {note}",
        "remedy": "",
        "who": "",
    }
    _move(run, event, outcome=outcome, settled_at=now())
    _tell("integration_run.resolved", run, by, settled=True, before={"state": "unknown"}, note=note)


def _move(run: IntegrationRun, event: RunEvent, **values: Any) -> None:
    state = after(run.state, event)
    moved = db.session.scalar(
        update(IntegrationRun)
        .where(IntegrationRun.id == run.id, IntegrationRun.state == run.state)
        .values(state=state, claimed_by=None, lease_until=None, **values)
        .returning(IntegrationRun.id)
        .execution_options(synchronize_session=False)
    )
    db.session.refresh(run)
    if moved is None:
        raise NotNow(refusal(run.state, event))


def _tell(
    verb: str,
    run: IntegrationRun,
    by: User,
    *,
    settled: bool = False,
    before: dict[str, Any] | None = None,
    note: str | None = None,
) -> None:
    record(
        verb,
        run,
        by=by,
        before=before,
        after={"state": run.state},
        workspace_id=run.workspace_id,
        runbook_id=run.runbook_id,
        note=note,
    )
    run_changed.send(run)
    if settled:
        run_settled.send(run, by=by)
