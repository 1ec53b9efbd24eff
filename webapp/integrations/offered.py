"""What the features above lend to this one. create_app wires it; nothing here imports upwards.

Each name starts as an empty offer, so that pages stand before, and without, what is above. Read them as
`offered.triggers`, never `from offered import triggers`: the import would keep the empty one.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from flask import abort
from markupsafe import Markup

from webapp.registry import Registry

DAYS = 14


class Trigger(Protocol):
    """When an action is called. `hint` is the sentence under the select."""

    key: str
    label: str
    hint: str


class Mode(Protocol):
    """When a call counts as done."""

    key: str
    label: str
    hint: str


class GuardedTask(Protocol):
    """The task that a person authenticates for."""

    id: int
    action_id: int | None
    runbook_id: int
    page_url: str

    @property
    def guard_workspace_id(self) -> int: ...


@dataclass(frozen=True)
class RecentRuns:
    """How a connection's calls went: runs and failures a day, oldest first, today last, and the last run."""

    runs: tuple[int, ...] = (0,) * DAYS
    failures: tuple[int, ...] = (0,) * DAYS
    last_state: str | None = None
    last_at: datetime | None = None
    last_words: str = ""


@dataclass(frozen=True)
class Usage:
    """How many tasks in how many runbooks use a connection's actions; how many of those runbooks run now."""

    tasks: int = 0
    runbooks: int = 0
    live: int = 0


@dataclass(frozen=True)
class SampleTask:
    """A task whose values the request preview can show."""

    id: int
    label: str


@dataclass(frozen=True)
class RequestReport:
    """How a test request stands. `html` is the piece of page that shows its attempts."""

    settled: bool
    html: Markup


@dataclass(frozen=True)
class RequestTest:
    """The test request of the editor: `send` asks for it and answers a run's id, `report` says how it stands.

    `send` raises RequestTestRefused where the request cannot be made from these values.
    """

    send: Callable[[Any, Mapping[str, Any], int | None, Any], int]
    report: Callable[[Any, int], RequestReport]


class RequestTestRefused(Exception):
    """The test request was not sent; the text says why."""


def _no_task(user: Any, task_id: int) -> GuardedTask:
    abort(404)


def _no_recent_runs(connection_ids: Collection[int]) -> Mapping[int, RecentRuns]:
    return {}


def _no_usage(action_ids: Collection[int]) -> Usage:
    return Usage()


def _no_sample_tasks(user: Any, action_id: int) -> Sequence[SampleTask]:
    return ()


def _no_sample_context(user: Any, task_id: int) -> Mapping[str, Any]:
    abort(404)


triggers: Registry[Trigger] = Registry("trigger", [])
modes: Registry[Mode] = Registry("execution mode", [])
task_gate: Callable[[Any, int], GuardedTask] = _no_task
recent_runs: Callable[[Collection[int]], Mapping[int, RecentRuns]] = _no_recent_runs
usage: Callable[[Collection[int]], Usage] = _no_usage
sample_tasks: Callable[[Any, int], Sequence[SampleTask]] = _no_sample_tasks
sample_context: Callable[[Any, int], Mapping[str, Any]] = _no_sample_context
request_test: RequestTest | None = None
