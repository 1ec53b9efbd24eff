"""The wall display: what stands first, and that it needs no hand and shows nothing to press."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from flask.testing import FlaskClient

from tests.cast import Cast
from tests.runbooks.conftest import MakeRunbook, task
from tests.runbooks.drawn import add_runbook, ago
from webapp.accounts.models import User
from webapp.extensions import db
from webapp.runbooks import operations, wall
from webapp.runbooks.addresses import Here
from webapp.runbooks.board import load_board, viewer_of
from webapp.runbooks.states import Mode

ClientOf = Callable[[int], FlaskClient]


def test_what_is_late_stands_first_and_what_can_start_before_what_waits(rune: User, cast: Cast) -> None:
    runbook = add_runbook(cast, 9, began=ago(30))
    second = task(runbook, 2)
    second.state, second.started_at = "in_progress", ago(1)
    db.session.commit()
    board = load_board(runbook, viewer_of(rune, runbook), here=Here("/runbooks/1", "wall"), hiding=False)
    found = wall.draw(board)
    assert [row.number for row in found.running] == [1, 2]
    assert [row.number for row in found.next] == [3, 4, 5, 6, 7]


def test_the_wall_has_no_menu_and_no_button(cast: Cast, client_of: ClientOf) -> None:
    runbook = add_runbook(cast, 3, began=ago(5))
    page = client_of(cast.vera).get(f"/runbooks/{runbook.id}/wall").text
    main = page[page.index("<main") : page.index("</main>")]
    assert re.findall(r"<(button|form|input)", main) == []
    assert re.findall(r'href="(/runbooks[^"]*)"', main) == [f"/runbooks/{runbook.id}"]
    assert "Step 1" in main


def test_the_wall_is_live(cast: Cast, rune: User, client_of: ClientOf) -> None:
    runbook = add_runbook(cast, 3, began=ago(5))
    seq = runbook.seq
    operations.finish_task(task(runbook, 1), by=rune)
    db.session.commit()
    here = {"HX-Request": "true", "HX-Current-URL": f"http://localhost/runbooks/{runbook.id}/wall"}
    answer = client_of(cast.vera).get(f"/runbooks/{runbook.id}/changes?since={seq}", headers=here).text
    assert '<div class="w-body" id="view" hx-swap-oob="morph">' in answer
    assert "<small>1 of 3 tasks</small>" in answer


def test_the_head_of_the_wall_follows_a_pause_and_the_end(
    make_runbook: MakeRunbook, cast: Cast, rune: User, client_of: ClientOf
) -> None:
    runbook = make_runbook("Stop writes", mode=Mode.LIVE)
    here = {"HX-Request": "true", "HX-Current-URL": f"http://localhost/runbooks/{runbook.id}/wall"}

    def pulled(since: int) -> tuple[str, str]:
        text = client_of(cast.vera).get(f"/runbooks/{runbook.id}/changes?since={since}", headers=here).text
        state = re.search(r'id="w-state" hx-swap-oob="morph"><span class="chip[^>]*>(?:<.*?>)*([^<]+)', text)
        clock = re.search(r'id="w-elapsed"( hidden)? hx-swap-oob="morph">', text)
        assert state and clock
        return state[1].strip(), clock[1] or ""

    seq = runbook.seq
    operations.pause_runbook(runbook, by=rune)
    db.session.commit()
    assert pulled(seq) == ("Paused", "")
    seq = runbook.seq
    operations.cancel_runbook(runbook, "Called off", by=rune)
    db.session.commit()
    assert pulled(seq) == ("Cancelled", " hidden")


def test_what_was_not_done_is_called_so_once_the_runbook_has_ended(
    make_runbook: MakeRunbook, cast: Cast, rune: User, client_of: ClientOf
) -> None:
    runbook = make_runbook("Open the bridge", mode=Mode.LIVE)
    client, address = client_of(cast.rune), f"/runbooks/{runbook.id}/wall"
    assert '<h2 id="w-next">Ready and next</h2>' in client.get(address).text
    operations.cancel_runbook(runbook, "Called off", by=rune)
    db.session.commit()
    assert '<h2 id="w-next">Not done</h2>' in client.get(address).text


@pytest.mark.parametrize("view", ["", "/wall"])
def test_no_clock_of_a_task_goes_on_once_its_runbook_has_ended(
    make_runbook: MakeRunbook, cast: Cast, rune: User, client_of: ClientOf, view: str
) -> None:
    runbook = make_runbook("Stop writes", mode=Mode.LIVE)
    operations.start_task(task(runbook, 1), by=rune)
    db.session.commit()

    def ticking() -> int:
        page = client_of(cast.vera).get(f"/runbooks/{runbook.id}{view}").text
        return page.count(f'data-since="{task(runbook, 1).started_at.timestamp():.0f}"')

    task(runbook, 1).started_at = runbook.started_at = ago(7).replace(microsecond=0)
    db.session.commit()
    assert ticking() > 0
    operations.cancel_runbook(runbook, "Called off", by=rune)
    db.session.commit()
    assert ticking() == 0


def test_a_plan_that_has_not_started_can_hang_on_the_wall_too(
    make_runbook: MakeRunbook, cast: Cast, client_of: ClientOf
) -> None:
    page = client_of(cast.vera).get(f"/runbooks/{make_runbook('Stop writes').id}/wall").text
    assert "Nothing is in progress." in page
    assert client_of(cast.vera).get(f"/runbooks/{make_runbook().id}/wall").status_code == 200
