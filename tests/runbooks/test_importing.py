"""Importing a plan: one transaction, one change, once; and its undo."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from threading import Barrier
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from tests.cast import Cast
from tests.runbooks.conftest import Audit, MakeAction, MakeRunbook, Refuses, redo, tables, task, undo
from webapp.accounts.models import User
from webapp.audit.models import AuditLine
from webapp.clock import now
from webapp.extensions import db
from webapp.integration_runs.jobs import sweep
from webapp.jobs import perform, queue
from webapp.runbooks import import_progress, imports, jobs, operations, queries
from webapp.runbooks.models import PLAN_COLUMNS, PlanImport, Runbook, Stream, Task
from webapp.runbooks.operations import importing
from webapp.runbooks.operations.changes import touch
from webapp.runbooks.operations.plan_writer import PlanWriter
from webapp.runbooks.refusals import NotNow, PlanRefused
from webapp.runbooks.sheets.columns import PlanMapping, guess
from webapp.runbooks.sheets.export import PlanRow, as_csv
from webapp.runbooks.sheets.plan import check
from webapp.runbooks.sheets.reading import read
from webapp.runbooks.sheets.yaml_files import PlanHead, write_yaml
from webapp.runbooks.states import Mode
from webapp.workspaces.models import Membership, Workspace

PLAN = (
    "ID,Title,Stream,Description,Predecessors,Planned start,Duration,Assignees\n"
    "1,Open the bridge,Comms,Call the roll,,2026-12-24 18:00,10,rune@example.com\n"
    "2,Stop writes,Database,,1,,1h 30m,Vera; Rune\n"
    "3,Promote,Database,,1; 2,,,\n"
)


@pytest.fixture
def receive(rune: User) -> Callable[..., PlanImport]:
    """A committed upload of Rune's."""

    def received(text: str, runbook: Runbook | None = None, **place: Any) -> PlanImport:
        found = importing.receive_plan(
            read(text.encode()), file_name="plan.csv", zone="UTC", by=rune, runbook=runbook, **place
        )
        db.session.commit()
        return found

    return received


def mapping_of(found: PlanImport) -> PlanMapping:
    return PlanMapping.from_json(found.mapping)


def queue_up(found: PlanImport) -> None:
    table = imports.table_of(found)
    assert table is not None
    mapping = mapping_of(found)
    checked = check(
        table, mapping, imports.people_in(found.workspace_id), imports.ways_in(found.workspace_id)
    )
    importing.queue_import(found, mapping, checked, by=found.user)
    db.session.commit()


def import_now(found: PlanImport) -> PlanImport:
    queue_up(found)
    perform(importing.JOB, found.id)
    db.session.refresh(found)
    return found


def streams(runbook: Runbook) -> list[str]:
    query = select(Stream.name).where(Stream.runbook_id == runbook.id, Stream.deleted_at.is_(None))
    return list(db.session.scalars(query.order_by(Stream.position)))


def test_a_file_becomes_the_plan(make_runbook: MakeRunbook, receive: Any, rune: User) -> None:
    runbook = make_runbook()
    found = import_now(receive(PLAN, runbook))
    assert (found.state, found.refusal, found.rows) == ("done", "", None)
    assert imports.plan_rows(runbook.id) == [
        PlanRow(
            1,
            "Open the bridge",
            "Comms",
            "Call the roll",
            [],
            datetime(2026, 12, 24, 18, 0, tzinfo=UTC),
            600,
            ["rune@example.com"],
        ),
        PlanRow(2, "Stop writes", "Database", "", [1], None, 5400, ["rune@example.com", "vera@example.com"]),
        PlanRow(3, "Promote", "Database", "", [1, 2], None, 300, []),
    ]
    assert streams(runbook) == ["Comms", "Database"]
    db.session.refresh(runbook)
    assert operations.add_task(runbook, runbook.streams[1], "Next", by=rune).number == 4


