"""Templates and snippets: the list, the page of one with its versions, what two versions say otherwise."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

from flask import Response, abort, request, url_for
from flask_login import current_user

from webapp import zones
from webapp.extensions import db
from webapp.page import page, told
from webapp.permissions import TABLE, Permission, Role, can
from webapp.row_ids import row_id
from webapp.runbooks import operations, queries
from webapp.runbooks.refusals import NotNow
from webapp.runbooks.templates import queries as template_queries
from webapp.runbooks.templates.forms import NoteForm, TemplateForm
from webapp.runbooks.templates.models import RunbookTemplate, TemplateKind, TemplateVersion
from webapp.runbooks.templates.plan_diff import PlanDiff, diff
from webapp.runbooks.templates.plan_facts import load_plan_facts
from webapp.runbooks.templates.versions import OPEN, VersionEvent, VersionState, version_allows
from webapp.runbooks.views import blueprint
from webapp.workspaces import queries as workspaces

LIST = "/templates"
TEMPLATE = f"{LIST}/<int:template_id>"
_KINDS = {"templates": TemplateKind.TEMPLATE, "snippets": TemplateKind.SNIPPET}
_TABS = {
    "templates": "Templates",
    "snippets": "Snippets",
    "waiting": "Waiting for my approval",
    "archived": "Archived",
}


@blueprint.get(LIST, permission=Permission.READ_RUNBOOKS)
def templates() -> Any:
    places = queries.places_of(current_user)
    text = request.args.get("q", "").strip()[:200]
    tab = request.args.get("tab", "templates")
    if tab not in _TABS:
        tab = "templates"
    waiting = template_queries.waiting_for(current_user)
    present = template_queries.templates_in(places, text=text)
    archived = template_queries.templates_in(places, text=text, archived=True)
    rows = {
        **{key: [each for each in present if each.template.kind == kind] for key, kind in _KINDS.items()},
        "waiting": [each for each in present if each.template.id in waiting],
        "archived": archived,
    }
    return page(
        "runbooks/templates.html",
        tab=tab,
        text=text,
        rows=rows[tab],
        several=len({each.template.workspace_id for each in (*present, *archived)}) > 1,
        tabs=[
            {
                "text": label,
                "href": url_for("runbooks.templates", tab=key, q=text or None),
                "current": key == tab,
                "count": len(rows[key]),
            }
            for key, label in _TABS.items()
            if key != "archived" or archived or tab == key
        ],
        may_create=_may_create_anywhere(),
    )


@blueprint.get(TEMPLATE, permission=Permission.READ_RUNBOOKS)
def template(template_id: int) -> Any:
    return template_page(_template(template_id, Permission.READ_RUNBOOKS))


@blueprint.get(f"{TEMPLATE}/edit", permission=Permission.CREATE_RUNBOOKS)
def edit_template(template_id: int) -> Any:
    found = _template(template_id, Permission.CREATE_RUNBOOKS)
    return template_page(found, ask="edit", form=TemplateForm(formdata=None, obj=found))


@blueprint.post(f"{TEMPLATE}/edit", permission=Permission.CREATE_RUNBOOKS)
def save_template(template_id: int) -> Any:
    found, form = _template(template_id, Permission.CREATE_RUNBOOKS), TemplateForm()
    if not form.validate():
        return template_page(found, ask="edit", form=form, status=422)
    operations.describe_template(
        found, name=form.name.data or "", description=form.description.data or "", by=current_user
    )
    db.session.commit()
    return told(address_of(found), f"{found.name} is saved.")


@blueprint.post(f"{TEMPLATE}/archive", permission=Permission.CREATE_RUNBOOKS)
def archive_template(template_id: int) -> Any:
    found = _template(template_id, Permission.CREATE_RUNBOOKS)
    try:
        operations.archive_template(found, by=current_user)
    except NotNow as refusal:
        return template_refused(found, refusal)
    db.session.commit()
    return told(address_of(found), f"{found.name} is archived. What was made from it stays.")


@blueprint.post(f"{TEMPLATE}/restore", permission=Permission.CREATE_RUNBOOKS)
def restore_template(template_id: int) -> Any:
    found = _template(template_id, Permission.CREATE_RUNBOOKS)
    try:
        operations.restore_template(found, by=current_user)
    except NotNow as refusal:
        return template_refused(found, refusal)
    db.session.commit()
    return told(address_of(found), f"{found.name} is back.")


@blueprint.get(f"{TEMPLATE}/diff", permission=Permission.READ_RUNBOOKS)
def compare_versions(template_id: int) -> Any:
    """What version `after` says otherwise than `before`; without these the latest against the one before it."""
    found = _template(template_id, Permission.READ_RUNBOOKS)
    versions = template_queries.versions_of(found)
    after = _chosen(versions, "after", versions[0].number)
    earlier = next((each.number for each in versions if each.number < after.number), after.number)
    before = _chosen(versions, "before", earlier)
    return page(
        "runbooks/template_diff.html",
        subject=found,
        versions=versions,
        before=before,
        after=after,
        found=compared(before, after),
        zone=zones.shown().shown,
    )


def compared(before: TemplateVersion, after: TemplateVersion) -> PlanDiff:
    """What the later version says otherwise, with times in the zone that is shown."""
    zone = ZoneInfo(zones.shown().shown)
    return diff(load_plan_facts(before.runbook, zone), load_plan_facts(after.runbook, zone))


def address_of(found: RunbookTemplate) -> str:
    """The page of one template."""
    return url_for("runbooks.template", template_id=found.id)


def template_page(
    found: RunbookTemplate, *, ask: str = "", status: int = 200, refusal: str = "", **context: Any
) -> Response:
    """The page of one template, with a dialog over it where `ask` names one."""
    versions = template_queries.versions_of(found)
    undecided = next((each for each in versions if each.state in OPEN), None)
    approved = next((each for each in versions if each.state == VersionState.APPROVED), None)
    approvers = [each for each in _approvers(found) if undecided and not operations.is_own(undecided, each)]
    return page(
        "runbooks/template.html",
        status=status,
        subject=found,
        versions=versions,
        undecided=undecided,
        approved=approved,
        changed=compared(approved, undecided) if approved and undecided else None,
        used=template_queries.used_by_version(found),
        may_create=can(current_user, Permission.CREATE_RUNBOOKS, found),
        may_approve=can(current_user, Permission.APPROVE_TEMPLATES, found),
        own=undecided is not None and operations.is_own(undecided, current_user),
        approvers=approvers,
        allows=version_allows,
        events=VersionEvent,
        ask=ask,
        refusal=refusal,
        **{"note_form": _note_form(undecided), **context},
    )


def template_refused(found: RunbookTemplate, refusal: NotNow) -> Response:
    """The page as it stands, with what cannot be done now and why."""
    db.session.rollback()
    return template_page(found, status=409, refusal=str(refusal))


def _note_form(undecided: TemplateVersion | None) -> NoteForm:
    return NoteForm(formdata=None, note=undecided.note if undecided else "")


def _template(template_id: int, permission: Permission) -> RunbookTemplate:
    return template_queries.template_for(current_user, template_id, permission)


def _chosen(versions: list[TemplateVersion], name: str, usual: int) -> TemplateVersion:
    number = request.args.get(name, usual, row_id)
    return next((each for each in versions if each.number == number), None) or abort(404)


def _approvers(found: RunbookTemplate) -> list[Any]:
    return [
        each.user
        for each in workspaces.memberships_of(found.workspace_id)
        if each.user.active and Permission.APPROVE_TEMPLATES in TABLE[Role(each.role)]
    ]


def _may_create_anywhere() -> bool:
    return any(Permission.CREATE_RUNBOOKS in TABLE[role] for role in current_user.workspace_roles().values())
