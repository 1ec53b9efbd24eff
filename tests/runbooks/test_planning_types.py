"""Planning what type a task is, and how it starts and finishes: the form, what a change writes, copies and pre-flight."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.cast import Cast
from tests.runbooks.conftest import MakeAction, MakeRunbook, only_line, task
from webapp.accounts.models import User
from webapp.extensions import db
from webapp.runbooks import operations
from webapp.runbooks.models import PLAN_COLUMNS, Runbook, Task
from webapp.runbooks.operations import Plan
from webapp.runbooks.preflight import Level, preflight
from webapp.runbooks.states import Mode

ClientOf = Callable[[int], FlaskClient]
HTMX = {"HX-Request": "true"}
TEN = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)


def plan_of(found: Task) -> Plan:
    return operations.plan_of(found, [each.id for each in found.predecessors])


def change(found: Task, by: User, **values: Any) -> None:
    operations.edit_task(found, replace(plan_of(found), **values), by=by)
    db.session.commit()


def test_a_milestone_takes_no_time_and_is_reached_by_itself_unless_someone_says_otherwise(
    make_runbook: MakeRunbook, rune: User
) -> None:
    found = task(make_runbook("Window open"), 1)
    change(found, rune, type="milestone")
    assert (found.type, found.duration_s, found.auto_start) == ("milestone", 0, True)
    line = only_line()
    assert line.before == {"duration_s": 300, "type": "Task", "starts by itself": False}
    assert line.after == {"duration_s": 0, "type": "Milestone", "starts by itself": True}
    change(found, rune, auto_start=False, duration_s=900)
    assert (found.duration_s, found.auto_start) == (0, False)
    change(found, rune, type="validation")
    assert (found.type, found.duration_s, found.auto_start) == ("validation", 300, False)


def test_the_type_and_the_action_of_a_task_never_disagree(
    make_runbook: MakeRunbook, make_action: MakeAction, rune: User
) -> None:
    found, action = task(make_runbook("Announce"), 1), make_action()
    change(found, rune, action=action)
    assert (found.type, found.action_id) == ("integration", action.id)
    change(found, rune, type="validation", action=None)
    assert (found.type, found.action_id) == ("validation", None)


def test_a_rule_of_several_and_a_lost_planned_start_take_away_what_cannot_be_with_them(
    make_runbook: MakeRunbook, rune: User
) -> None:
    found = task(make_runbook("Announce"), 1)
    change(found, rune, planned_start=TEN, fixed_start=True, auto_start=True)
    assert (found.fixed_start, found.auto_start) == (True, True)
    change(found, rune, start_rule="everyone")
    change(found, rune, planned_start=None)
    assert (found.fixed_start, found.auto_start) == (False, False)


def saved(client: FlaskClient, runbook: Runbook, **typed: Any) -> tuple[int, str]:
    """The status of the form, and its text; fields that are not given stay."""
    form = {"title": "Announce", "duration": "5m", "touched": list(typed)}
    answer = client.post(f"/runbooks/{runbook.id}/tasks/1", data={**form, **typed}, headers=HTMX)
    return answer.status_code, answer.text


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        (
            {"start_rule": "at_least", "start_quorum": "2"},
            "1 person is assigned. Assign more people, or write a smaller number.",
        ),
        (
            {"finish_rule": "at_least", "finish_quorum": "9"},
            "1 person is assigned. Assign more people, or write a smaller number.",
        ),
        ({"finish_rule": "at_least", "finish_quorum": "none"}, "Write how many, from 1 to 99."),
        ({"start_rule": "who_started"}, "Not a valid choice."),
        ({"fixed_start": "y"}, "Write the planned start first."),
        (
            {"start_rule": "everyone", "auto_start": "y"},
            "Several people start it together, so it does not start by itself.",
        ),
        ({"type": "integration"}, "Not a valid choice."),
        ({"type": "action:999"}, "Not a valid choice."),
    ],
)
def test_what_cannot_be_planned_is_refused_beside_its_field(
    make_runbook: MakeRunbook,
    rune: User,
    cast: Cast,
    client_of: ClientOf,
    typed: dict[str, str],
    sentence: str,
) -> None:
    runbook = make_runbook("Announce")
    task(runbook, 1).assignees = [rune]
    db.session.commit()
    before = {name: getattr(task(runbook, 1), name) for name in PLAN_COLUMNS}
    status, text = saved(client_of(cast.rune), runbook, **typed)
    assert (status, sentence in text) == (422, True)
    db.session.expire_all()
    assert {name: getattr(task(runbook, 1), name) for name in PLAN_COLUMNS} == before


def test_the_form_saves_a_type_a_rule_and_a_fixed_start_one_by_one(
    make_runbook: MakeRunbook, make_action: MakeAction, rune: User, cast: Cast, client_of: ClientOf
) -> None:
    action, runbook = make_action(), make_runbook("Announce")
    task(runbook, 1).assignees = [rune]
    db.session.commit()
    runes = client_of(cast.rune)
    for typed in (
        {"type": f"action:{action.id}"},
        {"start_rule": "everyone"},
        {"finish_rule": "at_least", "finish_quorum": "1"},
        {"planned_start": "2026-11-23T10:00"},
        {"fixed_start": "y"},
    ):
        assert saved(runes, runbook, **typed)[0] == 200
    db.session.expire_all()
    found = task(runbook, 1)
    assert (found.type, found.action_id, found.fixed_start) == ("integration", action.id, True)
    assert (found.start_rule, found.finish_rule, found.finish_quorum) == ("everyone", "at_least", 1)
    page = runes.get(f"/runbooks/{runbook.id}?task=1").text
    assert '<optgroup label="Integration actions">' in page
    assert f'<option selected value="action:{action.id}">Slack: Post to a channel</option>' in page


def test_a_type_that_this_version_does_not_know_fails_no_page(
    make_runbook: MakeRunbook, cast: Cast, client_of: ClientOf
) -> None:
    runbook = make_runbook("Announce")
    task(runbook, 1).type = "drill"
    task(runbook, 1).start_rule = "by_vote"
    db.session.commit()
    runes, address = client_of(cast.rune), f"/runbooks/{runbook.id}"
    for path in ("?task=1", "/map", "/timeline", "/dashboard", "/run-sheet", "/plan.csv", "/preflight"):
        assert runes.get(f"{address}{path}").status_code == 200
    page = runes.get(f"{address}?task=1").text
    assert "drill (no longer available)" in page
    assert "by_vote (no longer available)" in page


def test_a_copy_has_every_column_of_the_plan(
    make_runbook: MakeRunbook, make_action: MakeAction, rune: User
) -> None:
    other = make_runbook("Switch", name="DNS cutover")
    runbook = make_runbook("Announce", actions={1: make_action()})
    found = task(runbook, 1)
    values = {
        "description": "Loudly",
        "linked_runbook_id": other.id,
        "planned_start": TEN,
        "fixed_start": True,
        "auto_start": True,
        "duration_s": 900,
        "start_rule": "everyone",
        "start_quorum": 2,
        "finish_rule": "at_least",
        "finish_quorum": 3,
    }
    for name, value in values.items():
        setattr(found, name, value)
    db.session.commit()
    copy = operations.duplicate_task(found, by=rune)
    held = {name: getattr(found, name) for name in PLAN_COLUMNS}
    assert {name: getattr(copy, name) for name in PLAN_COLUMNS} == {**held, "title": "Announce (copy)"}
    usual = {
        each.name: each.default.arg if each.default is not None else None for each in Task.__table__.columns
    }
    assert [name for name in PLAN_COLUMNS if held[name] == usual[name]] == []


def findings(runbook: Runbook) -> list[tuple[Level, str]]:
    """Level and sentence of what pre-flight finds, but that a task is assigned to nobody."""
    points = preflight(runbook, Mode.LIVE).report.points
    return [(each.level, each.sentence) for point in points[:-1] for each in point.findings]


@pytest.mark.parametrize(
    ("values", "people", "found"),
    [
        ({"start_rule": "everyone"}, 1, []),
        (
            {"start_rule": "everyone"},
            0,
            [
                (
                    Level.WARNING,
                    "1 task asks several people to start or finish it and is assigned to nobody, so anyone can: #1.",
                )
            ],
        ),
        (
            {"finish_rule": "at_least", "finish_quorum": 3},
            2,
            [
                (
                    Level.WARNING,
                    "1 task asks for more people than are assigned to it, so all of them are enough: #1.",
                )
            ],
        ),
        ({"finish_rule": "who_started"}, 0, []),
        ({"type": "drill"}, 1, [(Level.WARNING, "1 task has a type that is no longer available: #1.")]),
        ({"type": "runbook"}, 1, [(Level.ERROR, "1 task has no runbook to start yet: #1.")]),
    ],
)
def test_pre_flight_looks_at_types_and_rules(
    make_runbook: MakeRunbook,
    rune: User,
    vera: User,
    values: dict[str, Any],
    people: int,
    found: list[tuple[Level, str]],
) -> None:
    runbook = make_runbook("Announce")
    task(runbook, 1).assignees = [rune, vera][:people]
    for name, value in values.items():
        setattr(task(runbook, 1), name, value)
    db.session.commit()
    assert findings(runbook) == found


def test_pre_flight_says_which_linked_runbooks_cannot_be_started(
    make_runbook: MakeRunbook, rune: User
) -> None:
    dns = make_runbook("Switch", name="DNS cutover")
    runbook = make_runbook("Cut over", "Again", name="Failover")
    for number in (1, 2):
        task(runbook, number).type, task(runbook, number).linked_runbook = "runbook", dns
    db.session.commit()
    both = "2 tasks start other runbooks, whose own pre-flights are asked then: #1, #2."
    twice = "2 tasks start a runbook that another of them starts too: #1, #2."
    assert findings(runbook) == [(Level.WARNING, twice), (Level.NOTICE, both)]
    operations.start_runbook(dns, Mode.LIVE, by=rune)
    under_way = "2 tasks start runbooks that are under way already: #1, #2."
    assert findings(runbook)[0] == (Level.WARNING, under_way)
    operations.cancel_runbook(dns, "Enough", by=rune)
    assert findings(runbook)[0] == (Level.WARNING, "2 tasks start runbooks that have ended: #1, #2.")
