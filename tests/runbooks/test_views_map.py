"""The node map's page: all tasks, one filter and selection, live pieces, and the same number of queries for any size."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.cast import Cast
from tests.runbooks.conftest import MakeRunbook, task
from tests.runbooks.drawn import add_runbook, ago, classes_of, tasks_in
from webapp.accounts.models import User
from webapp.extensions import db
from webapp.runbooks import operations
from webapp.runbooks.addresses import Here, Wanted, read_here
from webapp.runbooks.states import Mode

ClientOf = Callable[[int], FlaskClient]
LIVE = {"HX-Request": "true"}


@pytest.fixture
def rune_s(client_of: ClientOf, cast: Cast) -> FlaskClient:
    return client_of(cast.rune)


def test_the_map_shows_each_task_once_and_links_it_to_its_panel(
    rune_s: FlaskClient, make_runbook: MakeRunbook
) -> None:
    runbook = make_runbook("Stop writes", "Promote <replica>", waits={2: [1]})
    page = rune_s.get(f"/runbooks/{runbook.id}/map").text
    assert tasks_in(page) == [1, 2]
    assert f'href="/runbooks/{runbook.id}/map?task=2"' in page
    assert "<title>Task 2, Promote &lt;replica&gt;, 5m, not ready, on the critical path</title>" in page
    assert re.findall(r'<path class="e (\w*)"', page) == ["crit"]


def test_a_task_s_panel_opens_beside_the_map(rune_s: FlaskClient, make_runbook: MakeRunbook) -> None:
    runbook = make_runbook("Stop writes", "Promote")
    page = rune_s.get(f"/runbooks/{runbook.id}/map?task=2&q=pro").text
    assert '<h2 id="p-title">Promote</h2>' in page
    assert f'data-close-panel href="/runbooks/{runbook.id}/map?q=pro"' in page
    assert re.search(r'data-node="2"[^>]*aria-current="true"', page)


def test_opening_a_task_by_htmx_keeps_the_view_and_the_filter_in_the_address(
    rune_s: FlaskClient, make_runbook: MakeRunbook
) -> None:
    runbook = make_runbook("Stop writes", "Promote")
    here = {**LIVE, "HX-Current-URL": f"http://localhost/runbooks/{runbook.id}/map?show=mine&task=1"}
    answer = rune_s.get(f"/runbooks/{runbook.id}/tasks/2", headers=here)
    assert answer.headers["HX-Push-Url"] == f"/runbooks/{runbook.id}/map?show=mine&task=2"


def test_the_switch_of_views_keeps_selection_and_filter(
    rune_s: FlaskClient, make_runbook: MakeRunbook
) -> None:
    runbook = make_runbook("Stop writes", "Promote")
    page = rune_s.get(f"/runbooks/{runbook.id}/map?show=mine&q=stop&task=1").text
    switch = page[page.index('aria-label="View"') :].split("</nav>")[0]
    rest = "?show=mine&amp;q=stop&amp;task=1"
    assert re.findall(r'data-here href="([^"]*)"', switch) == [
        f"/runbooks/{runbook.id}{view}{rest}" for view in ("", "/map", "/timeline", "/dashboard")
    ]
    assert 'aria-current="page" data-key="g m"' in switch


def test_the_filter_fades_the_other_tasks_and_hides_none(
    rune_s: FlaskClient, make_runbook: MakeRunbook
) -> None:
    runbook = make_runbook("Stop writes", "Promote", "Stop reads")
    page = rune_s.get(f"/runbooks/{runbook.id}/map?q=stop").text
    assert [("off" in classes_of(page, number, "data-node")) for number in (1, 2, 3)] == [False, True, False]


def test_around_a_task_shows_those_two_links_away(rune_s: FlaskClient, make_runbook: MakeRunbook) -> None:
    runbook = make_runbook(*"abcdefg", waits={2: [1], 3: [2], 4: [3], 5: [4], 6: [5]})
    page = rune_s.get(f"/runbooks/{runbook.id}/map?task=3&around=1").text
    assert sorted(tasks_in(page)) == [1, 2, 3, 4, 5]
    assert f'href="/runbooks/{runbook.id}/map?task=3"' in page


def test_a_start_redraws_the_map_of_those_who_watch(
    rune_s: FlaskClient, client_of: ClientOf, cast: Cast, rune: User, make_runbook: MakeRunbook
) -> None:
    runbook = make_runbook("Stop writes", "Promote", waits={2: [1]}, mode=Mode.LIVE)
    vera_s, seq = client_of(cast.vera), runbook.seq
    here = {**LIVE, "HX-Current-URL": f"http://localhost/runbooks/{runbook.id}/map"}
    assert "ready" in classes_of(vera_s.get(f"/runbooks/{runbook.id}/map").text, 1, "data-node")
    operations.start_task(task(runbook, 1), by=rune)
    db.session.commit()
    answer = vera_s.get(f"/runbooks/{runbook.id}/changes?since={seq}", headers=here)
    assert answer.headers["X-Seq"] == str(runbook.seq)
    assert '<div class="canvaswrap" id="view" hx-swap-oob="morph">' in answer.text
    assert "run" in classes_of(answer.text, 1, "data-node")
    assert 'id="t-1"' not in answer.text


def test_to_htmx_the_map_s_address_answers_the_drawing_alone(
    rune_s: FlaskClient, make_runbook: MakeRunbook
) -> None:
    runbook = make_runbook("Stop writes")
    answer = rune_s.get(
        f"/runbooks/{runbook.id}/map",
        headers={**LIVE, "HX-Current-URL": f"http://localhost/runbooks/{runbook.id}/map"},
    )
    assert answer.text.startswith('<div class="canvaswrap" id="view">')


def test_without_scripts_an_action_comes_back_to_the_map(
    rune_s: FlaskClient, make_runbook: MakeRunbook
) -> None:
    runbook = make_runbook("Stop writes", mode=Mode.LIVE)
    back = f"/runbooks/{runbook.id}/map?task=1"
    assert f'<input type="hidden" name="back" value="{back}">' in rune_s.get(back).text
    answer = rune_s.post(f"/runbooks/{runbook.id}/tasks/1/start", data={"back": back})
    assert (answer.status_code, answer.headers["Location"]) == (303, back)


def test_an_empty_plan_says_so(rune_s: FlaskClient, make_runbook: MakeRunbook) -> None:
    runbook = make_runbook()
    assert "The node map shows each task once it is planned" in rune_s.get(f"/runbooks/{runbook.id}/map").text


@pytest.mark.parametrize("view", ["map", "timeline", "dashboard", "wall"])
def test_another_workspace_s_runbook_is_not_found_in_any_view(
    view: str, client_of: ClientOf, cast: Cast, make_runbook: MakeRunbook
) -> None:
    runbook = make_runbook("Stop writes")
    assert client_of(cast.otto).get(f"/runbooks/{runbook.id}/{view}").status_code == 404
    assert client_of(cast.vera).get(f"/runbooks/{runbook.id}/{view}").status_code == 200


def test_a_view_that_there_is_not_is_not_found(rune_s: FlaskClient, make_runbook: MakeRunbook) -> None:
    runbook = make_runbook("Stop writes")
    assert rune_s.get(f"/runbooks/{runbook.id}/calendar").status_code == 404


@pytest.mark.parametrize("view", ["", "/map", "/timeline", "/dashboard", "/wall"])
@pytest.mark.parametrize("path", ["page", "changes"])
def test_any_number_of_tasks_takes_the_same_queries(
    view: str, path: str, rune_s: FlaskClient, cast: Cast, counting_queries: Callable[[], Any]
) -> None:
    counts = []
    sizes = (1, 30, 1000) if path == "page" else (1, 30, 120)  # where more has changed the page reloads
    for size in sizes:
        runbook = add_runbook(cast, size, began=ago(30))
        address = f"/runbooks/{runbook.id}{view}"
        headers = {**LIVE, "HX-Current-URL": f"http://localhost{address}"} if path == "changes" else {}
        wanted = address if path == "page" else f"/runbooks/{runbook.id}/changes?since=0"
        rune_s.get(wanted, headers=headers)
        db.session.expire_all()
        with counting_queries() as seen:
            assert rune_s.get(wanted, headers=headers).status_code == 200
        counts.append(len(seen))
    assert len(set(counts)) == 1, counts


@pytest.mark.parametrize(
    ("address", "found"),
    [
        ("/runbooks/7", Here("/runbooks/7")),
        ("http://host/runbooks/7/map?task=12", Here("/runbooks/7", "map", number=12)),
        ("/runbooks/7/map?around=1&task=3", Here("/runbooks/7", "map", number=3, around=True)),
        ("/runbooks/7/timeline?show=late&q=+db+", Here("/runbooks/7", "timeline", Wanted("late", "db"))),
        ("/runbooks/7/tasks/3?show=what&task=³", Here("/runbooks/7")),
        ("/runbooks/7?task=99999999999", Here("/runbooks/7")),
        ("", Here("/runbooks/7")),
    ],
)
def test_an_address_is_read_as_what_it_shows(address: str, found: Here) -> None:
    assert read_here(address, "/runbooks/7") == found


def test_an_address_reads_back_what_was_written() -> None:
    here = Here("/runbooks/7", "map", Wanted("late", "a & b"), 12, around=True)
    assert read_here(here.address, "/runbooks/7") == here
    assert here.to(view="", number=None) == "/runbooks/7?show=late&q=a+%26+b"
    assert here.unfiltered == "/runbooks/7/map?task=12&around=1"
    assert here.wanted.words == "Late and “a & b”"


@pytest.mark.parametrize("view", ["map", "timeline"])
def test_of_a_large_drawing_watchers_get_the_changed_states_and_ask_for_it_later(
    view: str, client_of: ClientOf, cast: Cast, rune: User
) -> None:
    runbook = add_runbook(cast, 300, began=ago(5))
    seq = runbook.seq
    operations.finish_task(task(runbook, 1), by=rune)
    db.session.commit()
    here = {**LIVE, "HX-Current-URL": f"http://localhost/runbooks/{runbook.id}/{view}"}
    answer = client_of(cast.vera).get(f"/runbooks/{runbook.id}/changes?since={seq}", headers=here).text
    assert 'id="view"' not in answer
    assert '<div id="states" hidden data-stale data-states="1:done,4:ready,5:todo"' in answer
