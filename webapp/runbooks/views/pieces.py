"""Pieces of a runbook's page: what changed since a seq, the same for the person who acts and for those who watch."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

from flask import Response, current_app, flash, g, make_response, request, url_for
from flask_login import current_user
from sqlalchemy import func, select

from webapp import zones
from webapp.extensions import db
from webapp.integrations import queries as integrations
from webapp.integrations.settings import sign_in_origins
from webapp.page import fragments, is_fragment_request, page, toast, told
from webapp.permissions import Permission
from webapp.redirects import local_path
from webapp.runbooks import linking, queries
from webapp.runbooks.addresses import SHOWS, VIEWS, Here, read_here
from webapp.runbooks.board import Board, Lane, Snapshot, load_board, viewer_of
from webapp.runbooks.context import path_of
from webapp.runbooks.forms import CommentForm, TaskForm
from webapp.runbooks.models import Runbook, Stream, Task
from webapp.runbooks.panel import Panel, load_panel, may_read_runs
from webapp.runbooks.states import RunbookState
from webapp.runbooks.templates import queries as template_queries
from webapp.runbooks.undo.history import history_of
from webapp.runbooks.views.drawn import DRAWN
from webapp.runbooks.views.kept import piece
from webapp.workspaces import queries as workspaces

# From this many changed tasks on a fresh page is quicker than fragments.
MOST_CHANGED = 150
# Up to this many tasks a drawn view is sent whole with every change.
MOST_DRAWN = 250


def base_of(runbook: Runbook) -> str:
    """The runbook's address, on which the page builds those of its tasks and streams."""
    return url_for("runbooks.runbook", runbook_id=runbook.id)


def runbook_page(
    runbook: Runbook,
    *,
    number: int | None = None,
    ask: str = "",
    status: int = 200,
    here: Here | None = None,
    details_form: TaskForm | None = None,
    **context: Any,
) -> Response:
    """The whole page, with the panel of one task and, where `ask` is given, a dialog over it."""
    here = here or Here(base_of(runbook), number=number)
    board = board_of(runbook, here)
    panel = panel_of(board, here.number, details_form)
    _allow_sign_ins(runbook)
    return page(
        "runbooks/runbook.html",
        status=status,
        runbook=runbook,
        board=board,
        panel=panel,
        ask=ask,
        shows=SHOWS,
        views=VIEWS,
        view_piece=view_piece(board),
        undo_piece=undo_piece(board),
        people=workspaces.members_of(runbook.workspace_id) if board.viewer.may_edit else (),
        comment_form=CommentForm(formdata=None),
        version=template_queries.version_of_plan(runbook) if runbook.is_plan_only else None,
        origin=None if runbook.is_plan_only else template_queries.origin_of(runbook),
        **context,
    )


def panel_of(board: Board, number: int | None, form: TaskForm | None = None) -> Panel | None:
    """The panel of the task with that number; None where there is none."""
    if number is None:
        return None
    task_id = db.session.scalar(
        select(Task.id).where(
            Task.runbook_id == board.runbook.id, Task.number == number, Task.deleted_at.is_(None)
        )
    )
    if task_id is None:
        return None
    if board.row(number) is None:
        board = load_board(board.runbook, board.viewer, here=board.here, only=[task_id], hiding=False)
    task = queries.task_for(current_user, task_id, Permission.READ_RUNBOOKS)
    panel = load_panel(task, board)
    panel.may_read_runs = may_read_runs(board.viewer)
    if panel.may_edit:
        panel.edit_form = form or task_form(task, typed=False)
    return panel


def task_form(task: Task, *, typed: bool) -> TaskForm:
    """The form of the panel's details."""
    return TaskForm.for_task(
        task,
        links=queries.predecessors_of(task.id),
        names=queries.names_within(task.runbook_id),
        streams=queries.streams_of(task.runbook_id),
        people=workspaces.members_of(task.runbook.workspace_id),
        actions=integrations.actions_in(task.runbook.workspace_id),
        linkable=linking.runbooks_to_link(task.runbook),
        typed=typed,
    )


