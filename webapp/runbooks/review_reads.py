"""What a review is made of, read in a constant number of queries however many tasks and calls there are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import aliased

from webapp.accounts.models import User
from webapp.audit import queries as audit
from webapp.audit.models import AuditLine
from webapp.clock import now
from webapp.extensions import db
from webapp.integration_runs import queries as integration_runs
from webapp.runbooks import queries
from webapp.runbooks.models import Comment, Runbook, Task
from webapp.runbooks.review import Call, Doers, Lesson, Review, Step, Stream, pauses_within, review
from webapp.runbooks.rows import Facts, Person, outcome_words
from webapp.runbooks.schedule import Schedule, schedule_of
from webapp.runbooks.states import ENDED, RunbookState

# Verb to its words and icon.
_STEPS = {
    "runbook.started": ("Started", "player-play"),
    "runbook.paused": ("Paused", "player-pause"),
    "runbook.resumed": ("Resumed", "player-play"),
    "runbook.completed": ("Completed", "circle-check"),
    "runbook.cancelled": ("Cancelled", "player-stop"),
}


@dataclass(frozen=True)
class RunReview:
    """The review of a runbook's present run with all that is told beside it.

    `lessons` are of every run of it, because nobody throws away what a rehearsal has taught.
    """

    runbook: Runbook
    moment: datetime
    schedule: Schedule
    review: Review
    steps: Sequence[Step]
    calls: Sequence[Call]
    lessons: Sequence[Lesson]

    @property
    def ended(self) -> bool:
        return self.runbook.state in ENDED

    @property
    def start_late_s(self) -> int | None:
        """Seconds from the runbook's planned to its actual start; None where no start was planned."""
        if self.runbook.planned_start is None:
            return None
        return int((self.schedule.begin - self.runbook.planned_start).total_seconds())


def load_review(runbook: Runbook) -> RunReview | None:
    """The review; None for a runbook that has not been started."""
    started = runbook.started_at
    if started is None or runbook.state == RunbookState.PLANNING:
        return None
    moment = now()
    until = runbook.ended_at or moment
    facts, doers = _tasks(runbook.id)
    links = queries.links_within(runbook.id)
    schedule = schedule_of(facts, links, started=started, planned_start=runbook.planned_start, moment=until)
    lines = [each for each in audit.lines_about("runbooks", runbook.id) if each.at >= started]
    changes = [(each.at, each.verb == "runbook.paused") for each in lines if each.verb in _STEPS]
    streams = [Stream(each.id, each.name, each.color) for each in queries.streams_of(runbook.id)]
    return RunReview(
        runbook=runbook,
        moment=moment,
        schedule=schedule,
        review=review(facts, doers, links, streams, schedule, pauses_within(changes, until)),
        steps=_steps(lines),
        calls=_calls(runbook.id, started, {each.id: each for each in facts}),
        lessons=_lessons(runbook.id),
    )


def _tasks(runbook_id: int) -> tuple[list[Facts], dict[int, Doers]]:
    """The runbook's tasks in their order, and by id who started and finished them and why."""
    starter, finisher = aliased(User), aliased(User)
    columns = [getattr(Task, name) for name in Facts._fields]
    query = (
        select(*columns, starter.name, finisher.name, Task.skip_reason)
        .outerjoin(starter, starter.id == Task.started_by_id)
        .outerjoin(finisher, finisher.id == Task.finished_by_id)
        .where(Task.runbook_id == runbook_id, Task.deleted_at.is_(None))
        .order_by(Task.position, Task.id)
    )
    facts, doers = [], {}
    for *values, started_by, finished_by, reason in db.session.execute(query):
        each = Facts(*values)
        facts.append(each)
        doers[each.id] = Doers(
            started_by or ("Runsheet" if each.started_at else ""),
            finished_by or ("Runsheet" if each.finished_at else ""),
            reason,
        )
    return facts, doers


def _steps(lines: Sequence[AuditLine]) -> list[Step]:
    found = []
    for line in lines:
        known = _STEPS.get(line.verb)
        if known is not None:
            words, icon = known
            mode = (line.after or {}).get("mode")
            if line.verb == "runbook.started" and mode:
                words = f"Started as {'a rehearsal' if mode == 'rehearsal' else 'a live run'}"
            found.append(Step(line.at, words, icon, line.actor_name, line.note or ""))
    return found


def _calls(runbook_id: int, since: datetime, tasks: dict[int, Facts]) -> list[Call]:
    found = []
    for run in integration_runs.runs_of_runbook(runbook_id, since):
        task = tasks.get(run.task_id) if run.task_id is not None else None
        outcome = run.outcome or {}
        found.append(
            Call(
                id=run.id,
                task_id=run.task_id,
                number=task.number if task else None,
                title=task.title if task else "",
                action=f"{run.action.connection.name}: {run.action.name}",
                state=run.state,
                attempts=run.attempt_count,
                code=outcome_words(str(outcome.get("code") or "")),
                sentence=str(outcome.get("sentence") or ""),
                at=run.requested_at,
                by=run.requested_by_name,
            )
        )
    return found


def _lessons(runbook_id: int) -> list[Lesson]:
    query = (
        select(Task.id, Task.number, Task.title, Comment.body, User.id, User.name, User.color, Comment.at)
        .join(Task, Task.id == Comment.task_id)
        .join(User, User.id == Comment.user_id)
        .where(Task.runbook_id == runbook_id, Task.deleted_at.is_(None), Comment.lesson)
        .order_by(Comment.id)
    )
    return [
        Lesson(task_id, number, title, body, Person(user_id, name, color), at)
        for task_id, number, title, body, user_id, name, color, at in db.session.execute(query)
    ]
