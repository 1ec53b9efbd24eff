"""Reads about connections and actions. `*_for` loads and authorises in one step."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable
from typing import Any

from flask import abort
from sqlalchemy import func, select
from sqlalchemy.orm import joinedload, selectinload

from webapp.accounts.models import User
from webapp.extensions import db
from webapp.integrations.models import Action, Authentication, Connection
from webapp.permissions import Permission, can
from webapp.workspaces.models import Workspace


def connection_for(user: User, connection_id: int, *, for_change: bool = False) -> Connection:
    """The connection with its actions, for someone who manages integrations; 404 or 403 otherwise.

    `for_change` locks the row until the transaction ends (where the database can), so that of two people who
    save at once the second one sees what the first one saved.
    """
    _demand(user)
    query = select(Connection).where(Connection.id == connection_id).options(selectinload(Connection.actions))
    if for_change:
        query = query.with_for_update().execution_options(populate_existing=True)
    return db.session.scalar(query) or abort(404)


def action_for(
    user: User, action_id: int, *, connection_id: int | None = None, for_change: bool = False
) -> Action:
    """The action with its connection, for someone who manages integrations; 404 or 403 otherwise.

    404 too where it is not one of that connection's. `for_change` as in connection_for.
    """
    _demand(user)
    query = select(Action).where(Action.id == action_id).options(joinedload(Action.connection))
    if connection_id is not None:
        query = query.where(Action.connection_id == connection_id)
    if for_change:
        query = query.with_for_update(of=Action).execution_options(populate_existing=True)
    return db.session.scalar(query) or abort(404)


def connections(*, text: str = "", archived: bool = False) -> list[Connection]:
    """Connections with their actions, oldest first, so a new one is at the bottom. `text` narrows by name."""
    query = select(Connection).options(selectinload(Connection.actions)).order_by(Connection.id)
    query = query.where(Connection.archived_at.is_not(None) if archived else Connection.archived_at.is_(None))
    if text:
        named = func.lower(Connection.name).contains(text.lower(), autoescape=True)
        doing = Connection.actions.any(func.lower(Action.name).contains(text.lower(), autoescape=True))
        query = query.where(named | doing)
    return list(db.session.scalars(query))


def count_archived_connections() -> int:
    """How many connections are archived."""
    query = select(func.count()).select_from(Connection).where(Connection.archived_at.is_not(None))
    return db.session.scalar(query) or 0


def actions_in(workspace_id: int) -> list[Action]:
    """The actions that tasks of the workspace can use: visible there, and nothing about them archived."""
    visible = Action.is_global | Action.workspaces.any(Workspace.id == workspace_id)
    return list(db.session.scalars(_offered().where(visible)))


def action_choices(kept: Collection[int] = ()) -> list[tuple[int, str]]:
    """(id, "Connection: Action") of every action that is not archived, for a select.

    Those of `kept` follow although they are archived, and say so.
    """
    found = {
        action.id: f"{action.connection.name}: {action.name}" for action in db.session.scalars(_offered())
    }
    gone = [action_id for action_id in kept if action_id not in found]
    if gone:
        query = select(Action).where(Action.id.in_(gone)).options(joinedload(Action.connection))
        for action in db.session.scalars(query.order_by(Action.id)):
            found[action.id] = f"{action.connection.name}: {action.name} (archived)"
    return list(found.items())


def functional_authentications(action_ids: Iterable[int]) -> dict[int, Authentication]:
    """Action id to the functional user's authentication, where there is one."""
    query = select(Authentication).where(
        Authentication.action_id.in_(list(action_ids)), Authentication.task_id.is_(None)
    )
    return {found.action_id: found for found in db.session.scalars(query)}


def authentications_of(action_id: int) -> list[tuple[Authentication, User | None]]:
    """Everyone whose sign-in the action holds: the functional user first, then task users, newest first.

    The user is the person whose token it is, None for the functional user's.
    """
    query = (
        select(Authentication, User)
        .outerjoin(User, User.id == Authentication.user_id)
        .where(Authentication.action_id == action_id)
        .options(joinedload(Authentication.granted_by))
        .order_by(Authentication.task_id.is_not(None), Authentication.granted_at.desc())
    )
    return [(authentication, user) for authentication, user in db.session.execute(query)]


def edition(thing: Connection | Action) -> str:
    """A short text that changes with every saved change of the row: forms carry it, to notice one in between.

    It covers the row's own columns; sealed secrets by the moment they were saved.
    """
    facts: dict[str, Any] = {}
    for column in thing.__table__.columns:
        value = getattr(thing, column.name)
        facts[column.name] = hashlib.sha256(value).hexdigest() if isinstance(value, bytes) else value
    packed = json.dumps(facts, sort_keys=True, default=str)
    return hashlib.sha256(packed.encode()).hexdigest()[:20]


def _offered() -> Any:
    return (
        select(Action)
        .join(Action.connection)
        .where(Action.archived_at.is_(None), Connection.archived_at.is_(None))
        .options(joinedload(Action.connection))
        .order_by(func.lower(Connection.name), Action.position, Action.id)
    )


def _demand(user: User) -> None:
    if not can(user, Permission.MANAGE_INTEGRATIONS):
        abort(403)
