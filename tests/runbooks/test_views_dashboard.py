"""The dashboard's page: status in words, streams, critical path, what moves the finish, load, late and failed tasks."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from flask.testing import FlaskClient

from tests.cast import Cast
from tests.runbooks.conftest import MakeAction, MakeRunbook, runs, task
from tests.runbooks.drawn import add_runbook, ago, tasks_in
from webapp.accounts.models import User
from webapp.clock import now
from webapp.extensions import db
from webapp.runbooks import dashboard, operations
from webapp.runbooks.addresses import Here, Wanted
from webapp.runbooks.board import load_board, viewer_of
from webapp.runbooks.models import Runbook
from webapp.runbooks.states import Mode
from webapp.runbooks.status import Status, Trouble, status_of

ClientOf = Callable[[int], FlaskClient]
Drawn = Callable[..., dashboard.Dashboard]


@pytest.fixture
def drawn(rune: User) -> Drawn:
    def draw(runbook: Runbook, **wanted: str) -> dashboard.Dashboard:
        here = Here(f"/runbooks/{runbook.id}", "dashboard", Wanted(**wanted))
        return dashboard.draw(load_board(runbook, viewer_of(rune, runbook), here=here, hiding=False))

    return draw


def numbers(some: dashboard.Some) -> list[int]:
    return [row.number for row in some.rows]


def finish(runbook: Runbook, number: int, *, after: float) -> None:
    """Have a task done that many minutes after its start."""
    found = task(runbook, number)
    found.started_at = found.started_at or runbook.started_at
    assert found.started_at is not None
    found.finished_at = found.started_at + timedelta(minutes=after)
    found.state, found.completion = "complete", "normally"
    db.session.commit()


@pytest.mark.parametrize(
    ("behind_s", "late", "failed", "tone", "reasons"),
    [
        (0, [], [], "ok", ["The forecast finish is on plan, and nothing is late or has failed."]),
        (-300, [], [], "ok", ["The forecast finish is 5m before plan, and nothing is late or has failed."]),
        (59, [], [], "ok", ["The forecast finish is on plan, and nothing is late or has failed."]),
        (90, [], [], "warn", ["The forecast finish is 1m after plan."]),
        (901, [], [], "bad", ["The forecast finish is 15m after plan."]),
        (0, [Trouble(4, False, 30)], [], "warn", ["#4 is late, with room before the finish moves."]),
        (
            120,
            [Trouble(4, True, 60), Trouble(5, True, 3660)],
            [],
            "warn",
            ["The forecast finish is 2m after plan.", "#4 and #5 on the critical path are late, by 1h 1m."],
        ),
        (0, [], [Trouble(7, False)], "warn", ["#7 failed."]),
        (0, [], [Trouble(7, True)], "bad", ["#7 on the critical path failed."]),
        (0, [], [Trouble(each, False) for each in range(1, 6)], "warn", ["#1, #2, #3 and 2 more failed."]),
    ],
)
def test_a_status_says_why(
    behind_s: float, late: list[Trouble], failed: list[Trouble], tone: str, reasons: list[str]
) -> None:
    word = {"ok": "On track", "warn": "At risk", "bad": "Off track"}[tone]
    found = status_of(behind_s=behind_s, planned_s=3600, late=late, failed=failed)
    assert found == Status(tone, word, tuple(reasons))


def test_a_long_plan_is_not_at_risk_for_a_minute() -> None:
    assert status_of(behind_s=90, planned_s=10 * 3600, late=[], failed=[]).tone == "ok"
    assert status_of(behind_s=1800, planned_s=10 * 3600, late=[], failed=[]).tone == "warn"


def test_a_late_start_is_named_as_a_cause_where_it_moves_the_finish(
    client_of: ClientOf, make_runbook: MakeRunbook, rune: User
) -> None:
    runbook = make_runbook("Announce")
    runbook.planned_start = now() - timedelta(hours=2, seconds=30)
    db.session.commit()
    operations.start_runbook(runbook, Mode.LIVE, by=rune)
    db.session.commit()
    shown = client_of(rune.id).get(f"/runbooks/{runbook.id}/dashboard").text
    assert "The forecast finish is 2h after plan. It was started 2h late." in shown
    assert "<span>The start</span>" in shown
    in_time = status_of(behind_s=0, planned_s=3600, late=[], failed=[], start_late_s=7200)
    assert (in_time.tone, len(in_time.reasons)) == ("ok", 1)


def test_streams_tell_how_far_they_are_and_when_they_end(drawn: Drawn, cast: Cast) -> None:
    found = drawn(add_runbook(cast, 6, began=ago(16)))
    assert [(each.lane.stream.name, each.lane.progress.total) for each in found.streams] == [
        ("Stream 0", 2),
        ("Stream 1", 2),
        ("Stream 2", 2),
    ]
    assert [each.behind_s // 60 for each in found.streams] == [6, 16, 16]


def test_the_critical_path_lists_what_is_left_of_it(drawn: Drawn, cast: Cast) -> None:
    runbook = add_runbook(cast, 3, began=ago(12), streams=1)
    finish(runbook, 1, after=12)
    found = drawn(runbook)
    assert (numbers(found.path), found.path_done) == ([2, 3], 1)
    assert numbers(drawn(runbook, text="3").path) == [3]


def test_what_moved_the_finish_is_said_task_by_task(drawn: Drawn, cast: Cast) -> None:
    runbook = add_runbook(cast, 3, began=ago(30), streams=1)
    finish(runbook, 1, after=14)
    second = task(runbook, 2)
    second.state, second.started_at = "in_progress", ago(13)
    db.session.commit()
    found = drawn(runbook)
    assert [(each.row.number, each.words, each.later) for each in found.causes] == [
        (2, "Started 3m after it could, is 3m over its planned duration", True),
        (1, "Took 4m longer than planned", True),
    ]


def test_what_went_quicker_and_what_waits_are_said_too(drawn: Drawn, cast: Cast) -> None:
    runbook = add_runbook(cast, 2, began=ago(9), streams=1)
    finish(runbook, 1, after=5)
    task(runbook, 2).state = "startable"
    db.session.commit()
    assert [(each.words, each.later) for each in drawn(runbook).causes] == [
        ("Took 5m less than planned", False),
        ("Could have started 4m ago", True),
    ]


def test_help_is_offered_where_it_brings_the_finish_forward(drawn: Drawn, cast: Cast) -> None:
    """Stream 0 is the longer one by five minutes: no help there brings more."""
    runbook = add_runbook(cast, 4, streams=2)
    for number in (2, 4):
        task(runbook, number).duration_s = 450
    db.session.commit()
    db.session.refresh(runbook)
    assert {(each.row.number, each.gain) for each in drawn(runbook).levers} == {(1, "5m"), (3, "2m")}


def test_load_counts_each_person_s_open_tasks_and_those_of_nobody_last(drawn: Drawn, cast: Cast) -> None:
    people = drawn(add_runbook(cast, 5, began=ago(1))).people
    assert [(load.person.name if load.person else None, load.open, load.left) for load in people] == [
        ("Rune", 3, "30m"),
        (None, 2, "20m"),
    ]
    assert people[0].counts == {"total": 3, "done": 0, "run": 1, "ready": 1}


def test_milestones_come_in_the_order_of_their_time(drawn: Drawn, cast: Cast) -> None:
    runbook = add_runbook(cast, 4, streams=1)
    for number in (1, 4):
        task(runbook, number).type = "milestone"
    db.session.commit()
    assert numbers(drawn(runbook).milestones) == [1, 4]


def test_a_failed_integration_is_listed_with_its_sentence(
    drawn: Drawn,
    rune: User,
    cast: Cast,
    client_of: ClientOf,
    make_runbook: MakeRunbook,
    make_action: MakeAction,
) -> None:
    runbook = make_runbook("Announce", "Go on", waits={2: [1]}, actions={1: make_action()}, mode=Mode.LIVE)
    operations.start_task(task(runbook, 1), by=rune)
    run = runs()[0]
    db.session.execute(
        run.__table__.update().values(
            state="failed", outcome={"code": "channel_not_found", "sentence": "Slack knows no such channel."}
        )
    )
    db.session.commit()
    assert numbers(drawn(runbook).failed) == [1]
    page = client_of(cast.vera).get(f"/runbooks/{runbook.id}/dashboard").text
    assert "Slack knows no such channel." in page
    assert "#1 on the critical path failed." in page
    assert '<a class="chip bad" data-here' in page


def test_long_lists_say_how_many_more_there_are(drawn: Drawn, cast: Cast, client_of: ClientOf) -> None:
    runbook = add_runbook(cast, 20, streams=1)
    found = drawn(runbook)
    assert (len(found.path.rows), found.path.total, found.path.more) == (8, 20, 12)
    assert "and 12 more on it" in client_of(cast.rune).get(f"/runbooks/{runbook.id}/dashboard").text


def test_the_filter_narrows_the_lists_and_says_so(cast: Cast, client_of: ClientOf) -> None:
    runbook = add_runbook(cast, 9, began=ago(30))
    page = client_of(cast.rune).get(f"/runbooks/{runbook.id}/dashboard?show=running").text
    late = page[page.index('id="d-late"') :].split("</section>")[0]
    assert tasks_in(late) == [1]
    assert "The lists show tasks that match In progress." in page


def test_before_the_start_there_is_no_status_and_nothing_late(
    make_runbook: MakeRunbook, cast: Cast, client_of: ClientOf
) -> None:
    page = client_of(cast.vera).get(f"/runbooks/{make_runbook('Stop writes').id}/dashboard").text
    assert "Being planned" in page
    assert re.findall("At risk|On track|Off track|Late tasks", page) == []
    empty = client_of(cast.vera).get(f"/runbooks/{make_runbook().id}/dashboard").text
    assert "The dashboard shows how the runbook stands once tasks are planned" in empty
