"""Nudges: asking people who must authenticate before the start to do so."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from webapp.accounts.models import User
from webapp.audit.operations import record
from webapp.clock import now
from webapp.extensions import db
from webapp.notifications import queries as notifications
from webapp.notifications.operations import News, notify_each
from webapp.runbooks import durations
from webapp.runbooks.audiences import readers
from webapp.runbooks.context import path_of
from webapp.runbooks.models import Runbook, Task
from webapp.runbooks.operations.changes import touch
from webapp.runbooks.preflight.plan import load_plan
from webapp.runbooks.refusals import NotNow
from webapp.runbooks.states import ENDED, Mode

NOT_AGAIN_WITHIN = timedelta(minutes=5)
_KIND = "nudge"


def nudged_at(runbook: Runbook) -> dict[int, datetime]:
    """User id to when they were last nudged about the runbook."""
    return notifications.last_told(_KIND, runbook.id)


def nudge(runbook: Runbook, mode: Mode, *, by: User, only: int | None = None) -> list[User]:
    """Ask everybody who must authenticate before such a start, or `only` that one, to do it; the audit log says whom.

    Those who were nudged a moment ago are left out. Raises NotNow where nobody is left to ask.
    """
    touch(runbook)
    if runbook.state in ENDED:
        raise NotNow("The runbook has ended, so nobody has to authenticate for it any more.")
    may_read = set(db.session.scalars(readers(runbook)))
    waited_for = {
        person: tasks
        for person, tasks in load_plan(runbook, mode).roll_call.items()
        if person.id != by.id and person.id in may_read and only in (None, person.id)
    }
    if not waited_for:
        raise NotNow("There is nobody to nudge: who was to authenticate has done so.")
    before, moment = nudged_at(runbook), now()
    lately = {
        person: before[person.id]
        for person in waited_for
        if person.id in before and moment - before[person.id] < NOT_AGAIN_WITHIN
    }
    due = {person: tasks for person, tasks in waited_for.items() if person not in lately}
    if not due:
        raise NotNow(_a_moment_ago(lately, moment))
    news = {person.id: _news(runbook, tasks, by) for person, tasks in due.items()}
    told = notify_each(news, _KIND, by=by, runbook_id=runbook.id)
    nudged = [person for person in due if person.id in told]
    record(
        "runbook.people_nudged",
        runbook,
        by=by,
        after={person.name: [f"#{task.number}" for task in due[person]] for person in nudged},
        workspace_id=runbook.workspace_id,
        runbook_id=runbook.id,
    )
    return nudged


def _news(runbook: Runbook, tasks: Sequence[Task], by: User) -> News:
    first, more = tasks[0], len(tasks) - 1
    others = f", and for {more:,} more {'task' if more == 1 else 'tasks'} of it" if more else ""
    sentence = f"{by.name} asks you to authenticate for {first.audit_name} in “{runbook.name}”{others}."
    return News(sentence, path_of(runbook.id, first.number), first.id)


def _a_moment_ago(lately: Mapping[User, datetime], moment: datetime) -> str:
    person, at = max(lately.items(), key=lambda each: each[1])
    ago = durations.rounded(max(1, (moment - at).total_seconds()))
    wait = durations.rounded((at + NOT_AGAIN_WITHIN - moment).total_seconds())
    who = person.name if len(lately) == 1 else "Everybody"
    return f"{who} was nudged {ago} ago. Wait {wait} before you nudge again."
