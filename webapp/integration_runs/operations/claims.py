"""Claiming due runs: from here on, this worker alone may send them, until the lease ends."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from sqlalchemy import bindparam, insert, select, update

from webapp.clock import now
from webapp.extensions import db
from webapp.integration_runs.delivery import share_of_host
from webapp.integration_runs.exchanges import Claim, Missing
from webapp.integration_runs.models import Attempt, IntegrationRun
from webapp.integration_runs.modes import MODES
from webapp.integration_runs.operations.news import anyone_listens
from webapp.integration_runs.outcomes import Rules
from webapp.integration_runs.states import RunEvent, RunState, after
from webapp.integrations.authorizations import AUTHORIZATIONS, Credential
from webapp.integrations.credentials import CredentialMissing, credential_for, sandbox_credential
from webapp.integrations.models import Action, Connection
from webapp.integrations.settings import origin_of

# How long after its time-out an exchange may take to be settled before it is given up; the same time is left for a
# claimed run to leave.
LEASE_MARGIN = timedelta(seconds=10)

CredentialLookup = Callable[[int, int | None, int | None], Credential]

# Core tables and statements made once: a turn claims a batch, and the cost of making statements would be most of it.
_runs, _actions, _connections = IntegrationRun.__table__, Action.__table__, Connection.__table__
_DUE = (
    select(_runs.c.id, _runs.c.action_id, _runs.c.host)
    .where(
        _runs.c.state == RunState.QUEUED.value,
        _runs.c.due_at <= bindparam("moment"),
        _runs.c.host.not_in(bindparam("full", expanding=True)),
    )
    .order_by(_runs.c.due_at, _runs.c.id)
    .limit(bindparam("most"))
    .with_for_update(skip_locked=True)
)
_ACTIONS = select(
    _actions.c.id,
    _actions.c.connection_id,
    _actions.c.timeout_s,
    _actions.c.ok_false_fails,
    _actions.c.safe_to_repeat,
    _actions.c.mode,
    _actions.c.url,
    _actions.c.authorization,
    _actions.c.authorization_settings,
    _actions.c.authorization_secrets,
    _connections.c.sandbox_address,
    _connections.c.sealed_sandbox_token,
).where(_connections.c.id == _actions.c.connection_id, _actions.c.id.in_(bindparam("ids", expanding=True)))
_ATTEMPTED = insert(Attempt.__table__)  # type: ignore[arg-type]
# The condition on the state, not the look before it, decides which of several workers gets a run.
_TAKE = (
    update(_runs)  # type: ignore[arg-type]
    .where(_runs.c.id.in_(bindparam("ids", expanding=True)), _runs.c.state == RunState.QUEUED.value)
    .values(
        state=after(RunState.QUEUED, RunEvent.CLAIM).value,
        attempt_count=_runs.c.attempt_count + 1,
        claimed_by=bindparam("worker"),
        lease_until=bindparam("lease"),
    )
    .returning(
        *(
            _runs.c[name]
            for name in (
                "id",
                "reference",
                "action_id",
                "runbook_id",
                "credential_task_id",
                "asked_by_id",
                "asked_by_name",
                "attempt_count",
                "automatic_retries",
                "to_sandbox",
                "method",
                "url",
                "host",
                "headers",
                "body",
            )
        )
    )
)


def claim_runs(
    worker: str, *, free: int, busy: Mapping[str, int], slots: int, credential_of: CredentialLookup
) -> list[Claim]:
    """Claim at most `free` due runs, oldest first, no host above its share. Commit before anything is sent.

    The news is left to the caller: listeners take longer than most posts, and those would wait for them.

    `busy` counts this worker's exchanges in flight by host. `credential_of` (action, task, user) is called later, by
    the thread that sends, with no transaction open.
    """
    moment = now()
    wanted = _due(moment, free, busy, slots)
    if not wanted:
        return []
    actions = _actions_by_id({action_id for _, action_id in wanted})
    own = {action_id: _own_credential(row) for action_id, row in actions.items()}
    claims, attempts = [], []
    for timeout_s, run_ids in _by_timeout(wanted, actions).items():
        lease_until = moment + timedelta(seconds=timeout_s) + LEASE_MARGIN
        for row in _taken(run_ids, worker, lease_until):
            action = actions[row.action_id]
            if row.to_sandbox:
                credential = _sandbox_credential(action)
            else:
                credential = own[row.action_id] or partial(credential_of, action.id, *_whose(action, row))
            claims.append(_claim(row, action, worker, moment, credential))
            attempts.append(
                {
                    "run_id": row.id,
                    "number": row.attempt_count,
                    "asked_by": row.asked_by_name if not row.automatic_retries else "Runsheet",
                    "state": RunState.SENDING.value,
                    "started_at": moment,
                }
            )
    if attempts:
        db.session.connection().execute(_ATTEMPTED, attempts)
    return claims


def _due(moment: datetime, free: int, busy: Mapping[str, int], slots: int) -> list[tuple[int, int]]:
    """(run id, action id) of what to claim: asks again without the hosts that have their share, until it is enough."""
    wanted: list[tuple[int, int]] = []
    held = Counter(busy)
    seen: set[int] = set()
    full = {host for host in held if share_of_host(slots, held, host) <= 0}
    while len(wanted) < free:
        asked = {"moment": moment, "full": list(full), "most": free + len(seen)}
        rows = [row for row in db.session.connection().execute(_DUE, asked) if row.id not in seen]
        for run_id, action_id, host in rows:
            seen.add(run_id)
            if len(wanted) < free and host not in full:
                if share_of_host(slots, held, host) <= 0:
                    full.add(host)
                else:
                    held[host] += 1
                    wanted.append((run_id, action_id))
        if len(rows) < free or not full:
            break
    return wanted


def _actions_by_id(action_ids: Iterable[int]) -> dict[int, Any]:
    return {row.id: row for row in db.session.connection().execute(_ACTIONS, {"ids": list(action_ids)})}


def _by_timeout(wanted: Iterable[tuple[int, int]], actions: Mapping[int, Any]) -> dict[int, list[int]]:
    found: dict[int, list[int]] = defaultdict(list)
    for run_id, action_id in wanted:
        found[actions[action_id].timeout_s].append(run_id)
    return found


def _taken(run_ids: list[int], worker: str, lease_until: datetime) -> list[Any]:
    taken = db.session.connection().execute(_TAKE, {"ids": run_ids, "worker": worker, "lease": lease_until})
    return sorted(taken, key=lambda row: row.id)


def _claim(
    row: Any, action: Any, worker: str, moment: datetime, credential: Callable[[], Credential]
) -> Claim:
    return Claim(
        run_id=row.id,
        number=row.attempt_count,
        worker=worker,
        reference=row.reference,
        host=row.host,
        method=row.method,
        url=row.url,
        headers=row.headers,
        body=row.body,
        timeout_s=action.timeout_s,
        started_at=moment,
        send_before=moment + LEASE_MARGIN,
        rules=Rules(action.ok_false_fails, action.safe_to_repeat, row.automatic_retries),
        mode=MODES.get(action.mode),
        credential=credential,
        host_moved=origin_of(row.url)
        != (action.sandbox_address if row.to_sandbox else origin_of(action.url)),
        told=row.runbook_id is not None and anyone_listens(),
    )


def _own_credential(action: Any) -> Callable[[], Credential] | None:
    """The credential that lies in the action itself; None where it comes from a sign-in, which may take a while."""
    kind = AUTHORIZATIONS.get(action.authorization)
    if kind is None or kind.signs_in:
        return None
    bare = Action(
        id=action.id,
        authorization=action.authorization,
        authorization_settings=action.authorization_settings,
        authorization_secrets=action.authorization_secrets,
    )
    return _looked_up(lambda: credential_for(bare, task_id=None, user_id=None))


def _sandbox_credential(action: Any) -> Callable[[], Credential]:
    """What goes to the sandbox address of the action's connection."""
    bare = Connection(id=action.connection_id, sealed_sandbox_token=action.sealed_sandbox_token)
    return _looked_up(lambda: sandbox_credential(bare))


def _looked_up(look: Callable[[], Credential]) -> Callable[[], Credential]:
    """Look now, and answer or raise later, in the thread that sends: one action's trouble is not the batch's."""
    try:
        found = look()
    except Exception as error:
        return partial(_raise, error)
    return lambda: found


def _raise(error: Exception) -> Credential:
    if isinstance(error, CredentialMissing):
        raise Missing(error.code, error.sentence, error.remedy)
    raise error


def _whose(action: Any, row: Any) -> tuple[int | None, int | None]:
    """The task and user that tell one credential of the action from another; none where all share one."""
    kind = AUTHORIZATIONS.get(action.authorization)
    if kind is not None and kind.sign_in_as(action.authorization_settings) == "task":
        return row.credential_task_id, row.asked_by_id
    return None, None
