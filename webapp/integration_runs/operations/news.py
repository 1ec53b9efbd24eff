"""Sending the news of what workers did, so that a listener that fails cannot undo it."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import event, select

from webapp.extensions import db
from webapp.integration_runs.models import IntegrationRun
from webapp.integration_runs.signals import run_changed, run_settled

log = logging.getLogger(__name__)


def anyone_listens() -> bool:
    """Whether any feature above wants to know; where not, rows need not be loaded."""
    return bool(run_changed.receivers or run_settled.receivers)


def tell(run_ids: Collection[int], settled: Collection[int] = ()) -> None:
    """Send run_changed for each run, and run_settled for the settled ones, each in a savepoint.

    In the order of their runbooks, so that two workers lock runbooks in the same order.
    """
    if not run_ids:
        return
    query = (
        select(IntegrationRun)
        .where(IntegrationRun.id.in_(list(run_ids)))
        .order_by(IntegrationRun.runbook_id, IntegrationRun.id)
        .execution_options(populate_existing=True)
    )
    with _remembering():
        for run in list(db.session.scalars(query)):
            _tell_one(run, run.id in settled)


@contextmanager
def _remembering() -> Iterator[None]:
    """Keep what listeners load until all have heard: many runs of one runbook should load it once."""
    held: list[Any] = []
    session = db.session()

    def hold(_session: Any, instance: Any) -> None:
        held.append(instance)

    event.listen(session, "loaded_as_persistent", hold)
    try:
        yield
    finally:
        event.remove(session, "loaded_as_persistent", hold)


def _tell_one(run: IntegrationRun, settled: bool) -> None:
    reference = run.reference
    try:
        with db.session.begin_nested():
            run_changed.send(run)
            if settled:
                run_settled.send(run)
    except Exception as error:
        log.exception("What follows run %s did not work out; the run itself stands.", reference)
        if settled:
            run.follow_up_error = f"{type(error).__name__}: {error}"[:1000]
    else:
        if settled and run.follow_up_error is not None:
            run.follow_up_error = None
