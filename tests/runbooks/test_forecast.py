"""The forecast: spans, what a change reaches, the critical path, slack, and what moved the finish."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import networkx
import pytest
from hypothesis import given
from hypothesis import strategies as some

from webapp.runbooks.forecast import Delay, Forecast, Span, Times, delays
from webapp.runbooks.rows import Facts, late_by
from webapp.runbooks.schedule import schedule_of

Links = dict[int, list[int]]
TEN = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
DIAMOND: Links = {1: [], 2: [1], 3: [1], 4: [2, 3]}


def minutes(count: float) -> timedelta:
    return timedelta(minutes=count)


def planned(links: Links, times: Mapping[int, Times]) -> Forecast[int]:
    return Forecast(links, times, begin=TEN, moment=TEN)


def lasting(*lengths: float) -> dict[int, Times]:
    return {number: Times(minutes(length)) for number, length in enumerate(lengths, 1)}


@some.composite
def plans(draw: some.DrawFn, size: int = 14) -> Links:
    """Tasks without a loop, in an order that gives nothing away."""
    count = draw(some.integers(1, size))
    names = draw(some.permutations(range(count)))
    links = {
        names[place]: [
            names[each] for each in sorted(draw(some.sets(some.integers(0, place - 1), max_size=4)))
        ]
        if place
        else []
        for place in range(count)
    }
    return {name: links[name] for name in draw(some.permutations(range(count)))}


@some.composite
def known(draw: some.DrawFn) -> Times:
    """Any times of one task: planned, with a fixed start, under way, done."""
    moments = some.integers(-60, 120).map(lambda count: TEN + minutes(count))
    started = draw(some.none() | moments)
    finished = None
    if started is not None and draw(some.booleans()):
        finished = started + minutes(draw(some.integers(0, 60)))
    return Times(
        minutes(draw(some.integers(0, 90))),
        fixed_start=draw(some.none() | moments),
        started=started,
        finished=finished,
    )


def longest_path(links: Links, times: Mapping[int, Times]) -> float:
    """The same finish by another way: networkx's longest path, in minutes after ten, each task an edge."""
    graph = networkx.DiGraph()
    for task, before in links.items():
        graph.add_edge((task, "start"), (task, "end"), weight=times[task].duration.total_seconds() / 60)
        fixed = times[task].fixed_start
        wait = max(0.0, (fixed - TEN).total_seconds() / 60) if fixed else 0.0
        graph.add_edge("begin", (task, "start"), weight=wait)
        for each in before:
            graph.add_edge((each, "end"), (task, "start"), weight=0)
    return float(networkx.dag_longest_path_length(graph))


def test_the_plan_starts_each_task_when_the_last_of_its_predecessors_ends() -> None:
    found = planned(DIAMOND, lasting(10, 5, 20, 1))
    assert found.spans == {
        1: Span(TEN, TEN + minutes(10)),
        2: Span(TEN + minutes(10), TEN + minutes(15)),
        3: Span(TEN + minutes(10), TEN + minutes(30)),
        4: Span(TEN + minutes(30), TEN + minutes(31)),
    }
    assert found.finish == TEN + minutes(31)


def test_a_fixed_start_holds_a_task_back_and_never_pulls_it_forward() -> None:
    times = {
        1: Times(minutes(10), fixed_start=TEN + minutes(30)),
        2: Times(minutes(5), fixed_start=TEN - minutes(30)),
    }
    assert planned({1: [], 2: [1]}, times).spans == {
        1: Span(TEN + minutes(30), TEN + minutes(40)),
        2: Span(TEN + minutes(40), TEN + minutes(45)),
    }


def test_what_happened_stays_and_what_did_not_is_not_forecast_into_the_past() -> None:
    times = {
        1: Times(minutes(10), started=TEN, finished=TEN + minutes(3)),
        2: Times(minutes(5), started=TEN + minutes(4)),
        3: Times(minutes(60), started=TEN + minutes(5)),
        4: Times(minutes(1)),
    }
    assert Forecast(DIAMOND, times, begin=TEN, moment=TEN + minutes(20)).spans == {
        1: Span(TEN, TEN + minutes(3)),
        2: Span(TEN + minutes(4), TEN + minutes(20)),
        3: Span(TEN + minutes(5), TEN + minutes(65)),
        4: Span(TEN + minutes(65), TEN + minutes(66)),
    }


