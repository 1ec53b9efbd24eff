"""Who has to say that a task starts or finishes: every rule, every kind of person, and what a press does."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as some

from webapp.runbooks.rules import (
    FINISH_RULES,
    START_RULES,
    Asked,
    Press,
    Rule,
    in_words,
    press,
    read,
    unusual_in_words,
)

ME, OTHER, THIRD, STRANGER = 1, 2, 3, 9

# (rule, quorum, people, ready before, who started): what my press does, and what it does where I conduct the runbook.
CASES = [
    (("anyone", 1, [], [], None), "go", "go"),
    (("anyone", 1, [OTHER], [], None), "go", "go"),
    (("anyone", 1, [ME, OTHER], [], OTHER), "go", "go"),
    (("everyone", 1, [], [], None), "go", "go"),
    (("everyone", 1, [ME], [], None), "go", "go"),
    (("everyone", 1, [ME, OTHER], [], None), "wait", "wait"),
    (("everyone", 1, [ME, OTHER], [ME], None), "wait", "wait"),
    (("everyone", 1, [ME, OTHER], [OTHER], None), "go", "go"),
    (("everyone", 1, [ME, OTHER], [OTHER, ME], None), "go", "go"),
    (("everyone", 1, [ME, OTHER], [STRANGER], None), "wait", "wait"),
    (("everyone", 1, [OTHER, THIRD], [OTHER], None), "not asked", "not asked"),
    (("at_least", 2, [], [], None), "go", "go"),
    (("at_least", 1, [ME, OTHER], [], None), "go", "go"),
    (("at_least", 1, [OTHER], [], None), "not asked", "not asked"),
    (("at_least", 2, [ME, OTHER, THIRD], [], None), "wait", "wait"),
    (("at_least", 2, [ME, OTHER, THIRD], [ME], None), "wait", "wait"),
    (("at_least", 2, [ME, OTHER, THIRD], [THIRD], None), "go", "go"),
    (("at_least", 2, [ME, OTHER, THIRD], [STRANGER], None), "wait", "wait"),
    (("at_least", 3, [ME, OTHER], [OTHER], None), "go", "go"),  # one was taken off since
    (("at_least", 0, [ME, OTHER], [], None), "go", "go"),
    (("who_started", 1, [OTHER], [], ME), "go", "go"),
    (("who_started", 1, [ME], [], OTHER), "not theirs", "override"),
    (("who_started", 1, [ME], [], None), "go", "go"),  # it started by itself
    (("no_such_rule", 1, [OTHER], [], OTHER), "go", "go"),
]


@pytest.mark.parametrize(("asked", "plainly", "conducting"), CASES)
def test_a_press_does_what_the_table_says(asked: tuple, plainly: str, conducting: str) -> None:  # type: ignore[type-arg]
    assert press(Asked(*asked), ME, conducts=False) == plainly
    assert press(Asked(*asked), ME, conducts=True) == conducting


def test_the_table_has_every_rule_and_every_outcome() -> None:
    assert {case[0][0] for case in CASES} == {*Rule, "no_such_rule"}
    assert {*(case[1] for case in CASES), *(case[2] for case in CASES)} == set(Press)


@given(
    some.sampled_from(["everyone", "at_least"]),
    some.integers(0, 9),
    some.lists(some.integers(1, 6), unique=True),
    some.permutations(range(1, 7)),
)
def test_whatever_the_order_it_goes_with_exactly_the_press_that_meets_the_quorum(
    rule: str, quorum: int, people: list[int], order: list[int]
) -> None:
    ready: list[int] = []
    asked = Asked(rule, quorum, people)
    outcomes = []
    for who in order:
        found = press(Asked(rule, quorum, people, ready), who, conducts=False)
        outcomes.append(found)
        if found is not Press.NOT_ASKED:
            ready.append(who)
        if found is Press.GO:
            break
    assert outcomes[-1] is Press.GO
    assert outcomes.count(Press.GO) == 1
    counted = len([each for each in ready if each in people])
    assert counted == asked.needed or not people


def test_a_quorum_that_people_left_behind_is_met_with_the_next_press() -> None:
    asked = Asked("everyone", 1, [ME, OTHER], [ME, OTHER, THIRD])
    assert (asked.needed, asked.there, asked.missing, asked.met) == (2, [ME, OTHER], [], True)
    assert not Asked("everyone", 1, [ME, OTHER], [ME]).met
    assert not Asked("anyone", 1, [ME], [ME]).met


@pytest.mark.parametrize(("rule", "quorum"), list(itertools.product(FINISH_RULES, (1, 2, 12))))
def test_the_words_of_a_rule_are_read_as_that_rule(rule: Rule, quorum: int) -> None:
    assert read(f"  {in_words(rule, quorum).upper()} ") == (rule, quorum if rule is Rule.AT_LEAST else 1)


@pytest.mark.parametrize("typed", ["", "at least", "at least 0", "at least 100", "at most 2", "somebody"])
def test_other_words_are_no_rule(typed: str) -> None:
    assert read(typed) is None


def test_a_rule_that_this_version_does_not_know_says_so() -> None:
    assert in_words("no_such_rule", 2) == "no_such_rule (no longer available)"


def test_nobody_can_start_for_having_started() -> None:
    assert set(FINISH_RULES) - set(START_RULES) == {Rule.WHO_STARTED}


def test_what_is_usual_is_not_said() -> None:
    assert [unusual_in_words(rule, 2) for rule in START_RULES] == [
        "" if rule is Rule.ANYONE else in_words(rule, 2) for rule in START_RULES
    ]
