"""The steps that make the database: they and the models say the same."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import Flask
from sqlalchemy import Delete, Update, create_engine, delete, insert, make_url, select, text, update
from sqlalchemy.exc import DBAPIError

from webapp import create_app, migrations
from webapp.audit.models import AuditLine
from webapp.config import Config
from webapp.extensions import db
from webapp.runbooks.models import Execution


@pytest.fixture
def empty_database(database_url: str, tmp_path: Path) -> Iterator[str]:
    """A database without a table, on the server that the tests use."""
    url = make_url(database_url)
    if url.get_backend_name() == "sqlite":
        yield f"sqlite:///{tmp_path / 'empty.db'}"
        return
    name = f"{url.database}_migrations"
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)'))
        connection.execute(text(f'CREATE DATABASE "{name}"'))
    yield url.set(database=name).render_as_string(hide_password=False)
    with engine.connect() as connection:
        connection.execute(text(f'DROP DATABASE "{name}" WITH (FORCE)'))
    engine.dispose()


@pytest.fixture
def fresh(empty_database: str, config: Config, tmp_path: Path) -> Iterator[Flask]:
    """The app on the empty database, within its context."""
    environ = {
        "DATABASE_URL": empty_database,
        "INSTANCE_PATH": str(tmp_path),
        "SECRETS_KEYS": config.secrets_keys[0],
        "SESSION_SECRET": config.session_secret,
    }
    app = create_app(Config.from_environment(environ))
    with app.app_context():
        yield app
        db.session.remove()
        db.engine.dispose()


def test_the_steps_make_exactly_what_the_models_say(fresh: Flask) -> None:
    assert not migrations.is_current()
    assert migrations.upgrade()
    with db.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        differences = compare_metadata(context, db.metadata)
    assert differences == [], 'Write the missing step: make migration NAME="what changes"'


def test_a_second_upgrade_changes_nothing(fresh: Flask) -> None:
    assert [migrations.upgrade(), migrations.upgrade(), migrations.is_current()] == [True, False, True]


def test_there_is_one_newest_step(fresh: Flask) -> None:
    with db.engine.connect() as connection:
        steps = ScriptDirectory.from_config(migrations.settings(connection))
        assert len(steps.get_heads()) == 1


@pytest.mark.parametrize("change", [update(AuditLine).values(verb="nothing"), delete(AuditLine)])
def test_the_database_itself_refuses_to_change_what_was_audited(
    fresh: Flask, change: Update | Delete
) -> None:
    migrations.upgrade()
    line = {"actor_name": "Ada", "verb": "user.created", "object_type": "user", "object_name": "Bo"}
    db.session.execute(insert(AuditLine).values(**line))
    db.session.commit()
    with pytest.raises(DBAPIError, match="audit lines are only ever added"):
        db.session.execute(change)
    db.session.rollback()
    assert db.session.scalars(select(AuditLine.verb)).all() == ["user.created"]


def test_what_was_started_before_rehearsals_were_kept_gets_its_row(fresh: Flask) -> None:
    with db.engine.begin() as connection:
        command.upgrade(migrations.settings(connection), "e5d20c7b94a6")
        workspace = (
            "INSERT INTO workspaces (id, name, color, created_at) VALUES (1, 'P', 0, CURRENT_TIMESTAMP)"
        )
        connection.execute(text(workspace))
        for number, (state, mode) in enumerate(
            [("planning", None), ("running", "live"), ("cancelled", "rehearsal")], 1
        ):
            moment = "CURRENT_TIMESTAMP"
            connection.execute(
                text(
                    "INSERT INTO runbooks (id, workspace_id, name, description, state, mode, seq, next_task_number,"
                    " message, started_at, ended_at, created_at, updated_at) VALUES"
                    f" ({number}, 1, 'Release', '', :state, :mode, 1, 1, '', {moment if mode else 'NULL'},"
                    f" {moment if state == 'cancelled' else 'NULL'}, {moment}, {moment})"
                ),
                {"state": state, "mode": mode},
            )
        lines = [
            (2, "started", "Rune", None),
            (3, "started", "Rune", None),
            (3, "cancelled", "Ada", "Enough"),
        ]
        for object_id, verb, name, note in lines:
            connection.execute(
                text(
                    "INSERT INTO audit_lines (at, actor_name, verb, object_type, object_id, object_name, note)"
                    " VALUES (CURRENT_TIMESTAMP, :name, :verb, 'runbooks', :object_id, 'Release', :note)"
                ),
                {"name": name, "verb": f"runbook.{verb}", "object_id": object_id, "note": note},
            )
    migrations.upgrade()
    found = db.session.scalars(select(Execution).order_by(Execution.runbook_id))
    assert [
        (each.runbook_id, each.label, each.standing, each.started_by, each.ended_by, each.reason, each.kept)
        for each in found
    ] == [
        (2, "Live run", "under way", "Rune", "", "", None),
        (3, "Rehearsal 1", "cancelled", "Rune", "Ada", "Enough", None),
    ]


def test_foreign_keys_are_checked_again_after_an_upgrade(fresh: Flask) -> None:
    migrations.upgrade()
    if db.engine.dialect.name == "sqlite":
        with db.engine.connect() as connection:
            assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1
