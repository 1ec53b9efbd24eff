"""What cannot be done: the sentence, the line in the audit log, and what was typed."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from tests.cast import Cast
from tests.runbooks.conftest import Audit, MakeAction, MakeField, MakeRunbook, only_line, states, task
from webapp.accounts.models import User
from webapp.audit.models import AuditLine
from webapp.extensions import db
from webapp.runbooks import operations
from webapp.runbooks.states import Mode

ClientOf = Callable[[int], FlaskClient]
HTMX = {"HX-Request": "true"}


def last_said(audit: Audit) -> tuple[str, str, str, str | None]:
    """The last audit line: verb, thing, who, and the sentence."""
    verb, thing, who = audit()[-1]
    note = db.session.scalars(select(AuditLine.note).order_by(AuditLine.id.desc())).first()
    return verb, thing, who, note


def test_a_second_start_is_told_who_was_first_and_audited(
    make_runbook: MakeRunbook, vera: User, cast: Cast, client_of: ClientOf, audit: Audit
) -> None:
    runbook = make_runbook("Open the bridge", mode=Mode.LIVE)
    rune = client_of(cast.rune)
    operations.start_task(task(runbook, 1), by=vera)
    answer = rune.post(f"/runbooks/{runbook.id}/tasks/1/start", headers=HTMX)
    assert (answer.status_code, answer.headers["HX-Trigger"]) == (
        200,
        '{"toast": {"kind": "warn", "text": "Vera started this just now."}}',
    )
    assert last_said(audit) == (
        "task.start_refused",
        "#1 Open the bridge",
        "Rune",
        "Vera started this just now.",
    )


def test_a_required_field_that_is_empty_is_asked_for_and_audited(
    make_runbook: MakeRunbook, make_field: MakeField, cast: Cast, client_of: ClientOf
) -> None:
    runbook = make_runbook("Announce", mode=Mode.LIVE)
    make_field(required=True)
    answer = client_of(cast.rune).post(f"/runbooks/{runbook.id}/tasks/1/start", headers=HTMX)
    assert (answer.status_code, "Slack Message" in answer.text) == (422, True)
    line = only_line()
    assert (line.verb, line.actor_name, line.note) == (
        "task.start_refused",
        "Rune",
        "Fill in Slack Message first.",
    )
    assert states(runbook) == {1: "startable"}


def test_a_payload_that_cannot_be_made_is_said_and_audited(
    make_runbook: MakeRunbook, make_action: MakeAction, cast: Cast, client_of: ClientOf
) -> None:
    action = make_action()
    runbook = make_runbook("Announce", actions={1: action}, mode=Mode.LIVE)
    action.body = '{"text":"{{CustomField[\'Slack Mesage\']}}"}'
    db.session.commit()
    answer = client_of(cast.rune).post(f"/runbooks/{runbook.id}/tasks/1/start", headers=HTMX)
    line = only_line()
    assert (line.verb, line.object_name) == ("task.start_refused", "#1 Announce")
    assert line.note is not None
    assert line.note.startswith("Payload, line 1, column 12")
    assert line.note[:20] in answer.headers["HX-Trigger"]
    assert states(runbook) == {1: "startable"}


def test_what_was_typed_into_the_dialog_stays_when_the_start_is_refused(
    make_runbook: MakeRunbook,
    make_field: MakeField,
    vera: User,
    cast: Cast,
    client_of: ClientOf,
) -> None:
    asked = make_field(displays_on=["task_start"])
    runbook = make_runbook("Announce", mode=Mode.LIVE)
    rune = client_of(cast.rune)
    operations.start_task(task(runbook, 1), by=vera)
    answer = rune.post(
        f"/runbooks/{runbook.id}/tasks/1/start",
        data={"asked": "1", f"field-{asked.id}": "A long story"},
        headers=HTMX,
    )
    assert answer.status_code == 422
    assert 'value="A long story"' in answer.text
    assert "Locked: the task has run with these values." in answer.text


@pytest.mark.parametrize(
    ("path", "data", "verb", "sentence"),
    [
        (
            "tasks/1/finish",
            {},
            "task.finish_refused",
            "The task cannot be finished now. It has not been started yet.",
        ),
        (
            "tasks/2/finish-by-hand",
            {"reason": "By phone"},
            "task.finish_by_hand_refused",
            "The task cannot be finished by hand now. It waits for other tasks.",
        ),
        (
            "complete",
            {},
            "runbook.complete_refused",
            "2 tasks are not done. Finish or skip what is left, or cancel the live run.",
        ),
    ],
)
def test_every_other_step_that_is_refused_is_audited(
    make_runbook: MakeRunbook,
    cast: Cast,
    client_of: ClientOf,
    path: str,
    data: dict[str, str],
    verb: str,
    sentence: str,
) -> None:
    runbook = make_runbook("One", "Two", waits={2: [1]}, mode=Mode.LIVE)
    client_of(cast.rune).post(f"/runbooks/{runbook.id}/{path}", data=data, headers=HTMX)
    assert (only_line().verb, only_line().note) == (verb, sentence)
