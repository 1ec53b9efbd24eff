"""The keys that seal stored secrets."""

from __future__ import annotations

import click

from webapp.cli.starting import make_app, read_config


@click.group()
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
    from webapp.sealed import sealed_values
    from webapp.secrets import Unreadable

    app = make_app(read_config())
    with app.app_context():
        vault, count = app.extensions["vault"], 0
        for row, name, sealed in sealed_values():
            try:
                setattr(row, name, vault.rotate(sealed))
            except Unreadable as error:
                raise click.ClickException(f"Nothing was changed: {error}.") from None
            count += 1
        db.session.commit()
    click.echo(f"{count} stored secrets are sealed with the first key now; the other keys can be removed.")
