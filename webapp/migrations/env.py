"""Run by Alembic for each command; the connection and its transaction are webapp.migrations'."""

from __future__ import annotations

from typing import Any, Literal

from alembic import context

from webapp.extensions import UtcDateTime, db


def _render(kind: str, thing: Any, _context: Any) -> str | Literal[False]:
    """Steps name the database's own types, so that they outlive our classes."""
    if kind == "type" and isinstance(thing, UtcDateTime):
        return "sa.DateTime(timezone=True)"
    return False


connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=db.metadata,
    # SQLite cannot alter most things: the table is rebuilt.
    render_as_batch=True,
    compare_type=True,
    compare_server_default=False,
    render_item=_render,
)
with context.begin_transaction():
    context.run_migrations()
