"""Serving: one process, HTTP/1.1 with connections kept alive, many answers late at the same time.

gevent answers half as many calls again as threads do; without it threads serve just as well otherwise.
"""

from __future__ import annotations

import warnings
from importlib.util import find_spec
from typing import Any

from gunicorn.app.base import BaseApplication

from slack_sandbox.application import create_app
from slack_sandbox.settings import Settings

THREADS = 256  # as many answers may be late at a time; idle connections take none
KEEP_ALIVE = 75  # seconds
STOPPING = 3  # seconds an answer may still take once the sandbox is told to stop


class _Server(BaseApplication):
    def __init__(self, settings: Settings, host: str, port: int) -> None:
        self._settings = settings
        self._options: dict[str, Any] = {
            "bind": f"[{host}]:{port}" if ":" in host else f"{host}:{port}",
            "workers": 1,  # the switches and the posting limit live in the process
            "worker_class": "gevent" if find_spec("gevent") else "gthread",
            "threads": THREADS,
            "keepalive": KEEP_ALIVE,
            "worker_connections": 4 * THREADS,
            "graceful_timeout": STOPPING,
            "timeout": 0,  # a late answer is on purpose
            "loglevel": "warning",
            "accesslog": None,
            "control_socket_disable": True,
        }
        super().__init__()

    def load_config(self) -> None:
        for name, value in self._options.items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        return create_app(self._settings)


def serve(settings: Settings, host: str = "127.0.0.1", port: int = 5056) -> None:
    """Serve until SIGTERM or SIGINT, then raise SystemExit(0)."""
    # The caller may have imported ssl before gevent comes in; nothing here speaks TLS.
    warnings.filterwarnings("ignore", message="Monkey-patching ssl")
    _Server(settings, host, port).run()
