"""Types of task: what every registered one keeps to, and what is particular to each."""

from __future__ import annotations

import inspect
from dataclasses import replace

import pytest

from tests.runbooks.test_forecast import facts
from webapp.integrations.rehearsals import Destination
from webapp.runbooks.rows import Action, Before, Call, Linked
from webapp.runbooks.states import Result
from webapp.runbooks.task_types import TASK_TYPES, Seen, TaskType, type_of

SLACK = Action("Post", "Slack", "", "On start", False, True, Destination.REAL)
DNS = Linked(7, "DNS cutover", "running", "/runbooks/7", False, 3, 10)
EVERYTHING = [
    Seen(facts(1, state, result=result, type=kind, auto_start=auto), action, call, linked)
    for kind in (*(each.key for each in TASK_TYPES), "gone")
    for state in ("not_startable", "startable", "in_progress", "complete")
    for result in (None, *Result)
    for auto in (False, True)
    for action in (None, SLACK, *(replace(SLACK, destination=each) for each in Destination))
    for call in (None, Call("failed", {"code": "http_503"}))
    for linked in (
        None,
        *(replace(DNS, state=each) for each in ("planning", "running", "paused", "complete", "cancelled")),
        replace(DNS, archived=True),
    )
]


@pytest.mark.parametrize("kind", list(TASK_TYPES), ids=lambda kind: kind.key)
def test_every_type_says_what_it_is_and_crashes_over_nothing(kind: TaskType) -> None:
    assert kind.label == kind.label.strip() != ""
    assert kind.hint.endswith(".")
    assert len(kind.key) <= 20
    assert inspect.getdoc(inspect.getmodule(kind)) is not None
    assert (kind.duration_s == 0) is kind.point
    assert kind.may_auto_start or not kind.auto_start
    for seen in EVERYTHING:
        chip = kind.chip(seen)
        assert chip is None or (chip.text and chip.icon)


def test_the_registry_lists_the_types_of_the_product() -> None:
    assert [each.key for each in TASK_TYPES] == [
        "normal",
        "milestone",
        "validation",
        "runbook",
        "integration",
    ]
    assert [each.key for each in TASK_TYPES if each.point] == ["milestone"]
    assert [each.key for each in TASK_TYPES if each.asks_result] == ["validation"]
    assert [each.key for each in TASK_TYPES if each.links] == ["runbook"]
    assert [each.key for each in TASK_TYPES if not each.plain] == ["integration"]


def test_a_type_that_this_version_does_not_know_says_so() -> None:
    unknown = type_of("drill")
    assert (unknown.label, unknown.point, unknown.may_auto_start) == (
        "drill (no longer available)",
        False,
        False,
    )
    chip = unknown.chip(Seen(facts(1)))
    assert chip is not None
    assert (chip.text, chip.title) == ("Unknown type", "The type drill (no longer available)")


@pytest.mark.parametrize(
    ("before", "of_milestone", "of_others"),
    [
        ([], "", ""),
        ([Before(1, False, None), Before(2, False, "pass")], "", ""),
        ([Before(1, True, None)], "#1 was skipped", ""),
        ([Before(1, False, "fail")], "#1 failed", "#1 failed"),
        ([Before(3, False, "not_tested")], "#3 was not tested", "#3 was not tested"),
        (
            [Before(1, False, "not_tested"), Before(2, True, None), Before(3, False, "fail")],
            "#3 failed and #1 was not tested and #2 was skipped",
            "#3 failed and #1 was not tested",
        ),
    ],
)
def test_what_did_not_go_well_leaves_the_start_to_a_person(
    before: list[Before], of_milestone: str, of_others: str
) -> None:
    assert TASK_TYPES["milestone"].doubt(before) == of_milestone
    assert {each.doubt(before) for each in TASK_TYPES if not each.point} == {of_others}


@pytest.mark.parametrize(
    ("linked", "chip"),
    [
        (None, ("No runbook", "warn", "")),
        (replace(DNS, state="planning"), ("Runbook", "line", DNS.url)),
        (DNS, ("3/10 done", "acc", DNS.url)),
        (replace(DNS, state="paused"), ("3/10 done", "warn", DNS.url)),
        (replace(DNS, state="complete"), ("Complete", "ok", DNS.url)),
        (replace(DNS, state="cancelled"), ("Cancelled", "bad", DNS.url)),
        (replace(DNS, archived=True), ("Archived", "warn", "")),
    ],
)
def test_a_linked_runbook_shows_how_far_it_is(linked: Linked | None, chip: tuple[str, str, str]) -> None:
    found = TASK_TYPES["runbook"].chip(Seen(facts(1), linked=linked))
    assert found is not None
    assert (found.text, found.tone, found.href) == chip
