"""People who may give roles to others."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from webapp.cli.starting import make_app, read_config, upgrade

if TYPE_CHECKING:
    from flask import Flask


@click.group()
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
    app = make_app(read_config())
    upgrade(app)
    make_administrator(app, name, email, password)
    click.echo(f"{email} is an administrator now.")


def first_administrator(app: Flask, name: str, email: str | None, password: str | None) -> None:
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
    make_administrator(app, name, email or "", password or "")


def make_administrator(app: Flask, name: str, email: str, password: str) -> None:
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
