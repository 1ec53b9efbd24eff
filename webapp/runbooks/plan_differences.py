"""What differs between two moments of a plan, row by row, and whether a row still stands so. Pure."""

from __future__ import annotations

from collections.abc import Mapping
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


def differences(before: PlanRows, after: PlanRows, spots: Mapping[str, Spots]) -> list[Difference]:
    """What a change did. `after` has at least every row that it wrote, `spots` by table those of all rows after it."""
    found = []
    for table in ("streams", "tasks"):
        old, new = before.of(table), after.of(table)
        placed = {each for each, row in new.items() if each not in old or _was_placed(old[each], row)}
        places_after = places(spots[table], placed) if placed else {}
        places_before = places({each: row.spot for each, row in old.items()}, placed) if placed else {}
        for each, row in new.items():
            was = old.get(each)
            values = dict(row.values)
            then = dict(was.values) if was else {}
            if each in placed:
                values[PLACE] = places_after[each]
                if was:
                    then[PLACE] = places_before[each]
            if was is None and values[PRESENT]:
                found.append(Difference(table, each, row.name, None, values, row.begun))
            elif was is not None and values != then:
                keys = [key for key in values if values[key] != then[key]]
                found.append(
                    Difference(
                        table,
                        each,
                        row.name,
                        {key: then[key] for key in keys},
                        {key: values[key] for key in keys},
                        row.begun,
                    )
                )
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
