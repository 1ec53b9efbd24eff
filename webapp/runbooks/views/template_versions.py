"""The life of a template's version: made, described, submitted, decided."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask_login import current_user

from webapp.extensions import db
from webapp.page import told
from webapp.permissions import Permission
from webapp.runbooks import operations
from webapp.runbooks.context import path_of
from webapp.runbooks.forms import ReasonForm
from webapp.runbooks.refusals import NotNow
from webapp.runbooks.templates import queries as template_queries
from webapp.runbooks.templates.forms import NoteForm
from webapp.runbooks.templates.models import TemplateVersion
from webapp.runbooks.templates.versions import VersionState
from webapp.runbooks.views import blueprint
from webapp.runbooks.views.templates import TEMPLATE, address_of, template_page, template_refused

VERSION = f"{TEMPLATE}/versions/<int:version>"


@blueprint.post(f"{TEMPLATE}/versions", permission=Permission.CREATE_RUNBOOKS)
def add_version(template_id: int) -> Any:
    """A draft with the plan of the latest approved version, or of the latest where none is."""
    found = template_queries.template_for(current_user, template_id, Permission.CREATE_RUNBOOKS)
    versions = template_queries.versions_of(found)
    approved = (each for each in versions if each.state == VersionState.APPROVED)
    source = next(approved, versions[0])
    try:
        made = operations.new_version(found, source.runbook, note="", by=current_user)
    except NotNow as refusal:
        return template_refused(found, refusal)
    db.session.commit()
    return told(
        path_of(made.runbook_id),
        f"Version {made.number} is a draft with the plan of version {source.number}.",
    )


@blueprint.post(f"{VERSION}/note", permission=Permission.CREATE_RUNBOOKS)
def save_version_note(template_id: int, version: int) -> Any:
    found, form = _version(template_id, version, Permission.CREATE_RUNBOOKS), NoteForm()
    if not form.validate():
        return template_page(found.template, status=422, note_form=form)
    return _do(
        found,
        lambda: operations.note_changes(found, form.note.data or "", by=current_user),
        "What changes is saved.",
    )


@blueprint.get(f"{VERSION}/submit", permission=Permission.CREATE_RUNBOOKS)
def ask_submit_version(template_id: int, version: int) -> Any:
    found = _version(template_id, version, Permission.CREATE_RUNBOOKS)
    return template_page(
        found.template, ask="submit", version=found, form=NoteForm(formdata=None, note=found.note)
    )


@blueprint.post(f"{VERSION}/submit", permission=Permission.CREATE_RUNBOOKS)
def submit_version(template_id: int, version: int) -> Any:
    found, form = _version(template_id, version, Permission.CREATE_RUNBOOKS), NoteForm()
    if not form.validate():
        return template_page(found.template, ask="submit", status=422, version=found, form=form)
    return _do(
        found,
        lambda: operations.submit_version(found, form.note.data or "", by=current_user),
        f"Version {found.number} waits for approval. Its plan cannot be changed meanwhile.",
    )


@blueprint.post(f"{VERSION}/withdraw", permission=Permission.CREATE_RUNBOOKS)
def withdraw_version(template_id: int, version: int) -> Any:
    found = _version(template_id, version, Permission.CREATE_RUNBOOKS)
    return _do(
        found,
        lambda: operations.withdraw_version(found, by=current_user),
        f"Version {found.number} is a draft again.",
    )


@blueprint.post(f"{VERSION}/discard", permission=Permission.CREATE_RUNBOOKS)
def discard_version(template_id: int, version: int) -> Any:
    found = _version(template_id, version, Permission.CREATE_RUNBOOKS)
    return _do(
        found,
        lambda: operations.discard_version(found, by=current_user),
        f"Version {found.number} is discarded.",
    )


@blueprint.post(f"{VERSION}/approve", permission=Permission.APPROVE_TEMPLATES)
def approve_version(template_id: int, version: int) -> Any:
    found = _version(template_id, version, Permission.APPROVE_TEMPLATES)
    return _do(
        found,
        lambda: operations.approve_version(found, by=current_user),
        f"Version {found.number} is approved and can be used.",
    )


@blueprint.get(f"{VERSION}/send-back", permission=Permission.APPROVE_TEMPLATES)
def ask_send_version_back(template_id: int, version: int) -> Any:
    found = _version(template_id, version, Permission.APPROVE_TEMPLATES)
    return template_page(found.template, ask="send_back", version=found, form=ReasonForm(formdata=None))


@blueprint.post(f"{VERSION}/send-back", permission=Permission.APPROVE_TEMPLATES)
def send_version_back(template_id: int, version: int) -> Any:
    found, form = _version(template_id, version, Permission.APPROVE_TEMPLATES), ReasonForm()
    if not form.validate():
        return template_page(found.template, ask="send_back", status=422, version=found, form=form)
    return _do(
        found,
        lambda: operations.send_version_back(found, form.reason.data or "", by=current_user),
        f"Version {found.number} is sent back.",
    )


def _version(template_id: int, number: int, permission: Permission) -> TemplateVersion:
    return template_queries.version_for(current_user, template_id, number, permission)


def _do(found: TemplateVersion, operation: Callable[[], None], words: str) -> Any:
    try:
        operation()
    except NotNow as refusal:
        return template_refused(found.template, refusal)
    db.session.commit()
    return told(address_of(found.template), words)
