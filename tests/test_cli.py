"""The `runsheet` command: what each subcommand does, and the one sentence where it cannot."""

from __future__ import annotations

import configparser
import errno
import logging
import shlex
import socket
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from cryptography.fernet import Fernet

from tests.running import free_port
from webapp import create_app, processes
from webapp.cli import main
from webapp.config import Config
from webapp.logs import CHATTY
from webapp.secrets import Unreadable, Vault, generate_key

Run = Callable[..., Result]


@pytest.fixture(autouse=True)
def _logging_as_before() -> Iterator[None]:
    loggers = [logging.getLogger(name) for name in (None, *CHATTY)]
    handlers, levels = loggers[0].handlers[:], [each.level for each in loggers]
    yield
    loggers[0].handlers[:] = handlers
    for each, level in zip(loggers, levels, strict=True):
        each.setLevel(level)


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Run the command in an instance of its own, with nothing to read on standard input."""

    def invoke(*arguments: str, **environ: str) -> Result:
        settings = dict.fromkeys(("DATABASE_URL", "REDIS_URL", "ADMIN_EMAIL", "ADMIN_PASSWORD", "PORT"))
        return CliRunner().invoke(
            main, list(arguments), env={**settings, "INSTANCE_PATH": str(tmp_path), **environ}
        )

    return invoke


def test_the_help_names_the_commands_people_type(run: Run) -> None:
    shown = run("--help").output
    commands = shown.partition("Commands:\n")[2].strip().splitlines()
    assert [line.split()[0] for line in commands] == [
        *("admin", "demo", "migrate", "sandbox", "secrets", "serve", "web", "worker")
    ]


def test_a_new_key_is_one_that_seals(run: Run) -> None:
    key = run("secrets", "new-key").output.strip()
    assert Vault([key]).open("a:1", Vault([key]).seal("a:1", "secret")) == "secret"


def test_a_wrong_setting_ends_every_command_with_its_sentence(run: Run) -> None:
    # Not `web`: it patches the standard library for gevent, which would change this very process.
    for command in ("demo", "serve", "worker", "sandbox", "migrate"):
        result = run(command, LOG_LEVEL="loud")
        assert (result.exit_code, result.stderr) == (
            2,
            "runsheet: LOG_LEVEL is “LOUD”; set it to one of DEBUG, INFO, WARNING, ERROR.\n",
        )


def test_a_second_migration_finds_nothing_to_do(run: Run) -> None:
    assert [run("migrate").output for _ in range(2)] == [
        "The database was brought up to date.\n",
        "The database is up to date already.\n",
    ]


def test_a_database_that_cannot_be_opened_is_one_sentence(run: Run, tmp_path: Path) -> None:
    result = run("migrate", DATABASE_URL=f"sqlite:///{tmp_path}/missing/runsheet.db")
    assert (result.exit_code, result.stderr) == (
        2,
        "runsheet: the database of DATABASE_URL cannot be opened: unable to open database file\n",
    )


def test_an_administrator_is_made_once(run: Run) -> None:
    made = ("admin", "create", "--name", "Ada", "--email", "ada@example.com", "--password", "a long password")
    first, second = run(*made), run(*made)
    assert (first.exit_code, first.output) == (0, "ada@example.com is an administrator now.\n")
    assert (second.exit_code, second.stderr) == (
        2,
        "runsheet: the administrator was not made: Someone already has this email address.\n",
    )


def test_serve_without_an_administrator_and_nobody_to_ask_says_what_to_set(run: Run) -> None:
    result = run("serve", PORT=str(free_port()))
    assert (result.exit_code, result.stderr) == (
        2,
        "runsheet: there is no administrator yet; set ADMIN_EMAIL and ADMIN_PASSWORD.\n",
    )


def test_serve_refuses_an_administrator_whose_password_is_too_short(run: Run) -> None:
    result = run("serve", PORT=str(free_port()), ADMIN_EMAIL="ada@example.com", ADMIN_PASSWORD="short")
    assert result.exit_code == 2
    assert result.stderr.startswith("runsheet: the administrator was not made: ")


@pytest.mark.parametrize("command", ["serve", "demo"])
def test_a_taken_port_is_one_sentence(run: Run, command: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        result = run(command, PORT=str(port))
    assert (result.exit_code, result.stderr) == (
        2,
        (
            f"runsheet: Port {port}, which Runsheet needs, cannot be used: Address already in use. "
            f"Stop what uses it, or choose another one: PORT={port + 10}.\n"
        ),
    )


def test_an_instance_path_that_is_set_to_nothing_leaves_the_demo_in_its_own_folder(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        run("demo", INSTANCE_PATH="", PORT=str(taken.getsockname()[1]))
    assert [path.relative_to(tmp_path).parts for path in tmp_path.rglob("keys.json")] == [
        ("instance", "demo", "keys.json")
    ]


def test_the_demo_on_the_last_port_has_none_left_for_the_sandbox(run: Run) -> None:
    result = run("demo", PORT="65535")
    assert (result.exit_code, result.stderr) == (
        2,
        "runsheet: PORT is 65535, and the Slack sandbox takes the next one; set it lower.\n",
    )


def test_a_given_broker_that_is_not_there_ends_the_start_with_one_sentence(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("webapp.cli.starting.GIVEN_BROKER_WITHIN_S", 0)
    result = run("serve", PORT=str(free_port()), REDIS_URL="redis://127.0.0.1:1/0")
    assert result.exit_code == 2
    assert result.stderr == (
        "runsheet: the broker of REDIS_URL does not answer: "
        f"Error {errno.ECONNREFUSED} connecting to 127.0.0.1:1. Connection refused.\n"
    )


def test_rotating_seals_every_secret_with_the_first_key(run: Run, tmp_path: Path) -> None:
    from webapp.extensions import db
    from webapp.integrations.models import Action, Connection

    old, new = generate_key(), generate_key()
    both = {"SECRETS_KEYS": f"{new},{old}", "SESSION_SECRET": "a secret that is only good for tests"}
    assert run("migrate", **both).exit_code == 0
    app = create_app(Config.from_environment({"INSTANCE_PATH": str(tmp_path), **both}))
    with app.app_context():
        action = Action(name="Post", connection=Connection(name="Slack"))
        db.session.add(action)
        db.session.flush()
        key, action_id = action.secrets_row_key, action.id
        action.authorization_secrets = Vault([old]).seal(key, {"client_secret": "s3cret"})
        db.session.commit()

    assert run("secrets", "rotate", **both).output == (
        "1 stored secrets are sealed with the first key now; the other keys can be removed.\n"
    )
    with app.app_context():
        sealed = db.session.get_one(Action, action_id).authorization_secrets or b""
        db.session.close()
        db.engine.dispose()
    assert Vault([new]).open(key, sealed) == {"client_secret": "s3cret"}
    with pytest.raises(Unreadable):
        Vault([old]).open(key, sealed)

    stranger = {**both, "SECRETS_KEYS": generate_key()}
    result = run("secrets", "rotate", **stranger)
    assert (result.exit_code, result.stderr) == (
        1,
        "Error: Nothing was changed: a stored secret cannot be opened with the given SECRETS_KEYS.\n",
    )
    asked = {
        "ADMIN_EMAIL": "ada@example.com",
        "ADMIN_PASSWORD": "a long enough password",
        "PORT": str(free_port()),
    }
    result = run("serve", **stranger, **asked)
    assert (result.exit_code, result.stderr) == (
        2,
        (
            "runsheet: SECRETS_KEYS cannot open the secrets stored in the database; put back the keys that sealed them, "
            "a new one before the old ones.\n"
        ),
    )


def settings_of(config: Config, **wanted: int) -> configparser.RawConfigParser:
    parser = configparser.RawConfigParser()
    parser.read_string(processes.settings(config, processes.programs(config, **wanted)))
    return parser


def config_in(instance: Path, **environ: str) -> Config:
    return Config.from_environment({"INSTANCE_PATH": str(instance), **environ})


def in_order(parser: configparser.RawConfigParser) -> list[str]:
    named = [name for name in parser.sections() if name.startswith("program:")]
    return [
        name.removeprefix("program:")
        for name in sorted(named, key=lambda name: parser.getint(name, "priority"))
    ]


def test_the_broker_starts_first_and_is_left_out_where_one_is_given(tmp_path: Path) -> None:
    embedded = settings_of(config_in(tmp_path), sandbox_port=5056)
    assert in_order(embedded) == ["broker", "sandbox", "web", "worker", "announce"]
    given = settings_of(config_in(tmp_path, REDIS_URL="redis://broker:6379"))
    assert in_order(given) == ["web", "worker", "announce"]


def test_every_program_but_the_announcement_is_started_again(tmp_path: Path) -> None:
    parser = settings_of(config_in(tmp_path))
    again = {name: parser.getboolean(f"program:{name}", "autorestart") for name in in_order(parser)}
    assert again == {"broker": True, "web": True, "worker": True, "announce": False}


def test_a_path_with_blanks_and_percent_signs_survives_the_settings_file(tmp_path: Path) -> None:
    parser = settings_of(config_in(tmp_path / "100 % mine"), concurrency=7)
    assert parser.get("supervisord", "pidfile").replace("%%", "%").startswith(str(tmp_path / "100 % mine"))
    command = shlex.split(parser.get("program:worker", "command").replace("%%", "%"))
    assert command == [sys.executable, "-m", "webapp", "worker", "--concurrency", "7"]


def test_no_secret_is_written_into_the_settings_file(tmp_path: Path) -> None:
    key, secret = Fernet.generate_key().decode(), "a secret that is only good for tests"
    config = config_in(tmp_path, SECRETS_KEYS=key, SESSION_SECRET=secret)
    text = processes.settings(config, processes.programs(config))
    assert [each for each in (key, secret) if each in text] == []
