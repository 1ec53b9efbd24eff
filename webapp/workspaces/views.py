"""The pages about workspaces, and the switch between them."""

from __future__ import annotations

from typing import Any

from flask import Flask, abort, request, session, url_for
from flask_login import current_user

from webapp.accounts import queries as accounts
from webapp.blueprint import Blueprint
from webapp.extensions import db
from webapp.navigation import NavEntry
from webapp.page import page, see_other, told
from webapp.permissions import WORKSPACE_ROLES, Permission, Role, can
from webapp.redirects import local_path
from webapp.workspaces import operations, queries
from webapp.workspaces.forms import MemberForm, WorkspaceForm
from webapp.workspaces.models import Workspace

blueprint = Blueprint("workspaces", __name__)
blueprint.nav = [
    NavEntry("Workspaces", "building-skyscraper", "workspaces.workspaces", group="settings:People", order=42)
]


@blueprint.get("/workspaces/<int:workspace_id>", permission=Permission.READ_RUNBOOKS)
def switch(workspace_id: int) -> Any:
    workspace = queries.workspace_for(current_user, workspace_id, Permission.READ_RUNBOOKS)
    session["workspace"] = workspace.id
    return see_other(local_path(request.args.get("next"), "/"))


@blueprint.get("/settings/workspaces", permission=Permission.MANAGE_MEMBERS)
def workspaces() -> Any:
    return _workspaces()


@blueprint.post("/settings/workspaces", permission=Permission.MANAGE_WORKSPACES)
def add_workspace() -> Any:
    form = WorkspaceForm()
    if form.validate():
        try:
            workspace = operations.create_workspace(name=form.name.data, by=current_user)
        except operations.WorkspaceRefused as refusal:
            form.name.errors = [str(refusal)]
        else:
            db.session.commit()
            return told(
                url_for("workspaces.workspace", workspace_id=workspace.id),
                f"{workspace.name} is created. Add its people now.",
            )
    return _workspaces(new_form=form, status=422)


@blueprint.get("/settings/workspaces/<int:workspace_id>", permission=Permission.MANAGE_MEMBERS)
def workspace(workspace_id: int) -> Any:
    return _workspaces(queries.workspace_for(current_user, workspace_id, Permission.MANAGE_MEMBERS))


@blueprint.post("/settings/workspaces/<int:workspace_id>", permission=Permission.MANAGE_MEMBERS)
def save_workspace(workspace_id: int) -> Any:
    workspace = queries.workspace_for(current_user, workspace_id, Permission.MANAGE_MEMBERS)
    form = WorkspaceForm()
    if form.validate():
        try:
            operations.rename_workspace(workspace, form.name.data, by=current_user)
        except operations.WorkspaceRefused as refusal:
            form.name.errors = [str(refusal)]
        else:
            db.session.commit()
            return told(_here(workspace), f"{workspace.name} is saved.")
    return _workspaces(workspace, form=form, status=422)


@blueprint.post("/settings/workspaces/<int:workspace_id>/members", permission=Permission.MANAGE_MEMBERS)
def add_member(workspace_id: int) -> Any:
    workspace = queries.workspace_for(current_user, workspace_id, Permission.MANAGE_MEMBERS)
    form = _member_form(workspace)
    if not form.validate():
        return _workspaces(workspace, member_form=form, status=422)
    person = accounts.user_for(form.user_id.data)
    operations.set_role(workspace, person, Role(form.role.data), by=current_user)
    db.session.commit()
    return told(_here(workspace), f"{person.name} is added.")


@blueprint.post(
    "/settings/workspaces/<int:workspace_id>/members/<int:user_id>", permission=Permission.MANAGE_MEMBERS
)
def save_member(workspace_id: int, user_id: int) -> Any:
    """Change one member's role; the role "" takes them out."""
    workspace = queries.workspace_for(current_user, workspace_id, Permission.MANAGE_MEMBERS)
    person = accounts.user_for(user_id)
    if person.role_in(workspace.id) is None:
        abort(404)
    wanted = request.form.get("role", "")
    if wanted and wanted not in WORKSPACE_ROLES:
        abort(400)
    try:
        if wanted:
            operations.set_role(workspace, person, Role(wanted), by=current_user)
        else:
            operations.remove_member(workspace, person, by=current_user)
    except operations.WorkspaceRefused as refusal:
        return told(_here(workspace), str(refusal), "bad")
    db.session.commit()
    return told(_here(workspace), f"{person.name} is {'saved' if wanted else 'taken out'}.")


@blueprint.post("/settings/workspaces/<int:workspace_id>/archive", permission=Permission.MANAGE_WORKSPACES)
def archive(workspace_id: int) -> Any:
    workspace = queries.workspace_for(current_user, workspace_id, Permission.MANAGE_WORKSPACES)
    operations.archive_workspace(workspace, by=current_user)
    db.session.commit()
    return told(url_for("workspaces.workspaces"), f"{workspace.name} is archived. Nothing in it is deleted.")


@blueprint.post("/settings/workspaces/<int:workspace_id>/restore", permission=Permission.MANAGE_WORKSPACES)
def restore(workspace_id: int) -> Any:
    workspace = queries.workspace_for(current_user, workspace_id, Permission.MANAGE_WORKSPACES)
    operations.restore_workspace(workspace, by=current_user)
    db.session.commit()
    return told(_here(workspace), f"{workspace.name} is back.")


def _here(workspace: Workspace) -> str:
    return url_for("workspaces.workspace", workspace_id=workspace.id)


def _member_form(workspace: Workspace) -> MemberForm:
    form = MemberForm()
    inside = {membership.user_id for membership in queries.memberships_of(workspace.id)}
    form.user_id.choices = {
        person.id: f"{person.name} ({person.email})"
        for person in accounts.active_users()
        if person.id not in inside
    }
    return form


def _workspaces(
    opened: Workspace | None = None,
    form: WorkspaceForm | None = None,
    new_form: WorkspaceForm | None = None,
    member_form: MemberForm | None = None,
    status: int = 200,
) -> Any:
    shown = [
        each
        for each in queries.all_workspaces(archived=True)
        if can(current_user, Permission.MANAGE_MEMBERS, each)
    ]
    return page(
        "workspaces/workspaces.html",
        status=status,
        shown=shown,
        counts=queries.member_counts(),
        opened=opened,
        memberships=queries.memberships_of(opened.id) if opened else [],
        roles=WORKSPACE_ROLES,
        form=form or (WorkspaceForm(formdata=None, obj=opened) if opened else None),
        new_form=new_form or WorkspaceForm(formdata=None),
        new_open=new_form is not None,
        member_form=member_form or (_member_form(opened) if opened else None),
        may_create=can(current_user, Permission.MANAGE_WORKSPACES),
    )


def _switcher() -> dict[str, Any]:
    """The workspace switcher of every signed-in page."""
    if not current_user.is_authenticated:
        return {}
    mine = queries.workspaces_of(current_user)
    chosen = session.get("workspace")
    return {
        "workspaces": mine,
        "workspace": next((each for each in mine if each.id == chosen), mine[0] if mine else None),
    }


def init_app(app: Flask) -> None:
    app.register_blueprint(blueprint)
    app.context_processor(_switcher)