def test_a_task_that_was_skipped_before_it_started_takes_no_time() -> None:
    skipped = Times(minutes(10), finished=TEN + minutes(2))
    assert Forecast({1: []}, {1: skipped}, begin=TEN, moment=TEN + minutes(5)).spans == {
        1: Span(TEN + minutes(2), TEN + minutes(2))
    }


def test_a_plan_without_tasks_has_no_finish_and_no_critical_path() -> None:
    nothing = planned({}, {})
    assert (nothing.finish, nothing.critical_path, nothing.spans) == (None, [], {})


def test_a_deleted_predecessor_holds_nobody() -> None:
    assert planned({2: [1]}, {2: Times(minutes(5))}).spans == {2: Span(TEN, TEN + minutes(5))}


@given(plans(), some.data())
def test_no_forecast_starts_a_task_before_its_predecessors_end(links: Links, data: some.DataObject) -> None:
    times = {task: Times(minutes(data.draw(some.integers(0, 90)))) for task in links}
    found = Forecast(links, times, begin=TEN, moment=TEN + minutes(7)).spans
    for task, before in links.items():
        assert found[task].start == max([TEN + minutes(7), *(found[each].end for each in before)])
        assert found[task].end - found[task].start == times[task].duration


@given(plans(), some.data())
def test_the_finish_is_the_longest_path_that_networkx_finds(links: Links, data: some.DataObject) -> None:
    fixed = some.none() | some.integers(-30, 200).map(lambda count: TEN + minutes(count))
    times = {
        task: Times(minutes(data.draw(some.integers(0, 90))), fixed_start=data.draw(fixed)) for task in links
    }
    found = planned(links, times)
    assert found.finish == TEN + minutes(longest_path(links, times))


@given(plans(), some.data())
def test_the_critical_path_is_a_chain_without_gaps_that_ends_with_the_last_task(
    links: Links, data: some.DataObject
) -> None:
    fixed = some.none() | some.integers(-30, 200).map(lambda count: TEN + minutes(count))
    times = {
        task: Times(minutes(data.draw(some.integers(0, 90))), fixed_start=data.draw(fixed)) for task in links
    }
    found = planned(links, times)
    path = found.critical_path
    first = found.spans[path[0]].start
    assert found.spans[path[-1]].end == found.finish
    assert first in (TEN, times[path[0]].fixed_start)
    assert found.finish == first + sum((times[each].duration for each in path), timedelta())
    assert [pair for pair in itertools.pairwise(path) if pair[0] not in links[pair[1]]] == []
    assert [found.slack(each) for each in path] == [minutes(0)] * len(path)


@given(plans(), some.data())
def test_slack_is_what_a_task_can_last_longer_by_networkx_without_moving_the_finish(
    links: Links, data: some.DataObject
) -> None:
    times = {task: Times(minutes(data.draw(some.integers(0, 90)))) for task in links}
    found = planned(links, times)
    task = data.draw(some.sampled_from(sorted(links)))
    slack = found.slack(task)
    assert slack is not None
    for more, moved in ((slack, 0), (slack + minutes(1), 1)):
        longer = {**times, task: Times(times[task].duration + more)}
        assert TEN + minutes(longest_path(links, longer)) == found.finish + minutes(moved)  # type: ignore[operator]


@given(plans(), some.data())
def test_after_any_changes_the_forecast_is_as_if_made_anew(links: Links, data: some.DataObject) -> None:
    moment = TEN + minutes(7)
    times = {task: data.draw(known()) for task in links}
    held = Forecast(links, times, begin=TEN, moment=moment)
    for _ in range(data.draw(some.integers(1, 5))):
        task = data.draw(some.sampled_from(sorted(links)))
        before = dict(held.spans)
        wanted = data.draw(some.none() | some.lists(some.sampled_from(sorted(links)), max_size=3))
        told = data.draw(some.none() | known())
        try:
            changed = held.change(task, told, wanted)
        except ValueError:
            assert held.spans == before
            continue
        links = {**links, task: links[task] if wanted is None else wanted}
        times = {**times, task: told or times[task]}
        anew = Forecast(links, times, begin=TEN, moment=moment)
        assert held.spans == anew.spans
        assert held.finish == anew.finish
        assert {each: held.slack(each) for each in links} == {each: anew.slack(each) for each in links}
        assert changed == {each for each in links if before[each] != anew.spans[each]}


