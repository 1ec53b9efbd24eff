"""What one plan says otherwise than another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from hypothesis import given
from hypothesis import strategies as st

from webapp.runbooks.templates.plan_diff import Change, PlanDiff, PlanFacts, TaskChange, TaskFacts, diff


def plan(
    streams: Mapping[int, str], *tasks: tuple[int, int] | tuple[int, int, Mapping[str, str]], **own: str
) -> PlanFacts:
    """Streams by id; tasks as (number, stream id, facts besides the name)."""
    found = []
    for number, stream_id, *facts in tasks:
        said = {"Name": f"Task {number}", **(facts[0] if facts else {})}
        found.append(TaskFacts(number, stream_id, said))
    return PlanFacts(own, streams, found)


def moved(found: PlanDiff) -> list[int]:
    return [each.number for each in found.only_moved]


ONE = {1: "Comms"}


def test_a_plan_says_the_same_as_itself() -> None:
    same = plan(ONE, (1, 1), (2, 1), Description="The yearly one")
    found = diff(same, same)
    assert (found.any, found.words) == (False, "Nothing changed")
    assert (found.own, found.changed, found.added, found.removed, found.streams_changed) == (
        [],
        [],
        [],
        [],
        0,
    )


def test_tasks_are_the_same_by_their_number_and_each_thing_that_is_said_otherwise_is_named() -> None:
    before = plan(ONE, (1, 1, {"Duration": "5m", "People": "Rune"}), (2, 1))
    after = plan({7: "Comms"}, (1, 7, {"Name": "Call", "Duration": "10m", "Waits for": "#3"}), (3, 7))
    found = diff(before, after)
    assert found.changed == [
        TaskChange(
            1,
            "Call",
            [
                Change("Name", "Task 1", "Call"),
                Change("Duration", "5m", "10m"),
                Change("Waits for", "", "#3"),
                Change("People", "Rune", ""),
            ],
        )
    ]
    assert [each.number for each in found.added] == [3]
    assert [each.number for each in found.removed] == [2]
    assert found.words == "1 task added, 1 removed, 1 changed"


def test_what_the_plan_says_of_itself_is_compared_too() -> None:
    found = diff(plan(ONE, Description="Old"), plan(ONE, Description="New"))
    assert found.own == [Change("Description", "Old", "New")]
    assert found.words == "its own details changed"


def test_a_stream_that_was_renamed_is_known_by_its_tasks_which_have_not_changed() -> None:
    before = plan({1: "Comms", 2: "Data"}, (1, 1), (2, 2), (3, 2))
    after = plan({5: "Comms", 6: "Database"}, (1, 5), (2, 6), (3, 6))
    found = diff(before, after)
    assert found.streams_renamed == [Change("Stream", "Data", "Database")]
    assert (found.streams_added, found.streams_removed, found.changed) == ([], [], [])
    assert found.words == "1 stream changed"


def test_a_task_in_another_stream_says_so_and_is_not_called_moved_within_one() -> None:
    before = plan({1: "Comms", 2: "Data"}, (1, 1), (2, 1), (3, 2))
    after = plan({1: "Comms", 2: "Data"}, (1, 1), (3, 2), (2, 2))
    found = diff(before, after)
    assert found.changed == [TaskChange(2, "Task 2", [Change("Stream", "Comms", "Data")])]


def test_streams_are_added_removed_and_moved() -> None:
    before = plan({1: "A", 2: "B", 3: "C"})
    after = plan({6: "C", 4: "A", 5: "B", 7: "D"})
    found = diff(before, after)
    assert (found.streams_added, found.streams_removed, found.streams_moved) == (["D"], [], ["C"])
    assert diff(after, before).streams_removed == ["D"]
    assert found.streams_changed == 2


def test_only_the_task_that_was_moved_is_called_moved() -> None:
    before = plan(ONE, *((number, 1) for number in (1, 2, 3, 4, 5)))
    after = plan(ONE, *((number, 1) for number in (1, 5, 2, 3, 4)))
    assert moved(diff(before, after)) == [5]
    assert diff(before, after).words == "1 task moved"


def test_a_task_that_others_were_added_before_was_not_moved() -> None:
    before = plan(ONE, (1, 1), (2, 1))
    after = plan(ONE, (9, 1), (1, 1), (8, 1), (2, 1))
    assert moved(diff(before, after)) == []


def test_a_short_value_stands_beside_the_other_and_a_text_under_it() -> None:
    assert not Change("Duration", "5m", "10m").long
    assert Change("Description", "", "Two\nlines").long
    assert Change("Description", "x" * 61, "").long


orders = st.lists(st.integers(1, 30), unique=True, max_size=15)


@given(orders, orders)
def test_what_is_left_when_the_moved_ones_are_taken_away_stands_in_the_same_order(
    old: Sequence[int], new: Sequence[int]
) -> None:
    found = diff(plan(ONE, *((each, 1) for each in old)), plan(ONE, *((each, 1) for each in new)))
    away = set(moved(found))
    both = set(old) & set(new)
    assert [each for each in old if each in both - away] == [each for each in new if each in both - away]
    assert {each.number for each in found.added} == set(new) - set(old)
    assert {each.number for each in found.removed} == set(old) - set(new)
    assert (not away) is ([each for each in old if each in both] == [each for each in new if each in both])
