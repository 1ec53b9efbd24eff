"""Settings > Integration runs, one run, and what people decide about it."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from flask import abort, make_response, request, url_for
from flask_login import current_user

from webapp.blueprint import Blueprint
from webapp.extensions import db
from webapp.integration_runs import offered, operations, queries
from webapp.integration_runs.models import IntegrationRun
from webapp.integration_runs.states import RunEvent, RunState, allows
from webapp.integrations import offered as lent
from webapp.navigation import NavEntry
from webapp.page import is_fragment_request, page, toast, told
from webapp.permissions import Permission, can
from webapp.redaction import redact, redact_headers
from webapp.redirects import local_path
from webapp.row_ids import row_id

blueprint = Blueprint("integration_runs", __name__)
blueprint.nav = [
    NavEntry("Integration runs", "history", "integration_runs.runs", group="settings:Automation", order=22)
]

STATE_LABELS = {
    RunState.QUEUED: "Queued",
    RunState.SENDING: "Sending",
    RunState.WAITING: "Waiting for an answer",
    RunState.SUCCEEDED: "Delivered",
    RunState.FAILED: "Failed",
    RunState.UNKNOWN: "Outcome unknown",
    RunState.CANCELLED: "Cancelled",
}


@blueprint.app_template_global()
def run_allows(run: IntegrationRun, event: str) -> bool:
    """Whether the event, a value of RunEvent, can happen to the run as it stands."""
    return allows(run.state, RunEvent(event))


@blueprint.app_template_global()
def may_act_on_run(run: IntegrationRun) -> bool:
    """Whether the current user may cancel, retry or resolve the run."""
    return queries.may_act(current_user, run)


@blueprint.app_template_filter("redacted")
def redacted(text: str) -> str:
    """The text without what looks like a secret."""
    return redact(text)


@blueprint.app_template_filter("redacted_headers")
def redacted_headers(headers: dict[str, str]) -> dict[str, str]:
    """Headers without credentials that someone wrote into the request itself."""
    return redact_headers(headers)


@blueprint.app_template_filter("pretty_body")
def pretty_body(text: str | None) -> str:
    """A JSON body with line breaks and indents; any other as it is."""
    try:
        return json.dumps(json.loads(text or ""), indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):
        return text or ""


@blueprint.get("/settings/runs", permission=Permission.READ_INTEGRATION_RUNS)
def runs() -> Any:
    wanted, typed = _filter()
    number = max(1, request.args.get("page", 1, row_id))
    found, pages, total = queries.runs(wanted, number)
    kept = {key: value for key, value in typed.items() if value}
    counts = queries.counts_by_state(wanted)
    return page(
        "integration_runs/runs.html",
        block="list",
        runs=found,
        places=offered.places(current_user, found),
        page=number,
        pages=pages,
        total=total,
        typed=typed,
        filtered=bool(kept),
        connections=queries.choices(),
        triggers=lent.triggers,
        here=_here(kept) + ("&" if kept else "?"),
        chips=_chips(kept, counts),
    )


@blueprint.get("/settings/runs/<int:run_id>", permission=Permission.READ_INTEGRATION_RUNS)
def run(run_id: int) -> Any:
    found = queries.run_for(current_user, run_id)
    return page(
        "integration_runs/run.html",
        block="run",
        run=found,
        place=offered.places(current_user, [found]).get(found.id),
        triggers=lent.triggers,
    )


@blueprint.get("/integration-runs/<int:run_id>/result", permission=Permission.SIGNED_IN)
def result(run_id: int) -> Any:
    """How the run stands, as a piece of page that asks again until it is settled."""
    found = queries.run_for(current_user, run_id)
    return page("integration_runs/result.html", block="result", run=found)


@blueprint.post("/integration-runs/<int:run_id>/cancel", permission=Permission.SIGNED_IN)
def cancel(run_id: int) -> Any:
    return _decide(run_id, lambda found: operations.cancel_run(found, current_user), "The call is cancelled.")


@blueprint.post("/integration-runs/<int:run_id>/retry", permission=Permission.SIGNED_IN)
def retry(run_id: int) -> Any:
    return _decide(
        run_id, lambda found: operations.retry_run(found, current_user), "The request is sent again."
    )


@blueprint.post("/integration-runs/<int:run_id>/resolve", permission=Permission.SIGNED_IN)
def resolve(run_id: int) -> Any:
    outcome = request.form.get("outcome")
    if outcome not in ("succeeded", "failed"):
        abort(400)
    note = request.form.get("note", "")
    return _decide(
        run_id,
        lambda found: operations.resolve_run(found, outcome == "succeeded", note, current_user),
        "The outcome is recorded.",
    )


def _decide(run_id: int, decide: Callable[[IntegrationRun], None], words: str) -> Any:
    found = queries.run_to_act_on(current_user, run_id)
    try:
        decide(found)
    except (operations.NotNow, ValueError) as refusal:
        db.session.rollback()
        return _said(run_id, str(refusal), "warn")
    db.session.commit()
    return _said(run_id, words, "ok")


def _said(run_id: int, words: str, kind: str) -> Any:
    """Back to where the form stood. To htmx only the words: the page it stands on pulls what has changed."""
    default = (
        url_for("integration_runs.run", run_id=run_id)
        if can(current_user, Permission.READ_INTEGRATION_RUNS)
        else "/"
    )
    back = local_path(request.form.get("back"), default)
    if is_fragment_request() and "back" not in request.form:
        return toast(make_response("", 204), words, kind)
    return told(back, words, kind)


def _filter() -> tuple[queries.Filter, dict[str, str]]:
    names = ("connection", "action", "state", "q", "since", "until")
    typed = {name: request.args.get(name, "").strip() for name in names}
    until = _midnight(typed["until"])
    wanted = queries.Filter(
        connection_id=_number(typed["connection"]),
        action_id=_number(typed["action"]),
        state=typed["state"] if typed["state"] in STATE_LABELS else "",
        text=typed["q"],
        since=_midnight(typed["since"]),
        until=until + timedelta(days=1) if until else None,
    )
    return wanted, typed


def _chips(kept: dict[str, str], counts: dict[str, int]) -> list[dict[str, Any]]:
    others = {key: value for key, value in kept.items() if key != "state"}
    chosen = kept.get("state", "")
    chips: list[dict[str, Any]] = [
        {
            "text": "All",
            "href": _here(others),
            "current": not chosen,
            "count": sum(counts.values()),
        }
    ]
    for state, label in STATE_LABELS.items():
        if counts.get(state) or state == chosen:
            href = _here({**others, "state": state})
            chips.append(
                {"text": label, "href": href, "current": state == chosen, "count": counts.get(state, 0)}
            )
    return chips


def _here(values: dict[str, str]) -> str:
    return url_for("integration_runs.runs", **dict[str, Any](values))


def _number(typed: str) -> int | None:
    return int(typed) if typed.isascii() and typed.isdigit() and len(typed) < 10 else None


def _midnight(typed: str) -> datetime | None:
    try:
        return datetime.combine(date.fromisoformat(typed), time(), UTC)
    except ValueError:
        return None
