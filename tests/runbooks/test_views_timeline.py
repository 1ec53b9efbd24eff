"""The timeline's page and drawing: plan under actual, now-line, milestones, late in its tone, ticks at round times."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from flask.testing import FlaskClient

from tests.cast import Cast
from tests.runbooks.conftest import MakeRunbook, task
from tests.runbooks.drawn import add_runbook, ago, classes_of, tasks_in
from webapp.accounts.models import User
from webapp.extensions import db
from webapp.runbooks import timeline
from webapp.runbooks.addresses import Here, Wanted
from webapp.runbooks.board import load_board, viewer_of
from webapp.runbooks.lettering import fitted, width_of
from webapp.runbooks.models import Runbook
from webapp.runbooks.states import Mode

ClientOf = Callable[[int], FlaskClient]
UTC_ZONE = ZoneInfo("UTC")


@pytest.fixture
def chart_of(rune: User) -> Callable[..., timeline.Chart]:
    def chart(runbook: Runbook, zone: ZoneInfo = UTC_ZONE, wanted: Wanted | None = None) -> timeline.Chart:
        here = Here(f"/runbooks/{runbook.id}", "timeline", wanted or Wanted())
        return timeline.draw(load_board(runbook, viewer_of(rune, runbook), here=here), zone)

    return chart


Chart = Callable[..., timeline.Chart]


def bars(chart: timeline.Chart) -> dict[int, timeline.Bar]:
    return {bar.row.number: bar for lane in chart.lanes for bar in lane.bars}


def minutes_of(chart: timeline.Chart, piece: timeline.Piece | None) -> int:
    return round(piece.width / chart.second / 60) if piece else 0


def test_a_plan_without_dates_counts_from_its_start_and_has_no_now_line(
    chart_of: Chart, make_runbook: MakeRunbook
) -> None:
    chart = chart_of(make_runbook("Stop writes", "Promote", waits={2: [1]}))
    assert chart.now is None
    assert [(tick.offset, tick.moment) for tick in chart.ticks][:2] == [("Start", None), ("+2m", None)]
    found = bars(chart)
    assert found[2].plan.x == pytest.approx(found[1].plan.x + found[1].plan.width)
    assert (found[1].plan, found[1].rest, found[1].over, found[1].late) == (found[1].done, None, None, False)


def test_a_task_in_progress_is_drawn_to_now_and_what_is_left_of_it_after(chart_of: Chart, cast: Cast) -> None:
    chart = chart_of(add_runbook(cast, 3, began=ago(4)))
    bar = bars(chart)[1]
    assert (minutes_of(chart, bar.plan), minutes_of(chart, bar.done), minutes_of(chart, bar.rest)) == (
        10,
        4,
        6,
    )
    assert chart.now == pytest.approx(bar.done.x + bar.done.width, abs=0.2)


def test_a_task_over_its_plan_and_those_after_it_are_late_in_its_tone(
    chart_of: Chart, cast: Cast, client_of: ClientOf
) -> None:
    runbook = add_runbook(cast, 2, began=ago(25), streams=1)
    found = bars(chart_of(runbook))
    assert (found[1].row.late_s // 60, found[1].late, found[2].late) == (15, False, True)
    assert found[2].words == "#2 Step 2: forecast 15m after its plan"
    page = client_of(cast.rune).get(f"/runbooks/{runbook.id}/timeline").text
    assert classes_of(page, 1, "data-node") == {"gbar", "run", "over", "crit", "trunc"}
    assert classes_of(page, 2, "data-node") == {"gbar", "todo", "late", "crit", "trunc"}


def test_what_took_longer_than_planned_has_a_tail_of_that_length(chart_of: Chart, cast: Cast) -> None:
    runbook = add_runbook(cast, 3, began=ago(60))
    first = task(runbook, 1)
    assert first.started_at is not None
    first.finished_at = first.started_at + timedelta(minutes=14)
    first.state, first.completion = "complete", "normally"
    db.session.commit()
    chart = chart_of(runbook)
    assert minutes_of(chart, bars(chart)[1].over) == 4
    assert bars(chart)[1].rest is None


def test_a_milestone_is_a_point(cast: Cast, client_of: ClientOf) -> None:
    runbook = add_runbook(cast, 2, began=ago(1))
    task(runbook, 2).type = "milestone"
    db.session.commit()
    page = client_of(cast.rune).get(f"/runbooks/{runbook.id}/timeline").text
    marks = {
        int(n): kind
        for n, kind in re.findall(r'data-node="(\d+)" tabindex="-1".*?<(?:rect|path) class="plan" (\w)', page)
    }
    assert marks == {1: "x", 2: "d"}


def test_the_filter_hides_rows_and_streams_without_any(cast: Cast, client_of: ClientOf) -> None:
    runbook = add_runbook(cast, 9, began=ago(1))
    rune_s = client_of(cast.rune)
    assert tasks_in(rune_s.get(f"/runbooks/{runbook.id}/timeline").text) == [1, 4, 7, 2, 5, 8, 3, 6, 9]
    page = rune_s.get(f"/runbooks/{runbook.id}/timeline?show=running").text
    assert tasks_in(page) == [1]
    assert page.count('class="ghead"') == 1
    assert "No tasks match Failed" in rune_s.get(f"/runbooks/{runbook.id}/timeline?show=failed").text


def test_an_empty_plan_says_so(make_runbook: MakeRunbook, cast: Cast, client_of: ClientOf) -> None:
    page = client_of(cast.rune).get(f"/runbooks/{make_runbook().id}/timeline").text
    assert "The timeline shows each task once it is planned" in page


def test_a_task_s_panel_opens_beside_the_timeline(
    make_runbook: MakeRunbook, cast: Cast, client_of: ClientOf
) -> None:
    runbook = make_runbook("Stop writes", "Promote", mode=Mode.LIVE)
    page = client_of(cast.vera).get(f"/runbooks/{runbook.id}/timeline?task=2").text
    assert '<h2 id="p-title">Promote</h2>' in page
    assert re.findall(r'<li class="gname[^>]*data-task="(\d)" data-row aria-current="true">', page) == ["2"]


@pytest.mark.parametrize("name", ["UTC", "Asia/Kolkata", "America/St_Johns"])
def test_ticks_stand_at_round_times_of_the_viewer_s_zone(name: str, chart_of: Chart, cast: Cast) -> None:
    zone = ZoneInfo(name)
    chart = chart_of(add_runbook(cast, 60, began=datetime(2026, 11, 23, 20, 7, 31, tzinfo=UTC)), zone)
    moments = [tick.moment.astimezone(zone) for tick in chart.ticks if tick.moment]
    step = moments[1] - moments[0]
    assert {later - earlier for earlier, later in itertools.pairwise(moments)} == {step}
    assert {
        (each.hour * 3600 + each.minute * 60 + each.second) % step.total_seconds() for each in moments
    } == {0}
    assert [tick.x for tick in chart.ticks] == sorted(tick.x for tick in chart.ticks)


def test_the_width_stays_within_bounds(chart_of: Chart, cast: Cast) -> None:
    assert 900 <= chart_of(add_runbook(cast, 1)).width <= 1000
    assert chart_of(add_runbook(cast, 1000, streams=1)).width <= 6100


def test_a_text_is_cut_where_it_does_not_fit() -> None:
    assert fitted("Promote", 200, 12) == "Promote"
    cut = fitted("Promote the replica to primary", 90, 12)
    assert cut.endswith("…") and "Promote the replica".startswith(cut[:-1])
    assert width_of(cut, 12) <= 90
