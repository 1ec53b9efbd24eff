"""A runbook's plan as CSV, as XLSX, and as a run sheet to print."""

from __future__ import annotations

import io
import re
from typing import Any
from zoneinfo import ZoneInfo

from flask import Response, send_file
from flask_login import current_user

from webapp import zones
from webapp.extensions import db
from webapp.off_the_loop import off_the_loop
from webapp.page import page
from webapp.permissions import Permission
from webapp.runbooks import imports, queries
from webapp.runbooks.addresses import Here
from webapp.runbooks.board import load_board, viewer_of
from webapp.runbooks.models import Runbook
from webapp.runbooks.plan_particulars import load_particulars
from webapp.runbooks.run_sheet import RunSheet, sheet_of_board
from webapp.runbooks.sheets.export import as_csv, as_xlsx
from webapp.runbooks.sheets.yaml_files import PlanHead, write_yaml
from webapp.runbooks.views import blueprint
from webapp.runbooks.views.pieces import base_of
from webapp.runbooks.views.runbook import PAGE

XLSX_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@blueprint.get(f"{PAGE}/plan.csv", permission=Permission.READ_RUNBOOKS)
def export_csv(runbook_id: int) -> Any:
    found = queries.runbook_for(current_user, runbook_id, Permission.READ_RUNBOOKS)
    rows, zone = imports.plan_rows(found.id), ZoneInfo(zones.shown().shown)
    return sent(as_csv(rows, zone), found.name, "csv", "text/csv; charset=utf-8")


@blueprint.get(f"{PAGE}/plan.xlsx", permission=Permission.READ_RUNBOOKS)
def export_xlsx(runbook_id: int) -> Any:
    found = queries.runbook_for(current_user, runbook_id, Permission.READ_RUNBOOKS)
    rows, zone, name = imports.plan_rows(found.id), ZoneInfo(zones.shown().shown), found.name
    db.session.rollback()  # nothing is held while the workbook is made
    return sent(off_the_loop(as_xlsx, rows, zone, title=name), name, "xlsx", XLSX_TYPE)


@blueprint.get(f"{PAGE}/plan.yaml", permission=Permission.READ_RUNBOOKS)
def export_yaml(runbook_id: int) -> Any:
    found = queries.runbook_for(current_user, runbook_id, Permission.READ_RUNBOOKS)
    streams = [
        (each.name, each.color, each.parent.name if each.parent else "")
        for each in queries.streams_of(found.id)
    ]
    head = PlanHead(found.name, found.description, found.planned_start, streams, found.time_zone)
    rows, particulars = imports.plan_rows(found.id), load_particulars(found)
    db.session.rollback()
    return sent(off_the_loop(write_yaml, head, rows, particulars), head.name, "yaml", "application/yaml")


@blueprint.get(f"{PAGE}/run-sheet", permission=Permission.READ_RUNBOOKS)
def run_sheet(runbook_id: int) -> Any:
    """The plan as a page to print: no scripts, the zone that the reader sees, room to write by hand."""
    found = queries.runbook_for(current_user, runbook_id, Permission.READ_RUNBOOKS)
    board = load_board(found, viewer_of(current_user, found), here=Here(base_of(found)))
    return run_sheet_page(
        found, sheet_of_board(board, {each.number: each for each in imports.plan_rows(found.id)})
    )


def run_sheet_page(found: Runbook, sheet: RunSheet, *, packed: bool = False) -> Response:
    """The run sheet; `packed` as a file in a folder with its style, and with no way back."""
    zone = ZoneInfo(zones.shown().shown)
    return page(
        "runbooks/run_sheet.html",
        runbook=found,
        sheet=sheet,
        base=base_of(found),
        zone=zone.key,
        local=lambda moment: moment.astimezone(zone),
        packed=packed,
    )


def sent(data: bytes, name: str, ending: str, kind: str) -> Response:
    """A file to download, called after the runbook."""
    kept = " ".join(re.sub(r"[^\w.()-]+", " ", name).split())[:100] or "Runbook"
    return send_file(io.BytesIO(data), kind, as_attachment=True, download_name=f"{kept}.{ending}")