def test_it_is_one_change_with_one_audit_line_besides_the_asking(
    make_runbook: MakeRunbook, receive: Any
) -> None:
    runbook = make_runbook("There before")
    before = runbook.seq
    import_now(receive(PLAN, runbook))
    queued, line = db.session.scalars(select(AuditLine).order_by(AuditLine.id))
    assert (queued.verb, queued.actor_name, queued.after) == ("plan_import.queued", "Rune", {"tasks": 3})
    assert (line.verb, line.object_name, line.actor_name, line.runbook_id) == (
        "runbook.plan_imported",
        "Release 12",
        "Rune",
        runbook.id,
    )
    assert line.after == {
        "file": "plan.csv",
        "tasks": 3,
        "numbers": "2 to 4",
        "streams added": ["Comms", "Database"],
    }
    db.session.refresh(runbook)
    assert runbook.seq == before + 1
    assert {task(runbook, number).seq for number in (2, 3, 4)} == {runbook.seq}


def test_tasks_that_were_there_stay_and_new_ones_get_the_next_numbers(
    make_runbook: MakeRunbook, receive: Any
) -> None:
    runbook = make_runbook("One", "Two")
    import_now(receive("ID,Title,Stream,Predecessors\n1,Three,tasks,\n2,Four,,1\n", runbook))
    assert [
        (each.number, each.title, each.stream, each.before) for each in imports.plan_rows(runbook.id)
    ] == [
        (1, "One", "Tasks", []),
        (2, "Two", "Tasks", []),
        (3, "Three", "Tasks", []),
        (4, "Four", "Tasks", [3]),
    ]


def test_ids_that_are_free_are_kept_as_numbers(make_runbook: MakeRunbook, receive: Any) -> None:
    runbook = make_runbook("One")
    import_now(receive("ID,Title\n200,Two hundred\n100,One hundred\n", runbook))
    assert [(each.number, each.title) for each in imports.plan_rows(runbook.id)] == [
        (1, "One"),
        (200, "Two hundred"),
        (100, "One hundred"),
    ]
    db.session.refresh(runbook)
    assert runbook.next_task_number == 201


def test_a_number_of_a_deleted_task_is_not_free(make_runbook: MakeRunbook, receive: Any, rune: User) -> None:
    runbook = make_runbook("One", "Two")
    operations.delete_task(task(runbook, 2), by=rune)
    import_now(receive("ID,Title\n2,New\n", runbook))
    assert [each.number for each in imports.plan_rows(runbook.id)] == [1, 3]


def test_performed_twice_it_is_imported_once(make_runbook: MakeRunbook, receive: Any) -> None:
    runbook = make_runbook()
    found = import_now(receive(PLAN, runbook))
    before = tables()
    perform(importing.JOB, found.id)
    perform(importing.JOB, found.id)
    assert tables() == before


def test_two_workers_at_the_same_moment_import_it_once(
    app: Flask, make_runbook: MakeRunbook, receive: Any, audit: Audit
) -> None:
    runbook = make_runbook()
    found = receive(PLAN, runbook)
    queue_up(found)
    import_id, runbook_id = found.id, runbook.id
    db.session.rollback()
    at_once = Barrier(2)

    def work() -> None:
        with app.app_context():
            at_once.wait()
            perform(importing.JOB, import_id)

    with ThreadPoolExecutor(2) as workers:
        for done in [workers.submit(work), workers.submit(work)]:
            done.result()
    assert len(imports.plan_rows(runbook_id)) == 3
    assert [verb for verb, _, _ in audit()] == ["plan_import.queued", "runbook.plan_imported"]


def test_queued_twice_it_is_imported_once(make_runbook: MakeRunbook, receive: Any) -> None:
    found = receive(PLAN, make_runbook())
    queue_up(found)
    with pytest.raises(NotNow) as refusal:
        queue_up(found)
    assert str(refusal.value) == "The file is being imported already."
    db.session.rollback()
    assert [job.args for job in queue().jobs] == [(importing.JOB, found.id)]


def test_nothing_is_imported_while_anything_is_wrong(
    make_runbook: MakeRunbook, receive: Any, refuses: Refuses
) -> None:
    found = receive(PLAN + "4,,Database,,9,,,\n", make_runbook())
    with refuses(PlanRefused, "Nothing was imported: 2 things are wrong with the file."):
        queue_up(found)
    assert (found.state, queue().count) == ("mapping", 0)


