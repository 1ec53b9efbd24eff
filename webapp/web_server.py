"""The web process: gunicorn with gevent, so that a thousand people may watch a runbook at the same time."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from gunicorn import glogging
from gunicorn.app.base import BaseApplication

from webapp.config import Config
from webapp.redaction import RedactingFilter

STOPPING_S = (
    5  # an answer may take that long once the server is told to stop; streams of changes are cut then
)
SILENT_S = 60  # a process whose loop has stood still that long is replaced
KEEP_ALIVE_S = 30
CONNECTIONS = 4000  # in one process


class _Log(glogging.Logger):
    """gunicorn's own log, which tells of an error with the request's address: redacted like ours."""

    def setup(self, cfg: Any) -> None:
        super().setup(cfg)
        for handler in self.error_log.handlers:
            handler.addFilter(RedactingFilter())


class _Server(BaseApplication):
    def __init__(self, config: Config, load: Callable[[], Any], host: str, workers: int) -> None:
        self._load = load
        memory = Path("/dev/shm")
        self._options: dict[str, Any] = {
            "bind": f"[{host}]:{config.port}" if ":" in host else f"{host}:{config.port}",
            "workers": workers,
            "worker_class": "gevent",
            "worker_connections": CONNECTIONS,
            "keepalive": KEEP_ALIVE_S,
            "timeout": SILENT_S,
            "graceful_timeout": STOPPING_S,
            # The heartbeat file of a worker must not wait for a slow disk.
            "worker_tmp_dir": str(memory) if memory.is_dir() else None,
            # Whose forwarded headers count is settled by TRUSTED_PROXIES alone, in the application.
            "forwarded_allow_ips": "",
            "logger_class": _Log,
            "accesslog": None,
            "loglevel": config.log_level.lower() if config.log_level != "INFO" else "warning",
            "control_socket_disable": True,
        }
        super().__init__()

    def load_config(self) -> None:
        for name, value in self._options.items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        return self._load()


def serve(config: Config, load: Callable[[], Any], *, host: str, workers: int) -> None:
    """Serve what `load` returns until SIGTERM or SIGINT; each worker process loads its own.

    The caller has patched the standard library for gevent already.
    """
    _Server(config, load, host, workers).run()
