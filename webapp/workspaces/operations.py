"""Verbs about workspaces. Each checks, writes and audits; none commits."""

from __future__ import annotations

from sqlalchemy import func, select

from webapp.accounts.models import User
from webapp.audit.operations import record
from webapp.clock import now
from webapp.extensions import db
from webapp.permissions import Role
from webapp.workspaces.models import Membership, Workspace


class WorkspaceRefused(Exception):
    """The change cannot be made; the text says why and what to do instead."""


def create_workspace(*, name: str, by: User | None, manager: User | None = None) -> Workspace:
    """Add a workspace, with its first manager where given. Raises WorkspaceRefused for a taken name."""
    _check_name(name)
    workspace = Workspace(name=name, color=sum(name.encode()) % 12)
    db.session.add(workspace)
    db.session.flush()
    record("workspace.created", workspace, by=by, after={"name": name}, workspace_id=workspace.id)
    if manager is not None:
        set_role(workspace, manager, Role.MANAGER, by=by)
    return workspace


def rename_workspace(workspace: Workspace, name: str, *, by: User) -> None:
    """Raises WorkspaceRefused for a taken name."""
    _check_name(name, but=workspace)
    before, workspace.name = {"name": workspace.name}, name
    record(
        "workspace.renamed", workspace, by=by, before=before, after={"name": name}, workspace_id=workspace.id
    )


def archive_workspace(workspace: Workspace, *, by: User) -> None:
    """Take the workspace out of menus. Nothing in it is deleted."""
    workspace.archived_at = now()
    record("workspace.archived", workspace, by=by, workspace_id=workspace.id)


def restore_workspace(workspace: Workspace, *, by: User) -> None:
    """Bring an archived workspace back."""
    workspace.archived_at = None
    record("workspace.restored", workspace, by=by, workspace_id=workspace.id)


def set_role(workspace: Workspace, user: User, role: Role, *, by: User | None) -> None:
    """Add the person to the workspace, or change the role they hold there.

    Raises WorkspaceRefused where the workspace would lose its last manager.
    """
    membership = _membership(workspace, user)
    before = {"role": Role(membership.role).label} if membership else None
    if membership is None:
        db.session.add(Membership(workspace=workspace, user=user, role=role))
    else:
        if membership.role == Role.MANAGER and role is not Role.MANAGER:
            _keep_a_manager(workspace)
        membership.role = role
    record(
        "member.role_set",
        user,
        by=by,
        before=before or {},
        after={"role": role.label},
        workspace_id=workspace.id,
        note=f"in {workspace.name}",
    )


def remove_member(workspace: Workspace, user: User, *, by: User) -> None:
    """Take the person out. Raises WorkspaceRefused where the workspace would lose its last manager."""
    membership = _membership(workspace, user)
    if membership is None:
        return
    if membership.role == Role.MANAGER:
        _keep_a_manager(workspace)
    role = Role(membership.role).label
    db.session.delete(membership)
    record(
        "member.removed",
        user,
        by=by,
        before={"role": role},
        after={},
        workspace_id=workspace.id,
        note=f"from {workspace.name}",
    )


def _membership(workspace: Workspace, user: User) -> Membership | None:
    query = select(Membership).where(Membership.workspace_id == workspace.id, Membership.user_id == user.id)
    return db.session.scalar(query)


def _keep_a_manager(workspace: Workspace) -> None:
    query = (
        select(func.count())
        .select_from(Membership)
        .where(Membership.workspace_id == workspace.id, Membership.role == Role.MANAGER)
    )
    if db.session.scalar(query) == 1:
        raise WorkspaceRefused("This is the workspace's only manager. Make someone else a manager first.")


def _check_name(name: str, but: Workspace | None = None) -> None:
    found = db.session.scalar(select(Workspace).where(func.lower(Workspace.name) == name.lower()))
    if found is not None and found is not but:
        raise WorkspaceRefused("A workspace has this name already.")
