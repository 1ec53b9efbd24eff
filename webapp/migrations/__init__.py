"""The database's schema, step by step. The steps are in versions/, oldest first by their chain."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config as AlembicConfig
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from webapp.extensions import db

_LOCK = 7_305_112_040  # any number: of several machines that start at once, one migrates and the others wait


def upgrade() -> bool:
    """Bring the database to the newest step, within an app context. Whether anything had to be done."""
    with db.engine.connect() as connection:
        sqlite = connection.dialect.name == "sqlite"
        # Tables are rebuilt there, and dropping one must not delete what refers to it. The setting cannot be changed
        # within a transaction, so it goes past SQLAlchemy, which would begin one.
        if sqlite:
            _pragma(connection, "foreign_keys=OFF")
        try:
            with connection.begin():
                if not sqlite:
                    connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
                before = current(connection)
                command.upgrade(settings(connection), "head")
                changed = current(connection) != before
                if sqlite and changed:
                    _refuse_orphans(connection)
        finally:
            if sqlite:
                _pragma(connection, "foreign_keys=ON")
    return changed


def new_step(message: str) -> None:
    """Write a step that brings the schema to the models, for a person to read and mend."""
    with db.engine.connect() as connection:
        command.revision(settings(connection), message, autogenerate=True)


def is_current() -> bool:
    """Whether the database is at the newest step."""
    with db.engine.connect() as connection:
        newest = ScriptDirectory.from_config(settings(connection)).get_current_head()
        return current(connection) == newest


def current(connection: Connection) -> str | None:
    """The step that the database is at; None for an empty one."""
    return MigrationContext.configure(connection).get_current_revision()


def settings(connection: Connection) -> AlembicConfig:
    """Alembic's settings: this folder, and the connection to work on."""
    found = AlembicConfig()
    found.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    found.set_main_option("file_template", "%%(year)d_%%(month).2d_%%(day).2d_%%(slug)s")
    found.attributes["connection"] = connection
    return found


def _pragma(connection: Connection, pragma: str) -> None:
    raw = connection.connection.dbapi_connection
    if raw is not None:
        raw.cursor().execute(f"PRAGMA {pragma}")


def _refuse_orphans(connection: Connection) -> None:
    orphans = connection.exec_driver_sql("PRAGMA foreign_key_check").fetchall()
    if orphans:
        raise RuntimeError(f"the migration would leave rows that refer to nothing: {orphans[:5]}")
