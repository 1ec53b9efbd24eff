"""Planning several tasks at once: what it writes and says, what it refuses, and that more tasks cost no more queries."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import insert, select
from werkzeug.datastructures import MultiDict

from tests.cast import Cast
from tests.runbooks.conftest import Audit, MakeRunbook, Refuses, tables, task
from webapp.accounts.models import User
from webapp.audit.models import AuditLine
from webapp.extensions import db
from webapp.runbooks import operations
from webapp.runbooks.models import Runbook, Task
from webapp.runbooks.operations import BulkEdit
from webapp.runbooks.refusals import NotNow, PlanRefused
from webapp.runbooks.states import Mode

ClientOf = Callable[[int], FlaskClient]
Counting = Callable[[], Any]
TEN = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
LIVE = {"HX-Request": "true"}
STARTED = (
    "Several tasks can only be changed at once while the runbook is being planned, and this one has been started. "
    "Change them one by one."
)


def seqs(runbook: Runbook) -> dict[int, int]:
    query = select(Task.number, Task.seq).where(Task.runbook_id == runbook.id)
    return {row.number: row.seq for row in db.session.execute(query)}


def sent(*numbers: int, **values: str) -> MultiDict[str, Any]:
    return MultiDict([*(("number", each) for each in numbers), *values.items()])


def test_one_change_gives_the_selected_tasks_a_stream_a_duration_and_people(
    make_runbook: MakeRunbook, rune: User, vera: User, audit: Audit
) -> None:
    runbook = make_runbook("Announce", "Deploy", "Verify")
    network = operations.add_stream(runbook, "Network", by=rune)
    task(runbook, 1).assignees = [vera]
    db.session.commit()
    seq, said = runbook.seq, len(audit())
    edit = BulkEdit(stream=network, duration_s=1200, people_how="add", people=[rune])
    outcome = operations.edit_tasks(runbook, [3, 1], edit, by=rune)
    db.session.commit()
    db.session.expire_all()
    assert (outcome.changed, outcome.same, outcome.refused) == ([1, 3], [], {})
    found = {
        number: (each.stream.name, each.duration_s, sorted(person.name for person in each.assignees))
        for number in (1, 2, 3)
        for each in [task(runbook, number)]
    }
    assert found == {
        1: ("Network", 1200, ["Rune", "Vera"]),
        2: ("Tasks", 300, []),
        3: ("Network", 1200, ["Rune"]),
    }
    assert task(runbook, 1).position < task(runbook, 3).position
    assert (runbook.seq, seqs(runbook)[1], task(runbook, 1).placed_seq) == (seq + 1,) * 3
    assert audit()[said:] == [
        ("task.changed", "#1 Announce", "Rune"),
        ("task.changed", "#3 Verify", "Rune"),
    ]
    line = db.session.scalars(select(AuditLine).order_by(AuditLine.id.desc())).first()
    assert line is not None and line.before is not None
    assert {name: line.before[name] for name in ("stream", "duration_s", "assignees")} == {
        "stream": "Tasks",
        "duration_s": 300,
        "assignees": [],
    }


@pytest.mark.parametrize(
    ("how", "people"), [("add", ["Rune", "Vera"]), ("remove", []), ("replace", ["Vera"])]
)
def test_people_are_assigned_as_well_taken_off_or_replaced(
    make_runbook: MakeRunbook, rune: User, vera: User, how: str, people: list[str]
) -> None:
    runbook = make_runbook("Announce")
    task(runbook, 1).assignees = [rune]
    db.session.commit()
    chosen = [rune] if how == "remove" else [vera]
    operations.edit_tasks(runbook, [1], BulkEdit(people_how=how, people=chosen), by=rune)
    db.session.commit()
    assert sorted(each.name for each in task(runbook, 1).assignees) == people


def test_planned_starts_are_shifted_and_tasks_without_one_are_named(
    make_runbook: MakeRunbook, rune: User
) -> None:
    runbook = make_runbook("Announce", "Deploy")
    task(runbook, 1).planned_start = TEN
    db.session.commit()
    outcome = operations.edit_tasks(runbook, [1, 2], BulkEdit(shift_s=-900), by=rune)
    db.session.commit()
    assert task(runbook, 1).planned_start == TEN - timedelta(minutes=15)
    assert (outcome.changed, outcome.refused) == ([1], {"no planned start to shift": [2]})


def test_a_task_that_is_so_already_is_neither_stamped_nor_audited(
    make_runbook: MakeRunbook, rune: User, audit: Audit
) -> None:
    runbook = make_runbook("Announce", "Deploy")
    task(runbook, 1).duration_s = 60
    db.session.commit()
    before = seqs(runbook)
    outcome = operations.edit_tasks(runbook, [1, 2], BulkEdit(duration_s=60), by=rune)
    db.session.commit()
    assert (outcome.changed, outcome.same) == ([2], [1])
    assert (seqs(runbook)[1], len(audit())) == (before[1], 1)


def test_a_task_that_someone_deleted_meanwhile_is_named_and_the_others_change(
    make_runbook: MakeRunbook, rune: User
) -> None:
    runbook = make_runbook("Announce", "Deploy")
    operations.delete_task(task(runbook, 1), by=rune)
    db.session.commit()
    outcome = operations.edit_tasks(runbook, [1, 2], BulkEdit(duration_s=60), by=rune)
    assert (outcome.changed, outcome.refused) == ([2], {"deleted meanwhile": [1]})


def test_deleted_together_they_leave_the_plan_and_what_waited_for_them_is_told(
    make_runbook: MakeRunbook, rune: User, audit: Audit
) -> None:
    runbook = make_runbook("Announce", "Deploy", "Verify", waits={3: [2]})
    seq = runbook.seq
    operations.delete_tasks(runbook, [1, 2], by=rune)
    db.session.commit()
    assert [each.deleted_at is not None for number in (1, 2, 3) for each in [task(runbook, number)]] == [
        True,
        True,
        False,
    ]
    assert (runbook.seq, set(seqs(runbook).values())) == (seq + 1, {seq + 1})
    assert audit() == [("task.deleted", "#1 Announce", "Rune"), ("task.deleted", "#2 Deploy", "Rune")]


def test_a_runbook_that_was_started_is_not_planned_in_bulk(
    make_runbook: MakeRunbook, rune: User, refuses: Refuses
) -> None:
    runbook = make_runbook("Announce", mode=Mode.LIVE)
    with refuses(NotNow, STARTED):
        operations.edit_tasks(runbook, [1], BulkEdit(duration_s=60), by=rune)
    with refuses(NotNow, STARTED):
        operations.delete_tasks(runbook, [1], by=rune)


def test_a_stream_of_another_runbook_is_refused(
    make_runbook: MakeRunbook, rune: User, refuses: Refuses
) -> None:
    runbook, other = make_runbook("Announce"), make_runbook("Else", name="Other")
    with refuses(PlanRefused, "Choose a stream of this runbook."):
        operations.edit_tasks(runbook, [1], BulkEdit(stream=other.streams[0]), by=rune)


def test_a_shift_out_of_the_calendar_is_refused_and_changes_nothing(
    make_runbook: MakeRunbook, rune: User, refuses: Refuses
) -> None:
    runbook = make_runbook("Announce")
    task(runbook, 1).planned_start = datetime(9999, 12, 31, tzinfo=UTC)
    with refuses(PlanRefused, "That shift leads out of the calendar. Write a shorter one."):
        operations.edit_tasks(runbook, [1], BulkEdit(duration_s=60, shift_s=2 * 86_400), by=rune)


@pytest.mark.parametrize("verb", ["edit", "delete"])
def test_five_hundred_tasks_cost_as_many_queries_as_five(
    make_runbook: MakeRunbook, rune: User, vera: User, counting_queries: Counting, verb: str
) -> None:
    def counted(count: int) -> int:
        runbook = make_runbook("Announce")
        network = operations.add_stream(runbook, "Network", by=rune)
        common = {"runbook_id": runbook.id, "stream_id": runbook.streams[0].id, "planned_start": TEN}
        new = [{**common, "number": at, "title": f"Step {at}", "position": at} for at in range(2, count + 2)]
        db.session.execute(insert(Task), new)
        db.session.commit()
        numbers = [each["number"] for each in new]
        edit = BulkEdit(network, duration_s=60, shift_s=60, people_how="add", people=[rune, vera])
        with counting_queries() as seen:
            if verb == "edit":
                outcome = operations.edit_tasks(runbook, numbers, edit, by=rune)
            else:
                outcome = operations.delete_tasks(runbook, numbers, by=rune)
            db.session.commit()
        assert len(outcome.changed) == count
        return len(seen)

    assert counted(500) == counted(5)


def test_the_dialog_keeps_what_was_typed_and_says_what_is_wrong(
    make_runbook: MakeRunbook, cast: Cast, client_of: ClientOf
) -> None:
    runbook = make_runbook("Announce", "Deploy")
    client, url = client_of(cast.rune), f"/runbooks/{runbook.id}/tasks/selected"
    asked = client.post(url, data=sent(1, 2), headers=LIVE)
    assert (asked.status_code, "Change 2 tasks" in asked.text) == (200, True)
    before = tables()
    for values, sentence in (
        ({"shift": "soon"}, "Write how far, such as 15m, or -1h 30m for earlier; at most 30 days."),
        ({"duration": "long"}, "Write a duration such as 15m, 1h 30m or 1:30."),
        ({"people_how": "add"}, "Choose at least one person."),
        ({"people_ids": str(cast.vera)}, "Choose above what to do with these people."),
        ({}, "Nothing is chosen yet. Fill in at least one field."),
    ):
        answer = client.post(f"{url}/edit", data=sent(1, 2, **values), headers=LIVE)
        assert (answer.status_code, sentence in answer.text) == (422, True)
        assert all(f'value="{each}"' in answer.text for each in values.values())
    assert tables() == before


def test_the_answer_brings_the_changed_rows_and_names_those_left_as_they_are(
    make_runbook: MakeRunbook, cast: Cast, client_of: ClientOf
) -> None:
    runbook = make_runbook("Announce", "Deploy", "Verify")
    task(runbook, 1).planned_start = TEN
    db.session.commit()
    url = f"/runbooks/{runbook.id}/tasks/selected/edit"
    answer = client_of(cast.rune).post(url, data=sent(1, 2, 3, shift="+15m"), headers=LIVE)
    assert answer.status_code == 200
    assert 'id="t-1"' in answer.text and 'id="t-2"' not in answer.text
    toast = json.loads(answer.headers["HX-Trigger"])["toast"]
    assert toast.pop("press")[0] == "Undo"
    assert toast == {
        "kind": "warn",
        "text": "1 task changed. Left as they are, no planned start to shift: #2, #3.",
    }
    assert task(runbook, 1).planned_start == TEN + timedelta(minutes=15)


def test_a_change_too_large_for_pieces_is_said_on_the_fresh_page(
    make_runbook: MakeRunbook, cast: Cast, client_of: ClientOf
) -> None:
    runbook = make_runbook(*(f"Step {number}" for number in range(160)))
    client, url = client_of(cast.rune), f"/runbooks/{runbook.id}/tasks/selected/edit"
    answer = client.post(url, data=sent(*range(1, 161), duration="20m"), headers=LIVE)
    assert (answer.status_code, answer.headers["HX-Refresh"]) == (204, "true")
    assert "160 tasks changed." in client.get(f"/runbooks/{runbook.id}").text


def test_where_nothing_changes_no_viewer_hears_of_it(
    make_runbook: MakeRunbook, cast: Cast, client_of: ClientOf
) -> None:
    runbook = make_runbook("Announce")
    seq, url = runbook.seq, f"/runbooks/{runbook.id}/tasks/selected/edit"
    answer = client_of(cast.rune).post(url, data=sent(1, duration="5m"), headers=LIVE)
    assert "Nothing was changed. 1 task was so already." in answer.headers["HX-Trigger"]
    db.session.expire_all()
    assert runbook.seq == seq


def test_a_number_that_no_task_has_is_not_found(
    make_runbook: MakeRunbook, cast: Cast, client_of: ClientOf
) -> None:
    runbook = make_runbook("Announce")
    client, url = client_of(cast.rune), f"/runbooks/{runbook.id}/tasks/selected"
    found = [client.post(url, data=data).status_code for data in (sent(1, 9), sent(), sent(1))]
    assert found == [404, 400, 200]


def test_only_who_may_plan_can_select_and_only_while_it_is_planned(
    make_runbook: MakeRunbook, cast: Cast, rune: User, client_of: ClientOf
) -> None:
    runbook = make_runbook("Announce")

    def offered(user_id: int) -> tuple[bool, bool]:
        text = client_of(user_id).get(f"/runbooks/{runbook.id}").text
        return 'id="x-1"' in text, 'id="selection"' in text

    assert (offered(cast.rune), offered(cast.vera)) == ((True, True), (False, False))
    operations.start_runbook(runbook, Mode.LIVE, by=rune)
    db.session.commit()
    assert offered(cast.rune) == (False, False)


@pytest.mark.parametrize(
    ("how", "named", "waits_for"),
    [
        ("add", [4], {1: [4], 2: [1, 4], 3: [1, 4]}),
        ("remove", [1], {1: [], 2: [], 3: []}),
        ("replace", [4], {1: [4], 2: [4], 3: [4]}),
        ("replace", [], {1: [], 2: [], 3: []}),
        ("chain", [], {1: [], 2: [1], 3: [1, 2]}),
    ],
)
def test_what_the_selected_tasks_wait_for_is_changed_at_once(
    make_runbook: MakeRunbook, rune: User, how: str, named: list[int], waits_for: dict[int, list[int]]
) -> None:
    runbook = make_runbook("Announce", "Deploy", "Verify", "Check", waits={2: [1], 3: [1]})
    ids = [task(runbook, each).id for each in named]
    edit = BulkEdit(links_how=how, predecessor_ids=ids)
    outcome = operations.edit_tasks(runbook, [3, 2, 1], edit, by=rune)
    db.session.expire_all()
    found = {each: sorted(before.number for before in task(runbook, each).predecessors) for each in (1, 2, 3)}
    assert found == waits_for
    assert outcome.changed == [each for each in (1, 2, 3) if waits_for[each] != {1: [], 2: [1], 3: [1]}[each]]


@pytest.mark.parametrize(
    ("numbers", "how", "named", "loop"),
    [
        ([1], "add", [3], "#1 waits for #3 waits for #2 waits for #1"),
        ([1, 2], "replace", [2], "#2 waits for #2"),
        ([2, 4], "chain", [], "#2 waits for #4 waits for #2"),
    ],
)
def test_a_loop_through_several_tasks_is_named_and_nothing_is_changed(
    make_runbook: MakeRunbook,
    rune: User,
    refuses: Refuses,
    numbers: list[int],
    how: str,
    named: list[int],
    loop: str,
) -> None:
    runbook = make_runbook("Announce", "Deploy", "Verify", "Check", waits={2: [1], 3: [2]})
    task(runbook, 4).position = 0
    if how == "chain":
        task(runbook, 4).predecessors = [task(runbook, 2)]
    edit = BulkEdit(links_how=how, predecessor_ids=[task(runbook, each).id for each in named])
    with refuses(PlanRefused, f"That would be a loop: {loop}.") as refusal:
        operations.edit_tasks(runbook, numbers, edit, by=rune)
    assert refusal.value.field == "predecessors"  # type: ignore[attr-defined]


def test_a_link_to_a_deleted_task_outlives_the_change_of_the_others(
    make_runbook: MakeRunbook, rune: User
) -> None:
    runbook = make_runbook("Announce", "Deploy", "Verify", waits={3: [1, 2]})
    operations.delete_task(task(runbook, 1), by=rune)
    operations.edit_tasks(runbook, [3], BulkEdit(links_how="replace"), by=rune)
    db.session.expire_all()
    assert [each.number for each in task(runbook, 3).predecessors] == [1]


def test_tasks_of_another_runbook_are_no_predecessors(
    make_runbook: MakeRunbook, rune: User, refuses: Refuses
) -> None:
    runbook, other = make_runbook("Announce"), make_runbook("Count", name="Other")
    with refuses(PlanRefused, "Choose tasks of this runbook."):
        edit = BulkEdit(links_how="add", predecessor_ids=[task(other, 1).id])
        operations.edit_tasks(runbook, [1], edit, by=rune)


@pytest.mark.parametrize(
    ("form", "sentence"),
    [
        ({"links_how": "add", "predecessors": "9"}, "There is no task #9."),
        ({"links_how": "add"}, "Write below which tasks, by number or name."),
        ({"predecessors": "1"}, "Choose above that they wait for these tasks, or leave this empty."),
        ({"links_how": "chain", "predecessors": "1"}, "Choose above that they wait for these tasks"),
        ({"links_how": "add", "predecessors": "Verify"}, "That would be a loop: #3 waits for #3."),
    ],
)
def test_predecessors_that_cannot_be_are_said_in_the_dialog(
    make_runbook: MakeRunbook, cast: Cast, client_of: ClientOf, form: dict[str, str], sentence: str
) -> None:
    runbook = make_runbook("Announce", "Deploy", "Verify")
    url = f"/runbooks/{runbook.id}/tasks/selected/edit"
    answer = client_of(cast.rune).post(url, data=sent(2, 3, **form), headers=LIVE)
    assert (answer.status_code, sentence in answer.text) == (422, True)
