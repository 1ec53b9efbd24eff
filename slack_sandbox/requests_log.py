"""What was called, for counting at the receiving end. Holds no secret, and lives in memory only."""

from __future__ import annotations

from collections import deque
from datetime import UTC, datetime
from itertools import count
from threading import Lock
from typing import Any

KEPT = 50_000
SECRET_ARGUMENTS = frozenset({"token", "client_secret", "code", "code_verifier", "refresh_token"})


class RequestLog:
    """The newest `KEPT` calls; `total` counts all since the start or the last reset.

    An entry appears when the call arrives, so a dropped connection is counted too; `status` stays None until
    an answer is written.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._entries: deque[dict[str, Any]] = deque(maxlen=KEPT)
        self._numbers = count(1)
        self.total = 0

    def arrived(self, method: str, http_method: str, request_id: str) -> dict[str, Any]:
        """The new entry, for the caller to complete."""
        entry: dict[str, Any] = {
            "number": next(self._numbers),
            "at": datetime.now(UTC).isoformat(),
            "method": method,
            "http_method": http_method,
            "request_id": request_id,
            "arguments": {},
            "token_kind": None,
            "status": None,
            "error": None,
            "fault": None,
        }
        with self._lock:
            self._entries.append(entry)
            self.total += 1
        return entry

    def entries(self, method: str | None = None) -> list[dict[str, Any]]:
        with self._lock:
            return [entry for entry in self._entries if method in (None, entry["method"])]

    def clear(self) -> None:
        with self._lock:
            self._entries.clear()
            self.total = 0


def without_secrets(arguments: dict[str, Any]) -> dict[str, Any]:
    """The arguments as short texts; a secret one shows only that it was there."""
    return {
        str(key)[:60]: "(given)" if key in SECRET_ARGUMENTS else str(value)[:200]
        for key, value in arguments.items()
    }
