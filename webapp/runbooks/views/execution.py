"""Start, finish, skip, and what people decide about a task's integration run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from flask import abort, request
from flask_login import current_user

from webapp.extensions import db
from webapp.fields import queries as fields
from webapp.fields.forms import typed_values
from webapp.fields.kinds import InvalidValue
from webapp.fields.models import FieldDefinition
from webapp.integration_runs import operations as integration_runs
from webapp.integration_runs import queries as runs
from webapp.integration_runs.models import IntegrationRun
from webapp.permissions import Permission
from webapp.runbooks import operations, queries
from webapp.runbooks.forms import AcceptForm, ReasonForm, ResolveForm, ResultForm
from webapp.runbooks.models import Task
from webapp.runbooks.refusals import FieldsMissing, NotNow, ResultMissing, WarningsToAccept
from webapp.runbooks.rules import Moment
from webapp.runbooks.states import NOT_STARTED, Result, TaskState
from webapp.runbooks.task_types import type_of
from webapp.runbooks.views import blueprint
from webapp.runbooks.views.pieces import answer
from webapp.runbooks.views.runbook import asked, refused
from webapp.workspaces import queries as workspaces

TASK = "/runbooks/<int:runbook_id>/tasks/<int:number>"
RUN = f"{TASK}/integration-runs/<int:run_id>"
_REFUSALS = (NotNow, integration_runs.RequestInvalid)


@blueprint.post(f"{TASK}/start", permission=Permission.RUN_TASKS)
def start_task(runbook_id: int, number: int) -> Any:
    """Start it; where fields are asked for in the moment, or required ones are empty, 422 with them in a dialog.

    So it is with the reason why a linked runbook starts in spite of warnings. Where several start it together, this is
    one person's word.
    """
    task = _task(runbook_id, number)
    form = AcceptForm()
    if "accepted" in request.form and not form.validate():
        return _ask(task, "accept", form, status=422)
    reason = form.accepted.data or ""
    asking = (
        operations.asked_for(task, "task_start")
        if operations.is_last(task, Moment.START, current_user)
        else []
    )
    try:
        return _with_fields(
            task, "start", asking, lambda: operations.start_task(task, by=current_user, accepted=reason)
        )
    except WarningsToAccept as warning:
        db.session.rollback()
        return _ask(task, "accept", AcceptForm(formdata=None), status=422, warning=str(warning))


@blueprint.post(f"{TASK}/finish", permission=Permission.RUN_TASKS)
def finish_task(runbook_id: int, number: int) -> Any:
    """Finish it, as start_task starts it; of a validation the result is asked for in the same dialog."""
    task = _task(runbook_id, number)
    last = operations.is_last(task, Moment.FINISH, current_user)
    asking = operations.asked_for(task, "task_finish") if last else []
    form = ResultForm() if last and type_of(task.type).asks_result else None
    return _with_fields(task, "finish", asking, lambda: _finish(task, form), form)


@blueprint.post(f"{TASK}/take-back", permission=Permission.RUN_TASKS)
def take_back(runbook_id: int, number: int) -> Any:
    """Take back one's word that the task can start or finish, before that of others came."""
    task = _task(runbook_id, number)
    return _act(task, "take_back", lambda: operations.take_back(task, by=current_user))


@blueprint.get(f"{TASK}/skip", permission=Permission.RUN_TASKS)
def ask_skip(runbook_id: int, number: int) -> Any:
    return _ask(_task(runbook_id, number), "skip", ReasonForm(formdata=None))


@blueprint.post(f"{TASK}/skip", permission=Permission.RUN_TASKS)
def skip_task(runbook_id: int, number: int) -> Any:
    task = _task(runbook_id, number)
    form = ReasonForm()
    if not form.validate():
        return _ask(task, "skip", form, status=422)
    reason = form.reason.data
    return _act(task, "skip", lambda: operations.skip_task(task, reason, by=current_user))


@blueprint.get(f"{TASK}/finish-by-hand", permission=Permission.RUN_TASKS)
def ask_finish_by_hand(runbook_id: int, number: int) -> Any:
    return _ask(_task(runbook_id, number), "by_hand", ReasonForm(formdata=None))


