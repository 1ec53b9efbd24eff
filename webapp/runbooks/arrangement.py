"""The order of tasks in their streams, and of streams: where each stands, and putting some back. Pure.

Ids stand in one list, by their position; each belongs to a group (a task to its stream, a stream to its parent), and
its neighbours are those of its group. A place is told by neighbours, not by a position: others may have come and gone.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple


class Spot(NamedTuple):
    """The group of an id and its position in the list of all."""

    group: int | None
    position: int


class Place(NamedTuple):
    """A group, and the ids right before and right after in it; None at its ends."""

    group: int | None
    before: int | None
    after: int | None


Spots = Mapping[int, Spot]


def places(spots: Spots, ids: Collection[int]) -> dict[int, Place]:
    """Where those ids stand."""
    found = {}
    for group, members in _groups(spots).items():
        for before, here, after in zip([None, *members], members, [*members[1:], None], strict=False):
            if here in ids:
                found[here] = Place(group, before, after)
    return found


def clash_free(spots: Spots, here: int, place: Place) -> bool:
    """Whether the id still stands in that place. What came or went around it does not matter."""
    if spots[here].group != place.group:
        return False
    at = _rank(spots, here)
    before, after = _present(spots, place.before, place.group), _present(spots, place.after, place.group)
    return (before is None or _rank(spots, before) < at) and (after is None or at < _rank(spots, after))


def put_back(spots: Spots, wanted: Mapping[int, Place]) -> dict[int, Spot]:
    """Put each of the wanted into its place, the others staying as they are; answers the spots that differ.

    Each goes behind the one that was before it, else before the one after it, else to that end of its group where it
    was nearest.
    """
    order = [each for each in _ordered(spots) if each not in wanted]
    groups = {each: spots[each].group for each in order}
    for here in _in_turn(wanted):
        order.insert(_index(order, groups, wanted[here]), here)
        groups[here] = wanted[here].group
    return _changed(spots, order, groups)


def nested(spots: Spots) -> dict[int, Spot]:
    """Ids whose group is another id behind that one, in their order; answers the spots that differ."""
    groups = _groups(spots)
    order = [each for top in groups.get(None, ()) for each in (top, *groups.get(top, ()))]
    return _changed(spots, order, {each: spot.group for each, spot in spots.items()})


def _in_turn(wanted: Mapping[int, Place]) -> Iterable[int]:
    """The wanted, each after the one that it goes behind."""
    behind = {place.before: here for here, place in wanted.items() if place.before in wanted}
    for here, place in wanted.items():
        if place.before in wanted:
            continue
        following: int | None = here
        while following is not None:
            yield following
            following = behind.get(following)


def _index(order: list[int], groups: Mapping[int, int | None], place: Place) -> int:
    if place.before is not None and groups.get(place.before, _NO_GROUP) == place.group:
        return order.index(place.before) + 1
    if place.after is not None and groups.get(place.after, _NO_GROUP) == place.group:
        return order.index(place.after)
    members = [at for at, each in enumerate(order) if groups[each] == place.group]
    if not members:
        return len(order)
    return members[0] if place.before is None else members[-1] + 1


def _changed(spots: Spots, order: list[int], groups: Mapping[int, int | None]) -> dict[int, Spot]:
    positions = sorted(spot.position for spot in spots.values())
    found, last = {}, positions[0] - 1 if positions else 0
    for here, position in zip(order, positions, strict=True):
        last = max(position, last + 1)
        spot = Spot(groups[here], last)
        if spot != spots[here]:
            found[here] = spot
    return found


_NO_GROUP = object()


def _present(spots: Spots, here: int | None, group: int | None) -> int | None:
    return here if here is not None and here in spots and spots[here].group == group else None


def _rank(spots: Spots, here: int) -> tuple[int, int]:
    return spots[here].position, here


def _ordered(spots: Spots) -> list[int]:
    return sorted(spots, key=lambda here: _rank(spots, here))


def _groups(spots: Spots) -> dict[int | None, list[int]]:
    found: dict[int | None, list[int]] = {}
    for here in _ordered(spots):
        found.setdefault(spots[here].group, []).append(here)
    return found
