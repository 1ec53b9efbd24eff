"""Importing a plan: choose a file, say what its columns mean, see what is wrong, wait, undo."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from flask import Response, abort, request, send_file, url_for
from flask_login import current_user

from webapp import zones
from webapp.extensions import db
from webapp.off_the_loop import off_the_loop
from webapp.page import invalid, page, see_other, told
from webapp.permissions import TABLE, Permission
from webapp.runbooks import durations, import_progress, imports, queries
from webapp.runbooks.context import path_of
from webapp.runbooks.forms import NewPlanFileForm, PlanFileForm
from webapp.runbooks.models import PlanImport, Runbook
from webapp.runbooks.operations import importing as operations
from webapp.runbooks.plan_particulars import offered_in
from webapp.runbooks.refusals import NotNow, PlanRefused
from webapp.runbooks.sheets.columns import BY_KEY, COLUMNS, DATE_ORDERS, REFERENCES, PlanMapping, zone_in
from webapp.runbooks.sheets.csv_files import write_csv
from webapp.runbooks.sheets.particulars import Notice, resolve
from webapp.runbooks.sheets.plan import Checked, check
from webapp.runbooks.sheets.reading import TOO_LARGE, read
from webapp.runbooks.sheets.table import MOST_BYTES, MOST_ROWS, FileRefused, Table, letter
from webapp.runbooks.sheets.values import short
from webapp.runbooks.states import RunbookState
from webapp.runbooks.views import blueprint
from webapp.runbooks.views.runbook import PAGE
from webapp.workspaces import queries as workspaces

IMPORT = "/imports/<int:import_id>"
UPLOADS = frozenset({"runbooks.upload_plan", "runbooks.upload_new_plan"})
# What a form adds to the file it carries.
ENVELOPE_BYTES = 20_000
SHOWN_ROWS = 10
MOST_SHOWN_PROBLEMS = 500


@blueprint.url_value_preprocessor
def limit_upload(endpoint: str | None, _values: dict[str, Any] | None) -> None:
    """Refuse a file that is too large before any of it is read. This runs before the form is, for its CSRF token."""
    if endpoint in UPLOADS and request.method == "POST":
        request.max_content_length = MOST_BYTES + ENVELOPE_BYTES
        if (request.content_length or 0) > request.max_content_length:
            abort(413, TOO_LARGE)


@blueprint.get(f"{PAGE}/import", permission=Permission.EDIT_RUNBOOKS)
def import_plan(runbook_id: int) -> Any:
    runbook = queries.runbook_for(current_user, runbook_id, Permission.EDIT_RUNBOOKS)
    return page("runbooks/import_file.html", **_upload(PlanFileForm(formdata=None), runbook))


@blueprint.post(f"{PAGE}/import", permission=Permission.EDIT_RUNBOOKS)
def upload_plan(runbook_id: int) -> Any:
    runbook = queries.runbook_for(current_user, runbook_id, Permission.EDIT_RUNBOOKS)
    return _received(PlanFileForm(), runbook)


@blueprint.get("/runbooks/import", permission=Permission.CREATE_RUNBOOKS)
def import_new_plan() -> Any:
    return page("runbooks/import_file.html", **_upload(_new_form(formdata=None)))


@blueprint.post("/runbooks/import", permission=Permission.CREATE_RUNBOOKS)
def upload_new_plan() -> Any:
    return _received(_new_form())


@blueprint.get(IMPORT, permission=Permission.EDIT_RUNBOOKS)
def plan_import(import_id: int) -> Any:
    return _page_of(imports.import_for(current_user, import_id))


@blueprint.post(f"{IMPORT}/check", permission=Permission.EDIT_RUNBOOKS)
def check_import(import_id: int) -> Any:
    """Keep what the columns mean, and say what is wrong now."""
    found = imports.import_for(current_user, import_id)
    mapping = _typed(found)
    if mapping is None:
        return see_other(url_for("runbooks.plan_import", import_id=import_id))
    looked = _look(found, mapping)
    found = imports.import_for(current_user, import_id)
    try:
        operations.remember_mapping(found, mapping)
    except NotNow as refusal:
        return _no_more(found, refusal)
    db.session.commit()
    return page("runbooks/import.html", block="check", **_shown(found, looked))


@blueprint.post(IMPORT, permission=Permission.EDIT_RUNBOOKS)
def start_import(import_id: int) -> Any:
    found = imports.import_for(current_user, import_id)
    mapping = _typed(found)
    if mapping is None:
        return see_other(url_for("runbooks.plan_import", import_id=import_id))
    looked = _look(found, mapping)
    found = imports.import_for(current_user, import_id)
    try:
        operations.queue_import(found, mapping, looked.checked, by=current_user)
    except PlanRefused as refusal:
        db.session.rollback()
        return invalid("runbooks/import.html", **_shown(found, looked, refusal=str(refusal)))
    except NotNow as refusal:
        return _no_more(found, refusal)
    db.session.commit()
    return see_other(url_for("runbooks.plan_import", import_id=import_id))


@blueprint.post(f"{IMPORT}/discard", permission=Permission.EDIT_RUNBOOKS)
def discard_import(import_id: int) -> Any:
    found = imports.import_for(current_user, import_id)
    where = _back(found)
    try:
        operations.discard_import(found)
    except NotNow as refusal:
        return _no_more(found, refusal)
    db.session.commit()
    return told(where, "The file was thrown away. Nothing was imported.")


@blueprint.post(f"{IMPORT}/undo", permission=Permission.EDIT_RUNBOOKS)
def undo_import(import_id: int) -> Any:
    found = imports.import_for(current_user, import_id)
    try:
        count = operations.undo_import(found, by=current_user)
    except NotNow as refusal:
        return _no_more(found, refusal)
    db.session.commit()
    return told(_back(found), f"The import is undone: {_tasks(count)} taken away.")


@blueprint.get(f"{IMPORT}/progress", permission=Permission.EDIT_RUNBOOKS)
def import_progress_of(import_id: int) -> Any:
    """How far it is: a piece that asks again by itself until the import has ended."""
    found = imports.import_for(current_user, import_id)
    if found.state == "mapping":  # it was refused: the page with the mapping says why
        return see_other(url_for("runbooks.plan_import", import_id=import_id))
    return page("runbooks/import_progress.html", block="progress", **_progress(found))


@blueprint.get(f"{IMPORT}/problems.csv", permission=Permission.EDIT_RUNBOOKS)
def import_problems(import_id: int) -> Any:
    """Everything that is wrong, for those who mend the file elsewhere."""
    found = imports.import_for(current_user, import_id)
    if found.state != "mapping":
        abort(404)
    looked = _look(found, PlanMapping.from_json(found.mapping))
    rows = [[str(each.row or ""), each.column, each.cause, each.remedy] for each in looked.checked.problems]
    data = write_csv([["Row", "Column", "What is wrong", "What to do"], *rows])
    return send_file(
        io.BytesIO(data), "text/csv; charset=utf-8", as_attachment=True, download_name="Problems.csv"
    )


@dataclass(frozen=True)
class Choice:
    """One column of the file on the page."""

    at: int
    letter: str
    heading: str
    sample: str
    key: str


@dataclass(frozen=True)
class Shown:
    """One task as it would be imported."""

    row: int
    reference: str
    title: str
    stream: str
    before: str
    start: datetime | None
    duration: str
    people: str


@dataclass(frozen=True)
class Looked:
    """A file under a mapping: its columns, what is wrong, the first tasks, and what is left out."""

    mapping: PlanMapping
    kind: str
    choices: list[Choice]
    zones: list[str]
    checked: Checked
    first: list[Shown]
    notices: list[Notice]


def _upload(form: PlanFileForm, runbook: Runbook | None = None) -> dict[str, Any]:
    return {
        "form": form,
        "runbook": runbook,
        "may_import": runbook is None or runbook.state == RunbookState.PLANNING,
        "most_rows": MOST_ROWS,
        "most_bytes": MOST_BYTES,
        "too_large": TOO_LARGE,
        "columns": COLUMNS,
    }


def _new_form(**options: Any) -> NewPlanFileForm:
    form = NewPlanFileForm(**options)
    held = current_user.workspace_roles()
    form.workspace_id.choices = [
        (each.id, each.name)
        for each in workspaces.workspaces_of(current_user)
        if Permission.CREATE_RUNBOOKS in TABLE[held[each.id]]
    ]
    return form


def _received(form: PlanFileForm, runbook: Runbook | None = None) -> Response:
    if not form.validate():
        return invalid("runbooks/import_file.html", **_upload(form, runbook))
    place: dict[str, Any] = {"runbook": runbook}
    if isinstance(form, NewPlanFileForm):
        workspace = workspaces.workspace_for(current_user, form.workspace_id.data, Permission.CREATE_RUNBOOKS)
        place = {"workspace": workspace, "new_name": form.name.data}
    upload = form.file.data
    data = upload.read()
    own_zones = _own_zones(runbook)
    db.session.rollback()  # nothing is held while the file is read
    try:
        table = off_the_loop(read, data)
        made = operations.receive_plan(
            table,
            file_name=upload.filename or "",
            zone=own_zones[0],
            zones=_zones(own_zones, table.lines[0].cells),
            by=current_user,
            **place,
        )
    except (FileRefused, NotNow) as refusal:
        db.session.rollback()
        form.file.errors = [str(refusal)]
        return invalid("runbooks/import_file.html", **_upload(form, runbook))
    db.session.commit()
    return see_other(url_for("runbooks.plan_import", import_id=made.id))


def _page_of(found: PlanImport, *, status: int = 200, refusal: str = "") -> Response:
    if found.state != "mapping":
        return page("runbooks/import_progress.html", status=status, **_progress(found, refusal))
    looked = _look(found, PlanMapping.from_json(found.mapping))
    found = imports.import_for(current_user, found.id)
    return page("runbooks/import.html", status=status, **_shown(found, looked, refusal or found.refusal))


def _no_more(found: PlanImport, refusal: NotNow) -> Response:
    """What cannot be done now: the page as it stands, with the reason."""
    import_id = found.id
    db.session.rollback()
    if "HX-Request" in request.headers:
        return see_other(url_for("runbooks.plan_import", import_id=import_id))
    return _page_of(imports.import_for(current_user, import_id), status=409, refusal=str(refusal))


def _shown(found: PlanImport, looked: Looked, refusal: str = "") -> dict[str, Any]:
    problems = looked.checked.problems
    return {
        "plan_import": found,
        "looked": looked,
        "columns": COLUMNS,
        "date_orders": DATE_ORDERS,
        "references": REFERENCES,
        "problems": problems[:MOST_SHOWN_PROBLEMS],
        "more_problems": max(0, len(problems) - MOST_SHOWN_PROBLEMS),
        "back": _back(found),
        "refusal": refusal,
    }


def _progress(found: PlanImport, refusal: str = "") -> dict[str, Any]:
    return {
        "plan_import": found,
        "done": import_progress.told(found.id) if found.state == "queued" else found.row_count,
        "back": _back(found),
        "may_undo": found.state == "done"
        and found.runbook is not None
        and found.runbook.state == RunbookState.PLANNING,
        "refusal": refusal,
    }


def _look(found: PlanImport, mapping: PlanMapping) -> Looked:
    """Reads everything first, so that nothing is held while thousands of rows are checked."""
    table = imports.table_of(found)
    people, offered = imports.people_in(found.workspace_id), offered_in(found.workspace_id)
    ways = imports.ways_in(found.workspace_id, found.runbook)
    own_zones = _own_zones(found.runbook)
    db.session.rollback()
    if table is None:
        abort(404)
    checked = off_the_loop(check, table, mapping, people, ways)
    names = {each.id: each.name for each in people}
    return Looked(
        mapping=mapping,
        kind=table.kind,
        choices=_choices(table, mapping),
        zones=_zones(own_zones, table.lines[0].cells),
        checked=checked,
        first=_first(checked, mapping, names),
        notices=resolve(table.about.particulars, {task.row for task in checked.tasks}, offered).notices,
    )


def _choices(table: Table, mapping: PlanMapping) -> list[Choice]:
    headings = table.lines[0] if mapping.headings else None
    body = table.lines[1 if mapping.headings else 0 :][:200]
    found = []
    for at, key in enumerate(mapping.columns):
        samples = (short(each.cell(at), 40) for each in body if each.cell(at))
        heading = headings.cell(at) if headings else ""
        found.append(Choice(at, letter(at), short(heading, 60), next(samples, ""), key))
    return found


def _first(checked: Checked, mapping: PlanMapping, names: Mapping[int, str]) -> list[Shown]:
    known = {task.row: task for task in checked.tasks}
    zone = ZoneInfo(mapping.zone)
    by_row = mapping.references == "row" or "number" not in mapping.columns
    found = []
    for task in checked.tasks[:SHOWN_ROWS]:
        before = [
            f"row {row}" if by_row or not known[row].reference else f"#{short(known[row].reference, 20)}"
            for row in task.before
        ]
        found.append(
            Shown(
                row=task.row,
                reference=short(task.reference, 20),
                title=task.title,
                stream=task.stream,
                before=", ".join(before),
                start=task.start.astimezone(zone) if task.start else None,
                duration=durations.shown(task.duration_s),
                people=", ".join(names[each] for each in task.people),
            )
        )
    return found


def _own_zones(runbook: Runbook | None) -> list[str]:
    """The runbook's time zone and the person's own."""
    own = zones.own_zone(current_user.time_zone)
    return [runbook.time_zone, own] if runbook is not None else [own]


def _zones(own_zones: list[str], headings: Any) -> list[str]:
    """These, UTC, and those that the headings name."""
    named = [zone_in(each) for each in headings]
    return list(dict.fromkeys([*own_zones, "UTC", *(each for each in named if each and zones.is_zone(each))]))


def _typed(found: PlanImport) -> PlanMapping | None:
    """The mapping that the form carries; None where the import is no longer open. 400 for what no form sends."""
    if found.state != "mapping":
        return None
    kept = PlanMapping.from_json(found.mapping)
    columns = tuple(request.form.get(f"column-{at}", "") for at in range(len(kept.columns)))
    mapping = PlanMapping(
        columns=columns,
        zone=request.form.get("zone", kept.zone),
        headings=request.form.get("headings") == "1",
        date_order=request.form.get("date_order", kept.date_order),
        references=request.form.get("references", kept.references),
    )
    if (
        any(key and key not in BY_KEY for key in columns)
        or not zones.is_zone(mapping.zone)
        or mapping.date_order not in ("", *DATE_ORDERS)
        or mapping.references not in REFERENCES
    ):
        abort(400)
    return mapping


def _back(found: PlanImport) -> str:
    if found.runbook_id is None:
        return url_for("runbooks.runbooks")
    return path_of(found.runbook_id)


def _tasks(count: int) -> str:
    return "1 task" if count == 1 else f"{count:,} tasks"
