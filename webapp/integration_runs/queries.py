"""Reads about runs. `*_for` loads and authorises in one step."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from flask import abort
from sqlalchemy import Select, func, or_, select
from sqlalchemy.orm import joinedload, selectinload

from webapp.accounts.models import User
from webapp.clock import now
from webapp.extensions import db
from webapp.integration_runs import offered
from webapp.integration_runs.models import Attempt, IntegrationRun
from webapp.integration_runs.states import RunState
from webapp.integrations.models import Action, Connection
from webapp.integrations.offered import DAYS, RecentRuns
from webapp.permissions import Permission, can

PAGE_SIZE = 50

_R = IntegrationRun


@dataclass(frozen=True)
class Filter:
    """What the runs page asks for; empty means all. `until` is exclusive."""

    connection_id: int | None = None
    action_id: int | None = None
    state: str = ""
    text: str = ""
    since: datetime | None = None
    until: datetime | None = None


def run_for(user: User, run_id: int) -> IntegrationRun:
    """The run with its attempts, for someone who may read it: every run by role, or this one's runbook. 404 otherwise."""
    run = _loaded(run_id)
    if run is None or not _visible(user, run):
        abort(404)
    return run


def run_to_act_on(user: User, run_id: int) -> IntegrationRun:
    """The run, for someone who may cancel, retry or resolve it: who may run its task, and, for a test, who manages
    integrations. 404 where it is not visible, 403 where it is but that is not permitted."""
    run = run_for(user, run_id)
    if not may_act(user, run):
        abort(403)
    return run


def may_act(user: User, run: IntegrationRun) -> bool:
    """Whether the user may cancel, retry or resolve the run."""
    if run.workspace_id is None:
        return can(user, Permission.MANAGE_INTEGRATIONS)
    return can(user, Permission.RUN_TASKS, offered.guard_of(run))


def latest_runs(task_ids: Collection[int]) -> dict[int, IntegrationRun]:
    """Task id to its latest run, with attempts and action; three queries for any number of tasks."""
    if not task_ids:
        return {}
    newest = select(func.max(_R.id)).where(_R.task_id.in_(list(task_ids))).group_by(_R.task_id)
    query = _with_details(select(_R)).where(_R.id.in_(newest))
    return {run.task_id: run for run in db.session.scalars(query) if run.task_id is not None}


def runs_of_task(task_id: int) -> list[IntegrationRun]:
    """Every run of the task with its attempts, newest first."""
    query = _with_details(select(_R)).where(_R.task_id == task_id).order_by(_R.id.desc())
    return list(db.session.scalars(query))


def runs_of_runbook(runbook_id: int, since: datetime, until: datetime | None = None) -> list[IntegrationRun]:
    """Every run that was asked for in the runbook since that moment and before the other, oldest first, without its
    attempts; one query."""
    query = (
        select(_R)
        .where(*_asked_within(runbook_id, since, until))
        .options(
            joinedload(_R.action).joinedload(Action.connection),
            joinedload(_R.action).lazyload(Action.workspaces),
        )
        .order_by(_R.id)
    )
    return list(db.session.scalars(query))


def attempts_of_runbook(
    runbook_id: int, since: datetime, until: datetime | None = None
) -> dict[int, list[Attempt]]:
    """Run id to its attempts, for those runs; one query."""
    query = (
        select(Attempt)
        .join(_R, _R.id == Attempt.run_id)
        .where(*_asked_within(runbook_id, since, until))
        .order_by(Attempt.run_id, Attempt.number)
    )
    found: dict[int, list[Attempt]] = defaultdict(list)
    for attempt in db.session.scalars(query):
        found[attempt.run_id].append(attempt)
    return found


def _asked_within(runbook_id: int, since: datetime, until: datetime | None) -> list[Any]:
    within: list[Any] = [_R.runbook_id == runbook_id, _R.requested_at >= since]
    return [*within, _R.requested_at < until] if until else within


