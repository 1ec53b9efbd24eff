"""Verbs about actions."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select

from webapp.accounts.models import User
from webapp.audit.operations import record
from webapp.clock import now
from webapp.extensions import db
from webapp.integrations.authorizations import AUTHORIZATIONS
from webapp.integrations.models import Action, Connection
from webapp.integrations.operations import sign_ins
from webapp.integrations.operations.refusals import CredentialsWouldMove, IntegrationRefused
from webapp.integrations.operations.secrets import seal_secrets, secrets_of
from webapp.integrations.settings import (
    GENERAL_FIELDS,
    REQUEST_FIELDS,
    Authorization,
    General,
    RequestSettings,
    moves,
    target_of,
)
from webapp.workspaces.models import Workspace


@dataclass(frozen=True)
class Saved:
    """What saving an action did beside the saving: how many sign-ins it ended."""

    sign_ins_ended: int = 0


def create_action(
    connection: Connection,
    general: General,
    *,
    is_global: bool,
    workspaces: Iterable[Workspace] = (),
    authorization: Authorization | None = None,
    request: RequestSettings | None = None,
    by: User | None,
) -> Action:
    """Add an action; its visibility cannot be changed afterwards.

    Raises IntegrationRefused where it would be visible nowhere.
    """
    chosen = [] if is_global else list(workspaces)
    if not is_global and not chosen:
        raise IntegrationRefused("Choose at least one workspace, or all workspaces.", "workspaces")
    position = db.session.scalar(
        select(func.count()).select_from(Action).where(Action.connection_id == connection.id)
    )
    action = Action(connection=connection, position=position or 0, is_global=is_global, workspaces=chosen)
    _assign(action, general, GENERAL_FIELDS)
    _assign(action, request or RequestSettings(), REQUEST_FIELDS)
    authorization = authorization or Authorization()
    action.authorization, action.authorization_settings = authorization.kind, dict(authorization.settings)
    db.session.add(action)
    db.session.flush()
    if authorization.secrets:
        seal_secrets(action, authorization.secrets, by=by)
    record("action.created", action, by=by, after=action_facts(action))
    return action


def save_action(
    action: Action,
    *,
    general: General,
    authorization: Authorization,
    request: RequestSettings,
    by: User,
    sign_ins_may_end: bool = False,
) -> Saved:
    """Save the editor's three tabs.

    `revision` rises where what is sent or how it is authorized changed. Stored secrets stay where none is
    typed anew. Raises CredentialsWouldMove where they, or granted tokens, would follow to another address or
    client.
    """
    before, seal_before = action_facts(action), action.authorization_secrets
    stored = secrets_of(action)
    wanted = AUTHORIZATIONS[authorization.kind].secret_fields
    typed = {name: value for name, value in authorization.secrets.items() if value and name in wanted}
    reasons = moves(
        target_of(AUTHORIZATIONS.label(action.authorization), action.authorization_settings, action.url),
        target_of(AUTHORIZATIONS.label(authorization.kind), authorization.settings, request.url),
    )
    signed_in = sign_ins.count_authentications(action.id) if reasons else 0
    if reasons:
        missing = [name for name in wanted if name in stored and name not in typed]
        if missing or (signed_in and not sign_ins_may_end):
            raise CredentialsWouldMove(reasons, missing, signed_in)

    _assign(action, general, GENERAL_FIELDS)
    _assign(action, request, REQUEST_FIELDS)
    action.authorization, action.authorization_settings = authorization.kind, dict(authorization.settings)
    kept = {} if reasons else {name: value for name, value in stored.items() if name in wanted}
    if typed or kept != stored:
        seal_secrets(action, {**kept, **typed}, by=by)
    ended = (
        sign_ins.end_authentications(action, by=by, note=f"Ended because {reasons[0].sentence}.")
        if reasons
        else 0
    )
    if not reasons:
        sign_ins.bind_unbound(action)

    after = action_facts(action)
    if typed:
        after["secrets_replaced"] = sorted(typed)
    if any(before.get(key) != after.get(key) for key in after if key in _SENT) or (
        seal_before != action.authorization_secrets
    ):
        action.revision += 1
    if before != after:
        record("action.updated", action, by=by, before=before, after=after)
    return Saved(sign_ins_ended=ended)


def archive_action(action: Action, *, by: User) -> None:
    """No new task can choose it; tasks that have it keep it. Doing it twice changes nothing."""
    if action.archived_at is None:
        action.archived_at = now()
        record("action.archived", action, by=by)


def restore_action(action: Action, *, by: User) -> None:
    """Undo archive_action."""
    if action.archived_at is not None:
        action.archived_at = None
        record("action.restored", action, by=by)


def action_facts(action: Action) -> dict[str, Any]:
    """What audit lines say about an action: everything but its secrets, of which only the names."""
    facts: dict[str, Any] = {name: getattr(action, name) for name in (*GENERAL_FIELDS, *REQUEST_FIELDS)}
    facts["visibility"] = "all workspaces" if action.is_global else workspace_names(action.workspaces)
    facts["authorization"] = action.authorization
    facts["authorization_settings"] = dict(action.authorization_settings)
    facts["secrets"] = sorted(secrets_of(action))
    return facts


_SENT = frozenset({*REQUEST_FIELDS, "authorization", "authorization_settings"})


def _assign(action: Action, values: General | RequestSettings, names: Iterable[str]) -> None:
    for name in names:
        setattr(action, name, getattr(values, name))


def workspace_names(workspaces: Iterable[Workspace]) -> list[str]:
    """Their names in order."""
    return sorted(workspace.name for workspace in workspaces)
