"""Snippets: saved from some tasks of a plan, and inserted into another."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from sqlalchemy import delete

from tests.cast import Cast
from tests.runbooks.conftest import MakeField, MakeRunbook, Refuses, only_line, states, task, undo
from webapp.accounts.models import User
from webapp.audit.models import AuditLine
from webapp.extensions import db
from webapp.fields import queries as fields
from webapp.runbooks import operations, queries
from webapp.runbooks.models import Runbook, Stream
from webapp.runbooks.refusals import NotNow, PlanRefused
from webapp.runbooks.states import Mode
from webapp.runbooks.templates import queries as template_queries
from webapp.runbooks.templates.models import TemplateKind, TemplateVersion
from webapp.workspaces.models import Membership

TEN = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)


@pytest.fixture
def mona(cast: Cast) -> User:
    """The manager of Payments."""
    user = User(name="Mona", email="mona@example.com")
    user.memberships = [Membership(workspace_id=cast.payments, role="manager")]
    db.session.add(user)
    db.session.commit()
    return user


@pytest.fixture
def runbook(make_runbook: MakeRunbook, rune: User) -> Runbook:
    """Open and Close among the tasks, Copy and Verify in the stream Data; each waits for the one before."""
    made = make_runbook("Open", "Copy", "Verify", "Close", waits={2: [1], 3: [2], 4: [3]})
    data = operations.add_stream(made, "Data", by=rune)
    for number in (2, 3):
        task(made, number).stream = data
    task(made, 2).planned_start = TEN
    task(made, 2).assignees = [rune]
    db.session.commit()
    return made


@pytest.fixture
def target(make_runbook: MakeRunbook) -> Runbook:
    return make_runbook("Start", "End", name="Release 13", waits={2: [1]})


def save(runbook: Runbook, numbers: set[int], by: User, *, keep: bool = True) -> TemplateVersion:
    return operations.save_as_snippet(
        runbook, numbers, name="Copy the data", description="", keep_assignees=keep, by=by
    )


@pytest.fixture
def snippet(runbook: Runbook, rune: User, mona: User) -> TemplateVersion:
    """Copy, Verify, Close: approved."""
    version = save(runbook, {2, 3, 4}, rune)
    operations.submit_version(version, "", by=rune)
    operations.approve_version(version, by=mona)
    db.session.commit()
    return version


def shape(runbook: Runbook) -> list[tuple[int, str, str, list[int]]]:
    """Number, title, stream and what it waits for, as the page has them."""
    db.session.expire_all()
    return [
        (each.number, each.title, stream.name, [link.number for link in queries.predecessors_of(each.id)])
        for stream in queries.streams_of(runbook.id)
        for each in sorted(runbook.tasks, key=lambda each: each.position)
        if each.stream_id == stream.id
    ]


def test_a_snippet_is_the_tasks_numbered_from_one_with_the_links_among_them(
    runbook: Runbook, rune: User
) -> None:
    version = save(runbook, {1, 2, 3}, rune)
    db.session.commit()
    assert shape(version.runbook) == [
        (1, "Open", "Tasks", []),
        (2, "Copy", "Data", [1]),
        (3, "Verify", "Data", [2]),
    ]
    copy = task(version.runbook, 2)
    assert (copy.planned_start, [each.name for each in copy.assignees]) == (None, ["Rune"])
    assert (version.template.kind, version.runbook.next_task_number) == (TemplateKind.SNIPPET, 4)
    assert task(save(runbook, {2}, rune, keep=False).runbook, 1).assignees == []


def test_of_tasks_that_are_gone_no_snippet_is_made(runbook: Runbook, rune: User, refuses: Refuses) -> None:
    operations.delete_task(task(runbook, 1), by=rune)
    with refuses(NotNow, "None of these tasks is in the plan any more."):
        save(runbook, {1, 99}, rune)


def test_it_goes_into_a_stream_as_one_change_and_its_first_tasks_wait_for_what_is_named(
    target: Runbook, snippet: TemplateVersion, rune: User
) -> None:
    seq = target.seq
    made = operations.insert_snippet(
        target, snippet, stream=target.streams[0], wait_for=[task(target, 1).id], by=rune
    )
    db.session.commit()
    assert shape(target) == [
        (1, "Start", "Tasks", []),
        (2, "End", "Tasks", [1]),
        # The order of the page it came from: its first stream first.
        (3, "Close", "Tasks", [5]),
        (4, "Copy", "Tasks", [1]),
        (5, "Verify", "Tasks", [4]),
    ]
    assert sorted(each.number for each in made) == [3, 4, 5]
    assert (target.seq, target.next_task_number) == (seq + 1, 6)
    assert {task(target, number).seq for number in (1, 3, 4, 5)} == {target.seq}
    assert [each.name for each in task(target, 4).assignees] == ["Rune"]


def test_without_a_stream_it_brings_its_own(target: Runbook, snippet: TemplateVersion, rune: User) -> None:
    operations.insert_snippet(target, snippet, stream=None, keep_assignees=False, by=rune)
    db.session.commit()
    assert shape(target) == [
        (1, "Start", "Tasks", []),
        (2, "End", "Tasks", [1]),
        (3, "Close", "Tasks", [5]),
        (4, "Copy", "Data", []),
        (5, "Verify", "Data", [4]),
    ]
    assert [(each.color, each.position) for each in queries.streams_of(target.id)] == [(0, 1), (1, 2), (2, 3)]
    assert task(target, 4).assignees == []


def test_it_is_audited_as_one_change_and_counted_as_a_use(
    target: Runbook, snippet: TemplateVersion, rune: User
) -> None:
    db.session.execute(delete(AuditLine))
    operations.insert_snippet(target, snippet, stream=target.streams[0], by=rune)
    db.session.commit()
    line = only_line()
    assert (line.verb, line.object_name, line.actor_name, line.after) == (
        "runbook.snippet_inserted",
        "Release 13",
        "Rune",
        {"snippet": "Copy the data, version 1", "tasks": [3, 4, 5], "streams": ["Tasks"]},
    )
    assert template_queries.used_by_version(snippet.template) == {snippet.id: 1}
    assert template_queries.origin_of(target) is None


def test_into_what_runs_its_tasks_come_ready_where_nothing_holds_them(
    target: Runbook, snippet: TemplateVersion, rune: User
) -> None:
    operations.start_runbook(target, Mode.REHEARSAL, by=rune)
    operations.insert_snippet(target, snippet, stream=target.streams[0], by=rune)
    db.session.commit()
    assert states(target) == {
        1: "startable",
        2: "not_startable",
        3: "not_startable",
        4: "startable",
        5: "not_startable",
    }


def test_values_of_fields_come_along(
    runbook: Runbook, target: Runbook, rune: User, mona: User, make_field: MakeField
) -> None:
    kept, transient = make_field(), make_field("Code of today", transient=True)
    for definition in (kept, transient):
        operations.save_field(task(runbook, 1), definition, ["hello"], by=rune)
    version = save(runbook, {1}, rune)
    operations.submit_version(version, "", by=rune)
    operations.approve_version(version, by=mona)
    operations.insert_snippet(target, version, stream=target.streams[0], by=rune)
    db.session.commit()
    values = fields.values_of_task(task(target, 3).id)
    assert {key: each.value for key, each in values.items()} == {kept.id: "hello"}


def test_what_cannot_be_inserted_is_refused_and_changes_nothing(
    target: Runbook,
    runbook: Runbook,
    snippet: TemplateVersion,
    make_runbook: MakeRunbook,
    cast: Cast,
    rune: User,
    refuses: Refuses,
) -> None:
    draft = save(runbook, {1}, rune)
    with refuses(NotNow, "Version 1 of Copy the data is not approved."):
        operations.insert_snippet(target, draft, stream=None, by=rune)
    with refuses(PlanRefused, "Choose a stream of this runbook."):
        operations.insert_snippet(target, snippet, stream=runbook.streams[0], by=rune)
    with refuses(PlanRefused, "Choose tasks of this runbook."):
        operations.insert_snippet(target, snippet, stream=None, wait_for=[task(runbook, 1).id], by=rune)
    elsewhere = make_runbook("Call", name="Closing", workspace_id=cast.treasury)
    with refuses(PlanRefused, "This snippet belongs to another workspace."):
        operations.insert_snippet(elsewhere, snippet, stream=None, by=rune)
    gone: Stream = operations.add_stream(target, "Gone", by=rune)
    operations.delete_stream(gone, by=rune)
    with refuses(NotNow, "This stream was deleted."):
        operations.insert_snippet(target, snippet, stream=gone, by=rune)
    operations.archive_template(snippet.template, by=rune)
    with refuses(NotNow, "Copy the data is archived. Restore it first."):
        operations.insert_snippet(target, snippet, stream=None, by=rune)


def test_a_sub_stream_comes_with_its_stream_and_the_insertion_can_be_undone(
    runbook: Runbook, target: Runbook, rune: User, mona: User
) -> None:
    copies = operations.add_stream(runbook, "Copies", parent=task(runbook, 2).stream, by=rune)
    operations.add_task(runbook, copies, "Count", by=rune)
    version = save(runbook, {5}, rune)
    operations.submit_version(version, "", by=rune)
    operations.approve_version(version, by=mona)
    before = shape(target)
    operations.insert_snippet(target, version, stream=None, by=rune)
    db.session.commit()
    assert [each.full_name for each in queries.streams_of(target.id)] == ["Tasks", "Data", "Data / Copies"]
    assert undo(target, rune) == "Inserted a snippet"
    assert [each.full_name for each in queries.streams_of(target.id)] == ["Tasks"]
    assert shape(target) == [*before]
