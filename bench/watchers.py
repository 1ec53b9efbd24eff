"""`python -m bench.watchers`: many who watch one runbook while some act, with the processes that people run.

Every watcher holds a stream of its own and pulls what changed as static/js/live.js does: 0 to 250 ms after a signal, one
pull at a time, and not before its turn (X-Wait). Measured is the time from the signal until the watcher has the whole
fragment, that pause included, and how long those who act wait for their answers. Watchers and server share this machine,
so the figures are an upper bound.
"""

from __future__ import annotations

import asyncio
import os
import random
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import click
import psutil
import requests

from bench.plan import add_tasks
from webapp import create_app
from webapp.config import Config
from webapp.demo import PASSWORD

JITTER_S = 0.25
READY_WITHIN_S = 120


@dataclass
class Acts:
    """The acts so far: how long each answer took in seconds, and how many were refused."""

    answered_s: list[float] = field(default_factory=list)
    refused: int = 0


@dataclass
class Watcher:
    """One open page: the seq that it shows, seconds from signal to fragment of each pull, and bytes of all."""

    seq: int
    waits: list[float] = field(default_factory=list)
    size: int = 0


@dataclass
class Process:
    """Resident memory in MB, and processor time in seconds."""

    memory: float = 0.0
    worked_s: float = 0.0


@click.command()
@click.option("--viewers", default=500, show_default=True)
@click.option("--actors", default=20, show_default=True)
@click.option("--tasks", default=200, show_default=True, help="Tasks of the runbook.")
@click.option("--every", default=2.0, show_default=True, help="Seconds between two acts of one person.")
@click.option("--seconds", default=30.0, show_default=True)
def main(viewers: int, actors: int, tasks: int, every: float, seconds: float) -> None:
    """Measure how soon watchers see what others do, and what that costs."""
    with _demo() as (address, environ, processes):
        session = _signed_in(address)
        runbook, seq = _started_runbook(session, address, environ, tasks)
        acts, stop = Acts(), threading.Event()
        numbers = count(1)
        threads = [
            threading.Thread(
                target=_act, args=(session, address, runbook, numbers, tasks, every, acts, stop), daemon=True
            )
            for _ in range(actors)
        ]
        cookie = "; ".join(f"{each.name}={each.value}" for each in session.cookies)
        port = int(address.rpartition(":")[2])
        watchers = [Watcher(seq) for _ in range(viewers)]
        worked_s = asyncio.run(_watch(port, runbook, cookie, watchers, seconds, threads, stop, processes))
        for line in _report(watchers, acts, worked_s, processes()):
            click.echo(line)


def _report(
    watchers: Sequence[Watcher], acts: Acts, worked_s: float, processes: dict[str, Process]
) -> Iterator[str]:
    waits = [wait for each in watchers for wait in each.waits]
    yield f"{len(watchers)} watchers, {len(acts.answered_s)} acts ({acts.refused} refused), {len(waits):,} pulls"
    yield f"answer to an act:     {_figures(acts.answered_s)}"
    yield f"signal to fragment:   {_figures(waits)}"
    if waits:
        yield f"bytes a pull:         {sum(each.size for each in watchers) / len(waits):,.0f}"
        each_ms = worked_s * 1000 / len(waits)
        yield f"processor time:       {worked_s:.1f} s of the web process, {each_ms:.1f} ms a pull, acts included"
    yield "memory in MB:         " + ", ".join(
        f"{name} {each.memory:.0f}" for name, each in processes.items()
    )


def _figures(seconds: Sequence[float]) -> str:
    if len(seconds) < 2:
        return "nothing was measured"
    cuts = statistics.quantiles(seconds, n=20)
    return f"p50 {cuts[9] * 1000:,.0f} ms, p95 {cuts[18] * 1000:,.0f} ms, of {len(seconds):,}"


async def _watch(
    port: int,
    runbook: int,
    cookie: str,
    watchers: Sequence[Watcher],
    seconds: float,
    threads: Sequence[threading.Thread],
    stop: threading.Event,
    processes: Callable[[], dict[str, Process]],
) -> float:
    """Follow while the threads act; seconds of processor time that the web process took for it."""
    running = [
        asyncio.create_task(_follow(port, runbook, cookie, each, at * 0.01))
        for at, each in enumerate(watchers)
    ]
    await asyncio.sleep(len(watchers) * 0.01 + 3)
    for each in watchers:
        each.waits.clear()
        each.size = 0
    before_s = processes()["web"].worked_s
    for thread in threads:
        thread.start()
    await asyncio.sleep(seconds)
    stop.set()
    await asyncio.sleep(3)
    worked_s = processes()["web"].worked_s - before_s
    for task in running:
        task.cancel()
    for done in await asyncio.gather(*running, return_exceptions=True):
        if isinstance(done, Exception):
            click.echo(f"a watcher broke off: {done!r}")
    return worked_s


