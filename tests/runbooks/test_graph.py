"""Tasks as a graph: loops, order, and who may start."""

from __future__ import annotations

import itertools
import random

import pytest
from hypothesis import given
from hypothesis import strategies as some

from webapp.runbooks.graph import followers_of, in_order, loop_through, startable

Links = dict[int, list[int]]
DIAMOND: Links = {1: [], 2: [1], 3: [1], 4: [2, 3]}


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
