"""Moving tasks in the list: where they come to stand, who is told, what the audit log says, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
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
from webapp.runbooks.operations import Placed
from webapp.runbooks.refusals import NotNow, PlanRefused
from webapp.runbooks.states import Mode

ClientOf = Callable[[int], FlaskClient]
Counting = Callable[[], Any]
LIVE = {"HX-Request": "true"}


@pytest.fixture
def runbook(make_runbook: MakeRunbook, rune: User) -> Runbook:
    """Tasks 1 to 4 in Tasks, 5 and 6 in Network, and Applications, which is empty."""
    made = make_runbook("Announce", "Deploy", "Verify", "Close")
    network = operations.add_stream(made, "Network", by=rune)
    operations.add_stream(made, "Applications", by=rune)
    for title in ("Drain", "Switch"):
        operations.add_task(made, network, title, by=rune)
    db.session.commit()
    return made


def lists(runbook: Runbook) -> dict[str, list[int]]:
    """Stream to the numbers of its tasks, in their order."""
    db.session.expire_all()
    found: dict[str, list[int]] = {each.name: [] for each in runbook.streams}
    for each in sorted(runbook.tasks, key=lambda each: (each.position, each.id)):
        if each.deleted_at is None:
            found[each.stream.name].append(each.number)
    return found


def moves() -> list[tuple[str, Any, Any]]:
    query = select(AuditLine).where(AuditLine.verb == "task.moved").order_by(AuditLine.id)
    return [(each.object_name, each.before, each.after) for each in db.session.scalars(query)]


def told(runbook: Runbook) -> set[int]:
    """The numbers of the tasks that every page places anew."""
    return {each.number for each in runbook.tasks if each.placed_seq == runbook.seq}


def test_tasks_go_together_and_in_their_order_to_any_place_of_any_stream(
    runbook: Runbook, rune: User
) -> None:
    network, seq = runbook.streams[1], runbook.seq
    placed = operations.move_tasks(runbook, [3, 1], network, 5, by=rune)
    db.session.commit()
    assert placed == [Placed(1, "Network", 2), Placed(3, "Network", 3)]
    assert lists(runbook) == {"Tasks": [2, 4], "Network": [5, 1, 3, 6], "Applications": []}
    assert (runbook.seq, told(runbook)) == (seq + 1, {1, 3})
    assert [each.seq == runbook.seq for each in runbook.streams] == [True, True, False]
    assert moves() == [
        ("#1 Announce", {"stream": "Tasks", "place": 1}, {"stream": "Network", "place": 2}),
        ("#3 Verify", {"stream": "Tasks"}, {"stream": "Network"}),
    ]


def test_within_a_stream_only_what_was_moved_is_told_and_audited(runbook: Runbook, rune: User) -> None:
    operations.move_tasks(runbook, [4], runbook.streams[0], 1, by=rune)
    db.session.commit()
    assert lists(runbook)["Tasks"] == [1, 4, 2, 3]
    assert (told(runbook), moves()) == ({4}, [("#4 Close", {"place": 4}, {"place": 2})])


def test_without_a_task_before_them_they_come_to_the_top(runbook: Runbook, rune: User) -> None:
    operations.move_tasks(runbook, [6], runbook.streams[0], None, by=rune)
    operations.move_tasks(runbook, [2], runbook.streams[2], None, by=rune)
    assert lists(runbook) == {"Tasks": [6, 1, 3, 4], "Network": [5], "Applications": [2]}


def test_dropped_behind_one_of_themselves_they_gather_there(runbook: Runbook, rune: User) -> None:
    operations.move_tasks(runbook, [1, 3], runbook.streams[0], 3, by=rune)
    assert lists(runbook)["Tasks"] == [2, 1, 3, 4]


def test_dropped_where_they_are_nothing_is_written(runbook: Runbook, rune: User, audit: Audit) -> None:
    said = audit()
    assert operations.move_tasks(runbook, [2, 3], runbook.streams[0], 1, by=rune) == []
    assert (lists(runbook)["Tasks"], audit()) == ([1, 2, 3, 4], said)


@pytest.mark.parametrize(
    ("numbers", "step", "expected"),
    [
        ([3], -1, {"Tasks": [1, 3, 2, 4], "Network": [5, 6], "Applications": []}),
        ([2], 1, {"Tasks": [1, 3, 2, 4], "Network": [5, 6], "Applications": []}),
        ([2, 3], -1, {"Tasks": [2, 3, 1, 4], "Network": [5, 6], "Applications": []}),
        ([1, 3], 1, {"Tasks": [2, 4, 1, 3], "Network": [5, 6], "Applications": []}),
        ([4], 1, {"Tasks": [1, 2, 3], "Network": [4, 5, 6], "Applications": []}),
        ([5, 6], -1, {"Tasks": [1, 2, 3, 4, 5, 6], "Network": [], "Applications": []}),
        ([6], 1, {"Tasks": [1, 2, 3, 4], "Network": [5], "Applications": [6]}),
        ([1], -1, {"Tasks": [1, 2, 3, 4], "Network": [5, 6], "Applications": []}),
    ],
)
def test_one_step_moves_by_one_place_and_over_the_borders_of_streams(
    runbook: Runbook, rune: User, numbers: list[int], step: int, expected: dict[str, list[int]]
) -> None:
    operations.step_tasks(runbook, numbers, step, by=rune)
    assert lists(runbook) == expected


def test_at_the_end_of_the_last_stream_nothing_moves(runbook: Runbook, rune: User, audit: Audit) -> None:
    said = audit()
    operations.move_tasks(runbook, [4], runbook.streams[2], None, by=rune)
    assert operations.step_tasks(runbook, [4], 1, by=rune) == []
    assert len(audit()) == len(said) + 1


def test_what_cannot_be_moved_says_why_and_stays(
    runbook: Runbook, make_runbook: MakeRunbook, rune: User, refuses: Refuses
) -> None:
    tasks, network, _ = runbook.streams
    other = make_runbook("Tell", name="Release 13")
    with refuses(PlanRefused, "Choose a stream of this runbook."):
        operations.move_tasks(runbook, [1], other.streams[0], None, by=rune)
    with refuses(NotNow, "#6 is no longer in Tasks. Look where it is now and move the task again."):
        operations.move_tasks(runbook, [1], tasks, 6, by=rune)
    operations.delete_task(task(runbook, 2), by=rune)
    with refuses(NotNow, "#2 was deleted."):
        operations.move_tasks(runbook, [1, 2], network, None, by=rune)
    with refuses(NotNow, "This task was deleted."):
        operations.step_tasks(runbook, [2], 1, by=rune)
    operations.start_runbook(runbook, Mode.LIVE, by=rune)
    operations.start_task(task(runbook, 1), by=rune)
    with refuses(NotNow, "#1 has started, so it stays in its stream."):
        operations.move_tasks(runbook, [1, 3], network, None, by=rune)


def test_a_thousand_tasks_move_with_as_many_queries_as_two(
    make_runbook: MakeRunbook, rune: User, counting_queries: Counting
) -> None:
    def counted(count: int) -> int:
        made = make_runbook("Announce")
        there = operations.add_stream(made, "Network", by=rune)
        common = {"runbook_id": made.id, "stream_id": made.streams[0].id}
        rows = [{**common, "number": at, "title": f"Step {at}", "position": at} for at in range(2, count + 2)]
        db.session.execute(insert(Task), rows)
        db.session.commit()
        with counting_queries() as seen:
            placed = operations.move_tasks(made, [each["number"] for each in rows], there, None, by=rune)
        assert len(placed) == count
        return len(seen)

    assert counted(1000) == counted(2)


def sent(*numbers: int, **values: Any) -> MultiDict[str, Any]:
    return MultiDict([*(("number", each) for each in numbers), *values.items()])


def test_the_answer_places_the_rows_for_everyone_and_says_where_they_are(
    runbook: Runbook, cast: Cast, client_of: ClientOf
) -> None:
    client, url = client_of(cast.rune), f"/runbooks/{runbook.id}/tasks/move"
    seq, network = runbook.seq, runbook.streams[1].id
    answer = client.post(url, data=sent(2, 4, stream_id=network, after=5), headers=LIVE)
    assert answer.headers["HX-Trigger"] == '{"say": "2 tasks are now in Network, from number 2 on."}'
    watched = client_of(cast.vera).get(f"/runbooks/{runbook.id}/changes?since={seq}", headers=LIVE).text
    for text in (answer.text, watched):
        assert 'hx-swap-oob="afterend:#t-5"' in text and 'hx-swap-oob="afterend:#t-2"' in text
    up = client.post(f"/runbooks/{runbook.id}/tasks/5/move", data={"to": "up"}, headers=LIVE)
    assert up.headers["HX-Trigger"] == '{"say": "#5 is now number 3 in Tasks."}'
    assert lists(runbook) == {"Tasks": [1, 3, 5], "Network": [2, 4, 6], "Applications": []}


def test_a_move_that_leads_nowhere_is_no_news(runbook: Runbook, cast: Cast, client_of: ClientOf) -> None:
    seq = runbook.seq
    answer = client_of(cast.rune).post(
        f"/runbooks/{runbook.id}/tasks/move", data=sent(1, to="up"), headers=LIVE
    )
    assert answer.headers["HX-Trigger"] == '{"say": "Nothing moved: there is no place beyond this one."}'
    db.session.expire_all()
    assert runbook.seq == seq


def test_a_move_needs_tasks_a_place_and_a_stream_of_the_runbook(
    runbook: Runbook, make_runbook: MakeRunbook, cast: Cast, client_of: ClientOf
) -> None:
    other = make_runbook("Tell", name="Release 13")
    client, url = client_of(cast.rune), f"/runbooks/{runbook.id}/tasks/move"
    before = tables()
    found = [
        client.post(url, data=data, headers=LIVE).status_code
        for data in (
            sent(to="up"),
            sent(1, to="left"),
            sent(99, to="up"),
            sent(1),
            sent(1, stream_id=other.streams[0].id),
        )
    ]
    assert (found, tables()) == ([400, 400, 404, 404, 404], before)
