"""Who may do what: the one role × permission table, and `can`, the one function that reads it.

Global roles belong to a user, workspace roles to a user in one workspace; a runbook's owners and a task's
assignees hold a role on that one thing. A global role gives no sight of runbooks. The roles page renders
TABLE as it stands here.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Protocol


class Permission(StrEnum):
    """What a route or an operation demands. The value is what the roles page and the audit say."""

    PUBLIC = "be anyone"
    SIGNED_IN = "be signed in"

    MANAGE_USERS = "manage users and roles"
    MANAGE_WORKSPACES = "manage workspaces"
    MANAGE_INTEGRATIONS = "manage integrations"
    MANAGE_FIELDS = "manage custom fields"
    READ_INTEGRATION_RUNS = "read every integration run"
    READ_AUDIT = "read the audit log"

    MANAGE_MEMBERS = "manage a workspace's members"
    READ_RUNBOOKS = "read runbooks"
    CREATE_RUNBOOKS = "create runbooks"
    EDIT_RUNBOOKS = "edit runbooks"
    APPROVE_TEMPLATES = "approve templates"
    CONDUCT_RUNBOOKS = "start and end a runbook's live run"
    RUN_TASKS = "start, finish and skip tasks"
    COMMENT = "comment on tasks"


class Role(StrEnum):
    """A role's stored key. GLOBAL_ROLES and WORKSPACE_ROLES say where each may be held."""

    ADMINISTRATOR = "administrator"
    INTEGRATION_ADMIN = "integration_admin"
    CUSTOM_FIELDS_ADMIN = "custom_fields_admin"
    AUDITOR = "auditor"

    MANAGER = "manager"
    EDITOR = "editor"
    MEMBER = "member"
    VIEWER = "viewer"

    OWNER = "owner"
    ASSIGNEE = "assignee"

    @property
    def label(self) -> str:
        """The role's name as pages write it."""
        return {"integration_admin": "Integration Admin", "custom_fields_admin": "Custom Fields Admin"}.get(
            self.value, self.value.capitalize()
        )


GLOBAL_ROLES = (Role.ADMINISTRATOR, Role.INTEGRATION_ADMIN, Role.CUSTOM_FIELDS_ADMIN, Role.AUDITOR)
WORKSPACE_ROLES = (Role.MANAGER, Role.EDITOR, Role.MEMBER, Role.VIEWER)
THING_ROLES = (Role.OWNER, Role.ASSIGNEE)

_P = Permission
_RUN = frozenset({_P.READ_RUNBOOKS, _P.RUN_TASKS, _P.COMMENT})
_EDIT = _RUN | {_P.CREATE_RUNBOOKS, _P.EDIT_RUNBOOKS, _P.CONDUCT_RUNBOOKS}

TABLE: dict[Role, frozenset[Permission]] = {
    Role.ADMINISTRATOR: frozenset({_P.MANAGE_USERS, _P.MANAGE_WORKSPACES, _P.MANAGE_MEMBERS, _P.READ_AUDIT}),
    Role.INTEGRATION_ADMIN: frozenset({_P.MANAGE_INTEGRATIONS, _P.READ_INTEGRATION_RUNS}),
    Role.CUSTOM_FIELDS_ADMIN: frozenset({_P.MANAGE_FIELDS}),
    Role.AUDITOR: frozenset({_P.READ_AUDIT, _P.READ_INTEGRATION_RUNS}),
    Role.MANAGER: _EDIT | {_P.MANAGE_MEMBERS, _P.APPROVE_TEMPLATES},
    Role.EDITOR: frozenset(_EDIT),
    Role.MEMBER: _RUN,
    Role.VIEWER: frozenset({_P.READ_RUNBOOKS}),
    Role.OWNER: frozenset(_EDIT - {_P.CREATE_RUNBOOKS}),
    Role.ASSIGNEE: _RUN,
}


class Holder(Protocol):
    """A user, as far as permissions care."""

    @property
    def is_authenticated(self) -> bool: ...

    @property
    def global_roles(self) -> frozenset[Role]: ...

    def role_in(self, workspace_id: int) -> Role | None:
        """The user's role in that workspace, or None."""
        ...

    def workspace_roles(self) -> dict[int, Role]:
        """Workspace id to role, for every workspace that the user belongs to."""
        ...


class Guarded(Protocol):
    """A thing that belongs to a workspace: a workspace, a runbook, a task."""

    @property
    def guard_workspace_id(self) -> int: ...

    def roles_of(self, user_id: int) -> frozenset[Role]:
        """OWNER and ASSIGNEE, where the user holds them on this one thing."""
        ...


def can(user: Holder, permission: Permission, thing: Guarded | None = None) -> bool:
    """Whether the user holds the permission: on `thing`, or, without one, globally or in any workspace.

    Without a thing the answer opens a page or shows a menu entry; acting on a thing always asks with it.
    """
    if permission is Permission.PUBLIC:
        return True
    if not user.is_authenticated:
        return False
    if permission is Permission.SIGNED_IN:
        return True
    if any(permission in TABLE[role] for role in user.global_roles):
        return True
    if thing is None:
        return any(permission in TABLE[role] for role in user.workspace_roles().values())
    role = user.role_in(thing.guard_workspace_id)
    if role is None:
        return False
    held = {role} | thing.roles_of(user.id)  # type: ignore[attr-defined]
    return any(permission in TABLE[each] for each in held)


def may_hold_on_a_thing(user: Holder, permission: Permission) -> bool:
    """Whether some runbook or task could give the user the permission, whatever their role in its workspace.

    Owners and assignees are members of the workspace, be it as viewers. Which thing it is, only `can` with it tells.
    """
    if not user.is_authenticated or not user.workspace_roles():
        return False
    return any(permission in TABLE[role] for role in THING_ROLES)
