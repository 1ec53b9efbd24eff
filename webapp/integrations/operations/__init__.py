"""Verbs about connections, actions and sign-ins. Each checks, writes and audits; none commits."""

from __future__ import annotations

from webapp.integrations.operations.actions import (
    Saved,
    action_facts,
    archive_action,
    create_action,
    restore_action,
    save_action,
)
from webapp.integrations.operations.connections import (
    archive_connection,
    create_connection,
    free_name,
    restore_connection,
    set_rehearsal,
    update_connection,
)
from webapp.integrations.operations.predefined import (
    create_from_template,
    create_predefined,
    duplicate_action,
)
from webapp.integrations.operations.refusals import CredentialsWouldMove, IntegrationRefused
from webapp.integrations.operations.secrets import secrets_of
from webapp.integrations.operations.sign_ins import count_authentications, end_authentications, mark_refused

__all__ = [
    "CredentialsWouldMove",
    "IntegrationRefused",
    "Saved",
    "action_facts",
    "archive_action",
    "archive_connection",
    "count_authentications",
    "create_action",
    "create_connection",
    "create_from_template",
    "create_predefined",
    "duplicate_action",
    "end_authentications",
    "free_name",
    "mark_refused",
    "restore_action",
    "restore_connection",
    "save_action",
    "secrets_of",
    "set_rehearsal",
    "update_connection",
]
