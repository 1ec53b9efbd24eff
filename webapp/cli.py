"""The `runsheet` command. `demo` and `serve` start everything; the other commands are what they are made of."""

from __future__ import annotations

import os
import sys
import time
import urllib.request
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flask import Flask

    from webapp.config import Config

CALLBACK = "/api/integrations/oauth/authentications/payload_transformer/callback"
CONCURRENCY = 64
HIGHEST_PORT = 65_535
START_WITHIN_S = 60.0
BROKER_WITHIN_S = 30.0
GIVEN_BROKER_WITHIN_S = 5.0

# Where the demo's processes read what it settled; see `demo`.
SANDBOX_URL = "RUNSHEET_SANDBOX_URL"

concurrency_option = click.option(
    "--concurrency",
    type=click.IntRange(1, 1000),
    default=CONCURRENCY,
    show_default=True,
    help="Posts in flight at a time.",
)
host_option = click.option(
    "--host", default="127.0.0.1", show_default=True, help="Address to listen on; 0.0.0.0 for all."
)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Runsheet: a self-hosted runbook platform.

    Settings come from the environment: DATABASE_URL, REDIS_URL, PUBLIC_URL, SECRETS_KEYS, SESSION_SECRET,
    EGRESS_ALLOW, TRUSTED_PROXIES, INSTANCE_PATH, PORT, LOG_LEVEL.
    """
    # What is stored under the instance folder is nobody else's to read.
    os.umask(0o077)


@main.command()
@concurrency_option
@click.option(
    "--tasks",
    type=click.IntRange(1, 5000),
    help="Add a runbook of so many tasks, such as 1000 or 3000, to see how Runsheet carries them. First start only.",
)
def demo(concurrency: int, tasks: int | None) -> None:
    """Everything on this machine, with demo data and a Slack to practise with."""
    from webapp import processes

    for name, value in (("INSTANCE_PATH", "instance/demo"), ("LOG_LEVEL", "WARNING")):
        os.environ[name] = os.environ.get(name, "").strip() or value
    os.environ["RUNSHEET_DEMO"] = "1"
    port = _config().port
    if port == HIGHEST_PORT:
        click.echo(
            f"runsheet: PORT is {port}, and the Slack sandbox takes the next one; set it lower.", err=True
        )
        sys.exit(2)
    sandbox = f"127.0.0.1:{port + 1}"
    os.environ[SANDBOX_URL] = f"http://{sandbox}"
    os.environ["EGRESS_ALLOW"] = ",".join(filter(None, [os.environ.get("EGRESS_ALLOW"), sandbox]))
    config = _config()
    with _sentences():
        processes.check_free(config, {"Runsheet": config.port, "the Slack sandbox": config.port + 1})
    _check_given_broker(config)
    app = _app(config)
    _upgrade(app)
    from webapp.demo import seed

    if not seed(app, tasks=tasks) and tasks is not None:
        click.echo(
            f"The demo's data is there already, so --tasks adds nothing. For a new start, delete {config.instance_path} "
            "or set INSTANCE_PATH to another folder.",
            err=True,
        )
    wanted = processes.programs(config, concurrency=concurrency, sandbox_port=config.port + 1)
    processes.supervise(config, wanted, os.environ)


@main.command()
@host_option
@concurrency_option
@click.option("--admin-name", envvar="ADMIN_NAME", default="Administrator", show_default=True)
@click.option("--admin-email", envvar="ADMIN_EMAIL", help="The first administrator, if there is none yet.")
@click.option("--admin-password", envvar="ADMIN_PASSWORD", help="Better set as ADMIN_PASSWORD.")
def serve(
    host: str, concurrency: int, admin_name: str, admin_email: str | None, admin_password: str | None
) -> None:
    """Everything on this machine, without demo data."""
    from webapp import processes

    config = _config()
    with _sentences():
        processes.check_free(config, {"Runsheet": config.port}, host=host)
    _check_given_broker(config)
    app = _app(config)
    _upgrade(app)
    _first_administrator(app, admin_name, admin_email, admin_password)
    os.environ.pop("ADMIN_PASSWORD", None)
    processes.supervise(config, processes.programs(config, host=host, concurrency=concurrency), os.environ)


@main.command()
@host_option
@click.option(
    "--workers",
    type=click.IntRange(1, 64),
    default=1,
    show_default=True,
    help="Processes; with SQLite leave it at 1.",
)
def web(host: str, workers: int) -> None:
    """The web server alone, on PORT."""
    import warnings

    from gevent import monkey

    # Flask has imported ssl by now; whatever makes TLS connections is imported after this.
    warnings.filterwarnings("ignore", message="Monkey-patching ssl")
    monkey.patch_all()

    from webapp import create_app, lifeline
    from webapp.web_server import serve as serve_web

    config = _config("web")
    lifeline.die_with_parent()
    _await_broker(config)
    serve_web(config, lambda: create_app(config), host=host, workers=workers)


@main.command()
@concurrency_option
def worker(concurrency: int) -> None:
    """One worker: sends what is due. Start as many as you like, on as many machines."""
    from webapp import lifeline
    from webapp.integration_runs.jobs import arm, dispatcher_of
    from webapp.worker import work

    config = _config("worker")
    lifeline.die_with_parent()
    _await_broker(config)
    app = _app(config)
    app.config["CONCURRENCY"] = concurrency
    with app.app_context():
        armed = arm(app)
        try:
            work(config.redis_url, on_stop=lambda: dispatcher_of(app).stop())
        finally:
            armed.set()


@main.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", type=click.IntRange(1, 65535), default=5056, show_default=True)
def sandbox(host: str, port: int) -> None:
    """A Slack to practise with; a process of its own that knows nothing of Runsheet."""
    from slack_sandbox import Settings
    from slack_sandbox import serve as serve_sandbox
    from webapp import lifeline

    config = _config("sandbox")
    lifeline.die_with_parent()
    store = config.instance_path / "sandbox.sqlite"
    serve_sandbox(Settings(store_path=str(store), redirect_uris=[config.public_url + CALLBACK]), host, port)


@main.command(hidden=True)
def broker() -> None:
    """The embedded broker; `demo` and `serve` start it where REDIS_URL is not set."""
    from webapp import broker as embedded
    from webapp import lifeline

    config = _config("broker")
    if not config.embedded_broker:
        raise click.ClickException("REDIS_URL names a broker, so the embedded one is not needed.")
    lifeline.die_with_parent()
    with _sentences():
        embedded.run(config)


@main.command(hidden=True)
@host_option
def announce(host: str) -> None:
    """Print the address once everything answers; stop everything if it does not."""
    import signal

    config = _config("announce")
    reached = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    local = f"http://[{reached}]" if ":" in reached else f"http://{reached}"
    sandbox_url = os.environ.get(SANDBOX_URL)
    addresses = [f"{local}:{config.port}/healthz", *([f"{sandbox_url}/"] if sandbox_url else [])]
    until = time.monotonic() + START_WITHIN_S
    while not all(_answers(address) for address in addresses):
        if time.monotonic() > until:
            click.echo(f"Runsheet does not answer. See above, and {config.instance_path}/supervisor.log.")
            os.kill(os.getppid(), signal.SIGTERM)
            return
        time.sleep(0.1)
    click.echo(_greeting(config, sandbox_url))


@main.command()
def migrate() -> None:
    """Bring the database's schema up to date."""
    changed = _upgrade(_app(_config()))
    click.echo("The database was brought up to date." if changed else "The database is up to date already.")