@given(plans(), some.data())
def test_asking_what_if_changes_nothing(links: Links, data: some.DataObject) -> None:
    times = {task: data.draw(known()) for task in links}
    held = planned(links, times)
    before, path = dict(held.spans), held.critical_path
    task, other = data.draw(some.sampled_from(sorted(links))), data.draw(known())
    assert held.finish_with(task, other) == planned(links, {**times, task: other}).finish
    assert (dict(held.spans), held.critical_path) == (before, path)


def test_a_change_stops_where_nothing_moves() -> None:
    found = planned(DIAMOND, lasting(10, 5, 20, 1))
    assert found.change(2, Times(minutes(15))) == {2}
    assert found.change(2, Times(minutes(25))) == {2, 4}
    assert found.change(2, Times(minutes(25))) == set()
    assert found.finish == TEN + minutes(36)
    assert found.critical_path == [1, 2, 4]


def test_a_task_that_has_started_is_not_moved_by_those_before_it() -> None:
    times = {**lasting(10, 5), 2: Times(minutes(5), started=TEN)}
    found = planned({1: [], 2: [1]}, times)
    assert found.change(1, Times(minutes(90))) == {1}
    assert (found.slack(1), found.finish) == (minutes(0), TEN + minutes(90))


def test_new_predecessors_move_a_task_and_a_loop_is_refused_and_changes_nothing() -> None:
    found = planned({1: [], 2: [], 3: [2]}, lasting(10, 5, 20))
    assert found.change(1, predecessors=[3]) == {1}
    assert found.critical_path == [2, 3, 1]
    with pytest.raises(ValueError, match="loop"):
        found.change(2, predecessors=[1])
    assert found.critical_path == [2, 3, 1]
    assert found.change(1, predecessors=[]) == {1}
    assert found.critical_path == [2, 3]


def test_what_is_done_has_no_slack_and_stays_on_the_critical_path() -> None:
    times = {
        1: Times(minutes(10), started=TEN, finished=TEN + minutes(12)),
        2: Times(minutes(5), started=TEN + minutes(12), finished=TEN + minutes(14)),
        3: Times(minutes(20), started=TEN + minutes(13)),
        4: Times(minutes(1)),
    }
    found = Forecast(DIAMOND, times, begin=TEN, moment=TEN + minutes(20))
    assert found.critical_path == [1, 3, 4]
    assert [found.slack(each) for each in DIAMOND] == [None, None, minutes(0), minutes(0)]


def test_a_fixed_start_that_holds_longer_begins_the_critical_path() -> None:
    times = {**lasting(10, 5), 2: Times(minutes(5), fixed_start=TEN + minutes(30))}
    found = planned({1: [], 2: [1]}, times)
    assert found.critical_path == [2]
    assert found.slack(1) == minutes(20)


def test_a_loop_has_no_forecast() -> None:
    with pytest.raises(ValueError, match="loop"):
        planned({1: [1]}, lasting(1))


def test_a_delay_says_how_long_a_task_waited_and_by_how_much_it_overran() -> None:
    times = {
        1: Times(minutes(10), started=TEN + minutes(4), finished=TEN + minutes(15)),
        2: Times(minutes(5), started=TEN + minutes(15), finished=TEN + minutes(18)),
        3: Times(minutes(20), started=TEN + minutes(15), finished=TEN + minutes(30)),
        4: Times(minutes(1)),
    }
    found = Forecast(DIAMOND, times, begin=TEN, moment=TEN + minutes(40))
    assert delays(found, begin=TEN, at_least=minutes(1)) == [
        Delay(4, minutes(10), minutes(0)),
        Delay(1, minutes(4), minutes(1)),
        Delay(3, minutes(0), minutes(-5)),
    ]
    assert [each.total for each in delays(found, begin=TEN, at_least=minutes(5))] == [
        minutes(10),
        minutes(-5),
    ]


@given(plans(), some.data())
def test_on_a_path_without_fixed_starts_the_delays_are_the_whole_difference(
    links: Links, data: some.DataObject
) -> None:
    times = {task: Times(minutes(data.draw(some.integers(0, 90)))) for task in links}
    late = planned(links, times)
    late_by = minutes(data.draw(some.integers(0, 30)))
    held = Forecast(links, times, begin=TEN, moment=TEN + late_by)
    told = delays(held, begin=TEN, at_least=timedelta(microseconds=1))
    assert late.finish is not None
    assert held.finish == late.finish + sum((each.total for each in told), timedelta())


