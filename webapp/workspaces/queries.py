"""Reads about workspaces and their members."""

from __future__ import annotations

from flask import abort
from sqlalchemy import func, select
from sqlalchemy.orm import joinedload

from webapp.accounts.models import User
from webapp.extensions import db
from webapp.permissions import Permission, can
from webapp.workspaces.models import Membership, Workspace


def workspaces_of(user: User) -> list[Workspace]:
    """The workspaces that the user belongs to, by name, without archived ones."""
    query = (
        select(Workspace)
        .join(Membership)
        .where(Membership.user_id == user.id, Workspace.archived_at.is_(None))
        .order_by(func.lower(Workspace.name))
    )
    return list(db.session.scalars(query))


def all_workspaces(*, archived: bool = False) -> list[Workspace]:
    """Every workspace, by name; archived ones only where asked for."""
    query = select(Workspace).order_by(func.lower(Workspace.name))
    if not archived:
        query = query.where(Workspace.archived_at.is_(None))
    return list(db.session.scalars(query))


def workspace_for(user: User, workspace_id: int, permission: Permission) -> Workspace:
    """The workspace, for someone who holds the permission on it.

    404 for a workspace that the user can neither see as a member nor manage; 403 for a member without the permission.
    """
    workspace = db.session.get(Workspace, workspace_id)
    if workspace is None:
        abort(404)
    if not can(user, permission, workspace):
        abort(403 if user.role_in(workspace_id) else 404)
    return workspace


def members_of(workspace_id: int) -> list[User]:
    """The people of one workspace, by name, without deactivated ones."""
    query = (
        select(User)
        .join(Membership, Membership.user_id == User.id)
        .where(Membership.workspace_id == workspace_id, User.active)
        .order_by(func.lower(User.name))
    )
    return list(db.session.scalars(query))


def memberships_of(workspace_id: int) -> list[Membership]:
    """Everyone's membership in one workspace, by name, deactivated people too."""
    query = (
        select(Membership)
        .join(Membership.user)
        .where(Membership.workspace_id == workspace_id)
        .options(joinedload(Membership.user))
        .order_by(func.lower(User.name))
    )
    return list(db.session.scalars(query))


def member_counts() -> dict[int, int]:
    """Workspace id to how many people belong to it."""
    rows = db.session.execute(select(Membership.workspace_id, func.count()).group_by(Membership.workspace_id))
    return {row[0]: row[1] for row in rows}