def answer(
    runbook: Runbook,
    since: int,
    *,
    number: int | None = None,
    text: str = "",
    kind: str = "ok",
    undoable: bool = False,
    fallback: str = "",
) -> Response:
    """What an action answers: to htmx the changed pieces, to a plain form a redirect to the page.

    `undoable`: the text speaks of a change of the plan, and the toast offers to undo it.
    """
    if not is_fragment_request():
        where = local_path(request.form.get("back"), fallback or path_of(runbook.id, number))
        return told(where, text, kind) if text else _see_page(where)
    parts = changed_parts(runbook, since)
    if parts is None:
        if text:
            flash(text, kind)  # too much changed for pieces, so it is said on the fresh page
        return refresh()
    found = fragments([*parts, dialog("")])
    change = history_of(runbook.id, current_user.id).undo if undoable else None
    press = ("Undo", f"#undo-last[value='{change.id}']") if change else None
    return toast(found, text, kind, press) if text else found


def changed_parts(runbook: Runbook, since: int, snapshot: Snapshot | None = None) -> list[str] | None:
    """Out-of-band pieces of all that changed after `since`, for the page that asks; None where it has to be
    loaded anew: that is too much, or the page tells of other zones than the runbook's and the viewer's by now.

    `snapshot` is the runbook's, where the caller has it.
    """
    if zones.outdated():
        return None
    here = here_on_page(runbook)
    if here.view:
        return _view_parts(runbook, here, since, snapshot)
    changed = _changed_tasks(runbook.id, since)
    streams = _changed_streams(runbook.id, since)
    placed_streams = _placed(runbook.id, streams, since)
    if len(changed) > MOST_CHANGED:
        return None
    present = {each.id for each in changed if each.deleted_at is None}
    if placed_streams:
        present |= _tasks_of_streams(placed_streams)
        if len(present) > MOST_CHANGED or here.wanted.any:
            return None
    open_id = _id_of(runbook.id, here.number)
    only = present | ({open_id} if open_id else set())
    viewer = viewer_of(current_user, runbook)
    board = load_board(runbook, viewer, here=here, only=only, hiding=False, shared=snapshot)
    macros = _macros("runbooks/_board.html")
    parts: list[str] = []
    parts += _stream_parts(board, streams, since, macros)
    inserting = not here.wanted.any
    parts += _task_parts(board, changed, since, macros, placed_streams, here.number, inserting=inserting)
    touched = {each.stream_id for each in changed} | {each.id for each in streams}
    for lane in board.lanes:
        if (
            touched & {lane.stream.id, *(sub.stream.id for sub in lane.subs)}
            and lane.stream.id not in placed_streams
        ):
            parts.append(_stream_head(lane, board))
    if runbook.state == RunbookState.PLANNING:  # whatever changed may have moved what comes after it
        parts.append(piece(board, "starts", lambda: macros.starts(board)))
    return [*parts, *_head_parts(board), macros.states(board), *_open_panel_parts(board)]


def _view_parts(runbook: Runbook, here: Here, since: int, snapshot: Snapshot | None) -> list[str] | None:
    """A drawn view is one piece: what changes in it is mostly everything after the task that changed.

    Of a large drawing only the states of what changed are sent; the page then asks for the drawing when it is time.
    """
    present = select(func.count()).where(Task.runbook_id == runbook.id, Task.deleted_at.is_(None))
    if (db.session.scalar(present) or 0) <= MOST_DRAWN or not DRAWN[here.view].grows:
        board = board_of(runbook, here, snapshot)
        return [*_head_parts(board), view_piece(board, oob=True), *_open_panel_parts(board)]
    changed = _changed_tasks(runbook.id, since)
    if len(changed) > MOST_CHANGED:
        return None
    viewer, only = viewer_of(current_user, runbook), [each.id for each in changed]
    board = load_board(runbook, viewer, here=here, only=only, hiding=False, shared=snapshot)
    states = _macros("runbooks/_board.html").states(board, stale=True)
    return [*_head_parts(board), states, *_open_panel_parts(board)]


