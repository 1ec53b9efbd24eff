"""What pre-flight looks at, one function each. A check takes the plan and gives its findings."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from webapp.fields import queries as fields
from webapp.fields.models import FieldDefinition
from webapp.integrations.authorizations import AUTHORIZATIONS
from webapp.integrations.credentials import lasts_until
from webapp.runbooks import queries
from webapp.runbooks.models import Task
from webapp.runbooks.preflight import ways
from webapp.runbooks.preflight.findings import About, Finding, Level, finding
from webapp.runbooks.preflight.plan import Plan
from webapp.runbooks.triggers import TRIGGERS
from webapp.templating import TemplateError

# A field that shows there too is asked of people while the runbook runs.
_ASKED_LATER = frozenset({"task_start", "task_finish"})


@dataclass(frozen=True)
class Check:
    """`title` names it, `fine` is what the page says where it finds nothing; `always`: it stops a rehearsal too."""

    title: str
    fine: str
    look: Callable[[Plan], Sequence[Finding]]
    always: bool = False


def tasks_to_run(plan: Plan) -> Sequence[Finding]:
    """An empty runbook cannot be started."""
    if plan.tasks:
        return []
    return [Finding(Level.ERROR, "There is nothing to run yet.", "Add a task first.")]


def runbook_fields(plan: Plan) -> Sequence[Finding]:
    """Required fields of the runbook itself, unless a task can hold them or is asked for them."""
    on_tasks = {"task_edit", "task_start"}
    here = [each for each in queries.fields_of(plan.runbook) if not on_tasks & set(each.displays_on)]
    missing = fields.missing_required(here, plan.shared)
    if not missing:
        return []
    names = ", ".join(each.name for each in missing)
    return [Finding(Level.ERROR, f"Fill in {names} under “Name and planned start” first.")]


def task_fields(plan: Plan) -> Sequence[Finding]:
    """Required fields that are filled in while planning."""
    found = [
        task
        for task in plan.tasks
        if fields.missing_required(
            [each for each in plan.definitions[task.action_id] if "task_edit" in each.displays_on],
            fields.in_force(plan.values.get(task.id, {}), plan.shared),
        )
    ]
    return finding(
        Level.ERROR,
        _about(found),
        "has a required field that is empty",
        "have required fields that are empty",
        "Fill in what is empty on the task.",
    )


def actions_there(plan: Plan) -> Sequence[Finding]:
    """Actions that were archived, or whose kind this version does not know."""
    archived = [
        task
        for task in plan.calling
        if plan.action(task).archived_at is not None or plan.action(task).connection.archived_at is not None
    ]
    unknown = [
        task
        for task in plan.calling
        if plan.action(task).trigger not in TRIGGERS or plan.action(task).authorization not in AUTHORIZATIONS
    ]
    return [
        *finding(
            Level.ERROR,
            _about(archived),
            "calls an integration that is archived",
            "call integrations that are archived",
            "Choose another action on the task, or have it restored under Settings > Integrations.",
        ),
        *finding(
            Level.ERROR,
            _about(unknown),
            "has an action whose trigger or authorization is no longer available",
            "have actions whose trigger or authorization is no longer available",
            "Choose another in the action’s settings.",
        ),
    ]


def functional_sign_ins(plan: Plan) -> Sequence[Finding]:
    """One shared account that has to be signed in before any of its tasks can call."""
    found = [
        task
        for task in plan.authorized
        if plan.sign_ins[task.id].as_ == "functional" and plan.sign_ins[task.id].needed
    ]
    return finding(
        Level.ERROR,
        _about(found),
        "calls an integration whose functional user has not signed in",
        "call integrations whose functional user has not signed in",
        "An integration admin presses Authenticate in the action’s Authorization tab.",
    )


def sign_ins_that_end(plan: Plan) -> Sequence[Finding]:
    """Sign-ins that are good now, and end before the plan does."""
    found = []
    for task in plan.authorized:
        held = plan.sign_ins[task.id].authentication
        ends = lasts_until(held) if held is not None and not plan.sign_ins[task.id].needed else None
        if ends is not None and ends < plan.finish:
            found.append(task)
    return finding(
        Level.WARNING,
        _about(found),
        "calls an integration whose sign-in ends before the planned finish",
        "call integrations whose sign-in ends before the planned finish",
        "An integration admin presses Authenticate again shortly before the start.",
    )


def roll_call(plan: Plan) -> Sequence[Finding]:
    """People who must authenticate for tasks of theirs; for tasks of nobody in particular only a word about it."""
    waiting = {task.id: task for tasks in plan.roll_call.values() for task in tasks}
    anyone = [
        task
        for task in plan.authorized
        if plan.sign_ins[task.id].as_ == "task" and plan.sign_ins[task.id].needed and not task.assignees
    ]
    return [
        *finding(
            Level.WARNING,
            _about(sorted(waiting.values(), key=lambda task: task.number)),
            "has people who have yet to authenticate",
            "have people who have yet to authenticate",
            "Each of them opens the task and presses Authenticate. The roll-call says who.",
        ),
        *finding(
            Level.NOTICE,
            _about(anyone),
            "will ask whoever starts it to authenticate",
            "will ask whoever starts them to authenticate",
        ),
    ]


def requests(plan: Plan) -> Sequence[Finding]:
    """Every request is made, as it would be sent with the values of now."""
    broken: dict[str, list[Task]] = defaultdict(list)
    later = []
    for task in plan.calling:
        made = plan.requests[task.id]
        if not isinstance(made, TemplateError):
            continue
        if _asked_later(plan.definitions[task.action_id], plan, task):
            later.append(task)
        else:
            broken[made.message.rstrip(".")].append(task)
    found = [
        each
        for message, tasks in broken.items()
        for each in finding(
            Level.ERROR,
            _about(tasks),
            f"has a request that cannot be made: {message}",
            f"have requests that cannot be made: {message}",
            "Correct the task’s fields, or the action’s Request tab.",
        )
    ]
    return [
        *found,
        *finding(
            Level.NOTICE,
            _about(later),
            "has a request that can be checked only once its fields are asked for",
            "have requests that can be checked only once their fields are asked for",
        ),
    ]


def assigned(plan: Plan) -> Sequence[Finding]:
    """Tasks that nobody was told about."""
    found = [task for task in plan.tasks if not task.assignees]
    return finding(Level.NOTICE, _about(found), "is assigned to nobody", "are assigned to nobody")


def _asked_later(definitions: Iterable[FieldDefinition], plan: Plan, task: Task) -> bool:
    held = fields.in_force(plan.values.get(task.id, {}), plan.shared)
    return any(
        _ASKED_LATER & set(each.displays_on) and (each.id not in held or held[each.id].value in fields.BLANK)
        for each in definitions
    )


def _about(tasks: Iterable[Task]) -> tuple[About, ...]:
    return tuple(About(task.number, task.title) for task in tasks)


CHECKS = (
    Check("Tasks", "There is something to run.", tasks_to_run, always=True),
    Check("Runbook fields", "Every required field of the runbook is filled in.", runbook_fields, always=True),
    Check("Task fields", "Every required field of the tasks is filled in.", task_fields),
    Check("Integrations", "Every integration that is called is available.", actions_there),
    Check("Functional users", "Every functional user that is needed is signed in.", functional_sign_ins),
    Check("Sign-ins that last", "No functional sign-in ends before the planned finish.", sign_ins_that_end),
    Check("Task users", "Everybody who has to authenticate has done so.", roll_call),
    Check("Requests", "Every request can be made.", requests),
    Check("Types", "Every task has a type that is available.", ways.types_known),
    Check("Who starts and finishes", "Every rule has the people that it asks for.", ways.rules_with_people),
    Check("Linked runbooks", "Every runbook that a task starts can be started.", ways.linked_runbooks),
    Check("People", "Every task is assigned to someone.", assigned),
)
