"""Run by Alembic for each command; the connection and its transaction are webapp.migrations'."""

from __future__ import annotations

from alembic import context

from webapp.extensions import db

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=db.metadata,
    # SQLite cannot alter most things: the table is rebuilt.
    render_as_batch=True,
    compare_type=True,
    compare_server_default=False,
    user_module_prefix="webapp.extensions.",
)
with context.begin_transaction():
    context.run_migrations()
