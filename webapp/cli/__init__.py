"""The `runsheet` command. `demo` and `serve` start everything; the other commands are what they are made of."""

from __future__ import annotations

import os

import click

from webapp.cli import administrators, everything, keys, parts, schema


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Runsheet: a self-hosted runbook platform.

    Settings come from the environment: DATABASE_URL, REDIS_URL, PUBLIC_URL, SECRETS_KEYS, SESSION_SECRET,
    EGRESS_ALLOW, TRUSTED_PROXIES, INSTANCE_PATH, PORT, LOG_LEVEL.
    """
    # What is stored under the instance folder is nobody else's to read.
    os.umask(0o077)


for command in (
    everything.demo,
    everything.serve,
    everything.announce,
    parts.web,
    parts.worker,
    parts.sandbox,
    parts.broker,
    schema.migrate,
    schema.new_migration,
    administrators.admin,
    keys.secrets,
):
    main.add_command(command)
