"""Custom fields of the runbook itself: filled in under its name, read by the requests of its tasks."""

from __future__ import annotations

from collections.abc import Callable

from flask.testing import FlaskClient

from tests.cast import Cast
from tests.runbooks.conftest import MakeAction, MakeField, MakeRunbook, Refuses, task
from webapp.accounts.models import User
from webapp.audit.models import AuditLine
from webapp.extensions import db
from webapp.fields import queries as fields
from webapp.runbooks import operations, queries
from webapp.runbooks.context import context_of
from webapp.runbooks.models import Runbook
from webapp.runbooks.refusals import NotNow
from webapp.runbooks.states import Mode

ClientOf = Callable[[int], FlaskClient]
HTMX = {"HX-Request": "true"}


def save(client: FlaskClient, runbook: Runbook, **values: object) -> tuple[int, str]:
    """Send the dialog; the status and the text of the answer."""
    data = {"name": runbook.name, **values}
    answer = client.post(f"/runbooks/{runbook.id}/edit", data=data, headers=HTMX)
    return answer.status_code, answer.text


def stored(runbook: Runbook) -> list[object]:
    db.session.expire_all()
    return [each.value for each in fields.values_of_runbook(runbook.id).values()]


def test_a_value_of_the_runbook_is_kept_audited_and_seen_by_the_requests_of_its_tasks(
    make_runbook: MakeRunbook, make_field: MakeField, cast: Cast, rune: User, client_of: ClientOf
) -> None:
    shown = make_field("Change number", displays_on=["runbook_edit"])
    elsewhere = make_field("Room", displays_on=["task_edit"])
    runbook, client = make_runbook("Announce"), client_of(cast.rune)
    dialog = client.get(f"/runbooks/{runbook.id}/edit", headers=HTMX).text
    assert (f'name="field-{shown.id}"' in dialog, f'name="field-{elsewhere.id}"' in dialog) == (True, False)
    status, _ = save(client, runbook, **{f"field-{shown.id}": "CHG0042", f"field-{elsewhere.id}": "12"})
    assert (status, stored(runbook)) == (200, ["CHG0042"])
    assert context_of(task(runbook, 1), rune)["CustomField"]["Change number"] == "CHG0042"
    [line] = db.session.query(AuditLine).filter_by(verb="field_value.changed")
    assert (line.actor_name, line.object_name, line.after) == (
        "Rune",
        "Release 12",
        {"Change number": "CHG0042"},
    )
    assert 'value="CHG0042"' in client.get(f"/runbooks/{runbook.id}/edit", headers=HTMX).text


def test_a_wrong_or_missing_value_changes_nothing_and_keeps_what_was_typed(
    make_runbook: MakeRunbook, make_field: MakeField, cast: Cast, client_of: ClientOf
) -> None:
    number = make_field("Seats", kind="number", displays_on=["runbook_edit"])
    must = make_field("Change number", required=True, displays_on=["runbook_edit"])
    runbook, client = make_runbook("Announce"), client_of(cast.rune)
    status, text = save(
        client, runbook, name="Renamed", **{f"field-{number.id}": "many", f"field-{must.id}": ""}
    )
    assert status == 422
    assert 'value="many"' in text and 'value="Renamed"' in text
    assert "Change number is required." in text
    assert (stored(runbook), db.session.get_one(Runbook, runbook.id).name) == ([], "Release 12")


def test_a_field_of_an_action_is_filled_in_on_the_runbooks_whose_tasks_call_it(
    make_runbook: MakeRunbook,
    make_action: MakeAction,
    make_field: MakeField,
    cast: Cast,
    rune: User,
    client_of: ClientOf,
) -> None:
    called, other = make_action(), make_action(name="Reply")
    channel = make_field("Channel", displays_on=["runbook_edit"], action_ids=[called.id])
    make_field("Thread", displays_on=["runbook_edit"], action_ids=[other.id])
    runbook, plain = make_runbook("Announce", actions={1: called}), make_runbook("Announce", name="Plain")
    assert (queries.fields_of(runbook), queries.fields_of(plain)) == ([channel], [])
    assert save(client_of(cast.rune), runbook, **{f"field-{channel.id}": "#ops"})[0] == 200
    assert context_of(task(runbook, 1), rune)["CustomField"]["Channel"] == "#ops"


def test_where_a_task_s_own_value_is_blank_the_runbook_s_holds(
    make_runbook: MakeRunbook, make_field: MakeField, rune: User
) -> None:
    channel = make_field("Channel", displays_on=["task_edit", "runbook_edit"], required=True)
    runbook = make_runbook("Announce")
    operations.save_runbook_field(runbook, channel, ["#ops"], by=rune)
    for typed, seen in (("#dr", "#dr"), ("", "#ops")):
        operations.save_field(task(runbook, 1), channel, [typed], by=rune)
        db.session.flush()
        assert context_of(task(runbook, 1), rune)["CustomField"]["Channel"] == seen
    operations.start_runbook(runbook, Mode.LIVE, by=rune)
    operations.start_task(task(runbook, 1), by=rune)
    assert task(runbook, 1).state == "in_progress"


def test_a_required_field_of_the_runbook_is_filled_in_before_it_starts(
    make_runbook: MakeRunbook, make_field: MakeField, rune: User, refuses: Refuses
) -> None:
    change = make_field("Change number", displays_on=["runbook_edit"], required=True)
    make_field("Message", displays_on=["task_edit", "runbook_edit"], required=True)
    runbook = make_runbook("Announce")
    with refuses(NotNow, "Fill in Change number under “Name and planned start” first."):
        operations.start_runbook(runbook, Mode.REHEARSAL, by=rune)
    operations.save_runbook_field(runbook, change, ["CHG0042"], by=rune)
    db.session.flush()
    operations.start_runbook(runbook, Mode.REHEARSAL, by=rune)
    assert runbook.state == "running"


def test_values_of_the_runbook_are_locked_once_it_has_ended(
    make_runbook: MakeRunbook, make_field: MakeField, cast: Cast, rune: User, client_of: ClientOf
) -> None:
    change = make_field("Change number", displays_on=["runbook_edit"])
    runbook = make_runbook("Announce", mode=Mode.LIVE)
    operations.cancel_runbook(runbook, "The vendor is down", by=rune)
    db.session.commit()
    status, text = save(client_of(cast.rune), runbook, name="Renamed", **{f"field-{change.id}": "CHG0042"})
    assert (status, stored(runbook)) == (422, [])
    assert "Locked: the runbook has ended." in text
    assert save(client_of(cast.rune), runbook, name="Renamed")[0] == 200
