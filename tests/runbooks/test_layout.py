"""The node map's layout: nothing overlaps, lines run where no task stands, and the same plan gives the same picture."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as some

from webapp.runbooks.layout import NODE_HEIGHT, NODE_WIDTH, Layout, Point, lay_out, near, path_data

Links = dict[int, list[int]]
Lanes = list[tuple[str, list[int]]]


@some.composite
def plans(draw: some.DrawFn) -> tuple[Lanes, Links]:
    """Up to 25 tasks without a loop in up to four lanes, of which some may be empty."""
    count = draw(some.integers(1, 25))
    links = {
        task: sorted(draw(some.sets(some.integers(1, task - 1), max_size=4))) if task > 1 else []
        for task in range(1, count + 1)
    }
    lane_of = [draw(some.integers(0, 3)) for _ in links]
    lanes = [(f"lane {lane}", [task for task in links if lane_of[task - 1] == lane]) for lane in range(4)]
    return lanes, links


def box(place: Point) -> tuple[int, int, int, int]:
    return place[0], place[1], place[0] + NODE_WIDTH, place[1] + NODE_HEIGHT


def overlap(one: tuple[int, int, int, int], other: tuple[int, int, int, int]) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def sides(found: Layout) -> list[tuple[int, int, int, int]]:
    """Every piece of every line as a thin box."""
    return [
        (min(a[0], b[0]), min(a[1], b[1]), max(a[0], b[0]), max(a[1], b[1]))
        for line in found.lines
        for a, b in itertools.pairwise(line.points)
    ]


@given(plans())
def test_no_two_tasks_overlap_and_each_stands_in_its_lane(plan: tuple[Lanes, Links]) -> None:
    lanes, links = plan
    found = lay_out(lanes, links)
    assert sorted(found.places) == sorted(links)
    boxes = [box(place) for place in found.places.values()]
    assert [pair for pair in itertools.combinations(boxes, 2) if overlap(*pair)] == []
    bands = {band.lane: band for band in found.bands}
    assert list(bands) == [name for name, _ in lanes]
    for name, tasks in lanes:
        for task in tasks:
            _, top, right, bottom = box(found.places[task])
            assert bands[name].y < top and bottom < bands[name].y + bands[name].height
            assert right <= found.width


@given(plans())
def test_every_task_stands_to_the_right_of_its_predecessors(plan: tuple[Lanes, Links]) -> None:
    found = lay_out(*plan)
    for task, before in plan[1].items():
        assert [each for each in before if found.places[each][0] + NODE_WIDTH >= found.places[task][0]] == []


@given(plans())
def test_lines_are_orthogonal_join_their_tasks_and_cross_none(plan: tuple[Lanes, Links]) -> None:
    found = lay_out(*plan)
    pairs = {(line.before, line.after) for line in found.lines}
    assert pairs == {(each, task) for task, before in plan[1].items() for each in before}
    for line in found.lines:
        x, y = found.places[line.before]
        assert line.points[0] == (x + NODE_WIDTH, y + NODE_HEIGHT // 2)
        x, y = found.places[line.after]
        assert line.points[-1] == (x, y + NODE_HEIGHT // 2)
    pieces = sides(found)
    assert [each for each in pieces if each[0] != each[2] and each[1] != each[3]] == []
    boxes = [box(place) for place in found.places.values()]
    assert [(each, task) for each in pieces for task in boxes if overlap(each, task)] == []


@given(plans())
def test_the_same_plan_gives_the_same_picture(plan: tuple[Lanes, Links]) -> None:
    assert lay_out(*plan) == lay_out(*plan)


def test_bands_follow_each_other_without_a_gap_and_an_empty_lane_has_one_too() -> None:
    found = lay_out([("a", [1, 2]), ("b", []), ("c", [3])], {1: [], 2: [], 3: [1]})
    assert [band.y for band in found.bands] == [0, *itertools.accumulate(b.height for b in found.bands[:-1])]
    assert sum(band.height for band in found.bands) == found.height
    assert [band.lane for band in found.bands] == ["a", "b", "c"]


def test_a_chain_in_one_lane_runs_straight() -> None:
    found = lay_out([("a", [1, 2, 3, 4])], {1: [], 2: [1], 3: [1], 4: [3]})
    assert found.places[3][1] == found.places[4][1]
    assert [len(line.points) for line in found.lines if line.before == 3] == [2]


def test_tasks_are_ordered_by_where_their_neighbours_stand() -> None:
    """Listed crosswise; drawn without a crossing."""
    found = lay_out([("a", [1, 2, 3, 4])], {1: [], 2: [], 3: [2], 4: [1]})
    (_, y1), (_, y2), (_, y3), (_, y4) = (found.places[task] for task in (1, 2, 3, 4))
    assert (y1 < y2) == (y4 < y3)


def test_lines_of_different_tasks_do_not_lie_on_each_other() -> None:
    found = lay_out([("a", [1, 2]), ("b", [3, 4])], {1: [], 2: [], 3: [1], 4: [2]})
    turns = {line.points[1][0] for line in found.lines}
    assert len(turns) == 2


def test_a_predecessor_in_no_lane_is_left_out_and_nothing_at_all_is_a_picture_too() -> None:
    assert lay_out([("a", [2])], {2: [1]}).lines == []
    assert (lay_out([], {}).places, lay_out([], {}).height) == ({}, 0)


def test_a_loop_has_no_layout() -> None:
    with pytest.raises(ValueError, match="loop"):
        lay_out([("a", [1, 2])], {1: [2], 2: [1]})


def test_near_a_task_are_those_two_links_before_and_after_it() -> None:
    links = {1: [], 2: [1], 3: [2], 4: [3], 5: [4], 6: [1], 7: []}
    assert near(links, 3) == {1, 2, 3, 4, 5}
    assert near(links, 7) == {7}
    assert near({2: [1]}, 2) == {2}


@pytest.mark.parametrize(
    ("points", "data"),
    [
        ([(0, 5), (40, 5)], "M0 5L40 5"),
        ([(0, 5), (20, 5), (20, 45), (40, 45)], "M0 5L14 5Q20 5 20 11L20 39Q20 45 26 45L40 45"),
        ([(0, 5), (20, 5), (20, 9), (40, 9)], "M0 5L18 5Q20 5 20 7L20 7Q20 9 22 9L40 9"),
    ],
)
def test_corners_are_rounded_as_far_as_there_is_room(points: list[Point], data: str) -> None:
    assert path_data(points) == data
