"""Settings, from the environment alone. What is wrong or unsafe is refused with one sentence before anything starts."""

from __future__ import annotations

import hashlib
import json
import os
import re
import secrets
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from cryptography.fernet import Fernet
from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from webapp.egress import EgressPolicy

LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")
SHORTEST_SESSION_SECRET = 32
# A random secret of that length, be it of hexadecimal digits, has more different characters than this.
FEWEST_DIFFERENT = 8
_THIS_MACHINE = frozenset({"localhost", "127.0.0.1", "::1"})
_HOST = re.compile(r"[\w.:-]+")


class ConfigError(Exception):
    """A setting is wrong or unsafe; the text is one sentence that names it and says what to do."""


@dataclass(frozen=True)
class Config:
    """Everything that can be set. `embedded_broker` says that redis_url is the broker that Runsheet starts itself."""

    database_url: str
    redis_url: str
    embedded_broker: bool
    public_url: str
    secrets_keys: tuple[str, ...]
    session_secret: str
    egress_allow: str
    trusted_proxies: int
    instance_path: Path
    port: int
    log_level: str
    testing: bool = False
    demo: bool = False

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] | None = None) -> Config:
        """Read the environment. Raises ConfigError."""
        env = _Reader(os.environ if environ is None else environ)
        instance = _writable(Path(env.text("INSTANCE_PATH", "instance")).resolve())
        database_url = _database_url(env.text("DATABASE_URL", f"sqlite:///{instance / 'runsheet.db'}"))
        port = env.number("PORT", 5055, 1, 65535)
        keys, session_secret = _keys(env, instance, may_make="postgresql" not in database_url)
        redis_url = env.text("REDIS_URL", "")
        return cls(
            database_url=database_url,
            redis_url=_redis_url(redis_url) if redis_url else f"unix://{broker_socket(instance)}",
            embedded_broker=not redis_url,
            public_url=_public_url(env.text("PUBLIC_URL", f"http://127.0.0.1:{port}")),
            secrets_keys=keys,
            session_secret=session_secret,
            egress_allow=_egress(env.text("EGRESS_ALLOW", "")),
            trusted_proxies=env.number("TRUSTED_PROXIES", 0, 0, 5),
            instance_path=instance,
            port=port,
            log_level=env.one_of("LOG_LEVEL", "INFO", LOG_LEVELS),
            demo=env.text("RUNSHEET_DEMO", "") == "1",
        )


def broker_socket(instance: Path) -> Path:
    """Where the embedded broker listens. A socket's path may have about 100 characters, so it can lie elsewhere."""
    inside = instance / "broker.sock"
    if len(str(inside)) < 100:
        return inside
    name = hashlib.sha256(str(instance).encode()).hexdigest()[:12]
    return Path(tempfile.gettempdir()) / f"runsheet-{os.getuid()}-{name}.sock"


