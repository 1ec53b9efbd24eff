"""The order of tasks and streams: places told by neighbours, and put back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as some

from webapp.runbooks.arrangement import Place, Spot, clash_free, places, put_back

Groups = dict[int, list[int]]


def spots_of(groups: Groups) -> dict[int, Spot]:
    """Group by group, one position after the other."""
    members = [(here, group) for group, each in groups.items() for here in each]
    return {here: Spot(group, position) for position, (here, group) in enumerate(members, 1)}


def groups_of(spots: dict[int, Spot]) -> Groups:
    found: Groups = {}
    for here, spot in sorted(spots.items(), key=lambda item: item[1].position):
        found.setdefault(int(spot.group or 0), []).append(here)
    return found


def test_a_place_is_told_by_the_neighbours_in_its_group() -> None:
    spots = spots_of({1: [10, 11, 12], 2: [20]})
    assert places(spots, {10, 12, 20}) == {
        10: Place(1, None, 11),
        12: Place(1, 11, None),
        20: Place(2, None, None),
    }


@pytest.mark.parametrize(
    ("groups", "stands"),
    [
        ({1: [10, 11, 12]}, True),
        ({1: [10, 13, 11, 14, 12]}, True),
        ({1: [11, 12], 2: [10]}, True),
        ({1: [11, 10, 12]}, False),
        ({1: [10, 12, 11]}, False),
        ({1: [10, 12], 2: [11]}, False),
    ],
    ids=["as it was", "others in between", "a neighbour went", "moved up", "moved down", "another group"],
)
def test_what_came_or_went_around_it_leaves_a_place_standing(groups: Groups, stands: bool) -> None:
    assert clash_free(spots_of(groups), 11, Place(1, 10, 12)) is stands


def test_it_goes_behind_its_neighbour_and_only_what_stands_elsewhere_then_differs() -> None:
    spots = {10: Spot(1, 5), 11: Spot(1, 7), 12: Spot(1, 9)}
    assert put_back(spots, {12: Place(1, 10, 11)}) == {12: Spot(1, 7), 11: Spot(1, 9)}


@pytest.mark.parametrize(
    ("place", "order"),
    [
        (Place(1, 99, 11), [10, 13, 11, 12]),
        (Place(1, 99, 98), [10, 11, 12, 13]),
        (Place(1, None, 10), [13, 10, 11, 12]),
    ],
    ids=["before the one after it", "at the end", "at the beginning"],
)
def test_without_the_neighbour_it_goes_where_it_is_nearest(place: Place, order: list[int]) -> None:
    spots = spots_of({1: [10, 11, 12], 2: [13]})
    assert groups_of({**spots, **put_back(spots, {13: place})}) == {1: order}


@given(some.data())
def test_whatever_was_moved_is_put_back_where_it_was(data: some.DataObject) -> None:
    ids = data.draw(some.lists(some.integers(1, 40), unique=True, min_size=1, max_size=12))
    group_of = {here: data.draw(some.integers(1, 3)) for here in ids}
    before = {here: Spot(group_of[here], position) for position, here in enumerate(ids, 1)}
    moved = data.draw(some.sets(some.sampled_from(ids)))
    shuffled = data.draw(some.permutations(ids))
    order = [here for here in ids if here not in moved]
    for here in [each for each in shuffled if each in moved]:
        order.insert(data.draw(some.integers(0, len(order))), here)
    after = {
        here: Spot(
            data.draw(some.integers(1, 3)) if here in moved else group_of[here],
            position * 2,
        )
        for position, here in enumerate(order, 1)
    }
    wanted = places(before, moved)
    assert groups_of({**after, **put_back(after, wanted)}) == groups_of(before)
