"""Turns: whoever asks again and again learns when to come next."""

from __future__ import annotations

import pytest

from webapp.turns import Turns


def test_those_who_ask_at_the_same_moment_get_turns_one_after_the_other() -> None:
    turns = Turns(per_s=4, most_s=60)
    assert [turns.next_s(at=100.0) for _ in range(4)] == [0.25, 0.5, 0.75, 1.0]


def test_a_turn_that_is_over_makes_nobody_wait() -> None:
    turns = Turns(per_s=4, most_s=60)
    for _ in range(8):
        turns.next_s(at=100.0)
    assert [turns.next_s(at=101.0), turns.next_s(at=110.0)] == [1.25, 0.25]


def test_no_turn_is_further_away_than_the_most() -> None:
    turns = Turns(per_s=4, most_s=0.75)
    assert [turns.next_s(at=100.0) for _ in range(5)] == [0.25, 0.5, 0.75, 0.75, 0.75]


def test_pages_that_keep_to_their_turns_come_no_oftener_in_all_than_there_are_turns() -> None:
    turns = Turns(per_s=8, most_s=60)
    waiting = [100.0] * 32  # when each page comes next
    came: list[float] = []
    while min(waiting) < 108.0:
        page = waiting.index(min(waiting))
        came.append(waiting[page])
        waiting[page] += turns.next_s(at=waiting[page])
    assert {second: sum(int(at) == second for at in came) for second in range(101, 108)} == dict.fromkeys(
        range(101, 108), 8
    )


@pytest.mark.parametrize("pages", [1, 5])
def test_few_pages_wait_for_no_longer_than_their_number_takes(pages: int) -> None:
    turns = Turns(per_s=5, most_s=60)
    assert max(turns.next_s(at=100.0) for _ in range(pages)) == pytest.approx(pages / 5)
