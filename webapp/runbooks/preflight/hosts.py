"""Whether the hosts that a plan calls can be reached: a worker connects to each, sends nothing, and notes how it went.

The notes are kept by the broker for some minutes. They are good to know at the start, and no more than that: they stop
nothing, because a host that is down now may be up when its task starts.
"""

from __future__ import annotations

import json
import logging
import threading
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from flask import current_app
from redis import Redis
from redis.exceptions import RedisError

from webapp import jobs
from webapp.clock import now
from webapp.http import Door
from webapp.integrations.settings import origin_of
from webapp.runbooks.preflight.plan import Plan

log = logging.getLogger(__name__)

JOB = "probe_hosts"
KEPT_S = 600
# A probe that did not come back by then was lost with its worker.
PROBED_WITHIN = timedelta(seconds=15)
MOST = 50


@dataclass(frozen=True)
class Reach:
    """What is known of one host. `checked_at` is None where nobody has looked, or where someone is looking now."""

    origin: str
    tasks: int
    checking: bool = False
    checked_at: datetime | None = None
    sentence: str = ""
    remedy: str = ""

    @property
    def reached(self) -> bool:
        return self.checked_at is not None and not self.sentence


def reaches(plan: Plan) -> list[Reach]:
    """The hosts that the plan calls, by how many tasks, with what is known of each. Nothing, where the broker is down."""
    counts = _origins(plan)
    notes = _notes(list(counts))
    return [_reach(origin, count, notes.get(origin)) for origin, count in counts.most_common()]


def ask(plan: Plan) -> None:
    """Have a worker connect to each host of the plan."""
    origins = [origin for origin, _ in _origins(plan).most_common(MOST)]
    asked = json.dumps({"asked_at": now().isoformat()})
    try:
        with jobs.queue().connection.pipeline(transaction=False) as broker:
            for origin in origins:
                broker.set(_key(origin), asked, ex=KEPT_S)
            broker.execute()
    except RedisError as error:
        log.warning("The broker cannot be reached: %s. No host is checked.", error)
        return
    if origins:
        jobs.enqueue(JOB, origins)


@jobs.job(JOB)
def probe_hosts(origins: Collection[str]) -> None:
    """Connect to each, beside the queue: a host that does not answer takes seconds, in which posts would wait."""
    door, broker = current_app.extensions["door"], jobs.queue().connection
    for origin in origins:
        threading.Thread(target=_probe, args=(door, broker, origin), name="probe", daemon=True).start()


def _probe(door: Door, broker: Redis, origin: str) -> None:
    failure = door.reach(origin)
    note = {"checked_at": now().isoformat()}
    if failure is not None:
        note |= {"sentence": failure.sentence, "remedy": failure.remedy}
    try:
        broker.set(_key(origin), json.dumps(note), ex=KEPT_S)
    except RedisError as error:
        log.warning("The broker cannot be reached: %s. Nobody learns whether %s answers.", error, origin)


def _origins(plan: Plan) -> Counter[str]:
    """Scheme, host and port of every request that can be made, and how many tasks make one."""
    found: Counter[str] = Counter()
    for task in plan.calling:
        address = plan.address(task)
        if address:
            found[origin_of(address)] += 1
    return found


def _notes(origins: list[str]) -> Mapping[str, Mapping[str, str]]:
    if not origins:
        return {}
    try:
        found = jobs.queue().connection.mget([_key(each) for each in origins])
    except RedisError as error:
        log.warning("The broker cannot be reached: %s. What is known of hosts is not shown.", error)
        return {}
    return {origin: json.loads(note) for origin, note in zip(origins, found, strict=True) if note}


def _reach(origin: str, tasks: int, note: Mapping[str, str] | None) -> Reach:
    if note is None:
        return Reach(origin, tasks)
    if "asked_at" in note:
        return Reach(origin, tasks, checking=now() - datetime.fromisoformat(note["asked_at"]) < PROBED_WITHIN)
    checked_at = datetime.fromisoformat(note["checked_at"])
    return Reach(origin, tasks, False, checked_at, note.get("sentence", ""), note.get("remedy", ""))


def _key(origin: str) -> str:
    return f"runsheet:reach:{origin}"
