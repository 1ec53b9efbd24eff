"""Verbs about connections."""

from __future__ import annotations

from typing import Any

from sqlalchemy import func, select

from webapp.accounts.models import User
from webapp.audit.operations import record
from webapp.clock import now
from webapp.extensions import db
from webapp.integrations.models import Connection
from webapp.integrations.operations.refusals import IntegrationRefused
from webapp.integrations.operations.secrets import seal_sandbox_token
from webapp.integrations.rehearsals import RehearsalRule
from webapp.integrations.settings import is_origin


def create_connection(
    *, name: str, image_url: str = "", predefined: str | None = None, by: User | None
) -> Connection:
    """Add a connection without actions. Raises IntegrationRefused for a name that is in use."""
    _refuse_taken_name(name)
    connection = Connection(
        name=name, image_url=image_url, predefined=predefined, created_by_id=by.id if by else None
    )
    db.session.add(connection)
    db.session.flush()
    record("connection.created", connection, by=by, after=_connection_facts(connection))
    return connection


def update_connection(connection: Connection, *, name: str, image_url: str, by: User) -> None:
    """Rename it or change its image. Raises IntegrationRefused for a name that is in use."""
    before = _connection_facts(connection)
    if name != connection.name:
        _refuse_taken_name(name, beside=connection.id)
    connection.name, connection.image_url = name, image_url
    if before != _connection_facts(connection):
        record("connection.updated", connection, by=by, before=before, after=_connection_facts(connection))


def set_rehearsal(
    connection: Connection, rule: RehearsalRule, *, sandbox_address: str, sandbox_token: str = "", by: User
) -> None:
    """Say where its calls go in a rehearsal. An empty token keeps the stored one, as long as the address stays.

    Raises IntegrationRefused for an address that is no scheme, host and port.
    """
    address = sandbox_address.strip().rstrip("/").lower()
    if address and not is_origin(address):
        raise IntegrationRefused(
            "Write scheme, host and port only, such as https://sandbox.example.com. The path stays the action’s.",
            "sandbox_address",
        )
    if rule == RehearsalRule.SANDBOX and not address:
        raise IntegrationRefused("Enter the address that is called instead.", "sandbox_address")
    before = _rehearsal_facts(connection)
    moved = address != connection.sandbox_address
    connection.rehearsal_rule, connection.sandbox_address = rule, address
    if sandbox_token or moved:
        seal_sandbox_token(connection, sandbox_token)
    after = _rehearsal_facts(connection)
    if before != after or sandbox_token:
        note = "The sandbox token was replaced." if sandbox_token else None
        record("connection.rehearsal_changed", connection, by=by, before=before, after=after, note=note)


def archive_connection(connection: Connection, *, by: User) -> None:
    """Take it and its actions out of what new tasks can use. Nothing is deleted; twice is as good as once."""
    if connection.archived_at is None:
        connection.archived_at = now()
        record("connection.archived", connection, by=by)


def restore_connection(connection: Connection, *, by: User) -> None:
    """Undo archive_connection."""
    if connection.archived_at is not None:
        connection.archived_at = None
        record("connection.restored", connection, by=by)


def free_name(wanted: str) -> str:
    """`wanted`, or `wanted 2`, `wanted 3`, … where a connection has that name already."""
    taken = {name.lower() for name in db.session.scalars(select(Connection.name))}
    name, number = wanted, 1
    while name.lower() in taken:
        number += 1
        name = f"{wanted} {number}"
    return name


def _connection_facts(connection: Connection) -> dict[str, Any]:
    return {
        "name": connection.name,
        "image_url": connection.image_url,
        "predefined": connection.predefined,
    }


def _rehearsal_facts(connection: Connection) -> dict[str, Any]:
    return {
        "rehearsal_rule": connection.rehearsal_rule,
        "sandbox_address": connection.sandbox_address,
        "sandbox_token": "set" if connection.sealed_sandbox_token else "none",
    }


def _refuse_taken_name(name: str, *, beside: int | None = None) -> None:
    taken = select(Connection.id).where(func.lower(Connection.name) == name.lower(), Connection.id != beside)
    if db.session.scalar(taken) is not None:
        raise IntegrationRefused(
            "Another connection has this name. Choose one that tells them apart.", "name"
        )
