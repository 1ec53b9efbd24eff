"""What a stock RQ worker would do: one job a post, one requests.post a job."""

from __future__ import annotations

import requests


def post(url: str, body: str) -> None:
    """Post once, on a connection of its own, as requests.post does."""
    requests.post(url, data=body, headers={"Content-Type": "application/json"}, timeout=30)
