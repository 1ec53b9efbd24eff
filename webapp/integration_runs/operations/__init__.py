"""Verbs about runs. Each checks, writes, audits and sends the news; none commits."""

from __future__ import annotations

from webapp.integration_runs.operations.claims import claim_runs
from webapp.integration_runs.operations.decisions import cancel_run, resolve_run, retry_run
from webapp.integration_runs.operations.news import tell
from webapp.integration_runs.operations.requests import TEST, RequestInvalid, request_run, request_test
from webapp.integration_runs.operations.settlements import (
    expire_leases,
    follow_up_again,
    settle_runs,
)
from webapp.integration_runs.states import NotNow

__all__ = [
    "TEST",
    "NotNow",
    "RequestInvalid",
    "cancel_run",
    "claim_runs",
    "expire_leases",
    "follow_up_again",
    "request_run",
    "request_test",
    "resolve_run",
    "retry_run",
    "settle_runs",
    "tell",
]