@blueprint.post(f"{TASK}/finish-by-hand", permission=Permission.RUN_TASKS)
def finish_by_hand(runbook_id: int, number: int) -> Any:
    task = _task(runbook_id, number)
    form = ReasonForm()
    if not form.validate():
        return _ask(task, "by_hand", form, status=422)
    reason = form.reason.data
    return _act(task, "finish_by_hand", lambda: operations.finish_by_hand(task, reason, by=current_user))


@blueprint.get(f"{TASK}/reopen", permission=Permission.CONDUCT_RUNBOOKS)
def ask_reopen(runbook_id: int, number: int) -> Any:
    task = _task(runbook_id, number, Permission.CONDUCT_RUNBOOKS)
    return _ask_reopen(task, ReasonForm(formdata=None))


@blueprint.post(f"{TASK}/reopen", permission=Permission.CONDUCT_RUNBOOKS)
def reopen_task(runbook_id: int, number: int) -> Any:
    task = _task(runbook_id, number, Permission.CONDUCT_RUNBOOKS)
    form = ReasonForm()
    if not form.validate():
        return _ask_reopen(task, form, status=422)
    reason = form.reason.data
    return _act(task, "reopen", lambda: operations.reopen_task(task, reason, by=current_user))


@blueprint.post(f"{RUN}/cancel", permission=Permission.RUN_TASKS)
def cancel_call(runbook_id: int, number: int, run_id: int) -> Any:
    task = _task(runbook_id, number)
    run = _run(task, run_id)
    if not run.action.cancelable:
        return refused(
            task.runbook, task.runbook.seq, "This action's calls cannot be cancelled.", number=number
        )
    return _act(
        task, "cancel_call", lambda: integration_runs.cancel_run(run, current_user), "The call is cancelled."
    )


@blueprint.post(f"{RUN}/retry", permission=Permission.RUN_TASKS)
def retry_call(runbook_id: int, number: int, run_id: int) -> Any:
    task = _task(runbook_id, number)
    run = _run(task, run_id)
    return _act(
        task,
        "retry_call",
        lambda: operations.retry_call(task, run, by=current_user),
        "The request is sent again.",
    )


@blueprint.get(f"{RUN}/resolve", permission=Permission.RUN_TASKS)
def ask_resolve(runbook_id: int, number: int, run_id: int) -> Any:
    task = _task(runbook_id, number)
    return _ask(task, "resolve", ResolveForm(formdata=None), run=_run(task, run_id))


@blueprint.post(f"{RUN}/resolve", permission=Permission.RUN_TASKS)
def resolve_call(runbook_id: int, number: int, run_id: int) -> Any:
    task = _task(runbook_id, number)
    run = _run(task, run_id)
    form = ResolveForm()
    if not form.validate():
        return _ask(task, "resolve", form, status=422, run=run)
    arrived, note = form.outcome.data == "succeeded", form.note.data
    return _act(
        task,
        "resolve_call",
        lambda: integration_runs.resolve_run(run, arrived, note, current_user),
        "The outcome is recorded.",
    )


def _task(runbook_id: int, number: int, permission: Permission = Permission.RUN_TASKS) -> Task:
    return queries.task_numbered(current_user, runbook_id, number, permission)


def _ask_reopen(task: Task, form: ReasonForm, *, status: int = 200) -> Any:
    begun = [each for each in queries.successors_of(task.id) if each.state not in NOT_STARTED]
    return _ask(task, "reopen", form, status=status, begun=begun)


def _run(task: Task, run_id: int) -> IntegrationRun:
    run = runs.run_to_act_on(current_user, run_id)
    if run.task_id != task.id:
        abort(404)
    return run


def _act(task: Task, verb: str, operation: Callable[[], Any], words: str = "") -> Any:
    runbook, number, since = task.runbook, task.number, task.runbook.seq
    try:
        operation()
    except (*_REFUSALS, FieldsMissing, integration_runs.NotNow, ValueError) as refusal:
        _note_refusal(task, verb, refusal)
        return refused(runbook, since, str(refusal), number=number)
    db.session.commit()
    return answer(runbook, since, number=number, text=words)