@main.command("new-migration", hidden=True)
@click.argument("message")
def new_migration(message: str) -> None:
    """Write a step that brings the schema to the models, for a person to read and mend."""
    from webapp import migrations

    app = _app(_config())
    _upgrade(app)
    with app.app_context():
        migrations.new_step(message)


@main.group()
def admin() -> None:
    """People who may give roles to others."""


@admin.command("create")
@click.option("--name", prompt=True)
@click.option("--email", prompt=True)
@click.option(
    "--password",
    envvar="ADMIN_PASSWORD",
    prompt=True,
    hide_input=True,
    confirmation_prompt=True,
    help="Better set as ADMIN_PASSWORD, or typed when asked.",
)
def create_administrator(name: str, email: str, password: str) -> None:
    """Add an administrator."""
    app = _app(_config())
    _upgrade(app)
    _create_administrator(app, name, email, password)
    click.echo(f"{email} is an administrator now.")


@main.group()
def secrets() -> None:
    """The keys that seal stored secrets."""


@secrets.command("new-key")
def new_key() -> None:
    """Print a new key. Put it first in SECRETS_KEYS, keep the old ones after it, then run: runsheet secrets rotate."""
    from webapp.secrets import generate_key

    click.echo(generate_key())


@secrets.command("rotate")
def rotate() -> None:
    """Seal every stored secret with the first of SECRETS_KEYS, so that the other keys can be removed."""
    from webapp.extensions import db
    from webapp.secrets import Unreadable

    app = _app(_config())
    with app.app_context():
        vault, count = app.extensions["vault"], 0
        for row, name, sealed in _sealed_values():
            try:
                setattr(row, name, vault.rotate(sealed))
            except Unreadable as error:
                raise click.ClickException(f"Nothing was changed: {error}.") from None
            count += 1
        db.session.commit()
    click.echo(f"{count} stored secrets are sealed with the first key now; the other keys can be removed.")