def runs(wanted: Filter, page: int) -> tuple[list[IntegrationRun], int, int]:
    """One page of runs, newest first, how many pages there are (at least 1), and how many runs match."""
    total = db.session.scalar(_narrowed(select(func.count(_R.id)), wanted)) or 0
    query = (
        _with_details(_narrowed(select(_R), wanted))
        .order_by(_R.id.desc())
        .limit(PAGE_SIZE)
        .offset((page - 1) * PAGE_SIZE)
    )
    return list(db.session.scalars(query)), max(1, -(-total // PAGE_SIZE)), total


def counts_by_state(wanted: Filter) -> dict[str, int]:
    """State to how many runs match the filter, its own state apart."""
    everything = Filter(wanted.connection_id, wanted.action_id, "", wanted.text, wanted.since, wanted.until)
    columns: list[Any] = [_R.state, func.count(_R.id)]
    counted = _narrowed(select(*columns), everything)
    rows = db.session.execute(counted.group_by(_R.state))
    return {row[0]: row[1] for row in rows}


def choices() -> list[Connection]:
    """Connections that have actions, with these, by name: what the runs page can be narrowed to."""
    query = (
        select(Connection)
        .where(Connection.actions.any())
        .options(selectinload(Connection.actions).lazyload(Action.workspaces))
        .order_by(func.lower(Connection.name), Connection.id)
    )
    return list(db.session.scalars(query))


def any_due(moment: datetime) -> bool:
    """Whether a run waits to be sent by now."""
    query = select(_R.id).where(_R.state == RunState.QUEUED, _R.due_at <= moment).limit(1)
    return db.session.scalar(query) is not None


def recent_runs(connection_ids: Collection[int]) -> dict[int, RecentRuns]:
    """How each connection's calls went in the last days, for the list of connections; two queries."""
    if not connection_ids:
        return {}
    today = now().date()
    first = today - timedelta(days=DAYS - 1)
    counted: dict[int, dict[tuple[date, bool], int]] = defaultdict(lambda: defaultdict(int))
    day = func.date(_R.requested_at)
    query = (
        select(Action.connection_id, day, _R.state, func.count())
        .join(Action, Action.id == _R.action_id)
        .where(Action.connection_id.in_(list(connection_ids)))
        .where(_R.requested_at >= datetime.combine(first, time(), UTC))
        .group_by(Action.connection_id, day, _R.state)
    )
    for connection_id, on, state, count in db.session.execute(query):
        on = on if isinstance(on, date) else date.fromisoformat(str(on))
        counted[connection_id][on, state in (RunState.FAILED, RunState.UNKNOWN)] += count
    days = [first + timedelta(days=number) for number in range(DAYS)]
    found = {}
    for connection_id, last in _last_runs(connection_ids).items():
        per_day = counted[connection_id]
        found[connection_id] = RecentRuns(
            runs=tuple(per_day[day, False] + per_day[day, True] for day in days),
            failures=tuple(per_day[day, True] for day in days),
            last_state=last.state,
            last_at=last.requested_at,
            last_words=(last.outcome or {}).get("sentence", ""),
        )
    return found


def _last_runs(connection_ids: Collection[int]) -> dict[int, IntegrationRun]:
    newest = (
        select(func.max(_R.id))
        .join(Action, Action.id == _R.action_id)
        .where(Action.connection_id.in_(list(connection_ids)))
        .group_by(Action.connection_id)
    )
    query = select(_R, Action.connection_id).join(Action, Action.id == _R.action_id).where(_R.id.in_(newest))
    return {connection_id: run for run, connection_id in db.session.execute(query)}


def _loaded(run_id: int) -> IntegrationRun | None:
    found: IntegrationRun | None = db.session.scalar(_with_details(select(_R)).where(_R.id == run_id))
    return found


def _visible(user: User, run: IntegrationRun) -> bool:
    if can(user, Permission.READ_INTEGRATION_RUNS):
        return True
    return run.workspace_id is not None and can(user, Permission.READ_RUNBOOKS, offered.guard_of(run))


def _with_details(query: Select[Any]) -> Select[Any]:
    return query.options(
        selectinload(_R.attempts),
        joinedload(_R.action).joinedload(Action.connection),
        joinedload(_R.action).lazyload(Action.workspaces),
    )


def _narrowed(query: Select[Any], wanted: Filter) -> Select[Any]:
    if wanted.connection_id is not None:
        query = query.where(
            _R.action_id.in_(select(Action.id).where(Action.connection_id == wanted.connection_id))
        )
    if wanted.action_id is not None:
        query = query.where(_R.action_id == wanted.action_id)
    if wanted.state:
        query = query.where(_R.state == wanted.state)
    if wanted.since:
        query = query.where(_R.requested_at >= wanted.since)
    if wanted.until:
        query = query.where(_R.requested_at < wanted.until)
    if wanted.text:
        text = wanted.text.lower()
        columns = (_R.url, _R.body, _R.requested_by_name, _R.reference)
        query = query.where(
            or_(
                *(func.lower(column).contains(text, autoescape=True) for column in columns),
                _R.attempts.any(func.lower(Attempt.response_body).contains(text, autoescape=True)),
            )
        )
    return query
