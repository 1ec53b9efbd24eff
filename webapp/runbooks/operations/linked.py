"""What a runbook tells the tasks that started it: that it is complete, or was cancelled."""

from __future__ import annotations

from webapp.extensions import db
from webapp.runbooks import linking
from webapp.runbooks.models import Runbook
from webapp.runbooks.operations.changes import leave_to_people, look_anew
from webapp.runbooks.operations.execution import finish_task
from webapp.runbooks.refusals import FieldsMissing, PeopleAsked, TakenBefore
from webapp.runbooks.states import Completion


def finish_linking_tasks(runbook: Runbook) -> None:
    """The runbook is complete: so is the task that started it, unless people have to say so."""
    db.session.flush()
    for task in linking.tasks_in_progress(runbook):
        if not linking.is_done_for(task, runbook):
            look_anew(task)
            continue
        try:
            with db.session.begin_nested():
                finish_task(task, by=None, completion=Completion.RUNBOOK)
        except TakenBefore:
            pass  # somebody finished it by hand in the same moment
        except (PeopleAsked, FieldsMissing) as refusal:
            leave_to_people(task, str(refusal))


def leave_linking_tasks_open(runbook: Runbook) -> None:
    """The runbook was cancelled: the task that started it stays open, and says why."""
    db.session.flush()
    for task in linking.tasks_in_progress(runbook):
        leave_to_people(task, linking.why_open(task, runbook))
