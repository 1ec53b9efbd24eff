"""What pre-flight looks at in tasks' types, and in how they start and finish."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from webapp.runbooks.models import Task
from webapp.runbooks.preflight.findings import About, Finding, Level, finding
from webapp.runbooks.preflight.plan import Plan
from webapp.runbooks.rules import OF_SEVERAL, Rule
from webapp.runbooks.states import ENDED, UNDER_WAY
from webapp.runbooks.task_types import TASK_TYPES, type_of


def types_known(plan: Plan) -> Sequence[Finding]:
    """Types that a newer version wrote."""
    return finding(
        Level.WARNING,
        _about(task for task in plan.tasks if task.type not in TASK_TYPES),
        "has a type that is no longer available",
        "have types that are no longer available",
        "Choose another type on the task. Until then it is run as a plain task.",
    )


def rules_with_people(plan: Plan) -> Sequence[Finding]:
    """Rules that ask for more people than there are."""
    asking = [task for task in plan.tasks if OF_SEVERAL & {task.start_rule, task.finish_rule}]
    alone = [task for task in asking if not task.assignees]
    short = [task for task in asking if task.assignees and _most(task) > len(task.assignees)]
    gone = [task for task in asking if any(not each.active for each in task.assignees)]
    waiting = [
        task
        for task in plan.calling
        if plan.action(task).auto_start and task.start_rule in OF_SEVERAL and task.assignees
    ]
    return [
        *finding(
            Level.WARNING,
            _about(alone),
            "asks several people to start or finish it and is assigned to nobody, so anyone can",
            "ask several people to start or finish them and are assigned to nobody, so anyone can",
            "Assign people on the task.",
        ),
        *finding(
            Level.WARNING,
            _about(short),
            "asks for more people than are assigned to it, so all of them are enough",
            "ask for more people than are assigned to them, so all of them are enough",
            "Assign more people on the task, or ask for fewer.",
        ),
        *finding(
            Level.WARNING,
            _about(gone),
            "waits for someone who can no longer sign in",
            "wait for someone who can no longer sign in",
            "Take that person off the task.",
        ),
        *finding(
            Level.NOTICE,
            _about(waiting),
            "does not start by itself, as its action would, because several people start it together",
            "do not start by themselves, as their actions would, because several people start them together",
        ),
    ]


def linked_runbooks(plan: Plan) -> Sequence[Finding]:
    """Runbooks that tasks start: each must be chosen, there, and not have begun. A task may still be skipped."""
    linking = [task for task in plan.tasks if type_of(task.type).links]
    linked = [(task, task.linked_runbook) for task in linking if task.linked_runbook is not None]
    twice = [task for task, runbook in linked if sum(1 for _, other in linked if other is runbook) > 1]
    return [
        *finding(
            Level.ERROR,
            _about(task for task in linking if task.linked_runbook is None),
            "has no runbook to start yet",
            "have no runbook to start yet",
            "Choose one on the task.",
        ),
        *finding(
            Level.ERROR,
            _about(task for task, runbook in linked if runbook.archived_at is not None),
            "starts a runbook that is archived",
            "start runbooks that are archived",
            "Choose another on the task.",
        ),
        *finding(
            Level.WARNING,
            _about(
                task for task, runbook in linked if runbook.state in UNDER_WAY and runbook.archived_at is None
            ),
            "starts a runbook that is under way already",
            "start runbooks that are under way already",
            "The task can start it only once it is being planned again.",
        ),
        *finding(
            Level.WARNING,
            _about(
                task for task, runbook in linked if runbook.state in ENDED and runbook.archived_at is None
            ),
            "starts a runbook that has ended",
            "start runbooks that have ended",
            "Take a rehearsal back to planning on its page; of a live run duplicate it, and link the copy.",
        ),
        *finding(
            Level.WARNING,
            _about(twice),
            "starts a runbook that another task starts too",
            "start a runbook that another of them starts too",
            "Duplicate the runbook, and link the copy to one of them.",
        ),
        *finding(
            Level.NOTICE,
            _about(task for task, _ in linked),
            "starts another runbook, whose own pre-flight is asked then",
            "start other runbooks, whose own pre-flights are asked then",
        ),
    ]


def _most(task: Task) -> int:
    """The larger number of people that its rules ask for."""
    asked = ((task.start_rule, task.start_quorum), (task.finish_rule, task.finish_quorum))
    return max((quorum for rule, quorum in asked if rule == Rule.AT_LEAST), default=0)


def _about(tasks: Iterable[Task]) -> tuple[About, ...]:
    return tuple(About(task.number, task.title) for task in tasks)
