"""The list of a runbook that is being planned: cells for who may plan, and planned starts that follow every change."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from flask.testing import FlaskClient

from tests.cast import Cast
from tests.runbooks.conftest import MakeRunbook, task
from webapp.accounts.models import User
from webapp.extensions import db
from webapp.runbooks import operations
from webapp.runbooks.models import Runbook
from webapp.runbooks.states import Mode

ClientOf = Callable[[int], FlaskClient]
LIVE = {"HX-Request": "true"}
TEN = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)


def cells(text: str) -> list[str]:
    return re.findall(r'data-c="(\w+)"', text)


def starts(text: str) -> list[str]:
    """What #starts tells."""
    return re.findall(r'id="starts" hidden data-starts="([^"]*)"', text)


def test_who_may_plan_gets_cells_and_others_the_same_columns_as_a_list(
    make_runbook: MakeRunbook, cast: Cast, client_of: ClientOf
) -> None:
    runbook = make_runbook("Announce", "Deploy", waits={2: [1]})
    task(runbook, 2).planned_start = TEN
    address = f"/runbooks/{runbook.id}"
    planner, viewer = (client_of(each).get(address).text for each in (cast.rune, cast.vera))
    columns = ["title", "predecessors", "assignee_ids", "planned_start", "duration"]
    assert (cells(planner), cells(viewer)) == (columns * 2, [])
    assert (planner.count('role="row"'), viewer.count('role="row"')) == (3, 0)
    assert 'data-v="2026-11-23T10:00:00+00:00"' in planner
    assert [text.count('class="task plan todo"') for text in (planner, viewer)] == [2, 2]
    assert ["cell-editor" in text for text in (planner, viewer)] == [True, False]


def test_a_start_and_the_way_back_to_planning_send_every_list_with_its_own_columns(
    make_runbook: MakeRunbook, rune: User, cast: Cast, client_of: ClientOf
) -> None:
    runbook = make_runbook("Announce", "Deploy")
    client, since = client_of(cast.rune), runbook.seq

    def news(since: int) -> str:
        return client.get(f"/runbooks/{runbook.id}/changes?since={since}", headers=LIVE).text

    operations.start_runbook(runbook, Mode.REHEARSAL, by=rune)
    db.session.commit()
    text = news(since)
    stream = runbook.streams[0].id
    assert (f'<ul class="tasks" role="list" id="s-{stream}-l">' in text, cells(text)) == (True, [])
    since = runbook.seq
    operations.cancel_runbook(runbook, "No window", by=rune)
    operations.plan_again(runbook, by=rune)
    db.session.commit()
    text = news(since)
    assert f'<div class="tasks" role="grid" id="s-{stream}-l"' in text
    assert len(cells(text)) == 10


def test_a_filtered_page_loads_anew_where_lists_change(
    make_runbook: MakeRunbook, rune: User, cast: Cast, client_of: ClientOf
) -> None:
    runbook = make_runbook("Announce")
    since = runbook.seq
    operations.start_runbook(runbook, Mode.LIVE, by=rune)
    here = {**LIVE, "HX-Current-URL": f"http://localhost/runbooks/{runbook.id}?show=mine"}
    answer = client_of(cast.rune).get(f"/runbooks/{runbook.id}/changes?since={since}", headers=here)
    assert answer.headers["HX-Refresh"] == "true"


def test_one_change_tells_the_planned_start_of_every_task(
    make_runbook: MakeRunbook, rune: User, cast: Cast, client_of: ClientOf
) -> None:
    runbook = make_runbook("Announce", "Deploy", "Verify", "Apart", waits={2: [1], 3: [2]})

    def saved(duration: str) -> str:
        url = f"/runbooks/{runbook.id}/tasks/1/cells/duration"
        return client_of(cast.rune).post(url, data={"duration": duration}, headers=LIVE).text

    assert starts(saved("20m")) == ["1:+0m,2:+20m,3:+25m,4:+0m"]
    planned(runbook, rune, TEN)
    at = [int((TEN + timedelta(minutes=minutes)).timestamp()) for minutes in (0, 30, 35, 0)]
    assert starts(saved("30m")) == [",".join(f"{number}:{each}" for number, each in enumerate(at, 1))]
    operations.start_runbook(runbook, Mode.LIVE, by=rune)
    db.session.commit()
    assert starts(saved("45m")) == []


def test_a_start_that_was_set_says_when_the_task_cannot_begin_by_then(
    make_runbook: MakeRunbook, rune: User, cast: Cast, client_of: ClientOf
) -> None:
    runbook = make_runbook("Announce", "Deploy", waits={2: [1]})
    planned(runbook, rune, TEN)
    second = task(runbook, 2)
    found = []
    for minutes in (10, 2):
        second.planned_start = TEN + timedelta(minutes=minutes)
        db.session.commit()
        text = client_of(cast.rune).get(f"/runbooks/{runbook.id}").text
        found.append(re.findall(r'not before <time datetime="([^"]+)"', text))
    assert found == [[], ["2026-11-23T10:05:00Z"] * 2]  # in its column, and in the line that phones show


def planned(runbook: Runbook, by: User, start: datetime) -> None:
    operations.rename_runbook(runbook, name=runbook.name, description="", planned_start=start, by=by)
    db.session.commit()