def test_who_left_meanwhile_stops_it_before_anything_is_written(
    make_runbook: MakeRunbook, receive: Any, cast: Cast, audit: Audit
) -> None:
    runbook = make_runbook()
    found = receive(PLAN, runbook)
    queue_up(found)
    db.session.delete(db.session.scalars(select(Membership).where(Membership.user_id == cast.vera)).one())
    db.session.commit()
    before = tables()
    perform(importing.JOB, found.id)
    db.session.refresh(found)
    assert (found.state, found.refusal) == (
        "mapping",
        "Nothing was imported: 1 thing is wrong with the file.",
    )
    assert (tables(), audit()) == (before, [("plan_import.queued", "plan.csv", "Rune")])


def test_a_runbook_that_was_started_meanwhile_is_left_alone(
    make_runbook: MakeRunbook, receive: Any, rune: User
) -> None:
    runbook = make_runbook("One")
    found = receive(PLAN, runbook)
    queue_up(found)
    operations.start_runbook(runbook, Mode.LIVE, by=rune)
    db.session.commit()
    perform(importing.JOB, found.id)
    db.session.refresh(found)
    assert (found.state, found.refusal) == (
        "mapping",
        "A plan can only be imported while the runbook is being planned, and this one has been started.",
    )
    assert len(imports.plan_rows(runbook.id)) == 1


def test_a_runbook_under_way_takes_no_file(make_runbook: MakeRunbook, receive: Any, refuses: Refuses) -> None:
    runbook = make_runbook("One", mode=Mode.REHEARSAL)
    with refuses(
        NotNow,
        "A plan can only be imported while the runbook is being planned, and this one has been started.",
    ):
        receive(PLAN, runbook)


def test_who_may_not_edit_any_more_imports_nothing(
    make_runbook: MakeRunbook, receive: Any, rune: User, cast: Cast
) -> None:
    runbook = make_runbook()
    found = receive(PLAN, runbook)
    queue_up(found)
    runbook.owners = []
    db.session.scalars(select(Membership).where(Membership.user_id == cast.rune)).one().role = "viewer"
    db.session.commit()
    perform(importing.JOB, found.id)
    db.session.refresh(found)
    assert (found.state, found.refusal) == ("mapping", "You may not change this runbook any more.")
    assert imports.plan_rows(runbook.id) == []


