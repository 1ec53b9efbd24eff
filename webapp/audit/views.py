"""The audit page, and the same lines as CSV."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from flask import Response, request, stream_with_context, url_for

from webapp.audit import queries
from webapp.audit.models import AuditLine
from webapp.blueprint import Blueprint
from webapp.navigation import NavEntry
from webapp.page import page
from webapp.permissions import Permission
from webapp.row_ids import row_id

blueprint = Blueprint("audit", __name__)
blueprint.nav = [NavEntry("Audit log", "file-text", "audit.lines", group="settings:Governance", order=60)]


@blueprint.get("/settings/audit", permission=Permission.READ_AUDIT)
def lines() -> Any:
    wanted, typed = _filter()
    number = max(1, request.args.get("page", 1, row_id))
    found, pages = queries.lines(wanted, number)
    kept: dict[str, Any] = {key: value for key, value in typed.items() if value}
    return page(
        "audit/lines.html",
        lines=found,
        page=number,
        pages=pages,
        typed=typed,
        filtered=bool(kept),
        verbs=queries.verbs(),
        here=url_for("audit.lines", **kept) + ("&" if kept else "?"),
        csv_href=url_for("audit.lines_csv", **kept),
    )


@blueprint.get("/settings/audit.csv", permission=Permission.READ_AUDIT)
def lines_csv() -> Any:
    wanted, _ = _filter()
    answer = Response(stream_with_context(_as_csv(queries.all_lines(wanted))), mimetype="text/csv")
    answer.headers["Content-Disposition"] = "attachment; filename=audit.csv"
    return answer


def _filter() -> tuple[queries.Filter, dict[str, str]]:
    typed = {key: request.args.get(key, "").strip() for key in ("actor", "verb", "about", "since", "until")}
    until = _midnight(typed["until"])
    wanted = queries.Filter(
        actor=typed["actor"],
        verb=typed["verb"],
        about=typed["about"],
        since=_midnight(typed["since"]),
        until=until + timedelta(days=1) if until else None,
        runbook_id=request.args.get("runbook", type=row_id),
    )
    return wanted, typed


def _midnight(typed: str) -> datetime | None:
    try:
        return datetime.combine(date.fromisoformat(typed), time(), UTC)
    except ValueError:
        return None


def _as_csv(found: Iterator[AuditLine]) -> Iterator[str]:
    columns = ["at", "actor", "verb", "type", "id", "about", "before", "after", "note"]
    yield _row(columns)
    for line in found:
        yield _row(
            [
                line.at.isoformat(),
                line.actor_name,
                line.verb,
                line.object_type,
                line.object_id,
                line.object_name,
                json.dumps(line.before, ensure_ascii=False) if line.before else "",
                json.dumps(line.after, ensure_ascii=False) if line.after else "",
                line.note or "",
            ]
        )


def _row(cells: list[Any]) -> str:
    line = io.StringIO()
    csv.writer(line).writerow([_inert(cell) for cell in cells])
    return line.getvalue()


def _inert(cell: Any) -> Any:
    # A spreadsheet would run a cell that starts like a formula.
    return "'" + cell if isinstance(cell, str) and cell[:1] in ("=", "+", "-", "@", "\t", "\r") else cell