def _sealed_values() -> Iterator[tuple[Any, str, bytes]]:
    """(row, attribute, sealed value) of every column of bytes: only sealed secrets are kept as bytes."""
    from sqlalchemy import LargeBinary, select

    from webapp.extensions import Base, db

    for mapper in Base.registry.mappers:
        names = [each.key for each in mapper.column_attrs if isinstance(each.columns[0].type, LargeBinary)]
        if names:
            for row in db.session.scalars(select(mapper.class_)).unique():
                yield from ((row, name, value) for name in names if (value := getattr(row, name)))


def _config(process: str = "runsheet") -> Config:
    """The configuration, and logging as it says."""
    from webapp import logs
    from webapp.config import Config

    with _sentences():
        config = Config.from_environment()
    logs.configure(process, config.log_level)
    return config


def _app(config: Config) -> Flask:
    """The application; its connections to the database are closed when the command ends."""
    from webapp import create_app
    from webapp.extensions import db

    app = create_app(config)

    def close() -> None:
        with app.app_context():
            db.engine.dispose()

    click.get_current_context().call_on_close(close)
    return app


@contextmanager
def _sentences() -> Iterator[None]:
    """Say what is wrong with a setting in its one sentence instead of a traceback."""
    from webapp.config import ConfigError

    try:
        yield
    except ConfigError as error:
        click.echo(f"runsheet: {error}", err=True)
        sys.exit(2)


def _upgrade(app: Flask) -> bool:
    from sqlalchemy.exc import OperationalError

    from webapp import migrations

    with app.app_context():
        try:
            return migrations.upgrade()
        except OperationalError as error:
            reason = str(error.orig).strip().splitlines()[0]
            click.echo(f"runsheet: the database of DATABASE_URL cannot be opened: {reason}", err=True)
            sys.exit(2)


def _await_broker(config: Config, seconds: float = BROKER_WITHIN_S) -> None:
    from webapp.broker import why_silent

    reason = why_silent(config.redis_url, seconds=seconds)
    if reason is not None:
        name = "the embedded broker" if config.embedded_broker else "the broker of REDIS_URL"
        click.echo(f"runsheet: {name} does not answer: {reason}.", err=True)
        sys.exit(2)


def _check_given_broker(config: Config) -> None:
    """End with one sentence where REDIS_URL leads nowhere; each process would say it again and again."""
    if not config.embedded_broker:
        _await_broker(config, GIVEN_BROKER_WITHIN_S)


def _first_administrator(app: Flask, name: str, email: str | None, password: str | None) -> None:
    """Ask for an administrator, or take the one given, where there is none."""
    from webapp.accounts.queries import count_active_administrators

    with app.app_context():
        if count_active_administrators():
            return
    if not (email and password):
        if not sys.stdin.isatty():
            click.echo(
                "runsheet: there is no administrator yet; set ADMIN_EMAIL and ADMIN_PASSWORD.", err=True
            )
            sys.exit(2)
        click.echo("Who is the first administrator?")
        name = click.prompt("Name", default=name)
        email = click.prompt("Email", default=email)
        password = click.prompt("Password", hide_input=True, confirmation_prompt=True)
    _create_administrator(app, name, email or "", password or "")


def _create_administrator(app: Flask, name: str, email: str, password: str) -> None:
    from email_validator import EmailNotValidError, validate_email

    from webapp.accounts.operations import AccountRefused, create_user
    from webapp.extensions import db
    from webapp.permissions import Role

    try:
        validate_email(email, check_deliverability=False, test_environment=True)
        with app.app_context():
            create_user(name=name, email=email, password=password, roles=[Role.ADMINISTRATOR], by=None)
            db.session.commit()
    except (EmailNotValidError, AccountRefused) as error:
        click.echo(f"runsheet: the administrator was not made: {error}", err=True)
        sys.exit(2)


def _answers(address: str) -> bool:
    # Only this machine's own processes are asked, so nothing of the environment's proxies may come in between.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    # That name is trusted whatever PUBLIC_URL says and wherever the server listens.
    asked = urllib.request.Request(address, headers={"Host": "127.0.0.1"})
    try:
        with opener.open(asked, timeout=2) as answer:
            return bool(answer.status < 400)
    except OSError:
        return False


def _greeting(config: Config, sandbox_url: str | None) -> str:
    lines = ["", f"  Runsheet is ready: {config.public_url}", ""]
    if config.demo:
        from webapp.demo import CAST, PASSWORD

        width = max(len(email) for _, email, _ in CAST)
        lines += [f"  Sign in as one of these, with the password {PASSWORD}", ""]
        lines += [f"    {email:<{width}}  {role}" for _, email, role in CAST]
        lines += [
            "",
            f"  Slack sandbox, where messages arrive: {sandbox_url}",
            "  The guide: Learn more, under Settings > Integrations.",
            "",
        ]
    return "\n".join([*lines, "  Ctrl-C stops everything.", ""])


if __name__ == "__main__":
    main()
