"""The page that holds two rehearsals against each other, its CSV, and the ways to it and to each review."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.cast import Cast
from tests.runbooks.conftest import MakeAction, MakeRunbook, task
from tests.runbooks.test_views_lists import Counting, grow
from webapp.accounts.models import User
from webapp.clock import now
from webapp.extensions import db
from webapp.runbooks import operations
from webapp.runbooks.models import Runbook
from webapp.runbooks.reviews.executions import executions_of
from webapp.runbooks.states import Mode


@pytest.fixture
def runes(client_of: Callable[[int], FlaskClient], cast: Cast) -> FlaskClient:
    return client_of(cast.rune)


@pytest.fixture
def rehearse(rune: User) -> Callable[..., None]:
    """Rehearse a runbook: its first task takes so long, the second is skipped; then go back to planning."""

    def run(runbook: Runbook, minutes: int = 5, *, again: bool = True) -> None:
        operations.start_runbook(runbook, Mode.REHEARSAL, by=rune)
        operations.start_task(task(runbook, 1), by=rune)
        task(runbook, 1).started_at = now() - timedelta(minutes=minutes)
        operations.finish_task(task(runbook, 1), by=rune)
        operations.skip_task(task(runbook, 2), "Only a rehearsal", by=rune)
        operations.cancel_runbook(runbook, "Enough for today", by=rune)
        if again:
            operations.plan_again(runbook, by=rune)
        db.session.commit()

    return run


def test_with_none_or_one_there_is_nothing_to_compare(
    runes: FlaskClient, make_runbook: MakeRunbook, rehearse: Callable[..., None]
) -> None:
    runbook = make_runbook("Announce", "Deploy")
    address = f"/runbooks/{runbook.id}/compare"
    assert "Nothing to compare yet" in runes.get(address).text
    rehearse(runbook)
    shown = runes.get(address).text
    assert "Only one so far" in shown and "There is Rehearsal 1 and nothing to hold it against." in shown
    answer = runes.get(f"{address}.csv")
    assert (answer.status_code, answer.location) == (303, address)


def test_the_last_two_are_compared_unless_others_are_asked_for(
    runes: FlaskClient, make_runbook: MakeRunbook, rehearse: Callable[..., None]
) -> None:
    runbook = make_runbook("Announce", "Deploy")
    for minutes in (5, 20, 50):
        rehearse(runbook, minutes)
    address = f"/runbooks/{runbook.id}/compare"
    assert "30m longer" in runes.get(address).text
    assert "45m longer" in runes.get(f"{address}?first=rehearsal-1&second=rehearsal-3").text
    assert "30m less" in runes.get(f"{address}?first=rehearsal-3&second=rehearsal-2").text
    assert runes.get(f"{address}?first=rehearsal-4").status_code == 404


def test_only_what_differs_and_in_the_order_of_the_plan(
    runes: FlaskClient, make_runbook: MakeRunbook, rehearse: Callable[..., None]
) -> None:
    runbook = make_runbook("Announce", "Deploy")
    rehearse(runbook, 5)
    rehearse(runbook, 20)
    address = f"/runbooks/{runbook.id}/compare.csv?first=rehearsal-1&second=rehearsal-2"

    def rows(more: str) -> list[tuple[str, str, str]]:
        text = runes.get(f"{address}{more}").data.decode("utf-8-sig")
        return [
            (row["ID"], row["Difference"], row["Rehearsal 2: took"][:3])
            for row in csv.DictReader(io.StringIO(text))
        ]

    first, second = ("1", "15m longer", "20m"), ("2", "Skipped", "")
    assert rows("") == [first, second]
    assert rows("&show=differing") == [first]
    assert rows("&order=plan") == [first, second]
    shown = runes.get(f"/runbooks/{runbook.id}/compare?show=differing").text
    assert "Announce" in shown and "Deploy" not in shown


def test_each_rehearsal_has_its_review_at_an_address_that_stays(
    runes: FlaskClient, make_runbook: MakeRunbook, rehearse: Callable[..., None], rune: User
) -> None:
    runbook = make_runbook("Announce", "Deploy")
    rehearse(runbook, 5)
    address = f"/runbooks/{runbook.id}"
    assert "1 rehearsal<" in runes.get(address).text
    operations.delete_task(task(runbook, 2), by=rune)
    task(runbook, 1).title = "Ring everybody"
    operations.add_task(runbook, runbook.streams[0], "Check", by=rune)
    db.session.commit()
    operations.start_runbook(runbook, Mode.REHEARSAL, by=rune)
    db.session.commit()
    first, latest = runes.get(f"{address}/review/rehearsal-1").text, runes.get(f"{address}/review").text
    assert "Deploy" in first and "no longer in the plan" in first and "Only a rehearsal" in first
    assert "Rehearsal 1 was cancelled" in first and "Rehearsal 2 so far" in latest
    assert "Ring everybody" not in first and "Announce" in first
    assert "Ring everybody" in latest and "Deploy" not in latest
    for page in (first, latest):
        assert (
            f'href="{address}/review/rehearsal-1"' in page and f'href="{address}/review/rehearsal-2"' in page
        )
    assert runes.get(f"{address}/review/rehearsal-3").status_code == 404
    assert runes.get(f"{address}/review/live-1").status_code == 404


def test_the_evidence_of_a_rehearsal_is_what_was_kept_of_it(
    runes: FlaskClient, make_runbook: MakeRunbook, rehearse: Callable[..., None], rune: User
) -> None:
    runbook = make_runbook("Announce", "Deploy")
    rehearse(runbook)
    operations.edit_stream(runbook.streams[0], name="Bridge", color=1, parent=None, by=rune)
    task(runbook, 1).title = "Ring everybody"
    db.session.commit()
    rehearse(runbook)
    operations.set_message(runbook, "Well done", by=rune)
    db.session.commit()

    def packed(slug: str) -> tuple[str, str, list[str], dict[str, Any]]:
        data = runes.get(f"/runbooks/{runbook.id}/review/{slug}/evidence.zip").data
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            files = {name: archive.read(name).decode() for name in archive.namelist()}
        verbs = [json.loads(line)["verb"] for line in files["audit.jsonl"].splitlines()]
        return files["run-sheet.html"], files["review.csv"], verbs, json.loads(files["manifest.json"])

    sheet, table, verbs, head = packed("rehearsal-1")
    assert "Announce" in sheet and "Tasks" in sheet and "Announce" in table
    assert "Ring everybody" not in sheet + table and "Bridge" not in sheet + table
    assert (head["of"], head["state"], head["reason"]) == ("Rehearsal 1", "cancelled", "Enough for today")
    assert verbs[0] == "runbook.started" and verbs[-1] == "stream.changed"
    sheet, table, verbs, head = packed("rehearsal-2")
    assert "Ring everybody" in sheet and "Bridge" in sheet and "Ring everybody" in table
    # What was planned since the end of the one before led to this one.
    before = ["runbook.cancelled", "runbook.planned_again", "stream.changed", "runbook.started"]
    assert verbs[:4] == before
    assert (head["of"], verbs[-1]) == ("Rehearsal 2", "runbook.message_changed")


def test_what_is_under_way_is_compared_as_it_stands(
    runes: FlaskClient, make_runbook: MakeRunbook, rehearse: Callable[..., None], rune: User
) -> None:
    runbook = make_runbook("Announce", "Deploy")
    rehearse(runbook)
    operations.start_runbook(runbook, Mode.LIVE, by=rune)
    db.session.commit()
    shown = runes.get(f"/runbooks/{runbook.id}/compare").text
    assert "Live run is under way" in shown
    assert "Not started, before: finished" in shown and "Not started, before: skipped" in shown


def test_lists_say_how_a_runbook_was_rehearsed_last(
    runes: FlaskClient, make_runbook: MakeRunbook, rehearse: Callable[..., None]
) -> None:
    runbook = make_runbook("Announce", "Deploy")
    rehearse(runbook)
    for address in ("/", "/runbooks?tab=planned"):
        assert "Payments · Rehearsal 1 cancelled" in runes.get(address).text
    rehearse(runbook, again=False)
    assert "Payments · Rehearsal 2<" in runes.get("/runbooks?tab=done").text


@pytest.mark.parametrize("page", ["compare", "compare.csv", "review/rehearsal-1", "review/rehearsal-2"])
def test_two_tasks_and_three_hundred_cost_as_many_queries(
    runes: FlaskClient,
    make_runbook: MakeRunbook,
    make_action: MakeAction,
    rehearse: Callable[..., None],
    rune: User,
    counting_queries: Counting,
    page: str,
) -> None:
    counted = []
    action_id = make_action().id
    for more in (0, 298):
        runbook = make_runbook("Announce", "Deploy", name=f"With {more} more")
        if more:
            grow(runbook, more, rune, action_id)
        rehearse(runbook)
        rehearse(runbook)
        assert len(executions_of(runbook.id)) == 2
        db.session.commit()
        with counting_queries() as seen:
            assert runes.get(f"/runbooks/{runbook.id}/{page}").status_code == 200
        counted.append(len(seen))
    assert counted[0] == counted[1]


def test_the_start_dialog_says_what_moving_the_plan_means(
    runes: FlaskClient, make_runbook: MakeRunbook
) -> None:
    runbook = make_runbook("Announce")
    address = f"/runbooks/{runbook.id}/start?mode="
    assert "Planned times" not in runes.get(f"{address}live").text
    runbook.planned_start = now() - timedelta(hours=2, minutes=10, seconds=20)
    db.session.commit()
    live, rehearsal = runes.get(f"{address}live").text, runes.get(f"{address}rehearsal").text
    assert "Planned starts move by +2h 10m, and lateness counts from now. They stay there." in live
    assert "everything counts as 2h 10m late from the beginning" in live
    assert "Back to planning moves them back." in rehearsal
    assert 'value="keep" checked' in live and 'value="move" checked' in rehearsal


@pytest.mark.parametrize(("chosen", "moved"), [("move", True), ("keep", False), (None, False)])
def test_the_plan_moves_where_that_is_chosen(
    runes: FlaskClient, make_runbook: MakeRunbook, chosen: str | None, moved: bool
) -> None:
    runbook = make_runbook("Announce")
    planned = runbook.planned_start = now() + timedelta(days=3)
    db.session.commit()
    form = {"mode": "rehearsal", **({"plan_times": chosen} if chosen else {})}
    assert runes.post(f"/runbooks/{runbook.id}/start", data=form).status_code == 303
    db.session.refresh(runbook)
    assert (runbook.state, runbook.planned_start != planned) == ("running", moved)
    assert ("before plan" in runes.get(f"/runbooks/{runbook.id}").text) is not moved
