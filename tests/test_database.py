"""How SQLite is opened: constraints hold, writers queue, readers wait for nobody."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.exc import IntegrityError, OperationalError

from webapp import database


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    url = f"sqlite:///{tmp_path / 'test.db'}"
    engine = create_engine(url, **database.engine_options(url))
    database.configure_engine(engine)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE parent (id INTEGER PRIMARY KEY, count INTEGER)"))
        connection.execute(text("CREATE TABLE child (parent_id INTEGER REFERENCES parent (id))"))
        connection.execute(text("INSERT INTO parent VALUES (1, 0)"))
    yield engine
    engine.dispose()


def test_sqlite_is_opened_with_write_ahead_log_and_foreign_keys(engine: Engine) -> None:
    with engine.connect() as connection:
        names = ("journal_mode", "foreign_keys", "synchronous")
        found = {name: connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in names}
    assert found == {"journal_mode": "wal", "foreign_keys": 1, "synchronous": 1}


def test_a_row_that_refers_to_nothing_is_refused(engine: Engine) -> None:
    with pytest.raises(IntegrityError), engine.begin() as connection:
        connection.execute(text("INSERT INTO child VALUES (99)"))


def test_writers_that_read_first_queue_and_lose_nothing(engine: Engine) -> None:
    def add() -> None:
        for _ in range(20):
            with engine.begin() as connection:
                count = connection.execute(text("SELECT count FROM parent")).scalar_one()
                connection.execute(text("UPDATE parent SET count = :count"), {"count": count + 1})

    writers = [threading.Thread(target=add) for _ in range(4)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    with engine.connect() as connection:
        assert connection.execute(text("SELECT count FROM parent")).scalar_one() == 80


def test_a_writer_that_waits_too_long_fails_and_the_connection_stays_usable(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "WRITER_WAITS_S", 0.0)
    with engine.connect() as second:
        with engine.begin() as first:
            first.execute(text("UPDATE parent SET count = 1"))
            with pytest.raises(OperationalError, match="database is locked"):
                second.execute(text("UPDATE parent SET count = 2"))
        second.rollback()
        assert second.execute(text("SELECT count FROM parent")).scalar_one() == 1


def test_a_page_that_only_reads_does_not_wait_for_a_writer(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "WRITER_WAITS_S", 0.0)
    app = Flask("reader")
    with engine.begin() as writer:
        writer.execute(text("UPDATE parent SET count = 5"))
        with app.test_request_context("/", method="GET"), engine.connect() as reader:
            assert reader.execute(text("SELECT count FROM parent")).scalar_one() == 0


def test_postgresql_connections_are_checked_before_use() -> None:
    assert database.engine_options("postgresql+psycopg://host/name")["pool_pre_ping"] is True
