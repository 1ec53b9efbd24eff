"""Work in the background: plans that are imported, tasks whose time has come."""

from __future__ import annotations

import logging
from datetime import timedelta

from sqlalchemy.exc import DBAPIError, OperationalError

from webapp.clock import now
from webapp.extensions import db
from webapp.jobs import job, swept
from webapp.runbooks import import_progress, imports, queries
from webapp.runbooks.operations import importing
from webapp.runbooks.operations.readiness import start_at_its_time
from webapp.runbooks.refusals import NotNow, PlanRefused

log = logging.getLogger(__name__)

FORGOTTEN_AFTER = timedelta(seconds=15)
UNEXPECTED = (
    "Nothing was imported, because something went wrong in Runsheet. Try again, or tell your administrator."
)


@job(importing.JOB)
def import_plan(import_id: int) -> None:
    """Import one file in one transaction. Performed twice it is imported once; the sweeper repeats what was cut off."""
    try:
        if importing.perform_import(import_id, told=lambda done: import_progress.tell(import_id, done)):
            db.session.commit()
        else:
            db.session.rollback()
        return
    except (PlanRefused, NotNow) as refusal:
        sentence = str(refusal)
    except Exception as error:
        if isinstance(error, OperationalError) or (
            isinstance(error, DBAPIError) and error.connection_invalidated
        ):
            db.session.rollback()
            raise  # the database is busy or gone: it stays queued
        log.exception("Import %d failed.", import_id)
        sentence = UNEXPECTED
    db.session.rollback()
    importing.refuse_import(import_id, sentence)
    db.session.commit()


@swept.connect
def sweep_imports(_sender: object) -> None:
    """Wake a worker for imports whose call was lost, and throw away old ones."""
    for each in imports.forgotten_imports(now() - FORGOTTEN_AFTER):
        importing.queue_again(each)
    importing.forget_old_imports(now())
    db.session.commit()


@swept.connect
def start_due_tasks(_sender: object) -> None:
    """Start what starts by itself at a fixed time that has come; a failure of one runbook keeps no other waiting."""
    due = queries.runbooks_with_due_tasks(now())
    db.session.rollback()
    for runbook_id in due:
        try:
            start_at_its_time(runbook_id)
            db.session.commit()
        except Exception:
            db.session.rollback()
            log.exception("The due tasks of runbook %d were not started.", runbook_id)
