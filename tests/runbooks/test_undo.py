"""Undo and redo of the plan's last change: by its own person, and only where nobody has changed the same since."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some
from sqlalchemy import delete, func, select

from tests.cast import Cast
from tests.runbooks.conftest import Audit, MakeAction, MakeRunbook, Refuses, redo, states, tables, task, undo
from tests.runbooks.test_planning import plan_of
from webapp.accounts.models import User
from webapp.audit.models import AuditLine
from webapp.extensions import db
from webapp.permissions import Role
from webapp.runbooks import operations, queries
from webapp.runbooks.models import PlanChange, Runbook, Task
from webapp.runbooks.operations import BulkEdit
from webapp.runbooks.operations.plan_changes import KEPT, planned_change
from webapp.runbooks.refusals import NotNow, PlanRefused
from webapp.runbooks.states import Mode
from webapp.runbooks.undo.history import history_of
from webapp.workspaces.models import Membership

ClientOf = Callable[[int], FlaskClient]
LIVE = {"HX-Request": "true"}
TEN = datetime(2030, 5, 4, 10, 0, tzinfo=UTC)


@pytest.fixture
def mara(cast: Cast) -> User:
    """A second person who plans in Payments."""
    user = User(name="Mara", email="mara@example.com")
    db.session.add(user)
    db.session.flush()
    db.session.add(Membership(user_id=user.id, workspace_id=cast.payments, role=Role.EDITOR))
    db.session.commit()
    return user


def plan(runbook: Runbook) -> list[Any]:
    """All that the plan says, in the order of the page."""
    db.session.expire_all()
    links = queries.links_within(runbook.id)
    found: list[Any] = []
    for stream in queries.streams_of(runbook.id):
        query = select(Task).where(Task.stream_id == stream.id, Task.deleted_at.is_(None))
        rows = [
            (
                each.number,
                each.title,
                each.description,
                each.duration_s,
                each.planned_start,
                each.action_id,
                sorted(person.name for person in each.assignees),
                sorted(links[each.id]),
            )
            for each in db.session.scalars(query.order_by(Task.position, Task.id))
        ]
        found.append((stream.full_name, stream.color, rows))
    return found


def change_duration(runbook: Runbook, number: int, seconds: int, by: User) -> None:
    operations.edit_task(
        task(runbook, number), replace(plan_of(task(runbook, number)), duration_s=seconds), by=by
    )


def do(verb: str, runbook: Runbook, a: int, b: int, by: User) -> None:
    """One operation of the plan, on the tasks and streams that the two numbers choose."""
    present = [each for _, _, rows in plan(runbook) for each in rows]
    streams = queries.streams_of(runbook.id)
    chosen = task(runbook, present[a % len(present)][0]) if present else None
    other = task(runbook, present[b % len(present)][0]) if present else None
    stream = streams[a % len(streams)]
    if verb == "add":
        operations.add_task(runbook, stream, f"Step {a}", by=by, after=other)
    elif verb == "add_stream":
        operations.add_stream(runbook, f"Lane {a}", by=by)
    elif verb == "add_sub":
        operations.add_stream(runbook, f"Part {b}", parent=stream, by=by)
    elif verb == "part_of":
        parent = None if a == b else streams[b % len(streams)]
        operations.edit_stream(stream, name=stream.name, color=stream.color, parent=parent, by=by)
    elif verb == "edit_stream":
        operations.edit_stream(stream, name=f"Lane {b}", color=b % 12, parent=stream.parent, by=by)
    elif verb == "move_stream":
        operations.move_stream(stream, (-1, 1)[b % 2], by=by)
    elif verb == "delete_stream":
        operations.delete_stream(stream, by=by)
    elif verb == "duplicate_stream":
        operations.duplicate_stream(stream, by=by)
    elif chosen is None or other is None:
        return
    elif verb == "edit":
        facts = replace(
            plan_of(chosen), title=f"Renamed {b}", duration_s=60 * (b + 1), assignees=[by] if b % 2 else []
        )
        operations.edit_task(chosen, facts, by=by)
    elif verb == "link":
        operations.edit_task(chosen, replace(plan_of(chosen), predecessor_ids=[other.id]), by=by)
    elif verb == "restream":
        operations.edit_task(chosen, replace(plan_of(chosen), stream=stream), by=by)
    elif verb == "move":
        operations.step_tasks(runbook, {chosen.number, other.number}, (-1, 1)[b % 2], by=by)
    elif verb == "move_to":
        after = other.number if other.stream_id == stream.id else None
        operations.move_tasks(runbook, {chosen.number}, stream, after, by=by)
    elif verb == "paste":
        operations.add_tasks(runbook, stream, ["One", "Two"], by=by)
    elif verb == "delete":
        operations.delete_task(chosen, by=by)
    elif verb == "duplicate":
        operations.duplicate_task(chosen, by=by)
    elif verb == "bulk_edit":
        wanted = BulkEdit(stream=stream, duration_s=60 * b, people_how="add", people=(by,))
        operations.edit_tasks(runbook, {chosen.number, other.number}, wanted, by=by)
    else:
        operations.delete_tasks(runbook, {chosen.number, other.number}, by=by)


VERBS = [
    "add", "add", "add_stream", "edit_stream", "move_stream", "delete_stream", "duplicate_stream", "edit",
    "link", "restream", "add_sub", "add_sub", "part_of", "part_of", "move", "move_to", "paste", "move",
    "delete", "duplicate", "bulk_edit", "bulk_delete",
]  # fmt: skip


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(
    steps=some.lists(
        some.tuples(some.sampled_from(VERBS), some.integers(0, 9), some.integers(0, 9)),
        min_size=1,
        max_size=12,
    )
)
def test_undoing_all_in_turn_brings_back_the_very_same_plan_and_redoing_all_the_other(
    make_runbook: MakeRunbook, rune: User, steps: list[tuple[str, int, int]]
) -> None:
    runbook = make_runbook("A", "B", "C", "D", waits={2: [1], 4: [3]})
    plans = [plan(runbook)]
    for verb, a, b in steps:
        before = len(_standing(runbook))
        try:
            with db.session.begin_nested():
                do(verb, runbook, a, b, rune)
        except (NotNow, PlanRefused):
            continue
        if len(_standing(runbook)) > before:
            plans.append(plan(runbook))
    for wanted in reversed(plans[:-1]):
        undo(runbook, rune)
        assert plan(runbook) == wanted
    assert _standing(runbook) == []
    for wanted in plans[1:]:
        redo(runbook, rune)
        assert plan(runbook) == wanted
    db.session.rollback()


def _standing(runbook: Runbook) -> list[int]:
    query = select(PlanChange.id).where(PlanChange.runbook_id == runbook.id, PlanChange.undone_at.is_(None))
    return list(db.session.scalars(query))


@pytest.mark.parametrize(
    ("change", "label"),
    [
        (lambda runbook, by: change_duration(runbook, 2, 60, by), "Changed duration of #2"),
        (lambda runbook, by: operations.step_tasks(runbook, [2], 1, by=by), "Moved #2"),
        (lambda runbook, by: operations.delete_task(task(runbook, 2), by=by), "Deleted #2"),
        (lambda runbook, by: operations.delete_tasks(runbook, [1, 2], by=by), "Deleted 2 tasks"),
        (
            lambda runbook, by: operations.edit_tasks(runbook, [1, 2], BulkEdit(duration_s=60), by=by),
            "Changed duration of 2 tasks",
        ),
        (lambda runbook, by: operations.add_task(runbook, runbook.streams[0], "New", by=by), "Added #4"),
        (lambda runbook, by: operations.duplicate_task(task(runbook, 1), by=by), "Duplicated #1"),
        (lambda runbook, by: operations.add_stream(runbook, "Network", by=by), "Added Network"),
        (
            lambda runbook, by: operations.edit_stream(
                runbook.streams[0], name="Lane", color=0, parent=None, by=by
            ),
            "Changed name of Lane",
        ),
        (lambda runbook, by: operations.duplicate_stream(runbook.streams[0], by=by), "Duplicated Tasks"),
    ],
)
def test_a_change_is_called_after_what_it_did(
    make_runbook: MakeRunbook, rune: User, change: Callable[[Runbook, User], Any], label: str
) -> None:
    runbook = make_runbook("Announce", "Deploy", "Verify")
    before = plan(runbook)
    change(runbook, rune)
    assert plan(runbook) != before
    assert undo(runbook, rune) == label
    assert plan(runbook) == before


def test_an_undo_is_audited_with_what_it_did_to_each_task_and_raises_seq(
    make_runbook: MakeRunbook, rune: User, audit: Audit
) -> None:
    runbook = make_runbook("Announce", "Deploy", waits={2: [1]})
    operations.edit_tasks(runbook, [1], BulkEdit(duration_s=60, people_how="add", people=(rune,)), by=rune)
    db.session.commit()
    seq = runbook.seq
    undo(runbook, rune)
    db.session.commit()
    assert (runbook.seq, [task(runbook, number).seq for number in (1, 2)]) == (seq + 1, [seq + 1, seq + 1])
    assert audit()[1:] == [("task.changed", "#1 Announce", "Rune"), ("plan.undone", "Release 12", "Rune")]
    lines = db.session.scalars(select(AuditLine).order_by(AuditLine.id)).all()
    assert (lines[1].before, lines[1].after) == (
        {"duration_s": 60, "assignees": ["Rune"]},
        {"duration_s": 300, "assignees": []},
    )
    assert lines[2].after == {"change": "Changed #1"}


def test_each_person_undoes_their_own_last_change(make_runbook: MakeRunbook, rune: User, mara: User) -> None:
    runbook = make_runbook("Announce", "Deploy")
    change_duration(runbook, 1, 60, rune)
    change_duration(runbook, 2, 120, mara)
    undo(runbook, rune)
    assert [task(runbook, number).duration_s for number in (1, 2)] == [300, 120]
    undo(runbook, mara)
    assert [task(runbook, number).duration_s for number in (1, 2)] == [300, 300]


def test_what_someone_else_changed_since_is_not_undone_and_they_are_named(
    make_runbook: MakeRunbook, rune: User, mara: User, refuses: Refuses
) -> None:
    runbook = make_runbook("Announce", "Deploy", "Verify")
    change_duration(runbook, 1, 60, rune)
    change_duration(runbook, 1, 120, mara)
    sentence = "Mara changed the duration of #1 since, so “Changed duration of #1” can’t be undone."
    with refuses(NotNow, sentence):
        undo(runbook, rune)
    undo(runbook, mara)
    undo(runbook, rune)
    assert task(runbook, 1).duration_s == 300
    operations.step_tasks(runbook, [1], 1, by=rune)
    operations.step_tasks(runbook, [1], 1, by=mara)
    with refuses(NotNow, "Mara moved #1 since, so “Moved #1” can’t be undone."):
        undo(runbook, rune)


def test_what_someone_else_changed_in_another_value_stays(
    make_runbook: MakeRunbook, rune: User, mara: User
) -> None:
    runbook = make_runbook("Announce", "Deploy")
    change_duration(runbook, 1, 60, rune)
    operations.edit_task(task(runbook, 1), replace(plan_of(task(runbook, 1)), title="Tell"), by=mara)
    operations.add_task(runbook, runbook.streams[0], "First", by=mara)
    undo(runbook, rune)
    assert (task(runbook, 1).title, task(runbook, 1).duration_s) == ("Tell", 300)


def test_what_was_added_is_not_taken_away_once_someone_has_worked_on_it(
    make_runbook: MakeRunbook, rune: User, mara: User, refuses: Refuses
) -> None:
    runbook = make_runbook("Announce")
    stream = operations.add_stream(runbook, "Network", by=rune)
    operations.add_task(runbook, stream, "Route", by=mara)
    with refuses(NotNow, "Network holds #2 by now, so “Added Network” can’t be undone."):
        undo(runbook, rune)
    added = operations.add_task(runbook, stream, "Check", by=rune)
    change_duration(runbook, added.number, 60, mara)
    with refuses(NotNow, "Mara changed the duration of #3 since, so “Added #3” can’t be undone."):
        undo(runbook, rune)


def test_a_task_does_not_come_back_into_a_stream_that_is_gone_or_into_a_loop(
    make_runbook: MakeRunbook, rune: User, mara: User, refuses: Refuses
) -> None:
    runbook = make_runbook("Announce", "Deploy", "Verify", waits={2: [1], 3: [2]})
    operations.delete_task(task(runbook, 2), by=rune)
    first = task(runbook, 1)
    operations.edit_task(first, replace(plan_of(first), predecessor_ids=[task(runbook, 3).id]), by=mara)
    with refuses(
        NotNow,
        "That would be a loop by now (#1 waits for #3 waits for #2 waits for #1), so “Deleted #2” can’t be undone.",
    ):
        undo(runbook, rune)
    operations.add_stream(runbook, "Database", by=mara)
    operations.delete_tasks(runbook, [1, 3], by=mara)
    operations.delete_stream(runbook.streams[0], by=mara)
    with refuses(NotNow, "Tasks was deleted since, so “Deleted #2” can’t be undone."):
        undo(runbook, rune)


def test_what_has_started_since_is_not_undone(
    make_runbook: MakeRunbook, rune: User, refuses: Refuses
) -> None:
    runbook = make_runbook("Announce", "Deploy", waits={2: [1]})
    change_duration(runbook, 1, 60, rune)
    operations.start_runbook(runbook, Mode.LIVE, by=rune)
    operations.start_task(task(runbook, 1), by=rune)
    with refuses(NotNow, "#1 has started since, so “Changed duration of #1” can’t be undone."):
        undo(runbook, rune)


def test_a_task_does_not_come_back_before_one_that_has_started_without_it(
    make_runbook: MakeRunbook, rune: User, refuses: Refuses
) -> None:
    runbook = make_runbook("Announce", "Deploy", waits={2: [1]}, mode=Mode.LIVE)
    operations.delete_task(task(runbook, 1), by=rune)
    operations.start_task(task(runbook, 2), by=rune)
    with refuses(NotNow, "#2 has started since and would wait for #1, so “Deleted #1” can’t be undone."):
        undo(runbook, rune)


def test_under_way_an_undo_settles_who_may_start(make_runbook: MakeRunbook, rune: User) -> None:
    runbook = make_runbook("Announce", "Deploy", mode=Mode.LIVE)
    second = task(runbook, 2)
    operations.edit_task(second, replace(plan_of(second), predecessor_ids=[task(runbook, 1).id]), by=rune)
    assert states(runbook) == {1: "startable", 2: "not_startable"}
    undo(runbook, rune)
    assert states(runbook) == {1: "startable", 2: "startable"}
    redo(runbook, rune)
    assert states(runbook) == {1: "startable", 2: "not_startable"}


def test_who_has_left_the_workspace_is_not_assigned_again(
    make_runbook: MakeRunbook, rune: User, mara: User
) -> None:
    runbook = make_runbook("Announce")
    operations.edit_tasks(runbook, [1], BulkEdit(people_how="add", people=(mara, rune)), by=rune)
    operations.edit_tasks(runbook, [1], BulkEdit(people_how="replace"), by=rune)
    db.session.execute(delete(Membership).where(Membership.user_id == mara.id))
    undo(runbook, rune)
    assert [each.name for each in task(runbook, 1).assignees] == ["Rune"]


def test_a_new_change_makes_what_was_undone_final(
    make_runbook: MakeRunbook, rune: User, refuses: Refuses
) -> None:
    runbook = make_runbook("Announce")
    change_duration(runbook, 1, 60, rune)
    undo(runbook, rune)
    change_duration(runbook, 1, 120, rune)
    with refuses(NotNow, "There is nothing of yours to do again in this runbook."):
        redo(runbook, rune)


def test_a_page_that_took_another_change_for_the_last_one_is_told(
    make_runbook: MakeRunbook, rune: User, refuses: Refuses
) -> None:
    runbook = make_runbook("Announce")
    change_duration(runbook, 1, 60, rune)
    change = history_of(runbook.id, rune.id).undo
    operations.move_stream(operations.add_stream(runbook, "Network", by=rune), -1, by=rune)
    assert change is not None
    with refuses(NotNow, "Your last change is another one by now: Moved Network."):
        operations.undo_change(runbook, change.id, by=rune)


def test_what_changes_nothing_leaves_nothing_to_undo(make_runbook: MakeRunbook, rune: User) -> None:
    runbook = make_runbook("Announce")
    before = tables()["plan_changes"]
    operations.edit_task(task(runbook, 1), plan_of(task(runbook, 1)), by=rune)
    operations.step_tasks(runbook, [1], -1, by=rune)
    operations.add_task(runbook, runbook.streams[0], "By itself", by=None)
    assert tables()["plan_changes"] == before


def test_several_operations_can_be_one_change(make_runbook: MakeRunbook, rune: User) -> None:
    runbook = make_runbook("Announce")
    before = plan(runbook)
    with planned_change(runbook, by=rune, label="Pasted 3 tasks"):
        for title in "ABC":
            operations.add_task(runbook, runbook.streams[0], title, by=rune)
    assert undo(runbook, rune) == "Pasted 3 tasks"
    assert plan(runbook) == before


def test_what_is_refused_leaves_the_next_change_whole(
    make_runbook: MakeRunbook, rune: User, refuses: Refuses
) -> None:
    runbook, other = make_runbook("Announce"), make_runbook("Count", name="Other")
    with refuses(PlanRefused, "Choose a stream of this runbook."):
        operations.edit_task(
            task(runbook, 1), replace(plan_of(task(runbook, 1)), stream=other.streams[0]), by=rune
        )
    change_duration(runbook, 1, 60, rune)
    assert undo(runbook, rune) == "Changed duration of #1"


def test_a_person_s_last_changes_of_a_runbook_are_kept(make_runbook: MakeRunbook, rune: User) -> None:
    runbook, other = make_runbook("Announce"), make_runbook("Count", name="Other")
    change_duration(other, 1, 60, rune)
    for seconds in range(1, KEPT + 4):
        change_duration(runbook, 1, seconds, rune)
    count = select(PlanChange.runbook_id, func.count()).group_by(PlanChange.runbook_id)
    assert {row[0]: row[1] for row in db.session.execute(count)} == {runbook.id: KEPT, other.id: 1}


def test_a_change_and_its_undo_take_as_many_queries_for_many_tasks(
    make_runbook: MakeRunbook, rune: User, counting_queries: Any
) -> None:
    counts = []
    for size in (3, 60):
        runbook = make_runbook(*(f"Step {number}" for number in range(size)), name=f"Of {size}")
        numbers = list(range(1, size + 1))
        with counting_queries() as seen:
            operations.edit_tasks(
                runbook, numbers, BulkEdit(duration_s=60, people_how="add", people=(rune,)), by=rune
            )
            undo(runbook, rune)
            operations.delete_tasks(runbook, numbers, by=rune)
            undo(runbook, rune)
        counts.append(len(seen))
    assert counts[0] == counts[1]


def test_the_page_offers_the_undo_and_the_undo_offers_the_redo(
    make_runbook: MakeRunbook, rune: User, client_of: ClientOf
) -> None:
    runbook = make_runbook("Announce")
    change_duration(runbook, 1, 60, rune)
    client, url = client_of(rune.id), f"/runbooks/{runbook.id}"
    change = _standing(runbook)[-1]
    assert 'aria-label="Undo: Changed duration of #1"' in client.get(url).text
    answer = client.post(f"{url}/undo", data={"change": change}, headers=LIVE)
    assert (
        answer.headers["HX-Trigger"] == '{"toast": {"kind": "ok", "text": "Undone: Changed duration of #1."}}'
    )
    assert 'id="t-1"' in answer.text and 'aria-label="Redo: Changed duration of #1"' in answer.text
    again = client.post(f"{url}/redo", data={"change": change})
    assert (again.status_code, again.location) == (303, url)
    assert task(runbook, 1).duration_s == 60


def test_a_refused_undo_brings_the_page_as_it_is_and_says_why(
    make_runbook: MakeRunbook, rune: User, mara: User, client_of: ClientOf
) -> None:
    runbook = make_runbook("Announce")
    change_duration(runbook, 1, 60, rune)
    change = _standing(runbook)[-1]
    change_duration(runbook, 1, 120, mara)
    answer = client_of(rune.id).post(f"/runbooks/{runbook.id}/undo", data={"change": change})
    assert answer.status_code == 409
    assert (
        "Mara changed the duration of #1 since, so “Changed duration of #1” can’t be undone." in answer.text
    )


def test_what_is_deleted_can_be_undone_where_it_is_said(
    make_runbook: MakeRunbook, rune: User, client_of: ClientOf
) -> None:
    runbook = make_runbook("Announce", "Deploy")
    answer = client_of(rune.id).post(f"/runbooks/{runbook.id}/tasks/1/delete", headers=LIVE)
    change = _standing(runbook)[-1]
    assert answer.headers["HX-Trigger"] == (
        '{"toast": {"kind": "ok", "text": "#1 Announce is deleted.", '
        f""""press": ["Undo", "#undo-last[value='{change}']"]}}}}"""
    )


def test_who_may_only_view_is_offered_no_undo(
    make_runbook: MakeRunbook, vera: User, client_of: ClientOf
) -> None:
    runbook = make_runbook("Announce")
    assert 'id="undo"' not in client_of(vera.id).get(f"/runbooks/{runbook.id}").text


def test_an_action_comes_back_with_the_rest(
    make_runbook: MakeRunbook, rune: User, make_action: MakeAction
) -> None:
    action = make_action()
    runbook = make_runbook("Announce", actions={1: action})
    facts = plan_of(task(runbook, 1))
    operations.edit_task(task(runbook, 1), replace(facts, action=None, planned_start=TEN), by=rune)
    undo(runbook, rune)
    assert (task(runbook, 1).action_id, task(runbook, 1).planned_start) == (action.id, None)
    line = db.session.scalars(select(AuditLine).where(AuditLine.verb == "task.changed")).all()[-1]
    assert (line.before or {})["integration action"] is None
    assert (line.after or {})["integration action"] == action.name
    redo(runbook, rune)
    assert (task(runbook, 1).action_id, task(runbook, 1).planned_start) == (None, TEN)