async def _follow(port: int, runbook: int, cookie: str, watcher: Watcher, after_s: float) -> None:
    await asyncio.sleep(after_s)
    stream, out = await asyncio.open_connection("127.0.0.1", port)
    out.write(_request("/live", cookie, "text/event-stream"))
    wanted = asyncio.Event()
    wanted.set()
    heard_at = time.monotonic()

    async def pull() -> None:
        answers, asks = await asyncio.open_connection("127.0.0.1", port)
        not_before = 0.0
        while True:
            await wanted.wait()
            signalled = heard_at
            await asyncio.sleep(max(random.random() * JITTER_S, not_before - time.monotonic()))
            wanted.clear()
            asks.write(_request(f"/runbooks/{runbook}/changes?since={watcher.seq}", cookie, "*/*"))
            head = (await answers.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
            size = re.search(r"content-length: (\d+)", head)
            body = await answers.readexactly(int(size[1])) if size else b""
            turn = re.search(r"x-wait: (\d+)", head)
            not_before = time.monotonic() + (int(turn[1]) / 1000 if turn else 0)
            seq = re.search(r"x-seq: (\d+)", head)
            if seq:
                watcher.waits.append(time.monotonic() - signalled)
                watcher.size += len(body)
                watcher.seq = int(seq[1])

    pulling = asyncio.create_task(pull())
    try:
        while line := await stream.readline():
            signal = re.match(rb"data: (\d+):(\d+)", line)
            if signal and int(signal[1]) == runbook and int(signal[2]) > watcher.seq:
                if not wanted.is_set():
                    heard_at = time.monotonic()
                wanted.set()
    finally:
        pulling.cancel()
        with suppress(asyncio.CancelledError):
            await pulling


def _request(path: str, cookie: str, accept: str) -> bytes:
    lines = [
        f"GET {path} HTTP/1.1",
        "Host: 127.0.0.1",
        f"Cookie: {cookie}",
        f"Accept: {accept}",
        "Accept-Encoding: gzip",
        "HX-Request: true",
    ]
    return "\r\n".join([*lines, "", ""]).encode()


def _act(
    session: requests.Session,
    address: str,
    runbook: int,
    numbers: Iterator[int],
    tasks: int,
    every: float,
    acts: Acts,
    stop: threading.Event,
) -> None:
    """Start a task and finish it, then the next, with a pause after each."""
    own = requests.Session()
    own.cookies, own.headers = session.cookies, session.headers
    stop.wait(random.random() * every)
    while not stop.is_set():
        number = next(numbers)
        if number > tasks:
            return
        for verb in ("start", "finish"):
            began = time.monotonic()
            answer = own.post(f"{address}/runbooks/{runbook}/tasks/{number}/{verb}", timeout=60)
            acts.answered_s.append(time.monotonic() - began)
            acts.refused += not answer.ok
            if stop.wait(every * (0.5 + random.random())):
                return


def _started_runbook(
    session: requests.Session, address: str, environ: Mapping[str, str], tasks: int
) -> tuple[int, int]:
    """The runbook's id, and the seq that its page shows."""
    page = session.get(f"{address}/runbooks/new").text
    place = re.search(r'name="workspace_id".*?value="(\d+)"', page, re.DOTALL)
    assert place is not None
    made = session.post(
        f"{address}/runbooks",
        data={"name": "Watched", "workspace_id": place[1]},
        headers={"HX-Request": ""},
        allow_redirects=False,
    )
    where = made.headers.get("Location") or made.headers["HX-Redirect"]
    found = re.search(r"/runbooks/(\d+)", where)
    assert found is not None
    base = f"{address}/runbooks/{found[1]}"
    with create_app(Config.from_environment(environ)).app_context():
        add_tasks(int(found[1]), tasks)
    session.post(f"{base}/start", data={"mode": "live"}).raise_for_status()
    shown = re.search(r'data-seq="(\d+)"', session.get(base, headers={"HX-Request": None}).text)
    assert shown is not None
    return int(found[1]), int(shown[1])


def _signed_in(address: str) -> requests.Session:
    session = requests.Session()
    token = _token(session.get(f"{address}/sign-in").text)
    session.post(
        f"{address}/sign-in",
        data={"csrf_token": token, "email": "rune@example.com", "password": PASSWORD},
    ).raise_for_status()
    session.headers.update(
        {"X-CSRFToken": _token(session.get(f"{address}/profile").text), "HX-Request": "true"}
    )
    return session


def _token(page: str) -> str:
    found = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page)
    assert found is not None
    return found[1]


@contextmanager
def _demo() -> Iterator[tuple[str, dict[str, str], Callable[[], dict[str, Process]]]]:
    with tempfile.TemporaryDirectory() as folder, socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
        probe.close()
        log = Path(folder) / "output.log"
        environ = {**os.environ, "INSTANCE_PATH": folder, "PORT": str(port)}
        with log.open("w") as output:
            process = psutil.Popen(
                [sys.executable, "-m", "webapp", "demo"],
                env=environ,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            until = time.monotonic() + READY_WITHIN_S
            while "Ctrl-C stops everything." not in log.read_text():
                if time.monotonic() > until:
                    raise click.ClickException(f"The demo did not start: {log.read_text()}")
                time.sleep(0.2)
            yield f"http://127.0.0.1:{port}", environ, lambda: _processes(process)
        finally:
            process.send_signal(2)
            process.wait(60)


def _processes(process: psutil.Popen) -> dict[str, Process]:
    """What the demo runs, by what each is."""
    found: dict[str, Process] = {}
    for each in process.children(recursive=True):
        with suppress(psutil.Error):
            name = re.search(r"\b(web|worker|sandbox)\b|valkey", " ".join(each.cmdline()))
            kept = found.setdefault(name[0] if name else "other", Process())
            times = each.cpu_times()
            kept.memory += each.memory_info().rss / 1e6
            kept.worked_s += times.user + times.system
    return found


if __name__ == "__main__":
    main()
