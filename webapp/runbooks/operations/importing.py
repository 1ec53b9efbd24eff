"""Plans from files: take a file in, settle what its columns mean, import it in one transaction, undo that."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import delete, select, update

from webapp.accounts.models import User
from webapp.audit.operations import record
from webapp.clock import now
from webapp.extensions import db
from webapp.jobs import enqueue_after_commit
from webapp.permissions import Permission, can
from webapp.runbooks import imports
from webapp.runbooks.models import (
    PlanImport,
    Runbook,
    Task,
    task_predecessors,
)
from webapp.runbooks.operations.changes import stamp, touch
from webapp.runbooks.operations.import_particulars import write_particulars
from webapp.runbooks.operations.lifecycle import create_runbook
from webapp.runbooks.operations.many_tasks import Told
from webapp.runbooks.operations.plan_changes import planned_change
from webapp.runbooks.operations.plan_writer import PlanWriter, take_streams_back
from webapp.runbooks.plan_particulars import offered_in
from webapp.runbooks.refusals import NotNow, PlanRefused
from webapp.runbooks.sheets.columns import PlanMapping, guess, zone_in
from webapp.runbooks.sheets.particulars import resolve
from webapp.runbooks.sheets.plan import Checked, check
from webapp.runbooks.sheets.table import About, Table
from webapp.runbooks.sheets.values import BadValue, moment
from webapp.runbooks.states import RunbookState
from webapp.workspaces.models import Workspace
from webapp.zones import is_zone

JOB = "import_plan"
KEPT = timedelta(days=1)


def receive_plan(
    table: Table,
    *,
    file_name: str,
    zone: str,
    zones: Sequence[str] = (),
    by: User,
    runbook: Runbook | None = None,
    workspace: Workspace | None = None,
    new_name: str = "",
) -> PlanImport:
    """Keep an uploaded file until its columns are settled: for `runbook`, or for a new one in `workspace`.

    Times are taken to be in `zone`, unless a heading names another one of `zones`. What the same person uploaded for
    the same place before and has not imported is thrown away. Raises NotNow where the runbook is not being planned.
    """
    place = runbook.workspace if runbook is not None else workspace
    if place is None:
        raise ValueError("an import goes into a runbook, or into a workspace")
    if runbook is not None:
        _refuse_unless_planning(runbook)
    headings = table.lines[0].cells
    guessed = guess(headings, table.width)
    named = next((name for each in headings if (name := zone_in(each)) in zones), None)
    db.session.execute(
        delete(PlanImport).where(
            PlanImport.user_id == by.id,
            PlanImport.state == "mapping",
            PlanImport.runbook_id == (runbook.id if runbook is not None else None),
        )
    )
    found = PlanImport(
        runbook=runbook,
        workspace=place,
        user_id=by.id,
        new_name=new_name,
        file_name=file_name[-200:] or "file",
        row_count=len(table.lines) - 1,
        rows=table.as_json(),
        mapping=PlanMapping(
            guessed,
            named or zone,
            headings=any(guessed),
            references="number" if "number" in guessed else "row",
        ).as_json(),
    )
    db.session.add(found)
    db.session.flush()
    return found


def remember_mapping(plan_import: PlanImport, mapping: PlanMapping) -> None:
    """Keep what the columns mean, as the person has it now. Raises NotNow once it is on its way."""
    _move(plan_import, "mapping", "mapping", mapping=mapping.as_json())


def queue_import(plan_import: PlanImport, mapping: PlanMapping, checked: Checked, *, by: User) -> None:
    """Hand it to a worker. Raises PlanRefused while anything is wrong, NotNow where it is on its way already."""
    if checked.problems:
        raise PlanRefused(_not_clean(checked))
    if plan_import.runbook is not None:
        _refuse_unless_planning(plan_import.runbook)
    _move(
        plan_import,
        "mapping",
        "queued",
        mapping=mapping.as_json(),
        row_count=len(checked.tasks),
        queued_at=now(),
        refusal="",
    )
    record(
        "plan_import.queued",
        plan_import,
        by=by,
        workspace_id=plan_import.workspace_id,
        runbook_id=plan_import.runbook_id,
        after={"tasks": len(checked.tasks)},
    )
    enqueue_after_commit(JOB, plan_import.id)


def perform_import(import_id: int, *, told: Told) -> bool:
    """Write the tasks, their streams, links and people: all or, with an exception, nothing. Whether it had to be done.

    `told` hears how many tasks are written. Raises PlanRefused or NotNow where the world has changed since the check.
    """
    claimed = db.session.execute(
        update(PlanImport)
        .where(PlanImport.id == import_id, PlanImport.state == "queued")
        .values(state="done", finished_at=now())
        .execution_options(synchronize_session=False)
    )
    if claimed.rowcount == 0:  # type: ignore[attr-defined]
        return False  # performed before, or by another worker this very moment
    found = db.session.get_one(PlanImport, import_id, populate_existing=True)
    table = imports.table_of(found)
    if table is None:
        raise PlanRefused("The file is not kept any more. Upload it again.")
    checked = check(
        table,
        PlanMapping.from_json(found.mapping),
        imports.people_in(found.workspace_id),
        imports.ways_in(found.workspace_id, found.runbook),
    )
    if checked.problems:
        raise PlanRefused(_not_clean(checked))
    runbook = _runbook_of(found, table.about, PlanMapping.from_json(found.mapping).zone)
    seq = touch(runbook)
    _refuse_unless_planning(runbook)
    with planned_change(runbook, by=found.user, label=f"Imported {found.file_name}"):
        made = PlanWriter(runbook, seq, table.about, told).write(checked)
        row_ids = dict(zip((task.row for task in checked.tasks), made["tasks"], strict=True))
        particulars = resolve(table.about.particulars, row_ids, offered_in(runbook.workspace_id))
        write_particulars(runbook, particulars, row_ids, whole=bool(found.new_name), by=found.user)
    found.made, found.rows = made, None
    record(
        "runbook.plan_imported",
        runbook,
        by=found.user,
        workspace_id=runbook.workspace_id,
        runbook_id=runbook.id,
        after={
            "file": found.file_name,
            "tasks": len(made["tasks"]),
            "numbers": made["numbers"],
            "streams added": made["stream_names"],
            **particulars.facts(),
        },
    )
    db.session.flush()
    return True


def refuse_import(import_id: int, sentence: str) -> None:
    """Take a queued import back to its mapping, with the reason."""
    db.session.execute(
        update(PlanImport)
        .where(PlanImport.id == import_id, PlanImport.state == "queued")
        .values(state="mapping", refusal=sentence)
    )


def discard_import(plan_import: PlanImport) -> None:
    """Throw the file away. Raises NotNow once it is on its way."""
    _move(plan_import, "mapping", "mapping")
    db.session.delete(plan_import)


def undo_import(plan_import: PlanImport, *, by: User) -> int:
    """Take away what the import added, as one change; answers how many tasks. Raises NotNow."""
    runbook = plan_import.runbook
    if runbook is None or plan_import.made is None:
        raise NotNow("This import has not added anything yet.")
    seq = touch(runbook)
    _refuse_unless_planning(runbook)
    _move(plan_import, "done", "undone")
    made = plan_import.made
    gone = update(Task).where(
        Task.id.in_(made["tasks"]), Task.runbook_id == runbook.id, Task.deleted_at.is_(None)
    )
    with planned_change(runbook, by=by, label=f"Took back {plan_import.file_name}"):
        count = db.session.execute(
            gone.values(deleted_at=now(), seq=seq).execution_options(synchronize_session="fetch")
        ).rowcount  # type: ignore[attr-defined]
        take_streams_back(runbook, made, seq)
    waiting = select(task_predecessors.c.task_id).where(task_predecessors.c.predecessor_id.in_(made["tasks"]))
    stamp(list(db.session.scalars(waiting)), seq)
    record(
        "runbook.plan_import_undone",
        runbook,
        by=by,
        workspace_id=runbook.workspace_id,
        runbook_id=runbook.id,
        after={"file": plan_import.file_name, "tasks": count},
    )
    return int(count)


def queue_again(plan_import: PlanImport) -> None:
    """Wake a worker once more: the first call was lost."""
    plan_import.queued_at = now()
    enqueue_after_commit(JOB, plan_import.id)


def forget_old_imports(before: datetime) -> None:
    """Throw away what is a day old: files that nobody imported, and what an undo would need."""
    db.session.execute(
        delete(PlanImport).where(PlanImport.created_at < before - KEPT, PlanImport.state != "queued")
    )


def _move(plan_import: PlanImport, before: str, after: str, **values: Any) -> None:
    """From one state to the next, unless someone was first."""
    moved = db.session.execute(
        update(PlanImport)
        .where(PlanImport.id == plan_import.id, PlanImport.state == before)
        .values(state=after, **values)
        .execution_options(synchronize_session="fetch")
    )
    if moved.rowcount == 0:  # type: ignore[attr-defined]
        db.session.refresh(plan_import)
        raise NotNow(_WHERE_IT_STANDS[plan_import.state])


_WHERE_IT_STANDS = {
    "mapping": "The file has not been imported yet.",
    "queued": "The file is being imported already.",
    "done": "The file is imported already.",
    "undone": "This import was undone already. Upload the file again to import it once more.",
}


def _not_clean(checked: Checked) -> str:
    count = len(checked.problems)
    return f"Nothing was imported: {'1 thing is' if count == 1 else f'{count:,} things are'} wrong with the file."


def _refuse_unless_planning(runbook: Runbook) -> None:
    if runbook.state != RunbookState.PLANNING:
        raise NotNow(
            "A plan can only be imported while the runbook is being planned, and this one has been started."
        )


def _runbook_of(plan_import: PlanImport, about: About, zone: str) -> Runbook:
    """Where the plan goes. A new runbook has the time zone that its file names, else `zone`."""
    user = plan_import.user
    if plan_import.runbook is not None:
        if not (user.active and can(user, Permission.EDIT_RUNBOOKS, plan_import.runbook)):
            raise NotNow("You may not change this runbook any more.")
        return plan_import.runbook
    held = user.role_in(plan_import.workspace_id)
    if held is None or not user.active or not can(user, Permission.CREATE_RUNBOOKS, plan_import.workspace):
        raise NotNow("You may not make runbooks in this workspace any more.")
    if about.time_zone and not is_zone(about.time_zone):
        raise PlanRefused(
            f"Nothing was imported: there is no time zone “{about.time_zone}”. Write one such as Europe/Berlin."
        )
    made = create_runbook(
        name=plan_import.new_name,
        workspace=plan_import.workspace,
        by=user,
        description=about.description,
        time_zone=about.time_zone or zone,
    )
    if about.planned_start:
        try:
            made.planned_start = moment(about.planned_start, order="dmy", zone=ZoneInfo("UTC"))
        except BadValue as bad:
            raise PlanRefused(f"Nothing was imported: the runbook’s planned start is wrong. {bad}") from None
    plan_import.runbook = made
    db.session.flush()
    return made
