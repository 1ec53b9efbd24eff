"""Delivery, measured from the start's transaction to the receiver, with the processes that people run.

"Click" is the moment at which the web process begins the start's transaction (request_run); "arrival" the moment at
which the receiver, a process of its own, has the whole request. In between lie the transaction, the nudge through the
broker, the worker's claim with its own transaction, and the post.
"""

from __future__ import annotations

import http.client
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import psutil
from redis import Redis
from rq import Queue, Worker

from webapp import create_app
from webapp.broker import wait_until_ready
from webapp.config import Config
from webapp.extensions import db
from webapp.integration_runs import nudges, operations
from webapp.integration_runs.models import IntegrationRun
from webapp.integrations.models import Action, Connection

ROOT = Path(__file__).resolve().parent.parent
BODY = '{"channel":"{{CustomField[\'Slack Channel\']}}","text":"{{CustomField[\'Slack Message\']}}"}'
CONTEXT = {
    "CustomField": {"Slack Channel": "C0123456789", "Slack Message": "Failover to region B has started."}
}
SENT = '{"channel":"C0123456789","text":"Failover to region B has started."}'
SLOW_S = 0.3
STOCK_JOBS = 150
STOCK_SLOW_JOBS = 20


def measure(
    *, clicks: int, posts: int, rounds: int, concurrencies: Sequence[int], database_url: str
) -> Iterator[str]:
    """Run everything; yields the report's lines."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="runsheet-bench-")))
        environ = {
            **os.environ,
            "INSTANCE_PATH": str(folder),
            "EGRESS_ALLOW": "127.0.0.1",
            "LOG_LEVEL": "WARNING",
        }
        for name in ("DATABASE_URL", "REDIS_URL", "SECRETS_KEYS", "SESSION_SECRET"):
            environ.pop(name, None)
        if database_url:
            made = _made_secrets()
            environ |= {"DATABASE_URL": database_url, **made}
        config = Config.from_environment(environ)
        receiver = stack.enter_context(_receiver())
        stack.enter_context(_process(["-m", "webapp", "broker"], environ))
        if not wait_until_ready(config.redis_url, seconds=20):
            raise RuntimeError("the broker did not start")
        app = create_app(config)
        stack.enter_context(app.app_context())
        db.create_all()
        quick, slow = _actions(receiver.port)

        machine = f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores"
        yield f"{machine}, Python {platform.python_version()}, {db.engine.dialect.name}"
        trip, alone = _bare_loop(receiver.port, posts)
        yield f"bare keep-alive loop, one connection: {alone:,.0f} posts/s, round trip p50 {_ms(trip)}"
        rates: dict[int, float] = {}
        for concurrency in concurrencies:
            with _worker(environ, concurrency) as worker:
                yield f"one worker process, --concurrency {concurrency}"
                p50, p95 = _clicks(quick, receiver, clicks)
                aim = 3 * trip + 0.010
                yield f"  click to arrival: p50 {_ms(p50)}, p95 {_ms(p95)} ({clicks} clicks; aim: p50 under {_ms(aim)})"
                rates[concurrency] = _rate(quick, receiver, posts, rounds)
                yield f"  immediate answers: {rates[concurrency]:,.0f} posts/s (median of {rounds} × {posts:,})"
                few = max(posts // 2, 2 * concurrency)
                late = _rate(slow, receiver, few, rounds)
                yield f"  answers after {SLOW_S * 1000:g} ms: {late:,.0f} posts/s (median of {rounds} × {few:,})"
                yield f"  memory: {_rss(worker) / 1e6:,.0f} MB"
        stock, stock_slow = _stock_rates(config, receiver)
        yield f"stock RQ worker, one requests.post a job: {stock:,.0f} posts/s"
        yield f"  answers after {SLOW_S * 1000:g} ms: {stock_slow:,.1f} posts/s"
        best = max(rates.values())
        yield f"ratio to the bare loop: {best / alone:.2f}; to the stock RQ worker: {best / stock:,.0f}"


class _Receiver:
    """What the bench asks of the receiver's process."""

    def __init__(self, port: int) -> None:
        self.port = port

    def reset(self) -> None:
        self._get("/reset")

    def arrivals(self) -> list[float]:
        found: list[float] = json.loads(self._get("/arrivals"))
        return found

    def wait_for(self, count: int, within_s: float) -> list[float]:
        """The arrivals, once there are that many."""
        until = time.monotonic() + within_s
        while len(found := self.arrivals()) < count:
            if time.monotonic() > until:
                raise RuntimeError(f"{len(found)} of {count} posts arrived within {within_s:g} s")
            time.sleep(0.05)
        return found

    def _get(self, path: str) -> bytes:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        connection.request("GET", path)
        answer = connection.getresponse().read()
        connection.close()
        return answer


