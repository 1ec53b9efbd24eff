"""People's word that a task starts or finishes, where its rule asks for that of several of them."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import delete, select

from webapp.accounts.models import User
from webapp.audit.operations import record
from webapp.extensions import db
from webapp.permissions import Permission, can
from webapp.runbooks.models import Confirmation, Runbook, Task
from webapp.runbooks.operations.changes import touch
from webapp.runbooks.refusals import NotNow
from webapp.runbooks.rules import OF_SEVERAL, Asked, Moment, Press, Rule, press
from webapp.runbooks.states import RunbookState, TaskState

_VERBS = {Moment.START: ("start", "starts"), Moment.FINISH: ("finish", "finishes")}
_STANDS = {TaskState.STARTABLE: Moment.START, TaskState.IN_PROGRESS: Moment.FINISH}


def rule_of(task: Task, moment: Moment) -> Asked:
    """The task's rule for that moment as it stands now."""
    query = select(Confirmation.user_id).where(Confirmation.task_id == task.id, Confirmation.moment == moment)
    people = [each.id for each in sorted(task.assignees, key=lambda each: each.name.lower())]
    if moment is Moment.START:
        return Asked(task.start_rule, task.start_quorum, people, set(db.session.scalars(query)))
    ready = set(db.session.scalars(query))
    return Asked(task.finish_rule, task.finish_quorum, people, ready, task.started_by_id)


def is_last(task: Task, moment: Moment, by: User) -> bool:
    """Whether that person's press would start or finish the task, rather than wait for others. Decides nothing."""
    return press(rule_of(task, moment), by.id, conducts=True) in (Press.GO, Press.OVERRIDE)


def given_by_people(task: Task, moment: Moment) -> bool:
    """Whether only people start or finish the task, so that it never does either by itself."""
    asked = rule_of(task, moment)
    return asked.needed > 0 or (asked.rule == Rule.WHO_STARTED and asked.started_by is not None)


def press_for(task: Task, moment: Moment, by: User) -> tuple[bool, str | None]:
    """Take the person's word. Whether the task goes on with it, and what the audit line should say besides.

    Called under the lock that touch holds: of two last ones who press at once, one is the last. Raises NotNow for
    someone whose word is not asked for.
    """
    db.session.refresh(task, ["assignees"])
    asked = rule_of(task, moment)
    found = press(asked, by.id, conducts=can(by, Permission.CONDUCT_RUNBOOKS, task.runbook))
    verb, verbs = _VERBS[moment]
    if found is Press.NOT_ASKED:
        names = _named(task, asked.people)
        raise NotNow(
            f"{names} {verb if len(asked.people) > 1 else verbs} this task, and you are not assigned to it."
        )
    if found is Press.NOT_THEIRS:
        name = task.started_by.name if task.started_by else "Somebody else"
        raise NotNow(
            f"{name} started this task and finishes it. Whoever conducts the runbook can finish it too."
        )
    if asked.rule in OF_SEVERAL and asked.needed and by.id not in asked.ready:
        db.session.add(Confirmation(task_id=task.id, user_id=by.id, moment=moment))
        db.session.flush()
        _record(f"task.{verb}_confirmed", task, by, note=_count(rule_of(task, moment)))
    if found is Press.OVERRIDE:
        name = task.started_by.name if task.started_by else "somebody else"
        return True, f"instead of {name}, who started it"
    return found is Press.GO, None


def take_back(task: Task, *, by: User) -> None:
    """Take back one's word while the task still waits for that of others. Raises NotNow."""
    touch(task.runbook, task)
    db.session.flush()
    db.session.refresh(task)
    moment = _STANDS.get(TaskState(task.state))
    if moment is None or task.runbook.state not in (RunbookState.RUNNING, RunbookState.PAUSED):
        raise NotNow("There is nothing to take back any more.")
    gone = db.session.scalar(
        delete(Confirmation)
        .where(Confirmation.task_id == task.id, Confirmation.user_id == by.id, Confirmation.moment == moment)
        .returning(Confirmation.task_id)
    )
    if gone is None:
        raise NotNow(f"You have not said yet that the task can {_VERBS[moment][0]}.")
    _record("task.confirmation_taken_back", task, by, note=_count(rule_of(task, moment)))


def forget(task: Task) -> None:
    """Everybody's word, for a task that is done again."""
    db.session.execute(delete(Confirmation).where(Confirmation.task_id == task.id))


def forget_all(runbook: Runbook) -> None:
    """The same for every task of the runbook."""
    ids = select(Task.id).where(Task.runbook_id == runbook.id)
    db.session.execute(
        delete(Confirmation).where(Confirmation.task_id.in_(ids)).execution_options(synchronize_session=False)
    )


def _count(asked: Asked) -> str:
    return f"{len(asked.there)} of {asked.needed}"


def _named(task: Task, people: Collection[int]) -> str:
    names = sorted((each.name for each in task.assignees if each.id in people), key=str.lower)
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))


def _record(verb: str, task: Task, by: User, note: str) -> None:
    record(
        verb,
        task,
        by=by,
        workspace_id=task.runbook.workspace_id,
        runbook_id=task.runbook_id,
        note=note,
    )
