"""Settings > Custom Fields."""

from __future__ import annotations

from typing import Any

from flask import abort, request, url_for
from flask_login import current_user

from webapp.blueprint import Blueprint
from webapp.extensions import db
from webapp.fields import offered, operations, queries
from webapp.fields.forms import DefinitionForm, typed_options
from webapp.fields.kinds import KINDS
from webapp.fields.models import DISPLAYS_ON, FieldDefinition
from webapp.navigation import NavEntry
from webapp.page import page, told
from webapp.permissions import Permission

blueprint = Blueprint("fields", __name__)
blueprint.nav = [
    NavEntry("Custom Fields", "forms", "fields.definitions", group="settings:Automation", order=21)
]


@blueprint.get("/settings/custom-fields", permission=Permission.MANAGE_FIELDS)
def definitions() -> Any:
    return _definitions()


@blueprint.get("/settings/custom-fields/new", permission=Permission.MANAGE_FIELDS)
def new_definition() -> Any:
    return _definitions(DefinitionForm(formdata=None))


@blueprint.post("/settings/custom-fields", permission=Permission.MANAGE_FIELDS)
def add_definition() -> Any:
    form = DefinitionForm()
    if form.validate():
        try:
            definition = operations.create_definition(kind=form.kind.data, by=current_user, **form.values())
        except operations.FieldRefused as refusal:
            return _refused(form, refusal)
        db.session.commit()
        return told(url_for("fields.definitions"), f"The field {definition.name} is created.")
    return _definitions(form, options=typed_options(), status=422)


@blueprint.get("/settings/custom-fields/<int:definition_id>", permission=Permission.MANAGE_FIELDS)
def definition(definition_id: int) -> Any:
    found = queries.definition_for(definition_id)
    form = DefinitionForm(
        formdata=None,
        changed=found,
        obj=found,
        visibility="global" if found.is_global else "workspaces",
        workspaces=[each.id for each in found.workspaces],
        action_ids=found.restricted_action_ids,
    )
    form.workspaces.data = [each.id for each in found.workspaces]
    form.action_ids.data = found.restricted_action_ids
    return _definitions(form, found, options=found.options)


@blueprint.post("/settings/custom-fields/<int:definition_id>", permission=Permission.MANAGE_FIELDS)
def save_definition(definition_id: int) -> Any:
    found = queries.definition_for(definition_id)
    form = DefinitionForm(changed=found)
    form.kind.data = found.kind
    if form.validate():
        try:
            operations.update_definition(found, by=current_user, **form.values())
        except operations.FieldRefused as refusal:
            db.session.refresh(found)
            return _refused(form, refusal, found)
        db.session.commit()
        return told(url_for("fields.definitions"), f"The field {found.name} is saved.")
    return _definitions(form, found, options=typed_options(), status=422)


@blueprint.post("/settings/custom-fields/<int:definition_id>/move", permission=Permission.MANAGE_FIELDS)
def move_definition(definition_id: int) -> Any:
    found = queries.definition_for(definition_id)
    steps = {"up": -1, "down": 1}
    step = steps.get(request.form.get("to", ""))
    if step is None or found.archived_at:
        abort(400)
    operations.move_definition(found, queries.all_definitions(), step, by=current_user)
    db.session.commit()
    return told(url_for("fields.definitions"), f"{found.name} is moved {request.form['to']}.")


@blueprint.post("/settings/custom-fields/<int:definition_id>/archive", permission=Permission.MANAGE_FIELDS)
def archive_definition(definition_id: int) -> Any:
    found = queries.definition_for(definition_id)
    operations.archive_definition(found, by=current_user)
    db.session.commit()
    return told(url_for("fields.definitions"), f"The field {found.name} is archived. Its values are kept.")


@blueprint.post("/settings/custom-fields/<int:definition_id>/restore", permission=Permission.MANAGE_FIELDS)
def restore_definition(definition_id: int) -> Any:
    found = queries.definition_for(definition_id)
    try:
        operations.restore_definition(found, by=current_user)
    except operations.FieldRefused as refusal:
        return told(url_for("fields.definitions", archived=1), str(refusal), "bad")
    db.session.commit()
    return told(url_for("fields.definitions"), f"The field {found.name} is back.")


def _refused(
    form: DefinitionForm, refusal: operations.FieldRefused, found: FieldDefinition | None = None
) -> Any:
    db.session.rollback()
    errors: list[str] = []
    if refusal.field in form:
        form[refusal.field].errors = [str(refusal)]
    else:
        errors = [str(refusal)]
    return _definitions(form, found, options=typed_options(), options_errors=errors, status=422)


def _definitions(
    form: DefinitionForm | None = None,
    opened: FieldDefinition | None = None,
    *,
    options: list[str] | None = None,
    options_errors: list[str] | None = None,
    status: int = 200,
) -> Any:
    archived = request.args.get("archived") == "1"
    listed = queries.all_definitions(archived=archived)
    return page(
        "fields/definitions.html",
        status=status,
        definitions=listed,
        archived=archived,
        form=form,
        opened=opened,
        values_held=queries.count_values(opened.id) if opened else 0,
        options=options or [],
        options_errors=options_errors or [],
        kinds=KINDS,
        places=DISPLAYS_ON,
        action_names=dict(
            offered.action_choices({id_ for each in listed for id_ in each.restricted_action_ids})
        ),
    )
