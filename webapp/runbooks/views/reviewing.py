"""The review of a run, as a page, as CSV, and with its evidence as one archive."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from flask import Response, current_app
from flask_login import current_user

from webapp import zones
from webapp.audit import queries as audit
from webapp.audit.models import AuditLine
from webapp.extensions import db
from webapp.integration_runs import queries as integration_runs
from webapp.integration_runs.models import Attempt, IntegrationRun
from webapp.off_the_loop import off_the_loop
from webapp.page import page, told
from webapp.permissions import Permission
from webapp.runbooks import evidence, queries
from webapp.runbooks.addresses import Here
from webapp.runbooks.board import viewer_of
from webapp.runbooks.context import address_of
from webapp.runbooks.differences import moved
from webapp.runbooks.models import Runbook
from webapp.runbooks.panel import may_read_runs
from webapp.runbooks.review_reads import RunReview, load_review
from webapp.runbooks.review_sheet import review_csv, review_rows
from webapp.runbooks.views import blueprint
from webapp.runbooks.views.exporting import run_sheet_page, sent
from webapp.runbooks.views.pieces import base_of
from webapp.runbooks.views.runbook import PAGE

# So many late starts and calls are on the page; the CSV has all.
MOST_SHOWN = 100
NOT_STARTED = "There is nothing to review yet: the runbook has not been started."


@blueprint.get(f"{PAGE}/review", permission=Permission.READ_RUNBOOKS)
def review(runbook_id: int) -> Any:
    """How the present run went against its plan; before it has started only a word about that."""
    found = queries.runbook_for(current_user, runbook_id, Permission.READ_RUNBOOKS)
    viewer = viewer_of(current_user, found)
    return page(
        "runbooks/review.html",
        runbook=found,
        here=Here(base_of(found)),
        found=load_review(found),
        viewer=viewer,
        may_read_runs=may_read_runs(viewer),
        most=MOST_SHOWN,
        moved=moved,
    )


@blueprint.get(f"{PAGE}/review.csv", permission=Permission.READ_RUNBOOKS)
def review_as_csv(runbook_id: int) -> Any:
    found = queries.runbook_for(current_user, runbook_id, Permission.READ_RUNBOOKS)
    loaded = load_review(found)
    if loaded is None:
        return _nothing_yet(found)
    zone, name = ZoneInfo(zones.shown().shown), f"{found.name} review"
    db.session.rollback()
    data = off_the_loop(review_csv, loaded.review, loaded.calls, loaded.lessons, zone)
    return sent(data, name, "csv", "text/csv; charset=utf-8")


@blueprint.get(f"{PAGE}/evidence.zip", permission=Permission.CONDUCT_RUNBOOKS)
def evidence_pack(runbook_id: int) -> Any:
    """The archive, for who may conduct the runbook: it holds audit lines, and requests and answers in full."""
    found = queries.runbook_for(current_user, runbook_id, Permission.CONDUCT_RUNBOOKS)
    loaded = load_review(found)
    if loaded is None:
        return _nothing_yet(found)
    collected, name = _collected(found, loaded), f"{found.name} evidence"
    db.session.rollback()  # nothing is held while the archive is made
    return sent(off_the_loop(evidence.pack, collected), name, "zip", "application/zip")


def _nothing_yet(runbook: Runbook) -> Response:
    return told(f"{base_of(runbook)}/review", NOT_STARTED, "warn")


def _collected(runbook: Runbook, loaded: RunReview) -> evidence.Evidence:
    zone = ZoneInfo(zones.shown().shown)
    started = loaded.schedule.begin
    attempts = integration_runs.attempts_of_runbook(runbook.id, started)
    names = {call.id: call for call in loaded.calls}
    return evidence.Evidence(
        head={
            "runbook": {"id": runbook.id, "name": runbook.name, "address": address_of(runbook)},
            "workspace": runbook.workspace.name,
            "mode": runbook.mode,
            "state": runbook.state,
            "started_at": _moment(runbook.started_at),
            "ended_at": _moment(runbook.ended_at),
            "times_of_the_run_sheet_and_review_are": zone.key,
            "made_by": current_user.name,
        },
        made_at=loaded.moment,
        run_sheet=run_sheet_page(runbook, packed=True).get_data(as_text=True),
        style=Path(current_app.static_folder or "", "css/run_sheet.css").read_bytes(),
        review=review_rows(loaded.review, loaded.calls, loaded.lessons, zone),
        audit=[_line(each) for each in audit.lines_of_runbook(runbook.id)],
        runs=[
            {**_run(each), "action": names[each.id].action, "task": names[each.id].number}
            | {"attempts": [_attempt(attempt) for attempt in attempts.get(each.id, ())]}
            for each in integration_runs.runs_of_runbook(runbook.id, started)
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
