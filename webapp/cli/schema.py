"""The database's schema."""

from __future__ import annotations

import click

from webapp.cli.starting import make_app, read_config, upgrade


@click.command()
def migrate() -> None:
    """Bring the database's schema up to date."""
    changed = upgrade(make_app(read_config()))
    click.echo("The database was brought up to date." if changed else "The database is up to date already.")


@click.command("new-migration", hidden=True)
@click.argument("message")
def new_migration(message: str) -> None:
    """Write a step that brings the schema to the models, for a person to read and mend."""
    from webapp import migrations

    app = make_app(read_config())
    upgrade(app)
    with app.app_context():
        migrations.new_step(message)
