"""An action's stored secrets: sealed under its own row key, opened only to be used or to be sealed again."""

from __future__ import annotations

from collections.abc import Mapping

from flask import current_app

from webapp.accounts.models import User
from webapp.clock import now
from webapp.integrations.models import Action


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