def _finish(task: Task, form: ResultForm | None) -> None:
    result = Result(form.result.data) if form is not None and form.result.data else None
    comment = (form.comment.data or "") if form is not None else ""
    operations.finish_task(task, by=current_user, result=result, comment=comment)


def _with_fields(
    task: Task,
    verb: str,
    asking: Sequence[FieldDefinition],
    operation: Callable[[], Any],
    form: ResultForm | None = None,
) -> Any:
    """Do it with the fields that are asked for in the moment: shown first, then saved with what was typed.

    `form` is asked for with them.
    """
    runbook, number, since = task.runbook, task.number, task.runbook.seq
    sent = "asked" in request.form
    possible = TaskState.STARTABLE if verb == "start" else TaskState.IN_PROGRESS
    try:
        if (asking or form) and not sent and task.state == possible and runbook.state == "running":
            return _ask_fields(task, verb, asking, {}, form=ResultForm(formdata=None) if form else None)
        problems = _save_typed(task) if sent else {}
        if problems or (form is not None and sent and not form.validate()):
            db.session.rollback()
            return _ask_fields(task, verb, _asked_again(task, asking), problems, form=form)
        operation()
    except FieldsMissing as missing:
        _note_refusal(task, verb, missing)
        shown = {each.id: each for each in (*missing.definitions, *_asked_again(task, asking))}
        problems = {each.id: f"{each.name} is required." for each in missing.definitions} if sent else {}
        return _ask_fields(task, verb, list(shown.values()), problems, form=form)
    except WarningsToAccept:
        raise
    except ResultMissing:
        db.session.rollback()
        return _ask_fields(task, verb, asking, {}, form=ResultForm(formdata=None))
    except _REFUSALS as refusal:
        _note_refusal(task, verb, refusal)
        if sent:
            return _ask_fields(task, verb, _asked_again(task, asking), {}, str(refusal), form)
        return refused(runbook, since, str(refusal), number=number)
    db.session.commit()
    return answer(runbook, since, number=number)


def _note_refusal(task: Task, verb: str, refusal: Exception) -> None:
    """Undo what was begun, and keep who was refused what, and why."""
    db.session.rollback()
    operations.record_refusal(task, verb, str(refusal), by=current_user)
    db.session.commit()


def _save_typed(task: Task) -> dict[int, str]:
    """Save what the dialog sent; definition id to what is wrong with it."""
    problems = {}
    known = {
        each.id: each for each in fields.definitions_for(None, task.runbook.workspace_id, task.action_id)
    }
    for name in request.form:
        definition = known.get(int(name[6:])) if name.startswith("field-") and name[6:].isdecimal() else None
        if definition is None:
            continue
        try:
            operations.save_field(task, definition, request.form.getlist(name), by=current_user)
        except InvalidValue as wrong:
            problems[definition.id] = str(wrong)
    return problems


def _asked_again(task: Task, asking: Sequence[FieldDefinition]) -> list[FieldDefinition]:
    """The fields of the dialog that was sent, and those that are asked for anyway."""
    known = fields.definitions_for(None, task.runbook.workspace_id, task.action_id)
    wanted = {each.id for each in asking}
    return [each for each in known if each.id in wanted or f"field-{each.id}" in request.form]


def _ask_fields(
    task: Task,
    verb: str,
    definitions: Sequence[FieldDefinition],
    problems: dict[int, str],
    refusal: str = "",
    form: ResultForm | None = None,
) -> Any:
    """The dialog with what is stored and what was typed; `refusal` says why it was not done although all is filled in."""
    return asked(
        task.runbook,
        "runbooks/ask/fields.html",
        status=422,
        number=task.number,
        task=task,
        verb=verb,
        definitions=definitions,
        values=fields.values_of_task(task.id),
        typed=typed_values(definitions),
        problems=problems,
        refusal=refusal,
        form=form,
        people=workspaces.members_of(task.runbook.workspace_id),
    )


def _ask(task: Task, what: str, form: Any, *, status: int = 200, **context: Any) -> Any:
    return asked(
        task.runbook,
        f"runbooks/ask/{what}.html",
        status=status,
        number=task.number,
        task=task,
        form=form,
        **context,
    )
