"""One log format for every process, with its name in front and without secrets."""

from __future__ import annotations

import logging
import sys

from webapp.redaction import RedactingFilter

# At INFO these tell about each request, job or heartbeat.
CHATTY = ("rq", "rq.worker", "rq.scheduler", "rq.job", "rq.queue", "rq.registry", "alembic", "urllib3")


def configure(name: str, level: str) -> None:
    """Log to standard error, each line headed by the process's name."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter(f"%(asctime)s {name:<7} %(levelname)-7s %(message)s", "%H:%M:%S"))
    handler.addFilter(RedactingFilter())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for chatty in CHATTY:
        logging.getLogger(chatty).setLevel("DEBUG" if level == "DEBUG" else "WARNING")
