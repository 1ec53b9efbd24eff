"""What actions and connections keep secret: sealed under the row's own key, opened only to be used or sealed again."""

from __future__ import annotations

from collections.abc import Mapping

from flask import current_app

from webapp.accounts.models import User
from webapp.clock import now
from webapp.integrations.models import Action, Connection


def secrets_of(action: Action) -> dict[str, str]:
    """The action's stored secrets by field name, opened."""
    if action.authorization_secrets is None:
        return {}
    opened: dict[str, str] = current_app.extensions["vault"].open(
        action.secrets_row_key, action.authorization_secrets
    )
    return opened


def seal_secrets(action: Action, secrets: Mapping[str, str], *, by: User | None) -> None:
    """Replace what is stored, and note who did it and when; an empty mapping stores nothing."""
    vault = current_app.extensions["vault"]
    action.authorization_secrets = vault.seal(action.secrets_row_key, dict(secrets)) if secrets else None
    action.secrets_saved_at = now() if secrets else None
    action.secrets_saved_by = (by.name if by else "Runsheet") if secrets else None


def sandbox_token_of(connection: Connection) -> str:
    """The token for the connection's sandbox address, opened; "" where there is none."""
    if connection.sealed_sandbox_token is None:
        return ""
    return str(
        current_app.extensions["vault"].open(connection.secrets_row_key, connection.sealed_sandbox_token)
    )


def seal_sandbox_token(connection: Connection, token: str) -> None:
    """Replace the token for the connection's sandbox address; "" stores none."""
    vault = current_app.extensions["vault"]
    connection.sealed_sandbox_token = vault.seal(connection.secrets_row_key, token) if token else None
