"""The reviews of a runbook's rehearsals and live run: each as a page, as CSV, and with its evidence as one archive."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from flask import current_app
from flask_login import current_user

from webapp import zones
from webapp.audit import queries as audit
from webapp.audit.models import AuditLine
from webapp.extensions import db
from webapp.integration_runs import queries as integration_runs
from webapp.integration_runs.models import Attempt, IntegrationRun
from webapp.off_the_loop import off_the_loop
from webapp.page import page
from webapp.permissions import Permission
from webapp.runbooks import queries
from webapp.runbooks.addresses import Here
from webapp.runbooks.board import viewer_of
from webapp.runbooks.context import address_of
from webapp.runbooks.models import Execution, Runbook
from webapp.runbooks.panel import may_read_runs
from webapp.runbooks.reviews import evidence
from webapp.runbooks.reviews.differences import moved
from webapp.runbooks.reviews.executions import execution_called, executions_of, window_of
from webapp.runbooks.reviews.review_reads import Reviewing, Told, load_review, load_told
from webapp.runbooks.reviews.review_sheet import review_csv, review_rows
from webapp.runbooks.run_sheet import sheet_of_review
from webapp.runbooks.views import blueprint
from webapp.runbooks.views.exporting import run_sheet_page, sent
from webapp.runbooks.views.pieces import base_of
from webapp.runbooks.views.runbook import PAGE

REVIEW = f"{PAGE}/review/<any(rehearsal,live):kind>-<int:execution>"
# So many late starts and calls are on the page; the CSV has all.
MOST_SHOWN = 100


@blueprint.get(f"{PAGE}/review", permission=Permission.READ_RUNBOOKS)
def review(runbook_id: int) -> Any:
    """How the latest rehearsal or live run went against its plan; before the first only a word about that."""
    found = queries.runbook_for(current_user, runbook_id, Permission.READ_RUNBOOKS)
    among = executions_of(found.id)
    return _review_page(found, among[-1] if among else None, among)


@blueprint.get(REVIEW, permission=Permission.READ_RUNBOOKS)
def review_of(runbook_id: int, kind: str, execution: int) -> Any:
    """The same of any of them."""
    found = queries.runbook_for(current_user, runbook_id, Permission.READ_RUNBOOKS)
    among = executions_of(found.id)
    return _review_page(found, execution_called(among, f"{kind}-{execution}"), among)


@blueprint.get(f"{REVIEW}/review.csv", permission=Permission.READ_RUNBOOKS)
def review_as_csv(runbook_id: int, kind: str, execution: int) -> Any:
    found = queries.runbook_for(current_user, runbook_id, Permission.READ_RUNBOOKS)
    among = executions_of(found.id)
    loaded = load_review(found, execution_called(among, f"{kind}-{execution}"), among)
    told = load_told(loaded, among)
    zone, name = ZoneInfo(zones.shown().shown), f"{found.name} {loaded.execution.label} review"
    db.session.rollback()
    data = off_the_loop(review_csv, loaded.review, told.calls, told.lessons, zone)
    return sent(data, name, "csv", "text/csv; charset=utf-8")


@blueprint.get(f"{REVIEW}/evidence.zip", permission=Permission.CONDUCT_RUNBOOKS)
def evidence_pack(runbook_id: int, kind: str, execution: int) -> Any:
    """The archive, for who may conduct the runbook: it holds audit lines, and requests and answers in full."""
    found = queries.runbook_for(current_user, runbook_id, Permission.CONDUCT_RUNBOOKS)
    among = executions_of(found.id)
    loaded = load_review(found, execution_called(among, f"{kind}-{execution}"), among)
    collected = _collected(loaded, load_told(loaded, among), among)
    name = f"{found.name} {loaded.execution.label} evidence"
    db.session.rollback()  # nothing is held while the archive is made
    return sent(off_the_loop(evidence.pack, collected), name, "zip", "application/zip")


def _review_page(runbook: Runbook, execution: Execution | None, among: Sequence[Execution]) -> Any:
    viewer = viewer_of(current_user, runbook)
    found = load_review(runbook, execution, among) if execution else None
    return page(
        "runbooks/review.html",
        runbook=runbook,
        here=Here(base_of(runbook)),
        executions=among,
        found=found,
        told=load_told(found, among) if found else None,
        viewer=viewer,
        may_read_runs=may_read_runs(viewer),
        most=MOST_SHOWN,
        moved=moved,
    )


def _collected(loaded: Reviewing, told: Told, among: Sequence[Execution]) -> evidence.Evidence:
    runbook, execution = loaded.runbook, loaded.execution
    zone, window = ZoneInfo(zones.shown().shown), window_of(execution, among)
    attempts = integration_runs.attempts_of_runbook(runbook.id, window.since, window.until)
    names = {call.id: call for call in told.calls}
    lines = audit.lines_of_runbook(runbook.id, since=window.before, until=window.until)
    standing = f"{execution.label}, {execution.standing}"
    sheet = sheet_of_review(loaded.review, loaded.schedule, standing=standing, as_of=loaded.schedule.moment)
    return evidence.Evidence(
        head={
            "runbook": {"id": runbook.id, "name": runbook.name, "address": address_of(runbook)},
            "workspace": runbook.workspace.name,
            "of": execution.label,
            "mode": execution.kind,
            "state": execution.standing,
            "planned_start": _moment(loaded.planned_start),
            "started_at": _moment(execution.started_at),
            "started_by": execution.started_by,
            "ended_at": _moment(execution.ended_at),
            "ended_by": execution.ended_by,
            "reason": execution.reason,
            "times_of_the_run_sheet_and_review_are": zone.key,
            "made_by": current_user.name,
        },
        made_at=loaded.moment,
        run_sheet=run_sheet_page(runbook, sheet, packed=True).get_data(as_text=True),
        style=Path(current_app.static_folder or "", "css/run_sheet.css").read_bytes(),
        review=review_rows(loaded.review, told.calls, told.lessons, zone),
        audit=[_line(each) for each in lines],
        runs=[
            {**_run(each), "action": names[each.id].action, "task": names[each.id].number}
            | {"attempts": [_attempt(attempt) for attempt in attempts.get(each.id, ())]}
            for each in integration_runs.runs_of_runbook(runbook.id, window.since, window.until)
            if each.id in names  # not one that was asked for since the review was read
        ],
    )


def _line(line: AuditLine) -> dict[str, Any]:
    return {
        "id": line.id,
        "at": _moment(line.at),
        "actor": line.actor_name,
        "verb": line.verb,
        "type": line.object_type,
        "object_id": line.object_id,
        "about": line.object_name,
        "before": line.before,
        "after": line.after,
        "note": line.note,
    }


def _run(run: IntegrationRun) -> dict[str, Any]:
    return {
        "id": run.id,
        "reference": run.reference,
        "trigger": run.trigger,
        "state": run.state,
        "requested_at": _moment(run.requested_at),
        "requested_by": run.requested_by_name,
        "settled_at": _moment(run.settled_at),
        "outcome": run.outcome,
        "method": run.method,
        "url": run.url,
        "headers": run.headers,
        "body": run.body,
    }


def _attempt(attempt: Attempt) -> dict[str, Any]:
    return {
        "number": attempt.number,
        "state": attempt.state,
        "asked_by": attempt.asked_by,
        "started_at": _moment(attempt.started_at),
        "finished_at": _moment(attempt.finished_at),
        "duration_ms": attempt.duration_ms,
        "signed_in_as": attempt.credential,
        "request_headers": attempt.request_headers,
        "status": attempt.status,
        "response_headers": attempt.response_headers,
        "response_body": attempt.response_body,
        "response_was_cut": attempt.response_truncated,
        "code": attempt.code,
        "sentence": attempt.sentence,
    }


def _moment(moment: Any) -> str | None:
    return moment.isoformat() if moment else None
