"""What a review is made of, read in a constant number of queries however many tasks and calls there are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import select

from webapp.accounts.models import User
from webapp.audit import queries as audit
from webapp.audit.models import AuditLine
from webapp.clock import now
from webapp.extensions import db
from webapp.integration_runs import queries as integration_runs
from webapp.runbooks import queries
from webapp.runbooks.models import Comment, Execution, Runbook, Task
from webapp.runbooks.reviews.differences import offset
from webapp.runbooks.reviews.executions import Window, planned_start_of, record_of, window_of
from webapp.runbooks.reviews.records import Record, TaskRecord
from webapp.runbooks.reviews.review import Call, Lesson, Review, Step, pauses_within, review
from webapp.runbooks.rows import Person, outcome_words
from webapp.runbooks.schedule import Schedule, schedule_of

# Verb to its words and icon.
_STEPS = {
    "runbook.started": ("Started", "player-play"),
    "runbook.rebaselined": ("Planned times moved", "calendar-time"),
    "runbook.paused": ("Paused", "player-pause"),
    "runbook.resumed": ("Resumed", "player-play"),
    "runbook.completed": ("Completed", "circle-check"),
    "runbook.cancelled": ("Cancelled", "player-stop"),
}


@dataclass(frozen=True)
class Reviewing:
    """A rehearsal or live run, its record and how that went against the plan."""

    runbook: Runbook
    execution: Execution
    moment: datetime
    record: Record
    schedule: Schedule
    review: Review
    lines: Sequence[AuditLine]

    @property
    def ended(self) -> bool:
        return self.execution.ending is not None

    @property
    def planned_start(self) -> datetime | None:
        """What the plan counts from; None where it counts from the start itself."""
        return self.schedule.begin if self.schedule.start_late_s else None


@dataclass(frozen=True)
class Told:
    """What a review's page tells beside it.

    `earlier` are the lessons of executions before this one: nobody throws away what a rehearsal has taught. `present` are
    the numbers of the tasks that are still in the plan.
    """

    steps: Sequence[Step]
    calls: Sequence[Call]
    lessons: Sequence[Lesson]
    earlier: Sequence[Lesson]
    present: frozenset[int]


def load_review(runbook: Runbook, execution: Execution, among: Sequence[Execution]) -> Reviewing:
    """The review of one among all executions of the runbook."""
    moment = now()
    until = execution.ended_at or moment
    record = record_of(execution)
    schedule = schedule_of(
        record.tasks,
        record.links,
        started=execution.started_at,
        planned_start=planned_start_of(execution, runbook),
        moment=until,
    )
    window = window_of(execution, among)
    lines = [each for each in audit.lines_about("runbooks", runbook.id) if window.holds(each.at)]
    changes = [(each.at, each.verb == "runbook.paused") for each in lines if each.verb in _STEPS]
    return Reviewing(
        runbook=runbook,
        execution=execution,
        moment=moment,
        record=record,
        schedule=schedule,
        review=review(record, schedule, pauses_within(changes, until)),
        lines=lines,
    )


def load_told(found: Reviewing, among: Sequence[Execution]) -> Told:
    """What belongs to that review."""
    window = window_of(found.execution, among)
    tasks = {each.id: each for each in found.record.tasks}
    lessons = _lessons(found.runbook.id, tasks, window.until)
    # What was noted before the first start belongs to the first.
    since = window.since if window.before else datetime.min.replace(tzinfo=UTC)
    return Told(
        steps=_steps(found.lines),
        calls=_calls(found.runbook.id, window, tasks),
        lessons=[each for each in lessons if each.at >= since],
        earlier=[each for each in lessons if each.at < since],
        present=frozenset(each.number for each in queries.names_within(found.runbook.id)),
    )


def _steps(lines: Sequence[AuditLine]) -> list[Step]:
    found = []
    for line in lines:
        known = _STEPS.get(line.verb)
        if known is not None:
            words, icon = known
            after = line.after or {}
            if line.verb == "runbook.started" and "mode" in after:
                words = f"Started as {'a rehearsal' if after['mode'] == 'rehearsal' else 'a live run'}"
            elif line.verb == "runbook.rebaselined":
                words = f"{words} {offset(after.get('moved by seconds') or 0)}"
            found.append(Step(line.at, words, icon, line.actor_name, line.note or ""))
    return found


def _calls(runbook_id: int, window: Window, tasks: dict[int, TaskRecord]) -> list[Call]:
    found = []
    for run in integration_runs.runs_of_runbook(runbook_id, window.since, window.until):
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


def _lessons(runbook_id: int, tasks: dict[int, TaskRecord], until: datetime | None) -> list[Lesson]:
    """Those that were written until then, with their task as the record calls it, oldest first."""
    query = (
        select(Task.id, Task.number, Task.title, Comment.body, User.id, User.name, User.color, Comment.at)
        .join(Task, Task.id == Comment.task_id)
        .join(User, User.id == Comment.user_id)
        .where(Task.runbook_id == runbook_id, Comment.lesson)
        .order_by(Comment.id)
    )
    if until is not None:
        query = query.where(Comment.at < until)
    found = []
    for task_id, number, title, body, user_id, name, color, at in db.session.execute(query):
        recorded = tasks.get(task_id)
        found.append(
            Lesson(
                task_id, number, recorded.title if recorded else title, body, Person(user_id, name, color), at
            )
        )
    return found
