"""Runsheet as people start it: real processes in an instance of their own, for journeys and fault tests."""

from __future__ import annotations

import os
import random
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import psutil
from sqlalchemy import create_engine, make_url, text

from webapp.secrets import generate_key

ROOT = Path(__file__).resolve().parent.parent
READY_WITHIN_S = 90
# Not the common generator: hypothesis gives that one the same seed in every process.
CHANCE = random.SystemRandom()
STOPPED_WITHIN_S = 60
# A given Redis has 16 databases: the first four are for the fixtures of as many test processes, then three for each.
FIRST_REDIS_DATABASE = 4


class Running:
    """One `runsheet demo` or `runsheet serve`, started by `start` and stopped by whichever way a test wants.

    `number` has to differ from that of every other one that runs at the same time: each test process has three, from
    three times its own number. `address` and `sandbox` are known before the start. `environ` adds settings; None removes one.
    """

    def __init__(
        self, instance: Path, *, command: str = "demo", number: int = 0, **environ: str | None
    ) -> None:
        port = two_free_ports()
        self.instance, self.command = instance, command
        self.address, self.sandbox = f"http://127.0.0.1:{port}", f"http://127.0.0.1:{port + 1}"
        self.log = instance / "output.log"
        settings = {"INSTANCE_PATH": str(instance), "PORT": str(port), **_given_servers(number), **environ}
        inherited = {name: value for name, value in os.environ.items() if name not in _SETTINGS}
        self.environ = inherited | {name: value for name, value in settings.items() if value is not None}
        self._process: psutil.Popen | None = None
        self._seen: set[psutil.Process] = set()

    def start(self, *arguments: str) -> str:
        """Start, and return what is printed until everything answers. Raises AssertionError with the output else."""
        self.instance.mkdir(parents=True, exist_ok=True)
        with self.log.open("w") as output:
            self._process = psutil.Popen(
                [sys.executable, "-m", "webapp", self.command, *arguments],
                cwd=ROOT,
                env=self.environ,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.wait_until(lambda: "Ctrl-C stops everything." in self.output(), "did not become ready")
        return self.output()

    def output(self) -> str:
        """Everything printed since the start."""
        return self.log.read_text()

    def program(self, name: str) -> psutil.Process:
        """The running process of that program: broker, sandbox, web or worker. Raises AssertionError if there is none."""
        found = self._programs(name)
        assert len(found) == 1, f"{name}: {found}"
        return found[0]

    def kill(self, name: str) -> None:
        """kill -9 that program and return once its own children are gone too and another process is in its place."""
        killed = self.program(name)
        children = killed.children(recursive=True)
        killed.kill()
        self.wait_until(
            lambda: (
                not any(child.is_running() for child in children)
                and any(program.pid != killed.pid for program in self._programs(name))
            ),
            f"has no new {name}",
        )

    def processes(self) -> set[psutil.Process]:
        """The supervisor and all its descendants, now."""
        assert self._process is not None
        try:
            # The very object that started it: another one would take its exit status away from it.
            return {self._process, *self._process.children(recursive=True)}
        except psutil.NoSuchProcess:
            return set()

    def stop(self, how: signal.Signals = signal.SIGINT) -> list[psutil.Process]:
        """Send the supervisor that signal and wait. The processes that are left after a minute; they are killed then."""
        if self._process is None or self._process.poll() is not None:
            return []
        everything = self.processes()
        self._process.send_signal(how)
        _, left = psutil.wait_procs(everything, timeout=STOPPED_WITHIN_S)
        for process in left:
            process.kill()
        self._process.wait()
        self._process = None
        return left

    def discard(self) -> None:
        """End it at once, without a goodbye: for a fixture that is done with it. How it stops is tested by `stop`."""
        everything = self.processes() if self._process is not None else set()
        for process in everything:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        psutil.wait_procs(everything, timeout=STOPPED_WITHIN_S)
        self._process = None

    def wait_until(
        self, condition: Callable[[], bool], otherwise: str, seconds: float = READY_WITHIN_S
    ) -> None:
        """Wait for the condition. Raises AssertionError with the output where it does not come."""
        until = time.monotonic() + seconds
        while not condition():
            ended = self._process is not None and self._process.poll() is not None
            if ended or time.monotonic() > until:
                raise AssertionError(f"Runsheet {otherwise}:\n{self.output()}")
            time.sleep(0.1)

    def _programs(self, name: str) -> list[psutil.Process]:
        assert self._process is not None
        pattern = "valkey-server" if name == "broker" else f"webapp {name}"
        return [child for child in self._process.children() if pattern in _command_of(child)]


def free_port() -> int:
    """A port that nothing listens on, below those that the system hands to outgoing connections meanwhile."""
    while True:
        port = CHANCE.randrange(10_000, 32_000)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


def _command_of(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return ""


def two_free_ports() -> int:
    """A port that nothing listens on, and neither on the next one, which a demo's sandbox takes."""
    while True:
        port = free_port()
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port + 1))
            except OSError:
                continue
        return port


def _given_servers(number: int) -> dict[str, str]:
    """An empty PostgreSQL database and a Redis database of our own, where TEST_DATABASE_URL and TEST_REDIS_URL are set."""
    found = {}
    if given := os.environ.get("TEST_DATABASE_URL"):
        url = make_url(given)
        name = f"{url.database}_running_{number}"
        engine = create_engine(url, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.execute(text(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)'))
            connection.execute(text(f'CREATE DATABASE "{name}"'))
        engine.dispose()
        found["DATABASE_URL"] = url.set(database=name).render_as_string(hide_password=False)
        found["SECRETS_KEYS"] = generate_key()
        found["SESSION_SECRET"] = "a secret that is only good for tests"
    if given := os.environ.get("TEST_REDIS_URL"):
        found["REDIS_URL"] = re.sub(r"(/\d+)?/?$", f"/{FIRST_REDIS_DATABASE + number}", given)
    return found


_SETTINGS = (
    *("DATABASE_URL", "REDIS_URL", "PUBLIC_URL", "SECRETS_KEYS", "SESSION_SECRET", "EGRESS_ALLOW"),
    *("TRUSTED_PROXIES", "INSTANCE_PATH", "PORT", "LOG_LEVEL", "RUNSHEET_DEMO", "RUNSHEET_SANDBOX_URL"),
    *("ADMIN_EMAIL", "ADMIN_PASSWORD"),
)
