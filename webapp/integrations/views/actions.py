"""Making an action, copying it to other workspaces, archiving it."""

from __future__ import annotations

from typing import Any

from flask import request, url_for
from flask_login import current_user

from webapp.extensions import db
from webapp.integrations import offered, operations, queries
from webapp.integrations.forms import DuplicateForm, NewActionForm
from webapp.integrations.models import Action, Connection
from webapp.integrations.predefined import PREDEFINED, ActionTemplate
from webapp.integrations.settings import GENERAL_FIELDS
from webapp.integrations.views import blueprint
from webapp.integrations.views.connections import list_page
from webapp.page import told
from webapp.permissions import Permission
from webapp.workspaces import queries as workspaces

_ACTION = "/settings/integrations/<int:connection_id>/actions/<int:action_id>"


@blueprint.get(
    "/settings/integrations/<int:connection_id>/actions/new", permission=Permission.MANAGE_INTEGRATIONS
)
def new_action(connection_id: int) -> Any:
    """The modal with its General tab. `template` in the query fills it in from an action template."""
    connection = queries.connection_for(current_user, connection_id)
    template = _template(connection, request.args.get("template"))
    filled: dict[str, Any] = {"cancelable": True, "finish_on_success": True, "ok_false_fails": True}
    if template is not None:
        filled = {name: getattr(template.general, name) for name in GENERAL_FIELDS}
        filled["template"] = template.key
    return _new_page(connection, _form(connection, formdata=None, **filled))


@blueprint.post(
    "/settings/integrations/<int:connection_id>/actions", permission=Permission.MANAGE_INTEGRATIONS
)
def create_action(connection_id: int) -> Any:
    connection = queries.connection_for(current_user, connection_id)
    form = _form(connection)
    if form.validate():
        visibility: dict[str, Any] = {"is_global": form.is_global, "workspaces": form.chosen_workspaces}
        template = _template(connection, form.template.data)
        try:
            if template is None:
                action = operations.create_action(connection, form.general(), by=current_user, **visibility)
            else:
                action = operations.create_from_template(
                    connection,
                    PREDEFINED[str(connection.predefined)],
                    template,
                    form.general(),
                    by=current_user,
                    **visibility,
                )
        except operations.IntegrationRefused as refusal:
            db.session.rollback()
            form[refusal.field or "template"].errors = [str(refusal)]
        else:
            db.session.commit()
            return told(
                _editor(action) + "#authorization",
                f"{action.name} is created. Set up its authorization and request now.",
            )
    return _new_page(connection, form, status=422)


@blueprint.post(f"{_ACTION}/duplicate", permission=Permission.MANAGE_INTEGRATIONS)
def duplicate_action(connection_id: int, action_id: int) -> Any:
    action = queries.action_for(current_user, action_id, connection_id=connection_id)
    form = DuplicateForm()
    form.offer_workspaces(workspaces.all_workspaces())
    if not form.validate() or not form.workspaces.data:
        return told(_editor(action), "Choose at least one workspace to duplicate the action to.", "bad")
    try:
        copy = operations.duplicate_action(action, form.chosen_workspaces, by=current_user)
    except operations.IntegrationRefused as refusal:
        db.session.rollback()
        return told(_editor(action), str(refusal), "bad")
    db.session.commit()
    places = ", ".join(each.name for each in form.chosen_workspaces)
    return told(
        _editor(copy),
        f"This is the copy for {places}. Secrets and custom fields came along; sign-ins did not.",
    )


@blueprint.post(f"{_ACTION}/archive", permission=Permission.MANAGE_INTEGRATIONS)
def archive_action(connection_id: int, action_id: int) -> Any:
    action = queries.action_for(current_user, action_id, connection_id=connection_id, for_change=True)
    operations.archive_action(action, by=current_user)
    db.session.commit()
    return told(
        url_for("integrations.connection", connection_id=connection_id),
        f"{action.name} is archived. Tasks that use it keep it; new ones cannot choose it.",
    )


@blueprint.post(f"{_ACTION}/restore", permission=Permission.MANAGE_INTEGRATIONS)
def restore_action(connection_id: int, action_id: int) -> Any:
    action = queries.action_for(current_user, action_id, connection_id=connection_id, for_change=True)
    operations.restore_action(action, by=current_user)
    db.session.commit()
    return told(_editor(action), f"{action.name} is back.")


def _form(connection: Connection, **options: Any) -> NewActionForm:
    form = NewActionForm(**options)
    form.offer_templates(connection)
    form.offer_workspaces(workspaces.all_workspaces())
    return form


def _template(connection: Connection, key: str | None) -> ActionTemplate | None:
    kind = PREDEFINED.get(connection.predefined)
    return kind.action(key) if kind is not None else None


def _new_page(connection: Connection, form: NewActionForm, status: int = 200) -> Any:
    return list_page(
        "integrations/new_action.html",
        block="new_action",
        status=status,
        opened=connection,
        form=form,
        triggers=offered.triggers,
    )


def _editor(action: Action) -> str:
    return url_for("integrations.action", connection_id=action.connection_id, action_id=action.id)