class _Reader:
    """One environment, read with a sentence for each thing that can be wrong."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ

    def text(self, name: str, default: str) -> str:
        return self._environ.get(name, "").strip() or default

    def number(self, name: str, default: int, least: int, most: int) -> int:
        typed = self.text(name, str(default))
        if not typed.isdecimal() or not least <= int(typed) <= most:
            raise ConfigError(f"{name} is “{typed}”; set it to a whole number from {least} to {most}.")
        return int(typed)

    def one_of(self, name: str, default: str, allowed: tuple[str, ...]) -> str:
        typed = self.text(name, default).upper()
        if typed not in allowed:
            raise ConfigError(f"{name} is “{typed}”; set it to one of {', '.join(allowed)}.")
        return typed


def _writable(instance: Path) -> Path:
    try:
        instance.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"INSTANCE_PATH {instance} cannot be made: {error.strerror}.") from None
    if not os.access(instance, os.W_OK):
        raise ConfigError(f"INSTANCE_PATH {instance} is not writable for this user; choose another folder.")
    return instance


def _database_url(typed: str) -> str:
    for short in ("postgres://", "postgresql://"):
        if typed.startswith(short):
            typed = "postgresql+psycopg://" + typed.removeprefix(short)
    try:
        url: URL | None = make_url(typed)
    except (ArgumentError, ValueError):  # ValueError for a port that is no number
        url = None
    if url is None or url.drivername not in ("sqlite", "postgresql+psycopg"):
        raise ConfigError(
            "DATABASE_URL is not usable; write sqlite:///path or postgresql+psycopg://user:password@host/name."
        )
    if url.drivername == "sqlite":
        if url.database in (None, "", ":memory:"):
            raise ConfigError(
                "DATABASE_URL keeps the database in memory, where the processes cannot share it; write sqlite:///path."
            )
        # Left to itself, Flask-SQLAlchemy takes a relative path from a folder of Flask's own choosing.
        url = url.set(database=str(Path(str(url.database)).resolve()))
        return url.render_as_string(hide_password=False)
    return typed


def _redis_url(typed: str) -> str:
    try:
        parts = urlsplit(typed)
        usable = parts.scheme in ("redis", "rediss", "unix") and parts.port != 0
    except ValueError:  # a port that is no number, or half an IPv6 address
        usable = False
    # After the slash stands a database's number, or the socket's path.
    if not usable or not re.fullmatch(r"/.+" if parts.scheme == "unix" else r"(/\d*)?", parts.path):
        raise ConfigError("REDIS_URL is not usable; write redis://host:6379/0, rediss://… or unix:///path.")
    return typed


def _public_url(typed: str) -> str:
    try:
        parts = urlsplit(typed)
        usable = parts.scheme in ("http", "https") and parts.port != 0
    except ValueError:  # a port that is no number, or half an IPv6 address
        usable = False
    # No name and password: it is printed, and sent to other systems as the redirect URI.
    if not usable or not _HOST.fullmatch(parts.hostname or "") or set("@?#") & set(typed):
        raise ConfigError(
            "PUBLIC_URL is not usable; write the address people open, such as https://runsheet.example.com."
        )
    if parts.scheme == "http" and parts.hostname not in _THIS_MACHINE:
        raise ConfigError(
            f"PUBLIC_URL {typed} would carry passwords over the network in the clear; put a proxy that speaks TLS in "
            f"front of Runsheet, set TRUSTED_PROXIES=1 and write https://{parts.netloc}."
        )
    return typed.rstrip("/")


def _egress(typed: str) -> str:
    try:
        EgressPolicy.parse(typed)
    except ValueError as error:
        raise ConfigError(f"EGRESS_ALLOW: {error}") from None
    return typed


def _keys(env: _Reader, instance: Path, *, may_make: bool) -> tuple[tuple[str, ...], str]:
    """The keys that seal secrets and the secret that signs cookies: from the environment, or made once on this machine."""
    typed = env.text("SECRETS_KEYS", "")
    given = tuple(key.strip() for key in typed.split(",") if key.strip()) or ((typed,) if typed else ())
    session_secret = env.text("SESSION_SECRET", "")
    if not may_make and not (given and session_secret):
        name = "SESSION_SECRET" if given else "SECRETS_KEYS"
        raise ConfigError(
            f"{name} is not set; with PostgreSQL every process needs the same one, so set it in the environment."
        )
    if not given or not session_secret:
        made = _made_keys(instance / "keys.json")
        given, session_secret = given or (made["secrets_key"],), session_secret or made["session_secret"]
    for key in given:
        try:
            Fernet(key)
        except ValueError:
            raise ConfigError(
                "SECRETS_KEYS holds a key that is not one; make keys with: runsheet secrets new-key."
            ) from None
    if len(session_secret) < SHORTEST_SESSION_SECRET:
        raise ConfigError(
            f"SESSION_SECRET is too short to be safe; use at least {SHORTEST_SESSION_SECRET} random characters."
        )
    if len(set(session_secret)) < FEWEST_DIFFERENT:
        raise ConfigError(
            "SESSION_SECRET is too easy to guess; "
            f"use at least {SHORTEST_SESSION_SECRET} random characters, not the same few again and again."
        )
    return given, session_secret


def _made_keys(path: Path) -> dict[str, str]:
    if not path.exists():
        made = {"secrets_key": Fernet.generate_key().decode(), "session_secret": secrets.token_urlsafe(48)}
        try:
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            return _made_keys(path)
        with os.fdopen(handle, "w") as file:
            json.dump(made, file)
        return made
    if path.stat().st_mode & 0o077:
        raise ConfigError(f"{path} holds the keys and others can read it; run: chmod 600 {path}")
    try:
        found: dict[str, str] = json.loads(path.read_text())
        return {name: found[name] for name in ("secrets_key", "session_secret")}
    except (ValueError, KeyError, TypeError):
        raise ConfigError(
            f"{path} cannot be read; put it back from a backup, stored secrets cannot be opened without it."
        ) from None
