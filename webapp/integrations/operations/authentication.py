"""Signing in to another system: begin, take the pending sign-in back, keep what was granted, refresh, disconnect."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from flask import current_app
from sqlalchemy import Select, delete, select, update

from webapp.accounts.models import User
from webapp.audit.operations import record
from webapp.clock import now
from webapp.extensions import db
from webapp.integrations import oauth
from webapp.integrations.authorizations.oauth_code import uses_pkce
from webapp.integrations.models import Action, Authentication, PendingAuthentication
from webapp.integrations.operations.refusals import IntegrationRefused
from webapp.integrations.settings import origin_of

CALLBACK_PATH = "/api/integrations/oauth/authentications/payload_transformer/callback"
PENDING_FOR = timedelta(minutes=10)
REFRESH_LEASE = timedelta(seconds=45)


def redirect_uri() -> str:
    """The address that providers send people back to: fixed by PUBLIC_URL, never taken from a request."""
    return str(current_app.config["PUBLIC_URL"]).rstrip("/") + CALLBACK_PATH


def state_hash(state: str) -> str:
    """What is stored of a sign-in's state: its SHA-256, so a copy of the database starts no sign-in."""
    return hashlib.sha256(state.encode()).hexdigest()


def begin_authentication(action: Action, *, by: User, task_id: int | None, return_to: str) -> tuple[str, str]:
    """Prepare a sign-in: the provider's address and the state that ties the answer to this browser.

    `task_id` None signs the functional user in. `return_to` is a path of ours. Raises IntegrationRefused where the
    action is not set up for it.
    """
    settings = action.authorization_settings
    if (
        action.authorization != "oauth_code"
        or not settings.get("client_id")
        or not action.authorization_secrets
    ):
        raise IntegrationRefused("The action's Authorization tab is not filled in yet. Save it first.")
    state = secrets.token_urlsafe(32)
    verifier = secrets.token_urlsafe(64) if uses_pkce(settings) else None
    pending = PendingAuthentication(
        state_hash=state_hash(state),
        user_id=by.id,
        action_id=action.id,
        action_revision=action.revision,
        task_id=task_id,
        redirect_uri=redirect_uri(),
        return_to=return_to,
        expires_at=now() + PENDING_FOR,
    )
    if verifier is not None:
        pending.code_verifier = _vault().seal(pending.state_hash, verifier)
    db.session.execute(delete(PendingAuthentication).where(PendingAuthentication.expires_at < now()))
    db.session.add(pending)
    address = oauth.authorize_url(
        settings, redirect_uri=pending.redirect_uri, state=state, code_verifier=verifier
    )
    return address, state


def take_pending(state: str, *, by: User) -> PendingAuthentication | None:
    """The pending sign-in, used up by asking for it; None where it is unknown, someone else's or too old."""
    found = db.session.scalar(
        select(PendingAuthentication).where(PendingAuthentication.state_hash == state_hash(state))
    )
    if found is None:
        return None
    taken = db.session.scalar(
        delete(PendingAuthentication)
        .where(PendingAuthentication.id == found.id)
        .returning(PendingAuthentication.id)
    )
    db.session.expunge(found)
    usable = taken is not None and found.user_id == by.id and found.expires_at > now()
    return found if usable else None


def code_verifier(pending: PendingAuthentication) -> str | None:
    """The PKCE verifier of a pending sign-in, opened."""
    if pending.code_verifier is None:
        return None
    return str(_vault().open(pending.state_hash, pending.code_verifier))


def keep_granted(action: Action, granted: oauth.Granted, *, by: User, task_id: int | None) -> Authentication:
    """Store the token, sealed, in place of an earlier one for the same action, task and person."""
    found = db.session.scalar(_of(action.id, task_id, by.id))
    if found is None:
        found = Authentication(
            action_id=action.id,
            task_id=task_id,
            user_id=by.id if task_id else None,
            provider_host="",
            request_host="",
        )
        db.session.add(found)
        db.session.flush()
    found.provider_host = origin_of(action.authorization_settings["provider_host"])
    found.request_host = origin_of(action.url).partition("://")[2]
    found.identity = {**granted.identity, "label": _label(granted.identity)}
    found.granted_at, found.granted_by_id = now(), by.id
    _store(found, granted)
    record(
        "authentication.granted",
        found,
        by=by,
        after={**found.identity, "action": action.name, "as": "task user" if task_id else "functional user"},
    )
    return found


def disconnect(authentication: Authentication, *, by: User) -> None:
    """Forget the token. The other system is not told: some have no way to."""
    record("authentication.disconnected", authentication, by=by, before=dict(authentication.identity))
    db.session.delete(authentication)


def claim_refresh(authentication: Authentication) -> bool:
    """Whether this process is the one that fetches the next token; the others wait and read it (commit at once)."""
    moment = now()
    claimed = db.session.scalar(
        update(Authentication)
        .where(
            Authentication.id == authentication.id,
            Authentication.expires_at == authentication.expires_at,
            Authentication.refreshing_until.is_(None) | (Authentication.refreshing_until < moment),
        )
        .values(refreshing_until=moment + REFRESH_LEASE)
        .returning(Authentication.id)
        .execution_options(synchronize_session=False)
    )
    return claimed is not None


def keep_refreshed(authentication: Authentication, granted: oauth.Granted) -> None:
    """Store the next token before anything is sent with it; a rotated refresh token replaces the old one."""
    old = opened_token(authentication)
    if granted.refresh_token is None:
        granted = oauth.Granted(granted.access_token, old.get("refresh_token"), granted.expires_in, {})
    _store(authentication, granted)
    record("authentication.refreshed", authentication, by=None)


def give_up_refresh(authentication: Authentication) -> None:
    """End the claim without a new token, so that another process may try."""
    authentication.refreshing_until = None


def record_not_granted(action: Action | None, sentence: str, *, by: User) -> None:
    """Note a sign-in that came back without a token: about the action, or the person where it is not known."""
    record("authentication.not_granted", action or by, by=by, note=sentence)


def opened_token(authentication: Authentication) -> dict[str, Any]:
    """The stored token: access_token, and refresh_token where there is one."""
    if authentication.token is None:
        return {}
    opened: Mapping[str, Any] = _vault().open(authentication.secrets_row_key, authentication.token)
    return dict(opened)


def _store(authentication: Authentication, granted: oauth.Granted) -> None:
    held = {"access_token": granted.access_token, "refresh_token": granted.refresh_token}
    authentication.token = _vault().seal(
        authentication.secrets_row_key, {name: value for name, value in held.items() if value}
    )
    authentication.expires_at = now() + timedelta(seconds=granted.expires_in) if granted.expires_in else None
    authentication.refreshing_until = None
    authentication.refused_at, authentication.refusal = None, ""


def _of(action_id: int, task_id: int | None, user_id: int) -> Select[Authentication]:
    query = select(Authentication).where(Authentication.action_id == action_id)
    if task_id is None:
        return query.where(Authentication.task_id.is_(None))
    return query.where(Authentication.task_id == task_id, Authentication.user_id == user_id)


def _label(identity: Mapping[str, str]) -> str:
    user = identity.get("user") or identity.get("user_id") or "an account"
    return f"{user} in team {identity['team']}" if identity.get("team") else user


def _vault() -> Any:
    return current_app.extensions["vault"]