def facts(number: int, state: str = "startable", **values: Any) -> Facts:
    given = {
        "id": number,
        "number": number,
        "title": f"Task {number}",
        "stream_id": 1,
        "action_id": None,
        "planned_start": None,
        "duration_s": 600,
        "state": state,
        "completion": None,
        "started_at": None,
        "finished_at": None,
        "seq": 1,
        "placed_seq": 1,
    }
    return Facts(**{**given, **values})


def test_before_the_start_the_forecast_is_the_plan_itself() -> None:
    found = schedule_of([facts(1), facts(2)], {1: [], 2: [1]}, started=None, planned_start=None, moment=TEN)
    assert (found.now is found.plan, found.dated, found.begin) == (True, False, TEN)
    assert found.finish == found.planned_finish == TEN + minutes(20)


def test_once_started_the_forecast_goes_by_what_happened_and_says_how_far_each_task_is_behind() -> None:
    done = facts(1, "complete", started_at=TEN, finished_at=TEN + minutes(14))
    found = schedule_of(
        [done, facts(2)], {1: [], 2: [1]}, started=TEN, planned_start=None, moment=TEN + minutes(15)
    )
    assert (found.planned_finish, found.finish) == (TEN + minutes(20), TEN + minutes(25))
    assert [found.behind(each) for each in (1, 2)] == [minutes(4), minutes(5)]


@pytest.mark.parametrize(
    ("planned_start", "first_fixed", "begin", "late"),
    [
        (None, None, 0, 0),
        (TEN - minutes(120), None, -120, 120),
        (TEN + minutes(30), None, 30, -30),
        (None, TEN - minutes(45), -45, 45),
        (None, TEN + minutes(45), 0, 0),
        (TEN - minutes(120), TEN - minutes(45), -120, 120),
    ],
)
def test_a_plan_counts_from_its_planned_start_or_else_from_the_start_or_what_was_due_before(
    planned_start: datetime | None, first_fixed: datetime | None, begin: int, late: int
) -> None:
    tasks = [facts(1, planned_start=first_fixed), facts(2)]
    found = schedule_of(tasks, {1: [], 2: []}, started=TEN, planned_start=planned_start, moment=TEN)
    assert (found.begin, found.start_late_s) == (TEN + minutes(begin), late * 60)
    assert found.planned(2).start == TEN + minutes(begin)
    assert found.span(2).start == TEN


@pytest.mark.parametrize(("other", "begin"), [(None, 50), (30, 30), (90, 50)])
def test_a_plan_without_a_start_begins_as_late_as_the_planned_starts_of_its_tasks_allow(
    other: int | None, begin: int
) -> None:
    tasks = [facts(1), facts(2, planned_start=TEN + minutes(60)), facts(3)]
    if other is not None:
        tasks[2] = facts(3, planned_start=TEN + minutes(other))
    for asked in (TEN, TEN + minutes(7)):
        found = schedule_of(tasks, {1: [], 2: [1], 3: []}, started=None, planned_start=None, moment=asked)
        assert (found.begin, found.dated) == (TEN + minutes(begin), True)
        assert found.planned(1).start == TEN + minutes(begin)
        assert found.planned(2).start == TEN + minutes(60)


def test_a_loop_in_the_rows_fails_no_page() -> None:
    loop = {1: [2], 2: [1]}
    planned = facts(1, planned_start=TEN)
    assert schedule_of([planned, facts(2)], loop, started=None, planned_start=None, moment=TEN).begin == TEN
    found = schedule_of([facts(1), facts(2)], loop, started=TEN, planned_start=None, moment=TEN)
    assert found.finish == TEN + minutes(10)


@pytest.mark.parametrize(
    ("task", "late_s"),
    [
        (facts(1, "startable"), 300),
        (facts(1, "not_startable"), 0),
        (facts(1, "in_progress", started_at=TEN + minutes(4)), 60),
        (facts(1, "in_progress", started_at=TEN + minutes(6)), 0),
        (facts(1, "complete", started_at=TEN, finished_at=TEN + minutes(14)), 0),
    ],
)
def test_a_task_is_late_after_its_planned_start_or_over_its_duration(task: Facts, late_s: int) -> None:
    plan = Span(TEN + minutes(10), TEN + minutes(20))
    assert late_by(task, plan, TEN + minutes(15)) == late_s


def test_a_start_is_late_from_a_minute_on() -> None:
    plan = Span(TEN, TEN + minutes(10))
    assert [late_by(facts(1), plan, TEN + timedelta(seconds=each)) for each in (59, 60)] == [0, 60]
