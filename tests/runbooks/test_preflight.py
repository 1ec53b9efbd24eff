"""Pre-flight: what it finds, what that stops, and what its page says."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from tests.cast import Cast
from tests.runbooks.conftest import MakeAction, MakeField, MakeRunbook, Refuses, task
from webapp.accounts.models import User
from webapp.audit.models import AuditLine
from webapp.clock import now
from webapp.extensions import db
from webapp.integrations.models import Action, Authentication
from webapp.runbooks import operations
from webapp.runbooks.models import Runbook
from webapp.runbooks.preflight import Level, preflight
from webapp.runbooks.refusals import NotNow, WarningsToAccept
from webapp.runbooks.states import Mode

ClientOf = Callable[[int], FlaskClient]
Found = list[tuple[Level, str]]


def found(runbook: Runbook, mode: Mode = Mode.LIVE) -> Found:
    """Level and sentence of every finding but that tasks are assigned to nobody."""
    points = preflight(runbook, mode).report.points
    return [(each.level, each.sentence) for point in points[:-1] for each in point.findings]


def signs_in(make_action: MakeAction, as_: str, **values: Any) -> Action:
    settings = {"authenticate_as": as_, "provider_host": "https://slack.com"}
    return make_action(authorization="oauth_code", authorization_settings=settings, **values)


def sign_in(
    app: Any, action: Action, task_id: int | None, user_id: int | None, **values: Any
) -> Authentication:
    """A sign-in that can be used for the action, without a refresh token."""
    held = Authentication(
        action_id=action.id,
        task_id=task_id,
        user_id=user_id,
        provider_host="https://slack.com",
        request_host="127.0.0.1:9",
        **values,
    )
    db.session.add(held)
    db.session.flush()
    held.token = app.extensions["vault"].seal(held.secrets_row_key, {"access_token": "xoxb-12345678"})
    db.session.commit()
    return held


def test_a_plan_without_faults_is_green_at_every_point(make_runbook: MakeRunbook, rune: User) -> None:
    runbook = make_runbook("Announce")
    task(runbook, 1).assignees = [rune]
    report = preflight(runbook, Mode.LIVE).report
    assert [point.level for point in report.points] == [None] * len(report.points)


def test_empty_required_fields_of_tasks_are_named_by_task(
    make_runbook: MakeRunbook, make_field: MakeField, rune: User
) -> None:
    channel = make_field("Channel", required=True)
    make_field("Result", required=True, displays_on=["task_finish"])
    runbook = make_runbook("Announce", "Deploy", "Verify")
    operations.save_field(task(runbook, 2), channel, ["#ops"], by=rune)
    db.session.commit()
    assert found(runbook) == [(Level.ERROR, "2 tasks have required fields that are empty: #1, #3.")]


@pytest.mark.parametrize("what", ["action", "connection"])
def test_an_archived_integration_is_an_error_where_it_would_be_called(
    make_runbook: MakeRunbook, make_action: MakeAction, what: str
) -> None:
    action = make_action()
    runbook = make_runbook("Announce", actions={1: action})
    (action if what == "action" else action.connection).archived_at = now()
    db.session.commit()
    assert found(runbook) == [(Level.ERROR, "1 task calls an integration that is archived: #1.")]
    assert found(runbook, Mode.REHEARSAL) == []


def test_a_request_that_cannot_be_made_is_an_error_with_its_cause(
    make_runbook: MakeRunbook, make_action: MakeAction
) -> None:
    runbook = make_runbook("Announce", actions={1: make_action(body='{"text":"{{Task.nmae}}"}')})
    assert found(runbook) == [
        (Level.ERROR, "1 task has a request that cannot be made: Task.nmae is undefined: #1.")
    ]


def test_a_request_whose_fields_are_asked_for_at_the_start_is_only_noted(
    make_runbook: MakeRunbook, make_action: MakeAction, make_field: MakeField, rune: User
) -> None:
    number = make_field("Seats", kind="number", displays_on=["task_start"])
    action = make_action(body='{"seats": {{ 12 | divided_by: CustomField["Seats"] }}}')
    runbook = make_runbook("Announce", actions={1: action})
    assert found(runbook) == [
        (Level.NOTICE, "1 task has a request that can be checked only once its fields are asked for: #1.")
    ]
    operations.save_field(task(runbook, 1), number, ["4"], by=rune)
    db.session.commit()
    assert found(runbook) == []


def test_a_functional_user_who_has_not_signed_in_is_an_error(
    app: Any, make_runbook: MakeRunbook, make_action: MakeAction
) -> None:
    action = signs_in(make_action, "functional")
    runbook = make_runbook("Announce", "Reply", actions={1: action, 2: action})
    assert found(runbook) == [
        (Level.ERROR, "2 tasks call integrations whose functional user has not signed in: #1, #2.")
    ]
    sign_in(app, action, None, None)
    assert found(runbook) == []


def test_a_sign_in_that_ends_before_the_planned_finish_is_a_warning(
    app: Any, make_runbook: MakeRunbook, make_action: MakeAction
) -> None:
    action = signs_in(make_action, "functional")
    runbook = make_runbook("Announce", "Soak", waits={2: [1]}, actions={1: action})
    task(runbook, 2).duration_s = 8 * 3600
    held = sign_in(app, action, None, None, expires_at=now() + timedelta(hours=4))
    assert found(runbook) == [
        (Level.WARNING, "1 task calls an integration whose sign-in ends before the planned finish: #1.")
    ]
    held.expires_at = now() + timedelta(hours=9)
    db.session.commit()
    assert found(runbook) == []


def test_the_roll_call_names_who_has_yet_to_authenticate_for_what(
    app: Any, make_runbook: MakeRunbook, make_action: MakeAction, rune: User, vera: User
) -> None:
    action = signs_in(make_action, "task")
    runbook = make_runbook("Announce", "Reply", "Close", actions={1: action, 2: action, 3: action})
    task(runbook, 1).assignees = [rune, vera]
    task(runbook, 2).assignees = [rune]
    db.session.commit()
    sign_in(app, action, task(runbook, 1).id, rune.id)
    flight = preflight(runbook, Mode.LIVE)
    assert {
        person.name: [each.number for each in tasks] for person, tasks in flight.plan.roll_call.items()
    } == {
        "Rune": [2],
        "Vera": [1],
    }
    assert found(runbook) == [
        (Level.WARNING, "2 tasks have people who have yet to authenticate: #1, #2."),
        (Level.NOTICE, "1 task will ask whoever starts it to authenticate: #3."),
    ]


def test_a_live_run_does_not_start_with_errors_and_a_rehearsal_does(
    make_runbook: MakeRunbook, make_field: MakeField, rune: User, refuses: Refuses
) -> None:
    make_field("Channel", required=True)
    runbook = make_runbook("Announce")
    with refuses(NotNow, "1 task has a required field that is empty: #1. Fill in what is empty on the task."):
        operations.start_runbook(runbook, Mode.LIVE, by=rune, accepted="We know")
    operations.start_runbook(runbook, Mode.REHEARSAL, by=rune)
    assert runbook.state == "running"


def test_warnings_are_accepted_with_a_reason_that_is_audited(
    make_runbook: MakeRunbook, make_action: MakeAction, rune: User, refuses: Refuses
) -> None:
    runbook = make_runbook("Announce", actions={1: signs_in(make_action, "task")})
    task(runbook, 1).assignees = [rune]
    warning = "1 task has people who have yet to authenticate: #1."
    with refuses(WarningsToAccept, f"{warning} Say why it may start anyway."):
        operations.start_runbook(runbook, Mode.LIVE, by=rune, accepted="  ")
    operations.start_runbook(runbook, Mode.LIVE, by=rune, accepted="He is on his way")
    line = db.session.scalars(select(AuditLine).where(AuditLine.verb == "runbook.started")).one()
    assert (line.note, line.after) == (
        "He is on his way",
        {
            "mode": "live",
            "state": "running",
            "notified": "Everybody assigned in it",
            "people notified": 0,
            "accepted warnings": [warning],
        },
    )


def test_the_dialog_asks_for_a_reason_only_where_there_are_warnings_and_offers_no_start_over_errors(
    client_of: ClientOf,
    cast: Cast,
    make_runbook: MakeRunbook,
    make_action: MakeAction,
    make_field: MakeField,
    rune: User,
) -> None:
    client = client_of(cast.rune)
    runbook = make_runbook("Announce", actions={1: signs_in(make_action, "task")})
    address = f"/runbooks/{runbook.id}/start?mode=live"
    assert 'name="accepted"' not in client.get(address).text
    task(runbook, 1).assignees = [rune]
    db.session.commit()
    page = client.get(address).text
    assert 'name="accepted"' in page and ">Start live run</button>" in page
    make_field("Channel", required=True)
    page = client.get(address).text
    assert "Solve this first" in page and 'name="accepted"' not in page
    assert ">Start live run</button>" not in page
    assert ">Start rehearsal</button>" in client.get(f"/runbooks/{runbook.id}/start?mode=rehearsal").text


def test_the_page_links_to_each_task_and_gives_the_roll_call_as_a_message(
    client_of: ClientOf, cast: Cast, make_runbook: MakeRunbook, make_action: MakeAction, rune: User
) -> None:
    runbook = make_runbook("Announce", actions={1: signs_in(make_action, "task")})
    task(runbook, 1).assignees = [rune]
    db.session.commit()
    page = client_of(cast.vera).get(f"/runbooks/{runbook.id}/preflight").text
    assert f'href="/runbooks/{runbook.id}?task=1"' in page
    assert re.search(rf"Rune: #1 Announce \(http\S+/runbooks/{runbook.id}\?task=1\)", page)


def test_the_page_asks_the_same_number_of_questions_for_two_tasks_as_for_forty(
    client_of: ClientOf,
    cast: Cast,
    make_runbook: MakeRunbook,
    make_action: MakeAction,
    make_field: MakeField,
    rune: User,
    counting_queries: Any,
) -> None:
    field = make_field("Owner", kind="user")
    actions = [signs_in(make_action, "task"), signs_in(make_action, "functional"), make_action()]

    def queries_for(count: int) -> int:
        titles = [f"Task {number}" for number in range(1, count + 1)]
        runbook = make_runbook(
            *titles,
            name=f"Of {count}",
            actions={number: actions[number % 3] for number in range(1, count + 1)},
        )
        for number in range(1, count + 1):
            task(runbook, number).assignees = [rune]
            operations.save_field(task(runbook, number), field, [str(rune.id)], by=rune)
        db.session.commit()
        client = client_of(cast.rune)
        client.get(f"/runbooks/{runbook.id}/preflight")
        db.session.expire_all()
        with counting_queries() as counted:
            assert client.get(f"/runbooks/{runbook.id}/preflight").status_code == 200
        return len(counted)

    assert queries_for(6) == queries_for(40)


def test_the_plan_is_measured_from_its_planned_start_where_that_is_still_to_come(
    app: Any, make_runbook: MakeRunbook, make_action: MakeAction
) -> None:
    action = signs_in(make_action, "functional")
    runbook = make_runbook("Announce", actions={1: action})
    runbook.planned_start = datetime(2200, 1, 1, tzinfo=UTC)
    sign_in(app, action, None, None, expires_at=now() + timedelta(days=1))
    assert [level for level, _ in found(runbook)] == [Level.WARNING]


def test_a_start_without_the_reason_keeps_the_dialog_and_what_was_chosen_in_it(
    client_of: ClientOf, cast: Cast, make_runbook: MakeRunbook, make_action: MakeAction, rune: User
) -> None:
    runbook = make_runbook("Announce", actions={1: signs_in(make_action, "task")})
    task(runbook, 1).assignees = [rune]
    db.session.commit()
    chosen = {"mode": "live", "audience": "owners", "accepted": " "}
    answer = client_of(cast.rune).post(
        f"/runbooks/{runbook.id}/start", data=chosen, headers={"HX-Request": "true"}
    )
    assert (answer.status_code, runbook.state) == (422, "planning")
    assert re.findall(r'name="accepted"|Write a reason\.', answer.text) == [
        'name="accepted"',
        "Write a reason.",
    ]
    ticked = [
        each for each in re.findall(r"<input[^>]*>", answer.text) if " checked" in each and "audience" in each
    ]
    assert [each.count('value="owners"') for each in ticked] == [1]
