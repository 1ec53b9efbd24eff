"""What every command does first: read the settings, make the application, look whether what it needs is there."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from flask import Flask

    from webapp.config import Config

BROKER_WITHIN_S = 30.0
GIVEN_BROKER_WITHIN_S = 5.0

concurrency_option = click.option(
    "--concurrency",
    type=click.IntRange(1, 1000),
    default=64,
    show_default=True,
    help="Posts in flight at a time.",
)
host_option = click.option(
    "--host", default="127.0.0.1", show_default=True, help="Address to listen on; 0.0.0.0 for all."
)


def read_config(process: str = "runsheet") -> Config:
    """The configuration, and logging as it says."""
    from webapp import logs
    from webapp.config import Config

    with sentences():
        config = Config.from_environment()
    logs.configure(process, config.log_level)
    return config


def make_app(config: Config) -> Flask:
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
def sentences() -> Iterator[None]:
    """Say what is wrong with a setting in its one sentence instead of a traceback."""
    from webapp.config import ConfigError

    try:
        yield
    except ConfigError as error:
        click.echo(f"runsheet: {error}", err=True)
        sys.exit(2)


def upgrade(app: Flask) -> bool:
    from sqlalchemy.exc import OperationalError

    from webapp import migrations

    with app.app_context():
        try:
            return migrations.upgrade()
        except OperationalError as error:
            reason = str(error.orig).strip().splitlines()[0]
            click.echo(f"runsheet: the database of DATABASE_URL cannot be opened: {reason}", err=True)
            sys.exit(2)


def await_broker(config: Config, seconds: float = BROKER_WITHIN_S) -> None:
    from webapp.broker import why_silent

    reason = why_silent(config.redis_url, seconds=seconds)
    if reason is not None:
        name = "the embedded broker" if config.embedded_broker else "the broker of REDIS_URL"
        click.echo(f"runsheet: {name} does not answer: {reason}.", err=True)
        sys.exit(2)


def check_given_broker(config: Config) -> None:
    """End with one sentence where REDIS_URL leads nowhere; each process would say it again and again."""
    if not config.embedded_broker:
        await_broker(config, GIVEN_BROKER_WITHIN_S)


def check_keys(app: Flask) -> None:
    """End with one sentence where SECRETS_KEYS cannot open what is stored: every sign-in and send would fail."""
    from webapp.extensions import db
    from webapp.sealed import newest_sealed
    from webapp.secrets import Unreadable

    with app.app_context():
        found = list(newest_sealed())
        db.engine.dispose()  # the server forks after this
        try:
            for sealed in found:
                app.extensions["vault"].rotate(sealed)
        except Unreadable:
            click.echo(
                "runsheet: SECRETS_KEYS cannot open the secrets stored in the database; put back the keys that sealed "
                "them, a new one before the old ones.",
                err=True,
            )
            sys.exit(2)