def test_a_failure_in_the_middle_leaves_nothing(
    make_runbook: MakeRunbook, receive: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    runbook = make_runbook()
    found = receive(PLAN, runbook)
    queue_up(found)
    before = tables()

    def fail(import_id: int, done: int) -> None:
        raise RuntimeError("in the middle")

    monkeypatch.setattr(import_progress, "tell", fail)
    perform(importing.JOB, found.id)
    db.session.refresh(found)
    assert (found.state, found.refusal) == ("mapping", jobs.UNEXPECTED)
    assert tables() == before


def test_a_worker_cut_off_in_the_middle_leaves_it_queued_and_the_sweeper_repeats_it(
    make_runbook: MakeRunbook, receive: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    runbook = make_runbook()
    found = receive(PLAN, runbook)
    queue_up(found)
    with monkeypatch.context() as patched:

        def cut(import_id: int, done: int) -> None:
            raise OperationalError("", {}, Exception("server closed the connection"))

        patched.setattr(import_progress, "tell", cut)
        with pytest.raises(OperationalError):
            perform(importing.JOB, found.id)
    assert (imports.plan_rows(runbook.id), db.session.get_one(PlanImport, found.id).state) == ([], "queued")
    queue().empty()
    found.queued_at = now() - timedelta(minutes=1)
    db.session.commit()
    sweep()
    assert [job.args for job in queue().jobs] == [(importing.JOB, found.id)]
    sweep()
    assert queue().count == 1
    perform(*queue().jobs[0].args)
    assert len(imports.plan_rows(runbook.id)) == 3


def test_the_undo_takes_away_what_was_added_and_nothing_else(
    make_runbook: MakeRunbook, receive: Any, rune: User, audit: Audit
) -> None:
    runbook = make_runbook("There before")
    found = import_now(receive(PLAN, runbook))
    own = operations.add_task(runbook, runbook.streams[0], "Added since", by=rune)
    own.predecessors = [task(runbook, 2)]
    operations.rename_runbook(runbook, name="Renamed", description="", planned_start=None, by=rune)
    db.session.commit()
    assert importing.undo_import(found, by=rune) == 3
    db.session.commit()
    assert [(each.number, each.title, each.before) for each in imports.plan_rows(runbook.id)] == [
        (1, "There before", []),
        (5, "Added since", []),
    ]
    assert streams(runbook) == ["Tasks"]
    db.session.refresh(own)
    assert own.seq == runbook.seq
    assert audit()[-1] == ("runbook.plan_import_undone", "Renamed", "Rune")
    with pytest.raises(NotNow) as refusal:
        importing.undo_import(found, by=rune)
    assert (
        str(refusal.value) == "This import was undone already. Upload the file again to import it once more."
    )


def test_the_undo_brings_the_first_stream_back(make_runbook: MakeRunbook, receive: Any, rune: User) -> None:
    runbook = make_runbook()
    found = import_now(receive(PLAN, runbook))
    importing.undo_import(found, by=rune)
    db.session.commit()
    assert (streams(runbook), imports.plan_rows(runbook.id)) == (["Tasks"], [])


def test_a_stream_that_was_filled_since_outlives_the_undo(
    make_runbook: MakeRunbook, receive: Any, rune: User
) -> None:
    runbook = make_runbook("There before")
    found = import_now(receive(PLAN, runbook))
    comms = db.session.scalars(select(Stream).where(Stream.name == "Comms")).one()
    operations.add_task(runbook, comms, "Mine", by=rune)
    importing.undo_import(found, by=rune)
    db.session.commit()
    assert streams(runbook) == ["Tasks", "Comms"]


def test_nothing_is_undone_once_the_runbook_has_started(
    make_runbook: MakeRunbook, receive: Any, rune: User, refuses: Refuses
) -> None:
    runbook = make_runbook()
    found = import_now(receive(PLAN, runbook))
    operations.start_runbook(runbook, Mode.LIVE, by=rune)
    with refuses(
        NotNow,
        "A plan can only be imported while the runbook is being planned, and this one has been started.",
    ):
        importing.undo_import(found, by=rune)


def test_a_new_runbook_is_made_together_with_its_tasks(receive: Any, cast: Cast, audit: Audit) -> None:
    workspace = db.session.get_one(Workspace, cast.payments)
    found = receive(PLAN, workspace=workspace, new_name="Failover")
    assert db.session.scalars(select(Runbook)).all() == []
    import_now(found)
    runbook = db.session.scalars(select(Runbook)).one()
    assert (found.runbook_id, runbook.name, runbook.workspace_id) == (runbook.id, "Failover", cast.payments)
    assert [each.id for each in runbook.owners] == [cast.rune]
    assert (streams(runbook), len(imports.plan_rows(runbook.id))) == (["Comms", "Database"], 3)
    assert audit() == [
        ("plan_import.queued", "plan.csv", "Rune"),
        ("runbook.created", "Failover", "Rune"),
        ("runbook.plan_imported", "Failover", "Rune"),
    ]


def test_a_new_upload_replaces_the_one_that_was_not_imported(make_runbook: MakeRunbook, receive: Any) -> None:
    runbook, other = make_runbook(name="One"), make_runbook(name="Two")
    done, elsewhere = import_now(receive(PLAN, runbook)), receive(PLAN, other)
    receive(PLAN, runbook)
    last = receive(PLAN, runbook)
    assert set(db.session.scalars(select(PlanImport.id))) == {done.id, elsewhere.id, last.id}


def test_after_a_day_a_file_is_forgotten(make_runbook: MakeRunbook, receive: Any) -> None:
    runbook = make_runbook()
    old, done, queued = receive(PLAN, runbook), None, None
    old.created_at = now() - timedelta(days=1, seconds=1)
    done = import_now(receive(PLAN, make_runbook(name="Two")))
    done.created_at = old.created_at
    queued = receive(PLAN, make_runbook(name="Three"))
    queue_up(queued)
    queued.created_at = old.created_at
    fresh = receive(PLAN, make_runbook(name="Four"))
    db.session.commit()
    sweep()
    assert set(db.session.scalars(select(PlanImport.id))) == {queued.id, fresh.id}


def test_a_heading_that_names_a_known_zone_settles_it(rune: User, make_runbook: MakeRunbook) -> None:
    table = read(b"Title,Planned start (Europe/Berlin)\nGo,2026-12-24 18:00\n")
    found = importing.receive_plan(
        table,
        file_name="plan.csv",
        zone="UTC",
        zones=["UTC", "Europe/Berlin"],
        by=rune,
        runbook=make_runbook(),
    )
    assert mapping_of(found) == PlanMapping(("title", "start"), "Europe/Berlin", references="row")


def test_formulas_are_imported_as_text(make_runbook: MakeRunbook, receive: Any) -> None:
    runbook = make_runbook()
    import_now(receive("Title,Description\n=1+1,@SUM(A1)\n+49 30,-2\n", runbook))
    assert [(each.title, each.description) for each in imports.plan_rows(runbook.id)] == [
        ("=1+1", "@SUM(A1)"),
        ("+49 30", "-2"),
    ]


def test_five_thousand_rows_take_a_bounded_number_of_statements(
    make_runbook: MakeRunbook,
    receive: Any,
    counting_queries: Callable[[], AbstractContextManager[list[str]]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    heard: list[int] = []
    monkeypatch.setattr(import_progress, "tell", lambda import_id, done: heard.append(done))

    def imported(count: int) -> int:
        rows = [
            PlanRow(
                at,
                f"Task {at}",
                f"Stream {at % 8}",
                "",
                [at - 1] if at > 1 else [],
                None,
                60,
                ["rune@example.com"],
            )
            for at in range(1, count + 1)
        ]
        runbook = make_runbook(name=f"Of {count}")
        found = receive(as_csv(rows, ZoneInfo("UTC")).decode(), runbook)
        queue_up(found)
        with counting_queries() as statements:
            perform(importing.JOB, found.id)
        assert db.session.query(Task).filter_by(runbook_id=runbook.id).count() == count
        return len(statements)

    few = imported(50)
    heard.clear()
    many = imported(5000)
    assert heard == list(range(500, 5001, 500))
    assert few < 55
    assert many - few < 20


def test_an_export_reads_four_times_however_many_tasks(
    make_runbook: MakeRunbook, counting_queries: Callable[[], AbstractContextManager[list[str]]]
) -> None:
    runbook = make_runbook(*(f"Task {number}" for number in range(30)), waits={2: [1], 3: [1, 2]})
    db.session.expire_all()
    runbook_id = runbook.id
    with counting_queries() as statements:
        assert len(imports.plan_rows(runbook_id)) == 30
    assert len(statements) == 4


def test_a_runbook_moves_as_yaml_with_all_that_it_says_of_itself(
    make_runbook: MakeRunbook, receive: Any, cast: Cast, rune: User
) -> None:
    source = make_runbook("Plan it", "Do it", waits={2: [1]})
    start = datetime(2026, 12, 24, 17, 0, tzinfo=UTC)
    operations.rename_runbook(source, name="Source", description="Why", planned_start=start, by=rune)
    operations.edit_stream(source.streams[0], name="Comms", color=7, parent=None, by=rune)
    db.session.commit()
    desk = operations.add_stream(source, "Desk", parent=source.streams[0], color=2, by=rune)
    operations.add_task(source, desk, "Tell everyone", by=rune)
    db.session.commit()
    head = PlanHead("Source", "Why", start, [("Comms", 7, ""), ("Desk", 2, "Comms")])
    data = write_yaml(head, imports.plan_rows(source.id)).decode()
    workspace = db.session.get_one(Workspace, cast.payments)
    found = import_now(receive(data, workspace=workspace, new_name="Copy"))
    assert (found.state, found.refusal) == ("done", "")
    made = found.runbook
    assert made is not None
    assert (made.name, made.description, made.planned_start) == ("Copy", "Why", start)
    assert imports.plan_rows(made.id) == imports.plan_rows(source.id)
    kept = [(each.full_name, each.color) for each in made.streams if each.deleted_at is None]
    assert kept == [("Comms", 7), ("Comms / Desk", 2)]


def test_a_planned_start_that_cannot_be_stops_the_new_runbook(receive: Any, cast: Cast) -> None:
    workspace = db.session.get_one(Workspace, cast.payments)
    data = "runsheet: runbook 1\nplanned_start: soon\ntasks: [{title: Go}]\n"
    found = import_now(receive(data, workspace=workspace, new_name="Copy"))
    assert (found.state, found.runbook_id) == ("mapping", None)
    assert found.refusal == (
        "Nothing was imported: the runbook’s planned start is wrong. “soon” is no date and time. "
        "Write it such as 2026-12-24 18:00 or 24.12.2026 18:00."
    )
    assert db.session.scalars(select(Runbook)).all() == []


def test_streams_within_streams_are_added_under_those_that_are_there_and_an_export_says_the_same(
    make_runbook: MakeRunbook, receive: Any
) -> None:
    runbook = make_runbook("Announce")
    data = "Title,Stream\nStop,Database / Replicas\nGo,tasks / Desk\nWait,Database / Primary\nLook,Database\n"
    import_now(receive(data, runbook))
    streams = [each.full_name for each in queries.streams_of(runbook.id)]
    assert streams == ["Tasks", "Tasks / Desk", "Database", "Database / Replicas", "Database / Primary"]
    said = {row.title: row.stream for row in imports.plan_rows(runbook.id)}
    assert said == {
        "Announce": "Tasks",
        "Stop": "Database / Replicas",
        "Go": "Tasks / Desk",
        "Wait": "Database / Primary",
        "Look": "Database",
    }


def test_an_import_is_undone_as_the_last_change_of_the_plan(
    make_runbook: MakeRunbook, receive: Any, rune: User
) -> None:
    runbook = make_runbook()
    found = import_now(receive("Title,Stream\nStop,Database / Replicas\n", runbook))
    assert undo(runbook, rune) == f"Imported {found.file_name}"
    assert [each.name for each in queries.streams_of(runbook.id)] == ["Tasks"]
    assert imports.plan_rows(runbook.id) == []
    assert redo(runbook, rune) == f"Imported {found.file_name}"
    assert [row.stream for row in imports.plan_rows(runbook.id)] == ["Database / Replicas"]


def test_types_rules_and_linked_runbooks_go_out_and_come_in_again(
    make_runbook: MakeRunbook, make_action: MakeAction, rune: User, vera: User
) -> None:
    dns = make_runbook("Switch", name="DNS cutover")
    runbook = make_runbook("Window", "Check", "Cut over", "Post", "Wait", actions={4: make_action()})
    ways = {
        1: {"type": "milestone", "duration_s": 0, "auto_start": False},
        2: {"type": "validation", "finish_rule": "who_started"},
        3: {"type": "runbook", "linked_runbook_id": dns.id},
        4: {"start_rule": "everyone", "finish_rule": "at_least", "finish_quorum": 2},
        5: {
            "auto_start": True,
            "fixed_start": True,
            "planned_start": datetime(2026, 12, 24, 18, 0, tzinfo=UTC),
        },
    }
    for number, values in ways.items():
        task(runbook, number).assignees = [rune, vera]
        for name, value in values.items():
            setattr(task(runbook, number), name, value)
    db.session.commit()
    table = read(as_csv(imports.plan_rows(runbook.id), ZoneInfo("UTC")))
    other = make_runbook(name="Failover again")
    mapping = PlanMapping(guess(table.lines[0].cells, table.width), "UTC")
    found = check(
        table, mapping, imports.people_in(other.workspace_id), imports.ways_in(other.workspace_id, other)
    )
    assert found.problems == []
    PlanWriter(other, touch(other), table.about, lambda _: None).write(found)
    db.session.commit()
    held = [[getattr(each, name) for name in PLAN_COLUMNS] for each in runbook.tasks]
    assert [[getattr(each, name) for name in PLAN_COLUMNS] for each in other.tasks] == held


def test_a_file_cannot_link_a_runbook_that_would_start_the_one_it_goes_into(
    make_runbook: MakeRunbook,
) -> None:
    dns, runbook = make_runbook("Switch", name="DNS cutover"), make_runbook(name="Failover")
    task(dns, 1).type, task(dns, 1).linked_runbook = "runbook", runbook
    db.session.commit()
    table = read(b"Title,Task type,Linked runbook\nCut over,Linked runbook,DNS cutover\n")
    mapping = PlanMapping(guess(table.lines[0].cells, table.width), "UTC")
    found = check(table, mapping, [], imports.ways_in(runbook.workspace_id, runbook))
    assert [each.cause for each in found.problems] == [
        "That would be a loop: “Failover” starts “DNS cutover” and “DNS cutover” starts “Failover”."
    ]
