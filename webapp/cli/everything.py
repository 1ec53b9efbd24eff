"""`runsheet demo` and `runsheet serve`: everything on this machine."""

from __future__ import annotations

import os
import sys
import time
import urllib.request
from typing import TYPE_CHECKING

import click

from webapp.cli.administrators import first_administrator
from webapp.cli.starting import (
    check_given_broker,
    check_keys,
    concurrency_option,
    host_option,
    make_app,
    read_config,
    sentences,
    upgrade,
)

if TYPE_CHECKING:
    from webapp.config import Config

HIGHEST_PORT = 65_535
START_WITHIN_S = 60.0

# Where the demo's processes read what it settled; see `demo`.
SANDBOX_URL = "RUNSHEET_SANDBOX_URL"


@click.command()
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
    port = read_config().port
    if port == HIGHEST_PORT:
        click.echo(
            f"runsheet: PORT is {port}, and the Slack sandbox takes the next one; set it lower.", err=True
        )
        sys.exit(2)
    sandbox = f"127.0.0.1:{port + 1}"
    os.environ[SANDBOX_URL] = f"http://{sandbox}"
    os.environ["EGRESS_ALLOW"] = ",".join(filter(None, [os.environ.get("EGRESS_ALLOW"), sandbox]))
    config = read_config()
    with sentences():
        processes.check_free(config, {"Runsheet": config.port, "the Slack sandbox": config.port + 1})
    check_given_broker(config)
    app = make_app(config)
    upgrade(app)
    check_keys(app)
    from webapp.demo import seed

    if not seed(app, tasks=tasks) and tasks is not None:
        click.echo(
            f"The demo's data is there already, so --tasks adds nothing. For a new start, delete {config.instance_path} "
            "or set INSTANCE_PATH to another folder.",
            err=True,
        )
    wanted = processes.programs(config, concurrency=concurrency, sandbox_port=config.port + 1)
    processes.supervise(config, wanted, os.environ)


@click.command()
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

    config = read_config()
    with sentences():
        processes.check_free(config, {"Runsheet": config.port}, host=host)
    check_given_broker(config)
    app = make_app(config)
    upgrade(app)
    check_keys(app)
    first_administrator(app, admin_name, admin_email, admin_password)
    os.environ.pop("ADMIN_PASSWORD", None)
    processes.supervise(config, processes.programs(config, host=host, concurrency=concurrency), os.environ)


@click.command(hidden=True)
@host_option
def announce(host: str) -> None:
    """Print the address once everything answers; stop everything if it does not."""
    import signal

    config = read_config("announce")
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
