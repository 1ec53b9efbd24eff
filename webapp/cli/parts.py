"""The processes that `demo` and `serve` start, each by itself."""

from __future__ import annotations

import click

from webapp.cli.starting import (
    await_broker,
    check_keys,
    concurrency_option,
    host_option,
    make_app,
    read_config,
    sentences,
)

CALLBACK = "/api/integrations/oauth/authentications/payload_transformer/callback"


@click.command()
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

    config = read_config("web")
    lifeline.die_with_parent()
    await_broker(config)
    check_keys(make_app(config))
    serve_web(config, lambda: create_app(config), host=host, workers=workers)


@click.command()
@concurrency_option
def worker(concurrency: int) -> None:
    """One worker: sends what is due. Start as many as you like, on as many machines."""
    from webapp import lifeline
    from webapp.integration_runs.jobs import arm, dispatcher_of
    from webapp.worker import work

    config = read_config("worker")
    lifeline.die_with_parent()
    await_broker(config)
    app = make_app(config)
    check_keys(app)
    app.config["CONCURRENCY"] = concurrency
    with app.app_context():
        armed = arm(app)
        try:
            work(config.redis_url, on_stop=lambda: dispatcher_of(app).stop())
        finally:
            armed.set()


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", type=click.IntRange(1, 65535), default=5056, show_default=True)
def sandbox(host: str, port: int) -> None:
    """A Slack to practise with; a process of its own that knows nothing of Runsheet."""
    from slack_sandbox import Settings
    from slack_sandbox import serve as serve_sandbox
    from webapp import lifeline

    config = read_config("sandbox")
    lifeline.die_with_parent()
    store = config.instance_path / "sandbox.sqlite"
    serve_sandbox(Settings(store_path=str(store), redirect_uris=[config.public_url + CALLBACK]), host, port)


@click.command(hidden=True)
def broker() -> None:
    """The embedded broker; `demo` and `serve` start it where REDIS_URL is not set."""
    from webapp import broker as embedded
    from webapp import lifeline

    config = read_config("broker")
    if not config.embedded_broker:
        raise click.ClickException("REDIS_URL names a broker, so the embedded one is not needed.")
    lifeline.die_with_parent()
    with sentences():
        embedded.run(config)
