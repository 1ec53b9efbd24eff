"""What a row of a sheet says of its task's type, and of how it starts and finishes."""

from __future__ import annotations

import pytest

from webapp.runbooks.sheets.columns import BY_KEY
from webapp.runbooks.sheets.plan import PlannedTask
from webapp.runbooks.sheets.ways import OfferedRunbook, OfferedType, OfferedWays, read_ways

LOOP = "That would be a loop: “A” starts “B” and “B” starts “A”."
OFFERED = OfferedWays(
    types={
        "task": OfferedType("normal"),
        "milestone": OfferedType("milestone", point=True, auto_start=True),
        "linked runbook": OfferedType("runbook", links=True, may_auto_start=False),
        "slack: post to a channel": OfferedType("integration", 7),
    },
    runbooks={
        "dns cutover": [OfferedRunbook(12)],
        "twin": [OfferedRunbook(13), OfferedRunbook(14)],
        "b": [OfferedRunbook(15, LOOP)],
    },
)
Wrongs = list[tuple[str, str]]


def row(people: int = 0, **cells: str) -> tuple[PlannedTask, Wrongs]:
    """The task that a row stands for, and what is wrong with it: column and cause."""
    wrong: Wrongs = []
    task = PlannedTask(2, "Announce", people=list(range(people)))
    assert set(cells) <= set(BY_KEY)
    read_ways(
        task,
        lambda key: cells.get(key, ""),
        lambda key, cause, remedy: wrong.append((key, cause)) if remedy else None,
        OFFERED,
    )
    return task, wrong


def test_an_empty_row_is_a_plain_task_that_anyone_starts_and_finishes() -> None:
    assert row() == (PlannedTask(2, "Announce"), [])


def test_a_type_is_read_whatever_its_capitals_and_brings_what_new_tasks_of_it_have() -> None:
    task, wrong = row(type="mileSTONE")
    assert (task.type, task.duration_s, task.auto_start, wrong) == ("milestone", 0, True, [])
    task, wrong = row(type="Slack:  Post to a channel", duration="10m")
    assert (task.type, task.action_id, task.auto_start, wrong) == ("integration", 7, False, [])


def test_a_linked_runbook_is_found_by_its_name() -> None:
    task, wrong = row(type="Linked runbook", linked="dns CUTOVER")
    assert (task.type, task.linked_id, wrong) == ("runbook", 12, [])


@pytest.mark.parametrize(
    ("rule", "stored"),
    [
        ("everyone assigned", ("everyone", 1)),
        ("Everyone", ("everyone", 1)),
        ("At least 2", ("at_least", 2)),
        ("anyone", ("anyone", 1)),
    ],
)
def test_a_rule_is_read_as_it_is_written(rule: str, stored: tuple[str, int]) -> None:
    task, wrong = row(people=2, start_rule=rule, finish_rule=rule)
    assert ((task.start_rule, task.start_quorum), (task.finish_rule, task.finish_quorum)) == (stored, stored)
    assert wrong == []


def test_only_a_finish_may_be_left_to_who_started() -> None:
    assert row(finish_rule="Who started it")[0].finish_rule == "who_started"
    assert row(start_rule="Who started it")[1] == [("start_rule", "“Who started it” is no rule.")]


@pytest.mark.parametrize(
    ("cells", "wrong"),
    [
        ({"type": "Manual"}, [("type", "There is no type “Manual” here.")]),
        ({"type": "Milestone", "duration": "5m"}, [("duration", "A milestone takes no time.")]),
        ({"linked": "DNS cutover"}, [("linked", "Only a task of the type Linked runbook starts one.")]),
        (
            {"type": "Linked runbook", "linked": "Nowhere"},
            [("linked", "There is no runbook “Nowhere” in this workspace.")],
        ),
        ({"type": "Linked runbook", "linked": "Twin"}, [("linked", "2 runbooks are called “Twin”.")]),
        ({"type": "Linked runbook", "linked": "B"}, [("linked", LOOP)]),
        ({"fixed": "maybe"}, [("fixed", "“maybe” is neither yes nor no.")]),
        ({"fixed": "yes"}, [("fixed", "There is no planned start to wait for.")]),
        ({"by_itself": "sometimes"}, [("by_itself", "“sometimes” is neither yes nor no.")]),
        (
            {"type": "Linked runbook", "by_itself": "yes"},
            [("by_itself", "It cannot start by itself, because people start it.")],
        ),
        (
            {"start_rule": "Everyone", "by_itself": "yes"},
            [("by_itself", "It cannot start by itself, because people start it.")],
        ),
        ({"start_rule": "At least none"}, [("start_rule", "“At least none” is no rule.")]),
        ({"finish_rule": "Nobody"}, [("finish_rule", "“Nobody” is no rule.")]),
        ({"start_rule": "At least 3"}, [("start_rule", "It asks for 3 people, and 2 people are assigned.")]),
    ],
)
def test_what_cannot_be_used_is_named_with_its_column(cells: dict[str, str], wrong: Wrongs) -> None:
    assert row(people=2, **cells)[1] == wrong
