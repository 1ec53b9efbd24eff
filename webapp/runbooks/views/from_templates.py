"""Between runbooks and templates: save one as a template, some tasks as a snippet, insert a snippet, compare."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

from flask import Response, abort, request
from flask_login import current_user
from sqlalchemy import select

from webapp import zones
from webapp.extensions import db
from webapp.page import page, told
from webapp.permissions import Permission
from webapp.row_ids import row_id
from webapp.runbooks import operations, queries
from webapp.runbooks.models import Runbook, Task
from webapp.runbooks.refusals import NotNow, PlanRefused
from webapp.runbooks.templates import queries as template_queries
from webapp.runbooks.templates.forms import NEXT, InsertSnippetForm, SaveSnippetForm, SaveTemplateForm
from webapp.runbooks.templates.models import TemplateKind, TemplateVersion
from webapp.runbooks.templates.plan_diff import PlanDiff, diff
from webapp.runbooks.templates.plan_facts import load_plan_facts
from webapp.runbooks.templates.queries import Origin
from webapp.runbooks.views import blueprint
from webapp.runbooks.views.bulk import SELECTED, selected
from webapp.runbooks.views.pieces import answer
from webapp.runbooks.views.runbook import PAGE, asked, refused
from webapp.runbooks.views.streams import STREAM
from webapp.runbooks.views.templates import page_of

SAVE_DIALOG = "runbooks/ask/save_as_template.html"
SNIPPET_DIALOG = "runbooks/ask/save_snippet.html"
INSERT_DIALOG = "runbooks/ask/insert_snippet.html"


@blueprint.get(f"{PAGE}/save-as-template", permission=Permission.CREATE_RUNBOOKS)
def ask_save_as_template(runbook_id: int) -> Any:
    runbook = _creatable(runbook_id)
    origin = _origin(runbook)
    form = _save_form(
        origin,
        formdata=None,
        name=runbook.name,
        description=runbook.description,
        **({"target": NEXT} if origin else {}),
    )
    return _ask_save(runbook, origin, form)


@blueprint.post(f"{PAGE}/save-as-template", permission=Permission.CREATE_RUNBOOKS)
def save_as_template(runbook_id: int) -> Any:
    """A draft with the plan of the runbook: of a new template, or of the one from which the runbook came."""
    runbook = _creatable(runbook_id)
    origin = _origin(runbook)
    form = _save_form(origin)
    if not form.validate():
        return _ask_save(runbook, origin, form, status=422)
    try:
        if origin is not None and form.target.data == NEXT:
            version = operations.new_version(
                origin.version.template,
                runbook,
                note=form.note.data or "",
                keep_assignees=form.keep_assignees.data,
                by=current_user,
            )
        else:
            version = operations.save_as_template(
                runbook,
                name=form.name.data or "",
                description=form.description.data or "",
                keep_assignees=form.keep_assignees.data,
                by=current_user,
            )
    except NotNow as refusal:
        return refused(runbook, runbook.seq, str(refusal))
    db.session.commit()
    return told(
        page_of(version.template),
        f"Version {version.number} of {version.template.name} is a draft. Submit it when it is ready.",
    )


@blueprint.post(f"{SELECTED}/ask-snippet", permission=Permission.CREATE_RUNBOOKS)
def ask_save_snippet(runbook_id: int) -> Any:
    """The dialog for the numbers sent; a POST because a thousand numbers do not fit into an address."""
    runbook, numbers = selected(runbook_id, Permission.CREATE_RUNBOOKS)
    return _ask_snippet(runbook, numbers, SaveSnippetForm(formdata=None))


@blueprint.get(f"{STREAM}/snippet", permission=Permission.CREATE_RUNBOOKS)
def ask_save_stream(runbook_id: int, stream_id: int) -> Any:
    runbook = _creatable(runbook_id)
    stream = queries.stream_of(runbook, stream_id)
    query = select(Task.number).where(Task.stream_id == stream.id, Task.deleted_at.is_(None))
    numbers = sorted(db.session.scalars(query))
    if not numbers:
        return refused(runbook, runbook.seq, f"{stream.name} holds no task that could become a snippet.")
    return _ask_snippet(runbook, numbers, SaveSnippetForm(formdata=None, name=stream.name))


@blueprint.post(f"{SELECTED}/snippet", permission=Permission.CREATE_RUNBOOKS)
def save_snippet(runbook_id: int) -> Any:
    runbook, numbers = selected(runbook_id, Permission.CREATE_RUNBOOKS)
    form = SaveSnippetForm()
    if not form.validate():
        return _ask_snippet(runbook, numbers, form, status=422)
    try:
        version = operations.save_as_snippet(
            runbook,
            numbers,
            name=form.name.data or "",
            description=form.description.data or "",
            keep_assignees=form.keep_assignees.data,
            by=current_user,
        )
    except NotNow as refusal:
        return refused(runbook, runbook.seq, str(refusal))
    db.session.commit()
    return told(
        page_of(version.template),
        f"{version.template.name} is a draft. Once it is approved it can be inserted into plans.",
    )


@blueprint.get(f"{PAGE}/insert-snippet", permission=Permission.EDIT_RUNBOOKS)
def ask_insert_snippet(runbook_id: int) -> Any:
    """The dialog; ?stream= is the stream into which the tasks are to go."""
    runbook = queries.runbook_for(current_user, runbook_id, Permission.EDIT_RUNBOOKS)
    return _ask_insert(runbook, typed=False)


@blueprint.post(f"{PAGE}/insert-snippet", permission=Permission.EDIT_RUNBOOKS)
def insert_snippet(runbook_id: int) -> Any:
    runbook = queries.runbook_for(current_user, runbook_id, Permission.EDIT_RUNBOOKS)
    since, form = runbook.seq, _insert_form(runbook, typed=True)
    if not form.validate():
        return _ask_insert(runbook, form, status=422)
    snippets = template_queries.usable_versions([runbook.workspace_id], TemplateKind.SNIPPET)
    version = next((each for each in snippets if each.id == form.version_id.data), None) or abort(404)
    stream = queries.stream_of(runbook, form.stream_id.data) if form.stream_id.data else None
    try:
        tasks = operations.insert_snippet(
            runbook,
            version,
            stream=stream,
            wait_for=form.task_ids(),
            keep_assignees=form.keep_assignees.data,
            by=current_user,
        )
    except PlanRefused as refusal:
        db.session.rollback()
        form[refusal.field].errors = [str(refusal)]
        return _ask_insert(runbook, form, status=422)
    except NotNow as refusal:
        return refused(runbook, since, str(refusal))
    db.session.commit()
    count = "1 task" if len(tasks) == 1 else f"{len(tasks):,} tasks"
    return answer(runbook, since, text=f"{version.template.name} is inserted: {count}.")


@blueprint.get(f"{PAGE}/against-template", permission=Permission.READ_RUNBOOKS)
def compare_with_template(runbook_id: int) -> Any:
    """What the runbook's plan says otherwise than the template from which it was made; ?version= for a later one."""
    runbook = queries.runbook_for(current_user, runbook_id, Permission.READ_RUNBOOKS)
    origin = template_queries.origin_of(runbook) or abort(404)
    versions = [
        each
        for each in template_queries.versions_of(origin.version.template)
        if each.state == "approved" or each.id == origin.version.id
    ]
    number = request.args.get("version", origin.version.number, row_id)
    before = next((each for each in versions if each.number == number), None) or abort(404)
    return page(
        "runbooks/against_template.html",
        runbook=runbook,
        origin=origin,
        versions=versions,
        before=before,
        found=_against(before, runbook),
        zone=zones.shown().shown,
    )


