"""`runsheet demo` and `runsheet serve` as real processes: they come up, mend themselves, and leave nothing behind."""

from __future__ import annotations

import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import psutil
import pytest
from redis import Redis
from redis.exceptions import RedisError
from rq import Queue

from webapp.config import broker_socket
from webapp.demo import CAST, PASSWORD
from webapp.jobs import QUEUE, perform

pytestmark = pytest.mark.journey

START_S = 60.0
# A developer's own settings must not reach the processes that are tested.
NOT_PASSED_ON = {"DATABASE_URL", "REDIS_URL", "PUBLIC_URL", "LOG_LEVEL", "SUPERVISOR_ENABLED"}
T = TypeVar("T")


def two_free_ports() -> int:
    """A port that is free and whose successor is too."""
    while True:
        with socket.socket() as first, socket.socket() as second:
            first.bind(("127.0.0.1", 0))
            port = int(first.getsockname()[1])
            try:
                second.bind(("127.0.0.1", port + 1))
            except OSError:
                continue
            return port


def eventually(look: Callable[[], T | None], what: str, seconds: float = START_S) -> T:
    """What `look` finds as soon as it finds something; fails where it does not within that time."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        found = look()
        if found:
            return found
        time.sleep(0.1)
    raise AssertionError(f"not within {seconds:g} s: {what}")


class Running:
    """A started `runsheet demo` or `runsheet serve`, with all of its processes."""

    def __init__(self, command: str, instance: Path, **environ: str) -> None:
        self.instance, self.port = instance, two_free_ports()
        self.output = instance.parent / f"{instance.name}.out"
        environment = {name: value for name, value in os.environ.items() if name not in NOT_PASSED_ON}
        environment |= {"INSTANCE_PATH": str(instance), "PORT": str(self.port), **environ}
        with self.output.open("w") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "webapp", command],
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.supervisor = psutil.Process(self.process.pid)
        self.seen: dict[int, psutil.Process] = {}
        try:
            eventually(
                lambda: "Ctrl-C stops everything" in self.said() or self.ended(), "it says that it is ready"
            )
            assert not self.ended(), self.said()
        except AssertionError:
            self.kill_all()
            raise AssertionError(f"it did not come up:\n{self.said()}") from None

    def said(self) -> str:
        return self.output.read_text()

    def ended(self) -> bool:
        return self.process.poll() is not None

    def all(self) -> list[psutil.Process]:
        """Every living process of it, itself included, and those that have lost their parent."""
        if not self.ended():
            for each in self.supervisor.children(recursive=True):
                self.seen[each.pid] = each
        known = [self.supervisor, *self.seen.values()]
        return [each for each in known if each.is_running() and each.status() != psutil.STATUS_ZOMBIE]

    def child(self, name: str) -> psutil.Process:
        """The supervisor's own child that runs this part."""
        marks = {"broker": "valkey-server", "announce": "announce"}
        found = [
            each
            for each in self.supervisor.children()
            if marks.get(name, f" {name} ") in f"{' '.join(each.cmdline())} "
        ]
        assert len(found) == 1, f"{name}: {found}"
        return found[0]

    def answers(self, port: int, path: str = "/") -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    def broker(self) -> Redis:
        return Redis(unix_socket_path=str(broker_socket(self.instance)))

    def kill_all(self) -> None:
        for each in self.all():
            each.kill()
        self.process.wait(10)


@pytest.fixture(scope="module")
def start(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Running]]:
    """Start one; at the end nothing of any of them is left."""
    started: list[Running] = []

    def begin(command: str, instance: Path | None = None, **environ: str) -> Running:
        made = Running(command, instance or tmp_path_factory.mktemp("running") / "instance", **environ)
        started.append(made)
        return made

    yield begin
    for each in started:
        each.kill_all()


@pytest.fixture(scope="module")
def demo(start: Callable[..., Running]) -> Running:
    return start("demo")


def people_in(instance: Path) -> list[tuple[int, str]]:
    with sqlite3.connect(f"file:{instance / 'runsheet.db'}?mode=ro", uri=True) as connection:
        rows: list[tuple[int, str]] = connection.execute("SELECT id, email FROM users ORDER BY id").fetchall()
    connection.close()
    return rows


def test_the_demo_prints_one_address_and_everybodys_sign_in(demo: Running) -> None:
    lines = [line.strip() for line in demo.said().splitlines() if line.strip()]
    assert lines[0] == f"Runsheet is ready: http://127.0.0.1:{demo.port}"
    assert lines[1] == f"Sign in as one of these, with the password {PASSWORD}"
    assert [line.split()[0] for line in lines[2 : 2 + len(CAST)]] == [email for _, email, _ in CAST]
    assert demo.answers(demo.port, "/healthz")
    assert demo.answers(demo.port + 1)


@pytest.mark.parametrize("name", ["web", "worker", "sandbox", "broker"])
def test_a_killed_process_is_started_again_and_works(demo: Running, name: str) -> None:
    killed = demo.child(name)
    descendants = killed.children(recursive=True)
    killed.kill()

    def back() -> bool:
        fresh = [each for each in demo.supervisor.children() if each.pid != killed.pid]
        return len(fresh) == 4 and not any(each.is_running() for each in [killed, *descendants])

    eventually(back, f"a new {name} and nothing of the killed one")
    eventually(lambda: demo.answers(demo.port, "/healthz"), "the web server answers")
    eventually(lambda: demo.answers(demo.port + 1), "the sandbox answers")
    with demo.broker() as connection:
        eventually(lambda: is_performed(connection), "a job is performed")


def is_performed(connection: Redis) -> bool:
    """Whether a job that is queued now is performed soon."""
    try:
        job = Queue(QUEUE, connection=connection).enqueue(perform, "sweep", result_ttl=60)
        until = time.monotonic() + 10
        while time.monotonic() < until:
            if job.get_status(refresh=True) == "finished":
                return True
            time.sleep(0.1)
    except (RedisError, OSError):
        return False
    return False


def test_ctrl_c_leaves_no_process_and_a_second_start_finds_the_same_people(
    start: Callable[..., Running],
) -> None:
    first = start("demo")
    people = people_in(first.instance)
    processes = first.all()
    assert len(processes) > 5
    os.killpg(first.process.pid, signal.SIGINT)  # as a terminal does
    eventually(lambda: not first.all(), "every process has ended", 20)

    second = start("demo", first.instance)
    assert people_in(first.instance) == people
    assert [email for _, email in people] == [email for _, email, _ in CAST]
    second.process.terminate()
    eventually(lambda: not second.all(), "every process has ended", 20)
    assert second.process.wait() == 0


def test_nothing_outlives_a_supervisor_that_is_killed(start: Callable[..., Running]) -> None:
    running = start("serve", ADMIN_EMAIL="ada@example.com", ADMIN_PASSWORD="a long password")
    assert len(running.all()) > 4
    running.process.kill()
    running.process.wait()
    eventually(lambda: not running.all(), "every process has ended", 20)
    assert people_in(running.instance) == [(1, "ada@example.com")]


def test_a_second_one_in_the_same_folder_is_refused_with_one_sentence(demo: Running) -> None:
    environment = {**os.environ, "INSTANCE_PATH": str(demo.instance), "PORT": str(two_free_ports())}
    refused = subprocess.run(
        [sys.executable, "-m", "webapp", "demo"], env=environment, capture_output=True, text=True, check=False
    )
    assert (refused.returncode, refused.stderr) == (
        2,
        f"runsheet: Runsheet already runs with {demo.instance}. Stop it, or set INSTANCE_PATH to another folder.\n",
    )
