"""Tasks as a graph: loops, order, who may start, and the forecast."""

from __future__ import annotations

import itertools
import random
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as some

from webapp.runbooks.graph import (
    Span,
    Times,
    followers_of,
    forecast,
    in_order,
    loop_through,
    startable,
)

Links = dict[int, list[int]]
TEN = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
DIAMOND: Links = {1: [], 2: [1], 3: [1], 4: [2, 3]}


def minutes(count: float) -> timedelta:
    return timedelta(minutes=count)


@some.composite
def plans(draw: some.DrawFn) -> Links:
    """Up to nine tasks without a loop, in an order that gives nothing away."""
    size = draw(some.integers(1, 9))
    names = draw(some.permutations(range(size)))
    links = {
        names[place]: [names[each] for each in sorted(draw(some.sets(some.integers(0, place - 1))))]
        if place
        else []
        for place in range(size)
    }
    return {name: links[name] for name in draw(some.permutations(range(size)))}


def reaches(links: Links, start: int, goal: int) -> bool:
    return start == goal or any(reaches(links, each, goal) for each in links.get(start, []))


def test_a_link_that_closes_no_loop_is_fine() -> None:
    assert loop_through(DIAMOND, 4, [1, 2, 3]) is None
    assert loop_through(DIAMOND, 1, []) is None


def test_a_task_cannot_wait_for_itself() -> None:
    assert loop_through(DIAMOND, 2, [2]) == [2, 2]


def test_a_loop_is_told_from_the_task_round_to_itself() -> None:
    assert loop_through(DIAMOND, 1, [2]) == [1, 2, 1]
    assert loop_through({1: [], 2: [1], 3: [2]}, 1, [3]) == [1, 3, 2, 1]


def test_of_several_loops_a_shortest_is_told() -> None:
    assert loop_through({1: [], 2: [1], 3: [2], 4: [3, 1]}, 1, [4]) == [1, 4, 1]


@given(plans(), some.data())
def test_a_loop_is_found_where_there_is_one_and_each_of_its_steps_is_a_link(
    links: Links, data: some.DataObject
) -> None:
    task = data.draw(some.sampled_from(sorted(links)))
    wanted = data.draw(some.lists(some.sampled_from(sorted(links)), unique=True, max_size=3))
    loop = loop_through(links, task, wanted)
    assert (loop is not None) is any(reaches(links, each, task) for each in wanted)
    if loop is not None:
        assert (loop[0], loop[-1]) == (task, task)
        assert loop[1] in wanted
        steps = list(itertools.pairwise(loop[1:]))
        assert [pair for pair in steps if pair[1] not in links[pair[0]]] == []


@given(plans())
def test_in_order_every_task_comes_once_and_after_its_predecessors(links: Links) -> None:
    order = in_order(links)
    assert sorted(order) == sorted(links)
    place = {task: number for number, task in enumerate(order)}
    assert [(task, before) for task in links for before in links[task] if place[before] > place[task]] == []


def test_tasks_that_wait_for_nothing_keep_their_order() -> None:
    assert in_order({3: [], 1: [], 2: []}) == [3, 1, 2]


def test_a_loop_has_no_order() -> None:
    with pytest.raises(ValueError, match="loop"):
        in_order({1: [2], 2: [1], 3: []})


def test_followers_are_those_that_wait_and_a_deleted_predecessor_has_none() -> None:
    assert followers_of({1: [], 2: [1, 1, 9], 3: [1]}) == {1: [2, 3], 2: [], 3: []}


def test_a_task_may_start_when_everything_before_it_is_complete() -> None:
    assert startable(DIAMOND, [], DIAMOND) == {1}
    assert startable(DIAMOND, [1], [2, 3, 4]) == {2, 3}
    assert startable(DIAMOND, [1, 2], [3, 4]) == {3}
    assert startable(DIAMOND, {1, 2, 3}, [4]) == {4}


def test_a_deleted_predecessor_holds_nobody() -> None:
    assert startable({2: [1]}, [], [2]) == {2}
    assert in_order({2: [1]}) == [2]


@given(plans(), some.randoms())
def test_on_any_walk_no_task_starts_before_its_predecessors_are_done_and_all_get_done(
    links: Links, chance: random.Random
) -> None:
    done: list[int] = []
    while len(done) < len(links):
        free = startable(links, done, [task for task in links if task not in done])
        assert free == {task for task in links if task not in done and set(links[task]) <= set(done)}
        assert free != set()
        done.append(chance.choice(sorted(free)))
    assert sorted(done) == sorted(links)


def test_the_plan_starts_each_task_when_the_last_of_its_predecessors_ends() -> None:
    times = {1: Times(minutes(10)), 2: Times(minutes(5)), 3: Times(minutes(20)), 4: Times(minutes(1))}
    assert forecast(DIAMOND, times, begin=TEN, moment=TEN) == {
        1: Span(TEN, TEN + minutes(10)),
        2: Span(TEN + minutes(10), TEN + minutes(15)),
        3: Span(TEN + minutes(10), TEN + minutes(30)),
        4: Span(TEN + minutes(30), TEN + minutes(31)),
    }


def test_a_fixed_start_holds_a_task_back_and_never_pulls_it_forward() -> None:
    times = {
        1: Times(minutes(10), fixed_start=TEN + minutes(30)),
        2: Times(minutes(5), fixed_start=TEN - minutes(30)),
    }
    assert forecast({1: [], 2: [1]}, times, begin=TEN, moment=TEN) == {
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
    assert forecast(DIAMOND, times, begin=TEN, moment=TEN + minutes(20)) == {
        1: Span(TEN, TEN + minutes(3)),
        2: Span(TEN + minutes(4), TEN + minutes(20)),
        3: Span(TEN + minutes(5), TEN + minutes(65)),
        4: Span(TEN + minutes(65), TEN + minutes(66)),
    }


def test_a_task_that_was_skipped_before_it_started_takes_no_time() -> None:
    skipped = Times(minutes(10), finished=TEN + minutes(2))
    assert forecast({1: []}, {1: skipped}, begin=TEN, moment=TEN + minutes(5)) == {
        1: Span(TEN + minutes(2), TEN + minutes(2))
    }


@given(plans(), some.data())
def test_no_forecast_starts_a_task_before_its_predecessors_end(links: Links, data: some.DataObject) -> None:
    lengths = data.draw(
        some.lists(some.integers(0, 90), min_size=len(links), max_size=len(links)), label="minutes"
    )
    times = {task: Times(minutes(length)) for task, length in zip(links, lengths, strict=True)}
    found = forecast(links, times, begin=TEN, moment=TEN + minutes(7))
    for task, before in links.items():
        ends = [found[each].end for each in before]
        assert found[task].start == max([TEN + minutes(7), *ends])
        assert found[task].end - found[task].start == times[task].duration


def test_a_loop_has_no_forecast() -> None:
    with pytest.raises(ValueError, match="loop"):
        forecast({1: [1]}, {1: Times(minutes(1))}, begin=TEN, moment=TEN)