def _against(version: TemplateVersion, runbook: Runbook) -> PlanDiff:
    zone = ZoneInfo(zones.shown().shown)
    before = load_plan_facts(version.runbook, zone, dated=False)
    return diff(before, load_plan_facts(runbook, zone, dated=False))


def _creatable(runbook_id: int) -> Runbook:
    return queries.runbook_for(current_user, runbook_id, Permission.CREATE_RUNBOOKS)


def _origin(runbook: Runbook) -> Origin | None:
    """Where the next version could go; nowhere while the template is archived."""
    origin = template_queries.origin_of(runbook)
    return origin if origin is not None and origin.version.template.archived_at is None else None


def _save_form(origin: Origin | None, **options: Any) -> SaveTemplateForm:
    form = SaveTemplateForm(**options)
    if origin is not None:
        form.target.choices = {
            NEXT: f"The next version of {origin.version.template.name}",
            **form.target.choices,
        }
    return form


def _ask_save(
    runbook: Runbook, origin: Origin | None, form: SaveTemplateForm, *, status: int = 200
) -> Response:
    changed = _against(origin.version, runbook) if origin is not None else None
    return asked(runbook, SAVE_DIALOG, status=status, form=form, origin=origin, changed=changed)


def _ask_snippet(
    runbook: Runbook, numbers: list[int], form: SaveSnippetForm, *, status: int = 200
) -> Response:
    return asked(runbook, SNIPPET_DIALOG, status=status, form=form, numbers=numbers)


def _insert_form(runbook: Runbook, *, typed: bool) -> InsertSnippetForm:
    return InsertSnippetForm.within(
        template_queries.usable_versions([runbook.workspace_id], TemplateKind.SNIPPET),
        queries.streams_of(runbook.id),
        queries.names_within(runbook.id),
        typed=typed,
        stream_id=request.args.get("stream", 0, row_id),
    )


def _ask_insert(
    runbook: Runbook, form: InsertSnippetForm | None = None, *, typed: bool = False, status: int = 200
) -> Response:
    form = form or _insert_form(runbook, typed=typed)
    return asked(runbook, INSERT_DIALOG, status=status, form=form)
