"""Two rehearsals beside each other: what is matched, what differs, and by how much."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from hypothesis import given

from tests.runbooks.test_review import START, STREAMS, at, fact
from tests.runbooks.test_review import runs as any_run
from webapp.runbooks.forecast import Span
from webapp.runbooks.reviews.comparison import Comparison, Side, compare
from webapp.runbooks.reviews.comparison_sheet import comparison_rows
from webapp.runbooks.reviews.records import Record, StreamRecord, TaskRecord
from webapp.runbooks.reviews.review import review
from webapp.runbooks.schedule import schedule_of


def side(
    label: str, tasks: Sequence[TaskRecord], until: float = 600, streams: Sequence[StreamRecord] = STREAMS
) -> Side:
    record = Record(streams, tasks)
    schedule = schedule_of(tasks, record.links, started=START, planned_start=None, moment=at(until))
    return Side(label, review(record, schedule), schedule)


def compared(first: Sequence[TaskRecord], second: Sequence[TaskRecord]) -> Comparison:
    return compare(side("Rehearsal 1", first), side("Live run", second))


def words(found: Comparison) -> dict[int, str]:
    return {each.number: found.words(each) for each in found.tasks}


def test_what_took_longer_less_or_as_long_is_said_of_the_second() -> None:
    found = compared(
        [fact(1, 10, 0, 10), fact(2, 10, 0, 10), fact(3, 10, 0, 10)],
        [fact(1, 10, 0, 25), fact(2, 10, 0, 4), fact(3, 10, 0, 10.5)],
    )
    assert words(found) == {1: "15m longer", 2: "6m less", 3: "As long as before"}
    assert [each.difference_s for each in found.tasks] == [900, -360, 30]
    assert [each.number for each in found.differing] == [1, 2]


def test_the_biggest_differences_come_first_then_what_ended_otherwise_then_what_is_in_one_only() -> None:
    found = compared(
        [fact(1, 10, 0, 10), fact(2, 10, 0, 10), fact(3, 10, 0, 10), fact(5, 10, 0, 10), fact(6, 10, 0, 10)],
        [
            fact(1, 10, 0, 10),
            fact(2, 10, 0, 13),
            fact(3, 10, None, 10, "skipped"),
            fact(4, 10, 0, 10),
            fact(5, 10, 0, 2),
        ],
    )
    assert [each.number for each in found.by_difference] == [5, 2, 3, 4, 6, 1]
    assert [each.number for each in found.tasks] == [1, 2, 3, 4, 5, 6]
    assert words(found) == {
        1: "As long as before",
        2: "3m longer",
        3: "Skipped, before: finished",
        4: "Only in Live run",
        5: "8m less",
        6: "Only in Rehearsal 1",
    }


def test_a_task_is_matched_by_its_number_and_says_what_it_was_called() -> None:
    renamed = replace(fact(1, 10, 0, 10), title="Open the bridge", stream_id=2)
    found = compared([fact(1, 10, 0, 10)], [renamed])
    [task] = found.tasks
    assert (task.title, task.renamed_from, task.stream.name, task.differs) == (
        "Open the bridge",
        "Step 1",
        "Network",
        True,
    )
    assert [(each.name, each.difference_s) for each in found.streams] == [("Network", None), ("Bank", None)]


def test_a_stream_is_matched_though_it_was_renamed() -> None:
    other = [StreamRecord(1, "Core bank", 5)]
    first, second = (
        side("Rehearsal 1", [fact(1, 10, 0, 10)]),
        side("Rehearsal 2", [fact(1, 10, 0, 30)], 600, other),
    )
    [stream] = compare(first, second).streams
    assert (stream.name, stream.color, stream.difference_s) == ("Core bank", 5, 1200)


def test_a_late_start_in_one_only_and_another_plan_are_differences() -> None:
    found = compared(
        [fact(1, 10, 0, 10), fact(2, 10, 0, 10), fact(3, 10, 5, 15)],
        [fact(1, 10, 5, 15), fact(2, 20, 0, 10), fact(3, 10, 9, 19)],
    )
    assert [
        (each.first_late_s, each.second_late_s, each.replanned, each.differs) for each in found.tasks
    ] == [
        (0, 300, False, True),
        (0, 0, True, True),
        (300, 540, False, False),
    ]
    assert words(found) == {
        1: "As long as before, late only in Live run",
        2: "As long as before",
        3: "As long as before",
    }


def test_totals_stand_beside_each_other_with_their_difference() -> None:
    first = side("Rehearsal 1", [fact(1, 10, 0, 10), fact(2, 10, 0, 10)], until=40)
    second = side(
        "Live run",
        [fact(1, 10, 5, 15), fact(2, 10, None, 9, "skipped"), fact(3, 10, 0, 9, "by_hand")],
        until=15,
    )
    totals = {
        each.label: (each.first, each.second, each.difference) for each in compare(first, second).totals
    }
    assert totals == {
        "Started": (START, START, ""),
        "Planned to take": (600, 600, ""),
        "Took": (2400, 900, "25m less"),
        "Tasks": (2, 3, "1 more"),
        "Done": (2, 2, ""),
        "Skipped": (0, 1, "1 more"),
        "Finished by hand": (0, 1, "1 more"),
        "Late starts": (0, 1, "1 more"),
    }


Run = tuple[list[TaskRecord], dict[int, list[int]], list[Span]]


@given(any_run(), any_run())
def test_every_task_of_both_is_there_once_and_turning_it_round_turns_the_differences(
    first: Run, second: Run
) -> None:
    found, other = compared(first[0], second[0]), compared(second[0], first[0])
    numbers = {each.number for each in (*first[0], *second[0])}
    assert sorted(each.number for each in found.tasks) == sorted(numbers)
    assert sorted(found.by_difference, key=id) == sorted(found.tasks, key=id)
    turned = {each.number: each.difference_s for each in other.tasks}
    for each in found.tasks:
        gap = turned[each.number]
        assert each.difference_s == (None if gap is None else -gap)
    assert {each.number for each in found.differing} == {each.number for each in other.differing}
    rows = comparison_rows(found, found.tasks)
    assert [row[0] for row in rows[1:]] == [str(each.number) for each in found.tasks]
    assert {len(row) for row in rows} == {len(rows[0])}


@given(any_run())
def test_a_rehearsal_does_not_differ_from_itself(run: Run) -> None:
    found = compared(run[0], run[0])
    assert found.differing == []
    assert [each.difference for each in found.totals] == [""] * len(found.totals)
