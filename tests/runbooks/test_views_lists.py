"""Lists of runbooks and tasks: what they show, and that more rows cost no more queries."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import insert, select

from tests.cast import Cast
from tests.runbooks.conftest import MakeAction, MakeRunbook, task
from webapp.accounts.models import User
from webapp.clock import now
from webapp.extensions import db
from webapp.integration_runs.models import IntegrationRun
from webapp.runbooks import operations
from webapp.runbooks.models import Runbook, Task, task_assignees, task_predecessors
from webapp.runbooks.states import Mode

ClientOf = Callable[[int], FlaskClient]
Counting = Callable[[], Any]


def titles(text: str) -> list[str]:
    """The tasks of a page, in their order."""
    return re.findall(r'<a id="l-[^"]*"[^>]*>([^<]+)</a>', text)


def names(text: str) -> list[str]:
    """The runbooks of a list, in their order."""
    return re.findall(r'<a [^>]*href="/runbooks/\d+"[^>]*>([^<]+)</a>', text)


def grow(runbook: Runbook, count: int, user: User, action_id: int) -> None:
    """Give the runbook that many tasks more, each with a predecessor, a person and a call that was delivered."""
    first = task(runbook, 1)
    start = runbook.next_task_number
    common = {"runbook_id": runbook.id, "stream_id": first.stream_id, "action_id": action_id}
    new = [
        {**common, "number": start + at, "title": f"Step {at}", "position": start + at} for at in range(count)
    ]
    ids = list(db.session.scalars(insert(Task).returning(Task.id, sort_by_parameter_order=True), new))
    runbook.next_task_number += count
    db.session.execute(
        insert(task_predecessors), [{"task_id": each, "predecessor_id": first.id} for each in ids]
    )
    db.session.execute(insert(task_assignees), [{"task_id": each, "user_id": user.id} for each in ids])
    db.session.commit()


@pytest.mark.parametrize("mode", [None, Mode.LIVE])
def test_a_runbook_of_a_thousand_tasks_costs_as_many_queries_as_one_of_a_few(
    make_runbook: MakeRunbook,
    make_action: MakeAction,
    cast: Cast,
    rune: User,
    client_of: ClientOf,
    counting_queries: Counting,
    mode: Mode | None,
) -> None:
    action = make_action()
    runbook = make_runbook("Open the bridge", actions={1: action}, mode=mode)
    if mode:
        operations.start_task(task(runbook, 1), by=rune)
        db.session.commit()
    client = client_of(cast.rune)
    address = f"/runbooks/{runbook.id}?task=1"
    counted = {}
    for more in (1, 29, 970):
        grow(runbook, more, rune, action.id)
        with counting_queries() as seen:
            answer = client.get(address)
        counted[len(titles(answer.text))] = len(seen)
    assert list(counted) == [2, 31, 1001]
    assert len(set(counted.values())) == 1, counted


@pytest.mark.parametrize("address", ["/", "/runbooks?tab=live", "/my-tasks"])
def test_a_list_of_thirty_runbooks_costs_as_many_queries_as_one_of_two(
    make_runbook: MakeRunbook,
    cast: Cast,
    rune: User,
    client_of: ClientOf,
    counting_queries: Counting,
    address: str,
) -> None:
    def add(number: int) -> None:
        runbook = make_runbook("Open the bridge", name=f"Release {number}", mode=Mode.LIVE)
        task(runbook, 1).assignees = [rune]
        db.session.commit()

    client = client_of(cast.rune)
    add(1)
    add(2)
    with counting_queries() as few:
        assert "Release 2" in client.get(address).text
    for number in range(3, 31):
        add(number)
    with counting_queries() as many:
        assert "Release 30" in client.get(address).text
    assert len(many) == len(few), "\n".join(many)


def test_news_of_one_task_cost_as_many_queries_in_a_runbook_of_two_tasks_as_in_one_of_a_thousand(
    make_runbook: MakeRunbook,
    make_action: MakeAction,
    cast: Cast,
    rune: User,
    client_of: ClientOf,
    counting_queries: Counting,
) -> None:
    action = make_action()
    runbook = make_runbook("Open the bridge", "Drain the nodes", actions={2: action}, mode=Mode.LIVE)
    client = client_of(cast.rune)

    def news() -> int:
        since = runbook.seq
        operations.add_comment(task(runbook, 1), "Waiting", by=rune)
        db.session.commit()
        with counting_queries() as seen:
            answer = client.get(f"/runbooks/{runbook.id}/changes?since={since}")
        assert (answer.status_code, titles(answer.text)) == (200, ["Open the bridge"])
        return len(seen)

    counted = [news()]
    for more in (29, 970):
        grow(runbook, more, rune, action.id)
        counted.append(news())
    assert len(set(counted)) == 1, counted


def test_runbooks_are_listed_by_where_they_are_in_their_life(
    make_runbook: MakeRunbook, cast: Cast, rune: User, client_of: ClientOf
) -> None:
    client = client_of(cast.rune)
    assert "No runbooks yet" in client.get("/runbooks").text
    make_runbook("One", name="Planned one")
    make_runbook("One", name="Live one", mode=Mode.LIVE)
    operations.cancel_runbook(make_runbook("One", name="Done one", mode=Mode.LIVE), "Called off", by=rune)
    found = {tab: names(client.get(f"/runbooks?tab={tab}").text) for tab in ("live", "planned", "done")}
    assert found == {"live": ["Live one"], "planned": ["Planned one"], "done": ["Done one"]}
    assert names(client.get("/runbooks").text) == ["Live one"]
    assert names(client_of(cast.otto).get("/runbooks").text) == []


def test_a_filter_keeps_the_tasks_that_match_and_says_when_there_are_none(
    make_runbook: MakeRunbook, cast: Cast, rune: User, client_of: ClientOf
) -> None:
    runbook = make_runbook(
        "Open the bridge", "Drain the nodes", "Close the bridge", waits={3: [2]}, mode=Mode.LIVE
    )
    task(runbook, 2).assignees = [rune]
    db.session.commit()
    client = client_of(cast.rune)

    def shown(query: str) -> list[str]:
        return titles(client.get(f"/runbooks/{runbook.id}?{query}").text)

    assert shown("show=mine") == ["Drain the nodes"]
    assert shown("q=BRIDGE") == ["Open the bridge", "Close the bridge"]
    assert shown("show=mine&q=bridge") == []
    assert "No tasks match" in client.get(f"/runbooks/{runbook.id}?show=mine&q=bridge").text


def test_my_tasks_lists_what_can_start_and_what_comes_next_and_nobody_elses(
    make_runbook: MakeRunbook, cast: Cast, rune: User, client_of: ClientOf
) -> None:
    client = client_of(cast.rune)
    assert "Nothing to do right now" in client.get("/my-tasks").text
    runbook = make_runbook(
        "Open the bridge", "Drain the nodes", "Close the bridge", waits={2: [1]}, mode=Mode.LIVE
    )
    for number in (1, 2):
        task(runbook, number).assignees = [rune]
    db.session.commit()
    assert titles(client.get("/my-tasks").text) == ["Open the bridge", "Drain the nodes"]
    assert titles(client_of(cast.vera).get("/my-tasks").text) == []


def test_the_calls_of_a_runbook_cost_no_query_each(
    make_runbook: MakeRunbook,
    make_action: MakeAction,
    cast: Cast,
    rune: User,
    client_of: ClientOf,
    counting_queries: Counting,
) -> None:
    action = make_action()
    steps = [f"Step {number}" for number in range(1, 31)]
    runbook = make_runbook(*steps, actions=dict.fromkeys(range(1, 31), action), mode=Mode.LIVE)
    client = client_of(cast.rune)

    def counted() -> int:
        with counting_queries() as seen:
            client.get(f"/runbooks/{runbook.id}")
        return len(seen)

    operations.start_task(task(runbook, 1), by=rune)
    one = counted()
    for number in range(2, 31):
        operations.start_task(task(runbook, number), by=rune)
    assert (counted(), len(list(db.session.scalars(select(IntegrationRun))))) == (one, 30)


def test_home_says_how_what_runs_stands_and_what_starts_next(
    make_runbook: MakeRunbook, cast: Cast, client_of: ClientOf
) -> None:
    make_runbook("Open the bridge", name="Under way", mode=Mode.LIVE)
    later = make_runbook("Open the bridge", name="Starts later")
    later.planned_start = now() + timedelta(days=9)
    soon = make_runbook("Open the bridge", name="Starts soon")
    soon.planned_start = now() + timedelta(hours=1)
    long_past = make_runbook("Open the bridge", name="Never started")
    long_past.planned_start = now() - timedelta(days=30)
    db.session.commit()

    page = client_of(cast.rune).get("/").text

    live, rest = page.split("Starting next</h2>")
    coming, recent = rest.split("Last changed</h2>")
    assert names(live) == ["Under way"] and "On track" in live and "Finish <time" in live
    assert names(coming) == ["Starts soon", "Starts later"] and "Starts <time" in coming
    assert names(recent) == ["Never started"]


def test_the_list_says_when_what_was_run_ended(
    make_runbook: MakeRunbook, cast: Cast, rune: User, client_of: ClientOf
) -> None:
    runbook = make_runbook("Open the bridge", name="Given up", mode=Mode.LIVE)
    operations.cancel_runbook(runbook, "No need any more", by=rune)
    db.session.commit()
    page = client_of(cast.rune).get("/runbooks?tab=done").text
    assert names(page) == ["Given up"] and "Ended <time" in page
