"""What differs between two moments of a plan, row by row, and whether a row still stands so. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from webapp.runbooks.arrangement import Place, Spot, Spots, clash_free, places

PRESENT = "present"
PLACE = "place"
Values = dict[str, Any]


@dataclass(frozen=True)
class PlanRow:
    """A task or a stream at one moment. `values`: what the plan says of it, as JSON has it, by the columns' names.

    Among them PRESENT is false for what is deleted. `placed_seq` is when it last got its place. `begun`: a task that has
    started.
    """

    name: str
    values: Values
    spot: Spot
    placed_seq: int
    begun: bool = False


@dataclass
class PlanRows:
    """The rows of one plan at one moment, or some of them, by id."""

    tasks: dict[int, PlanRow] = field(default_factory=dict)
    streams: dict[int, PlanRow] = field(default_factory=dict)

    @property
    def spots(self) -> dict[str, Spots]:
        """Where each of them stands, by table."""
        return {
            table: {each: row.spot for each, row in self.of(table).items()} for table in ("tasks", "streams")
        }

    def of(self, table: str) -> dict[int, PlanRow]:
        """The rows of that table."""
        return {"tasks": self.tasks, "streams": self.streams}[table]


@dataclass(frozen=True)
class Difference:
    """One row that a change made different: those of its values that did, before and after.

    `before` is None where the change added the row. Beside the values PLACE has a `Place` where the row got another one.
    """

    table: str
    id: int
    name: str
    before: Values | None
    after: Values
    begun: bool

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    def expected(self, *, undoing: bool) -> Values:
        """How the row must stand for the change to be undone, or to be done again."""
        return self.after if undoing else self.before or {PRESENT: False}

    def wanted(self, *, undoing: bool) -> Values:
        """How it stands afterwards."""
        return (self.before or {PRESENT: False}) if undoing else self.after


def differences(
    before: PlanRows,
    after: PlanRows,
    spots_before: Mapping[str, Spots],
    read_spots_after: Callable[[], Mapping[str, Spots]],
) -> list[Difference]:
    """What a change did. `spots_before` by table has every row that there was, `before` each of them that may differ,
    `after` each that was written or added. Where everything stands after it is read only if something was placed.
    """
    found = []
    for table in ("streams", "tasks"):
        old, new, known = before.of(table), after.of(table), spots_before[table]
        placed = {
            each
            for each, row in new.items()
            if each not in known or (each in old and _was_placed(old[each], row))
        }
        places_after = places(read_spots_after()[table], placed) if placed else {}
        places_before = places(known, placed) if placed else {}
        for each, row in new.items():
            was = old.get(each)
            if was is None and each in known:
                continue  # stamped only: what it shows depends on what was changed
            values = {**row.values, **({PLACE: places_after[each]} if each in placed else {})}
            if was is None:
                if values[PRESENT]:
                    found.append(Difference(table, each, row.name, None, values, row.begun))
                continue
            then = {**was.values, **({PLACE: places_before[each]} if each in placed else {})}
            keys = [key for key in values if values[key] != then[key]]
            if keys:
                was_so, is_so = {key: then[key] for key in keys}, {key: values[key] for key in keys}
                found.append(Difference(table, each, row.name, was_so, is_so, row.begun))
    return found


def clashes(row: PlanRow, spots: Spots, row_id: int, expected: Values) -> list[str]:
    """The keys in which the row no longer stands as expected."""
    return [
        key
        for key, value in expected.items()
        if not (
            clash_free(spots, row_id, Place(*value)) if key == PLACE else row.values.get(key, value) == value
        )
    ]


def _was_placed(old: PlanRow, new: PlanRow) -> bool:
    return old.placed_seq != new.placed_seq or old.spot.group != new.spot.group