def _bare_loop(port: int, posts: int) -> tuple[float, float]:
    """Median round trip in seconds and posts a second of http.client on one connection."""
    connection = http.client.HTTPConnection("127.0.0.1", port)
    trips = []
    started = time.monotonic()
    for _ in range(posts):
        before = time.monotonic()
        connection.request("POST", "/bare", SENT, {"Content-Type": "application/json"})
        connection.getresponse().read()
        trips.append(time.monotonic() - before)
    rate = posts / (time.monotonic() - started)
    connection.close()
    return statistics.median(trips), rate


def _clicks(action: Action, receiver: _Receiver, clicks: int) -> tuple[float, float]:
    """p50 and p95 in seconds of single starts. Nobody asks anything between a click and its arrival."""
    taken = []
    for number in range(clicks + 10):
        receiver.reset()
        before = time.monotonic()
        operations.request_run(action, trigger="task_start", context=CONTEXT, by=None, workspace_id=None)
        db.session.commit()
        time.sleep(0.06)
        arrived = receiver.wait_for(1, within_s=20)[0]
        if number >= 10:  # the first ones open connections and fill caches
            taken.append(arrived - before)
    taken.sort()
    return statistics.median(taken), taken[int(len(taken) * 0.95)]


def _rate(action: Action, receiver: _Receiver, posts: int, rounds: int) -> float:
    """Posts a second from the nudge to the last arrival of `posts` runs that wait already; median of the rounds."""
    rates = []
    for _ in range(rounds):
        receiver.reset()
        for _ in range(posts):
            operations.request_run(action, trigger="task_start", context=CONTEXT, by=None, workspace_id=None)
        started = time.monotonic()
        db.session.commit()
        nudges.nudge()
        arrived = receiver.wait_for(posts, within_s=120)
        rates.append(posts / (max(arrived) - started))
        while db.session.scalar(
            db.select(db.func.count(IntegrationRun.id)).where(IntegrationRun.state != "succeeded")
        ):
            db.session.commit()
            time.sleep(0.05)
        db.session.commit()
    return statistics.median(rates)


def _stock_rates(config: Config, receiver: _Receiver) -> tuple[float, float]:
    """Posts a second of RQ's default worker, which forks for each job, in a process of its own, burst mode."""
    rates = []
    for jobs, query in ((STOCK_JOBS, ""), (STOCK_SLOW_JOBS, f"?delay={SLOW_S}")):
        with Redis.from_url(config.redis_url) as connection:
            queue = Queue("stock", connection=connection)
            for _ in range(jobs):
                queue.enqueue("bench.stock.post", f"http://127.0.0.1:{receiver.port}/stock{query}", SENT)
        receiver.reset()
        pid = os.fork()
        if pid == 0:
            with Redis.from_url(config.redis_url) as connection:
                Worker(["stock"], connection=connection).work(burst=True, logging_level="ERROR")
            os._exit(0)
        arrived = receiver.wait_for(jobs, within_s=120)
        os.waitpid(pid, 0)
        rates.append((jobs - 1) / (max(arrived) - min(arrived)))
    return rates[0], rates[1]


def _actions(port: int) -> tuple[Action, Action]:
    connection = Connection(name="Bench")
    made = [
        Action(
            connection=connection,
            name=name,
            url=f"http://127.0.0.1:{port}/api/chat.postMessage{query}",
            headers='{"Content-Type":"application/json"}',
            body=BODY,
        )
        for name, query in (("At once", ""), ("Slow", f"?delay={SLOW_S}"))
    ]
    db.session.add_all(made)
    db.session.commit()
    return made[0], made[1]


@contextmanager
def _receiver() -> Iterator[_Receiver]:
    process = subprocess.Popen(
        [sys.executable, "-m", "bench.receiver"], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    try:
        yield _Receiver(int(process.stdout.readline()))
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


@contextmanager
def _worker(environ: dict[str, str], concurrency: int) -> Iterator[psutil.Process]:
    with _process(["-m", "webapp", "worker", "--concurrency", str(concurrency)], environ) as process:
        yield process


@contextmanager
def _process(arguments: list[str], environ: dict[str, str]) -> Iterator[psutil.Process]:
    process = subprocess.Popen([sys.executable, *arguments], cwd=ROOT, env=environ)
    try:
        yield psutil.Process(process.pid)
    finally:
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _rss(process: psutil.Process) -> float:
    """Memory of the process in bytes, without its scheduler, which shares nearly all of its own."""
    memory: Any = process.memory_info()
    return float(memory.rss)


def _made_secrets() -> dict[str, str]:
    from webapp.secrets import generate_key

    return {"SECRETS_KEYS": generate_key(), "SESSION_SECRET": generate_key()}


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.1f} ms"
