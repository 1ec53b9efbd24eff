"""The page of one runbook, what changed on it, and its life as a whole."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from flask import Response, abort, render_template, request
from flask_login import current_user

from webapp.accounts import queries as accounts
from webapp.clock import now
from webapp.extensions import db
from webapp.fields import queries as fields
from webapp.fields.forms import typed_values
from webapp.fields.kinds import InvalidValue
from webapp.fields.models import FieldDefinition
from webapp.integration_runs.operations import RequestInvalid
from webapp.page import fragments, is_fragment_request, page, toast
from webapp.permissions import Permission
from webapp.runbooks import operations, presence, queries
from webapp.runbooks.addresses import WALL, Here, read_here
from webapp.runbooks.audiences import USUAL, counts
from webapp.runbooks.forms import (
    MessageForm,
    ReasonForm,
    RunbookForm,
    StartRunbookForm,
    runbook_values,
)
from webapp.runbooks.models import Runbook
from webapp.runbooks.preflight import preflight
from webapp.runbooks.refusals import NotNow, WarningsToAccept
from webapp.runbooks.reviews.differences import offset
from webapp.runbooks.states import ENDED, Mode
from webapp.runbooks.views import blueprint
from webapp.runbooks.views.pieces import (
    answer,
    base_of,
    board_of,
    changed_parts,
    dialog,
    here_on_page,
    runbook_page,
    view_piece,
)
from webapp.runbooks.views.pulls import TURNS, pulled
from webapp.workspaces import queries as workspaces

PAGE = "/runbooks/<int:runbook_id>"


@blueprint.get(PAGE, permission=Permission.READ_RUNBOOKS)
def runbook(runbook_id: int) -> Any:
    found = queries.runbook_for(current_user, runbook_id, Permission.READ_RUNBOOKS)
    return runbook_page(found, here=here_on_page(found))


@blueprint.get(f"{PAGE}/map", permission=Permission.READ_RUNBOOKS)
def runbook_map(runbook_id: int) -> Any:
    return _drawn(runbook_id)


@blueprint.get(f"{PAGE}/timeline", permission=Permission.READ_RUNBOOKS)
def runbook_timeline(runbook_id: int) -> Any:
    return _drawn(runbook_id)


@blueprint.get(f"{PAGE}/dashboard", permission=Permission.READ_RUNBOOKS)
def runbook_dashboard(runbook_id: int) -> Any:
    return _drawn(runbook_id)


@blueprint.get(f"{PAGE}/wall", permission=Permission.READ_RUNBOOKS)
def wall(runbook_id: int) -> Any:
    """A display that needs no hand; to htmx only what it shows."""
    found = queries.runbook_for(current_user, runbook_id, Permission.READ_RUNBOOKS)
    board = board_of(found, Here(base_of(found), WALL))
    piece = view_piece(board)
    if is_fragment_request():
        return fragments([piece])
    return page("runbooks/wall.html", runbook=found, board=board, view_piece=piece)


@blueprint.get(f"{PAGE}/changes", permission=Permission.READ_RUNBOOKS)
def changes(runbook_id: int) -> Any:
    """204, or the out-of-band pieces that changed after `since`, with the seq that they bring the page to.

    X-Wait says how many ms the page should let pass before it asks again of itself.
    """
    found = queries.runbook_for(current_user, runbook_id, Permission.READ_RUNBOOKS)
    since = request.args.get("since", 0, int)
    told = Response(status=204) if found.seq <= since else pulled(found, since)
    told.headers["X-Wait"] = str(round(TURNS.next_s() * 1000))
    return told


@blueprint.get(f"{PAGE}/watching", permission=Permission.READ_RUNBOOKS)
def watching(runbook_id: int) -> Any:
    """Who has the page open, the one who asks among them; 204 where those are `shown` (ids by name, with hyphens)."""
    found = queries.runbook_for(current_user, runbook_id, Permission.READ_RUNBOOKS)
    people = accounts.users_by_id(presence.watching(found.id, current_user.id))
    if "-".join(str(each.id) for each in people) == request.args.get("shown"):
        return Response(status=204)
    return page("runbooks/_watching.html", people=people, base=base_of(found))


@blueprint.get(f"{PAGE}/edit", permission=Permission.EDIT_RUNBOOKS)
def edit_runbook(runbook_id: int) -> Any:
    found = queries.runbook_for(current_user, runbook_id, Permission.EDIT_RUNBOOKS)
    form = RunbookForm(formdata=None, data=runbook_values(found))
    return _ask_edit(found, form, queries.fields_of(found))


@blueprint.post(f"{PAGE}/edit", permission=Permission.EDIT_RUNBOOKS)
def save_runbook(runbook_id: int) -> Any:
    found = queries.runbook_for(current_user, runbook_id, Permission.EDIT_RUNBOOKS)
    form = RunbookForm(data=runbook_values(found))
    definitions, since = queries.fields_of(found), found.seq
    complete = form.validate()
    problems = _save_fields(found, definitions)
    if problems or not complete:
        db.session.rollback()
        return _ask_edit(found, form, definitions, problems, status=422)
    try:
        operations.rename_runbook(
            found,
            name=form.name.data,
            description=form.description.data or "",
            planned_start=form.planned_start.moment,
            time_zone=form.time_zone.data or found.time_zone,
            by=current_user,
        )
    except NotNow as refusal:
        return refused(found, since, str(refusal))
    db.session.commit()
    return answer(found, since, text=" ".join([f"{found.name} is saved.", form.planned_start.twice]).strip())


def _save_fields(runbook: Runbook, definitions: Sequence[FieldDefinition]) -> dict[int, str]:
    """Save what the dialog sent; definition id to what is wrong with it."""
    problems = {}
    for each in definitions:
        sent = request.form.getlist(f"field-{each.id}")
        if not sent:
            continue
        try:
            saved = operations.save_runbook_field(runbook, each, sent, by=current_user)
        except (InvalidValue, NotNow) as wrong:
            problems[each.id] = str(wrong)
        else:
            if each.required and saved.value is None:
                problems[each.id] = f"{each.name} is required."
    return problems


def _ask_edit(
    runbook: Runbook,
    form: RunbookForm,
    definitions: Sequence[FieldDefinition],
    problems: Mapping[int, str] = MappingProxyType({}),
    *,
    status: int = 200,
) -> Response:
    return asked(
        runbook,
        "runbooks/ask/edit.html",
        status=status,
        form=form,
        definitions=definitions,
        locked=runbook.state in ENDED,
        values=fields.values_of_runbook(runbook.id),
        typed=typed_values(definitions),
        problems=problems,
        people=workspaces.members_of(runbook.workspace_id),
    )


@blueprint.get(f"{PAGE}/message", permission=Permission.CONDUCT_RUNBOOKS)
def ask_message(runbook_id: int) -> Any:
    found = queries.runbook_for(current_user, runbook_id, Permission.CONDUCT_RUNBOOKS)
    return asked(found, "runbooks/ask/message.html", form=MessageForm(formdata=None, message=found.message))


@blueprint.post(f"{PAGE}/message", permission=Permission.CONDUCT_RUNBOOKS)
def save_message(runbook_id: int) -> Any:
    """Show the message; without one, take down what is shown."""
    found = queries.runbook_for(current_user, runbook_id, Permission.CONDUCT_RUNBOOKS)
    form, since = MessageForm(), found.seq
    if not form.validate():
        return asked(found, "runbooks/ask/message.html", status=422, form=form)
    try:
        operations.set_message(found, form.message.data or "", by=current_user)
    except NotNow as refusal:
        return refused(found, since, str(refusal))
    db.session.commit()
    text = (
        "Everybody who looks at the runbook sees it now." if found.message else "The message is taken down."
    )
    return answer(found, since, text=text)


@blueprint.get(f"{PAGE}/start", permission=Permission.CONDUCT_RUNBOOKS)
def ask_start(runbook_id: int) -> Any:
    found = queries.runbook_for(current_user, runbook_id, Permission.CONDUCT_RUNBOOKS)
    mode = wanted_mode()
    # A rehearsal is mostly not held when the plan is for; a live run is what the plan is for.
    times = "move" if mode is Mode.REHEARSAL else "keep"
    form = StartRunbookForm(formdata=None, mode=mode, plan_times=times, audience=USUAL[mode])
    return _ask_start(found, mode, form)


def _ask_start(found: Runbook, mode: Mode, form: StartRunbookForm, *, status: int = 200) -> Response:
    form.count(counts(found, besides=current_user))
    return asked(
        found,
        "runbooks/ask/start.html",
        status=status,
        form=form,
        mode=mode,
        found=preflight(found, mode),
        way=operations.way_to(found, now()),
        begins=operations.plan_begin(found),
        offset=offset,
    )


@blueprint.post(f"{PAGE}/start", permission=Permission.CONDUCT_RUNBOOKS)
def start_runbook(runbook_id: int) -> Any:
    found = queries.runbook_for(current_user, runbook_id, Permission.CONDUCT_RUNBOOKS)
    form = StartRunbookForm()
    if not form.validate():
        abort(400)
    mode = Mode(form.mode.data)

    def without_reason() -> Response:
        form.accepted.errors = ["Write a reason."]
        return _ask_start(found, mode, form, status=422)

    return _conduct(
        found,
        "start",
        lambda: operations.start_runbook(
            found,
            mode,
            by=current_user,
            accepted=form.accepted.data or "",
            audience=form.audience.data or None,
            rebaseline=form.plan_times.data == "move",
        ),
        _STARTED[mode],
        without_reason=without_reason,
    )


def wanted_mode() -> Mode:
    """The kind of run that ?mode= asks about; the live one without."""
    wanted = request.args.get("mode")
    return Mode(wanted) if wanted in set(Mode) else Mode.LIVE


_STARTED = {Mode.LIVE: "The live run has started.", Mode.REHEARSAL: "The rehearsal has started."}


@blueprint.post(f"{PAGE}/pause", permission=Permission.CONDUCT_RUNBOOKS)
def pause_runbook(runbook_id: int) -> Any:
    found = queries.runbook_for(current_user, runbook_id, Permission.CONDUCT_RUNBOOKS)
    return _conduct(found, "pause", lambda: operations.pause_runbook(found, by=current_user), "Paused.")


@blueprint.post(f"{PAGE}/resume", permission=Permission.CONDUCT_RUNBOOKS)
def resume_runbook(runbook_id: int) -> Any:
    found = queries.runbook_for(current_user, runbook_id, Permission.CONDUCT_RUNBOOKS)
    return _conduct(found, "resume", lambda: operations.resume_runbook(found, by=current_user), "Resumed.")


@blueprint.post(f"{PAGE}/complete", permission=Permission.CONDUCT_RUNBOOKS)
def complete_runbook(runbook_id: int) -> Any:
    found = queries.runbook_for(current_user, runbook_id, Permission.CONDUCT_RUNBOOKS)
    return _conduct(
        found, "complete", lambda: operations.complete_runbook(found, by=current_user), "Completed."
    )


@blueprint.get(f"{PAGE}/cancel", permission=Permission.CONDUCT_RUNBOOKS)
def ask_cancel(runbook_id: int) -> Any:
    found = queries.runbook_for(current_user, runbook_id, Permission.CONDUCT_RUNBOOKS)
    return asked(found, "runbooks/ask/cancel.html", form=ReasonForm(formdata=None))


@blueprint.post(f"{PAGE}/cancel", permission=Permission.CONDUCT_RUNBOOKS)
def cancel_runbook(runbook_id: int) -> Any:
    found = queries.runbook_for(current_user, runbook_id, Permission.CONDUCT_RUNBOOKS)
    form = ReasonForm()
    if not form.validate():
        return asked(found, "runbooks/ask/cancel.html", status=422, form=form)
    reason = form.reason.data
    return _conduct(
        found, "cancel", lambda: operations.cancel_runbook(found, reason, by=current_user), "Cancelled."
    )


@blueprint.post(f"{PAGE}/plan-again", permission=Permission.CONDUCT_RUNBOOKS)
def plan_again(runbook_id: int) -> Any:
    found = queries.runbook_for(current_user, runbook_id, Permission.CONDUCT_RUNBOOKS)
    return _conduct(
        found,
        "plan_again",
        lambda: operations.plan_again(found, by=current_user),
        "Back to planning. Every task is as before, and what happened is kept in the review.",
    )


def asked(
    runbook: Runbook, template: str, *, status: int = 200, number: int | None = None, **context: Any
) -> Response:
    """A dialog over the page: a piece of it for htmx, else the whole page with the dialog open."""
    html = render_template(template, runbook=runbook, base=base_of(runbook), **context)
    if is_fragment_request():
        return fragments([dialog(html)], status=status)
    return runbook_page(runbook, number=number, ask=html, status=status)


def refused(
    runbook: Runbook, since: int, sentence: str, *, number: int | None = None, status: int = 200
) -> Response:
    """What cannot be done now: to htmx the present pieces and the sentence, to a plain form 409 and the page.

    `status` is htmx's: 422 where something typed was not saved, so that the page does not call it saved.
    """
    db.session.rollback()
    if is_fragment_request():
        parts = changed_parts(runbook, min(since, runbook.seq - 1))
        found = fragments([*(parts or ()), dialog("")], status=status)
        return toast(found, sentence, "warn")
    return runbook_page(runbook, number=number, status=409, refusal=sentence)


def _drawn(runbook_id: int) -> Response:
    """The page with the view that its address names; to htmx only the drawing, as time passes."""
    found = queries.runbook_for(current_user, runbook_id, Permission.READ_RUNBOOKS)
    here = read_here(request.script_root + request.full_path, base_of(found))
    if is_fragment_request():
        return fragments([view_piece(board_of(found, here))])
    return runbook_page(found, here=here)


def _conduct(
    found: Runbook,
    verb: str,
    operation: Callable[[], None],
    words: str,
    *,
    without_reason: Callable[[], Response] | None = None,
) -> Response:
    """Do it. `without_reason` answers where warnings are still to be accepted: the dialog, as it was filled in."""
    since = found.seq
    try:
        operation()
    except (NotNow, RequestInvalid) as refusal:
        db.session.rollback()
        operations.record_refusal(found, verb, str(refusal), by=current_user)
        db.session.commit()
        if without_reason is not None and isinstance(refusal, WarningsToAccept):
            return without_reason()
        return refused(found, since, str(refusal))
    db.session.commit()
    return answer(found, since, text=words)
