"""Which processes make up Runsheet on one machine, and handing them to supervisord, which keeps them running.

This process becomes supervisord, so that what stops it (Ctrl-C, a service manager, kill) stops everything: each program
asks the kernel to be told when it dies (lifeline.py). docs/decisions/0001-supervisor.md says why it is supervisord.
"""

from __future__ import annotations

import os
import pwd
import shlex
import socket
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NoReturn

from webapp import broker
from webapp.config import Config, ConfigError

LOOPBACK = "127.0.0.1"


@dataclass(frozen=True)
class Program:
    """One process: the arguments of the `runsheet` command, and how it is kept running."""

    name: str
    arguments: tuple[str, ...]
    # The lowest starts first and stops last.
    order: int
    # Seconds from SIGTERM to SIGKILL.
    patience: int = 10
    once: bool = False


def programs(
    config: Config, *, host: str = LOOPBACK, concurrency: int = 64, sandbox_port: int | None = None
) -> list[Program]:
    """What runs: the broker unless REDIS_URL names one, the sandbox where it has a port, the worker, the web server."""
    found = [Program("broker", ("broker",), 10)] if config.embedded_broker else []
    if sandbox_port is not None:
        found.append(Program("sandbox", ("sandbox", "--port", str(sandbox_port)), 20))
    return [
        *found,
        Program("web", ("web", "--host", host), 30),
        # A post in flight is waited for, 30 s by default: its outcome would be unknown otherwise.
        Program("worker", ("worker", "--concurrency", str(concurrency)), 40, patience=35),
        Program("announce", ("announce", "--host", host), 50, once=True),
    ]


def check_free(config: Config, ports: Mapping[str, int], *, host: str = LOOPBACK) -> None:
    """Raise ConfigError where a port is taken or another Runsheet uses this instance. `ports` by what needs them."""
    for purpose, port in ports.items():
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
            except OSError as error:
                raise ConfigError(
                    f"Port {port}, which {purpose} needs, cannot be used: {error.strerror}. "
                    f"Stop what uses it, or choose another one: PORT={config.port + 10}."
                ) from None
    if broker.busy(config):
        raise ConfigError(
            f"Runsheet already runs with {config.instance_path}. Stop it, or set INSTANCE_PATH to another folder."
        )


def supervise(config: Config, wanted: Sequence[Program], environment: Mapping[str, str]) -> NoReturn:
    """Become supervisord over these programs, which all get this environment."""
    path = config.instance_path / "supervisor.conf"
    path.write_text(settings(config, wanted))
    sys.stdout.flush()
    arguments = [sys.executable, "-W", "ignore", "-m", "webapp.supervised", "-c", str(path)]
    os.execve(sys.executable, arguments, dict(environment))


def settings(config: Config, wanted: Sequence[Program]) -> str:
    """supervisord's settings file. It opens no port and no socket of its own."""
    instance = _escaped(str(config.instance_path))
    lines = [
        "[supervisord]",
        "nodaemon=true",
        "silent=true",
        "umask=077",
        f"user={pwd.getpwuid(os.getuid()).pw_name}",
        f"pidfile={instance}/supervisor.pid",
        f"logfile={instance}/supervisor.log",
        "logfile_maxbytes=1MB",
        "logfile_backups=1",
        f"childlogdir={instance}",
    ]
    for program in wanted:
        command = shlex.join([sys.executable, "-m", "webapp", *program.arguments])
        lines += [
            "",
            f"[program:{program.name}]",
            f"command={_escaped(command)}",
            f"priority={program.order}",
            f"autorestart={'false' if program.once else 'true'}",
            # What cannot start is tried again for several minutes: the broker or the database may come back.
            f"startsecs={0 if program.once else 1}",
            "startretries=20",
            f"stopwaitsecs={program.patience}",
            "stopsignal=TERM",
            "stopasgroup=false",
            "killasgroup=true",
            "redirect_stderr=true",
            "stdout_logfile=/dev/stdout",
            "stdout_logfile_maxbytes=0",
        ]
    return "\n".join([*lines, ""])


def _escaped(text: str) -> str:
    return text.replace("%", "%%")