def _head_parts(board: Board) -> list[str]:
    macros = _macros("runbooks/_board.html")
    return [
        *_template_parts(board),
        piece(board, "title", lambda: macros.title(board, oob=True)),
        piece(board, "stats", lambda: macros.stats(board, oob=True)),
        piece(board, "banner", lambda: macros.banner(board, oob=True)),
        piece(board, "filters", lambda: macros.filters(board, SHOWS, oob=True)),
        undo_piece(board, oob=True),
        _macros("_ui.html").nav_count(
            "runbooks.my_tasks", queries.count_tasks_now(board.viewer.user), oob=True
        ),
    ]


def _stream_head(lane: Lane, board: Board) -> str:
    macros = _macros("runbooks/_board.html")
    return piece(board, ("stream", lane.stream.id), lambda: macros.stream_head(lane, board, oob=True))


def undo_piece(board: Board, *, oob: bool = False) -> str:
    """The buttons that undo and redo, for who may plan."""
    if not board.viewer.may_edit:
        return ""
    history = history_of(board.runbook.id, board.viewer.user.id)
    return str(_macros("runbooks/_undo.html").buttons(board, history, oob=oob))


def _template_parts(board: Board) -> list[str]:
    if not board.runbook.is_plan_only:
        return []
    version = template_queries.version_of_plan(board.runbook)
    macros = _macros("runbooks/_template_note.html")
    return [macros.plan_note(version, board.viewer, oob=True)] if version is not None else []


def _open_panel_parts(board: Board) -> list[str]:
    number = board.here.number
    panel = panel_of(board, number)
    if panel is not None:
        return panel_parts(panel)
    if number is None:
        return []
    return [_macros("runbooks/_panel.html").gone(board.here.of_task(number))]


def board_of(runbook: Runbook, here: Here, snapshot: Snapshot | None = None) -> Board:
    """The board as that view needs it."""
    viewer = viewer_of(current_user, runbook)
    hiding = not here.view or DRAWN[here.view].hides
    return load_board(runbook, viewer, here=here, hiding=hiding, shared=snapshot)


def view_piece(board: Board, *, oob: bool = False) -> str:
    """What stands beside the panel in a drawn view; nothing in the list."""
    drawn = DRAWN.get(board.here.view)
    if drawn is None:
        return ""

    def draw() -> Any:
        drawing = drawn.draw(board, ZoneInfo(zones.shown().shown))
        return _macros(drawn.template).view(drawing, board, oob=oob)

    # With a filter or a panel there are as many drawings as viewers, and each may be megabytes.
    if board.wanted.any or board.here.number is not None:
        return str(draw())
    return piece(board, ("view", oob), draw)


def panel_parts(panel: Panel) -> list[str]:
    """The sections of an open panel, out of band. The composer is none of them: nobody loses what they type."""
    macros = _macros("runbooks/_panel.html")
    return [
        macros.head(panel, oob=True),
        macros.linked(panel, oob=True),
        macros.integration(panel, oob=True),
        macros.field_rows(panel, oob=True),
        macros.details(panel, oob=True),
        macros.activity(panel, oob=True),
    ]


def dialog(html: str) -> str:
    """A dialog into its place on the page; nothing closes the one that is there."""
    return f'<div id="ask" hx-swap-oob="innerHTML">{html}</div>'


def here_on_page(runbook: Runbook) -> Here:
    """What the page that asks shows: its view, its filter, the task whose panel is open."""
    address = (
        request.headers.get("HX-Current-URL", "")
        if is_fragment_request()
        else request.script_root + request.full_path
    )
    return read_here(address, base_of(runbook))


