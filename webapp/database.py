"""How the database is opened: SQLite so that one writer waits for another, PostgreSQL so that a dead connection is noticed."""

from __future__ import annotations

import time
from typing import Any

from flask import Flask, current_app, has_request_context, request
from sqlalchemy import Engine, event, make_url
from sqlalchemy.exc import OperationalError

WRITER_WAITS_S = 15.0
STATEMENT_WAITS_MS = 100
_RETRY_AFTER_S = 0.01


def engine_options(url: str) -> dict[str, Any]:
    """Options of create_engine for that URL."""
    if make_url(url).get_backend_name() == "sqlite":
        return {"connect_args": {"timeout": WRITER_WAITS_S}}
    # Days are counted in UTC, whatever zone the server is set to.
    in_utc = {"options": "-c timezone=utc"}
    return {"connect_args": in_utc, "pool_pre_ping": True, "pool_size": 10, "max_overflow": 20}


def configure(app: Flask) -> None:
    """Set up every connection of the app's engine."""
    from webapp.extensions import db

    with app.app_context():
        configure_engine(db.engine)


def configure_engine(engine: Engine) -> None:
    """Set up an engine's connections; does nothing for PostgreSQL."""
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _on_connect)
        event.listen(engine, "begin", _on_begin)


def _on_connect(connection: Any, _record: Any) -> None:
    # pysqlite begins transactions by itself and late; SQLAlchemy's documentation has it turned off, and BEGIN sent.
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=NORMAL")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.execute(f"PRAGMA busy_timeout={STATEMENT_WAITS_MS}")
    cursor.close()


def _on_begin(connection: Any) -> None:
    # A transaction that reads first and writes later would fail with SQLITE_BUSY instead of waiting, so whoever may
    # write takes the lock at once. Pages that only read never wait in WAL mode, and never make a writer wait.
    if _only_reads():
        connection.exec_driver_sql("BEGIN")
        return
    # The waiting is done here and not within SQLite, which would stop every greenlet of the web process, the one that
    # holds the lock included.
    give_up = time.monotonic() + WRITER_WAITS_S
    while True:
        try:
            connection.exec_driver_sql("BEGIN IMMEDIATE")
            return
        except OperationalError as error:
            if not _is_busy(error) or time.monotonic() > give_up:
                raise
        time.sleep(_RETRY_AFTER_S)


def _is_busy(error: OperationalError) -> bool:
    return getattr(error.orig, "sqlite_errorname", "").startswith("SQLITE_BUSY")


def _only_reads() -> bool:
    if not has_request_context() or request.method not in ("GET", "HEAD"):
        return False
    view = current_app.view_functions.get(request.endpoint or "")
    return not getattr(view, "writes", False)