def _task_parts(
    board: Board,
    changed: list[Any],
    since: int,
    macros: Any,
    placed_streams: set[int],
    open_number: int | None,
    *,
    inserting: bool,
) -> list[str]:
    parts = []
    rank = {number: at for numbers in board.order.values() for at, number in enumerate(numbers)}
    for each in sorted(changed, key=lambda task: rank.get(task.number, 0)):
        row = board.row(each.number)
        if row is None:
            parts.append(macros.gone(each.number))
        elif row.facts.stream_id in placed_streams:
            continue
        elif each.placed_seq > since:
            parts.append(macros.gone(each.number))
            if inserting:
                numbers = board.order[row.facts.stream_id]
                at = numbers.index(each.number)
                previous = numbers[at - 1] if at else None
                parts.append(macros.placed(row, board, previous, open_number == each.number))
        else:
            parts.append(macros.row(row, board, open_number == each.number, oob=True))
    return parts


def _stream_parts(board: Board, streams: list[Stream], since: int, macros: Any) -> list[str]:
    """Streams that are gone, and in their order those that got another place: each with its sub-streams."""
    parts = [
        macros.stream_gone(each.id)
        for each in streams
        if each.deleted_at is not None or each.placed_seq > since
    ]
    moved = {each.id for each in streams if each.placed_seq > since}
    for siblings in (board.tops, *(lane.subs for lane in board.tops if lane.stream.id not in moved)):
        for previous, lane in zip([None, *siblings], siblings, strict=False):
            if lane.stream.id in moved:
                parts.append(macros.stream_placed(lane, board, previous.stream.id if previous else None))
    return parts


def _changed_tasks(runbook_id: int, since: int) -> list[Any]:
    query = (
        select(Task.id, Task.number, Task.stream_id, Task.placed_seq, Task.deleted_at)
        .where(Task.runbook_id == runbook_id, Task.seq > since)
        .limit(MOST_CHANGED + 1)
    )
    return list(db.session.execute(query))


def _changed_streams(runbook_id: int, since: int) -> list[Stream]:
    return list(db.session.scalars(select(Stream).where(Stream.runbook_id == runbook_id, Stream.seq > since)))


def _placed(runbook_id: int, streams: list[Stream], since: int) -> set[int]:
    """The ids of streams that are drawn anew because they got another place, or their parent did."""
    moved = {each.id for each in streams if each.placed_seq > since and each.deleted_at is None}
    if not moved:
        return set()
    return moved | {each.id for each in queries.streams_of(runbook_id) if each.parent_id in moved}


def _tasks_of_streams(stream_ids: set[int]) -> set[int]:
    query = select(Task.id).where(Task.stream_id.in_(stream_ids), Task.deleted_at.is_(None))
    return set(db.session.scalars(query))


def _id_of(runbook_id: int, number: int | None) -> int | None:
    if number is None:
        return None
    query = select(Task.id).where(
        Task.runbook_id == runbook_id, Task.number == number, Task.deleted_at.is_(None)
    )
    return db.session.scalar(query)


def _allow_sign_ins(runbook: Runbook) -> None:
    """Authenticate is a plain form that leads to the provider; the policy of the page that holds it must allow that.

    The panel may come later, with an action that is chosen meanwhile, so every action of the workspace counts.
    """
    actions = integrations.actions_in(runbook.workspace_id)
    g.form_action_origins = [
        origin
        for action in actions
        for origin in sign_in_origins(action.authorization, action.authorization_settings)
    ]


def _macros(template: str) -> Any:
    return current_app.jinja_env.get_template(template).module


def _see_page(where: str) -> Response:
    found: Response = make_response("", 303)
    found.headers["Location"] = where
    return found


def refresh() -> Response:
    """Have the page load itself anew."""
    found: Response = make_response("", 204)
    found.headers["HX-Refresh"] = "true"
    return found
