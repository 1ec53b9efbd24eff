"""Settings > Custom Fields: defining, changing, ordering, archiving, and the values that tasks hold."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from tests.cast import Cast
from webapp.accounts.models import User
from webapp.audit.models import AuditLine
from webapp.clock import now
from webapp.extensions import db
from webapp.fields import queries
from webapp.fields.kinds import InvalidValue
from webapp.fields.models import FieldDefinition, FieldValue
from webapp.fields.operations import FieldRefused, copy_task_values, create_definition, save_value
from webapp.integrations.models import Action, Connection
from webapp.runbooks.models import Runbook, Stream, Task
from webapp.workspaces.models import Workspace

ClientOf = Callable[[int], FlaskClient]
FORM = {
    "name": "Slack Channel",
    "visibility": "global",
    "kind": "single_select",
    "options-1": "#dr-war-room",
    "options-0": "#ops",
    "options-2": "",
    "displays_on": ["task_edit"],
    "required": "y",
    "transient": "y",
}


@pytest.fixture
def carl(cast: Cast, client_of: ClientOf) -> FlaskClient:
    return client_of(cast.carl)


@pytest.fixture
def person(cast: Cast) -> User:
    return db.session.get_one(User, cast.rune)


@pytest.fixture
def action(cast: Cast) -> Action:
    made = Action(connection=Connection(name="Slack"), name="Post to a channel", url="https://slack.com/")
    db.session.add(made)
    db.session.commit()
    return made


@pytest.fixture
def task(cast: Cast) -> Task:
    runbook = Runbook(workspace_id=cast.payments, name="Failover")
    made = Task(runbook=runbook, stream=Stream(runbook=runbook, name="Command"), number=1, title="Announce")
    db.session.add(made)
    db.session.commit()
    return made


def stored() -> FieldDefinition:
    return db.session.scalars(select(FieldDefinition)).one()


def test_a_field_is_created_as_the_guide_says(carl: FlaskClient, action: Action) -> None:
    answer = carl.post("/settings/custom-fields", data={**FORM, "action_ids": [action.id]})
    assert (answer.status_code, answer.location) == (303, "/settings/custom-fields")
    found = stored()
    assert (found.name, found.kind, found.options) == (
        "Slack Channel",
        "single_select",
        ["#ops", "#dr-war-room"],
    )
    assert (found.is_global, found.required, found.transient) == (True, True, True)
    assert (found.displays_on, found.restricted_action_ids) == (["task_edit"], [action.id])
    line = db.session.scalars(select(AuditLine)).one()
    assert (line.verb, line.actor_name, line.object_name) == ("field.created", "Carl", "Slack Channel")


def test_a_select_without_options_keeps_what_was_typed_and_says_why(carl: FlaskClient) -> None:
    form = {key: value for key, value in FORM.items() if not key.startswith("options")}
    answer = carl.post("/settings/custom-fields", data=form)
    assert answer.status_code == 422
    assert "Add at least one option." in answer.text
    assert 'value="Slack Channel"' in answer.text
    assert db.session.scalar(select(FieldDefinition)) is None


def test_a_name_that_templates_cannot_write_is_refused(carl: FlaskClient) -> None:
    answer = carl.post("/settings/custom-fields", data={**FORM, "name": 'Slack "Channel"'})
    assert answer.status_code == 422
    assert "A name cannot hold braces" in answer.text


def test_two_fields_that_meet_cannot_share_a_name_but_two_that_never_meet_can(
    person: User, action: Action, cast: Cast
) -> None:
    create_definition(name="Channel", kind="text", by=person, action_ids=[action.id])
    with pytest.raises(FieldRefused, match="already shown in the same place"):
        create_definition(name="channel", kind="text", by=person)
    db.session.rollback()
    payments, treasury = (db.session.get_one(Workspace, each) for each in (cast.payments, cast.treasury))
    person = db.session.get_one(User, cast.rune)
    for workspace in (payments, treasury):
        create_definition(name="Channel", kind="text", by=person, is_global=False, workspaces=[workspace])
    db.session.commit()
    assert [each.name for each in queries.all_definitions()] == ["Channel", "Channel"]


def test_the_type_of_a_field_cannot_be_changed(carl: FlaskClient) -> None:
    carl.post("/settings/custom-fields", data=FORM)
    carl.post(f"/settings/custom-fields/{stored().id}", data={**FORM, "kind": "text", "name": "Channel"})
    db.session.expire_all()
    assert (stored().name, stored().kind) == ("Channel", "single_select")


def test_fields_move_up_and_down(carl: FlaskClient) -> None:
    for name in ("A", "B", "C"):
        carl.post("/settings/custom-fields", data={**FORM, "name": name})
    last = queries.all_definitions()[2].id
    carl.post(f"/settings/custom-fields/{last}/move", data={"to": "up"})
    db.session.expire_all()
    assert [each.name for each in queries.all_definitions()] == ["A", "C", "B"]


def test_an_archived_field_leaves_every_form_and_comes_back_with_its_values(
    carl: FlaskClient, task: Task, cast: Cast, person: User
) -> None:
    definition = create_definition(name="Note", kind="text", by=person)
    save_value(definition, ["kept"], by=person, task=task)
    db.session.commit()
    carl.post(f"/settings/custom-fields/{definition.id}/archive")
    db.session.expire_all()
    assert queries.definitions_for("task_edit", cast.payments, None) == []
    carl.post(f"/settings/custom-fields/{definition.id}/restore")
    db.session.expire_all()
    [back] = queries.definitions_for("task_edit", cast.payments, None)
    assert queries.values_of_task(task.id)[back.id].value == "kept"


def test_a_field_stays_restricted_to_an_action_that_is_archived(
    carl: FlaskClient, person: User, action: Action
) -> None:
    definition = create_definition(name="Note", kind="text", by=person, action_ids=[action.id])
    action.archived_at = now()
    db.session.commit()
    address = f"/settings/custom-fields/{definition.id}"
    assert carl.get(address).text.count("Slack: Post to a channel (archived)") == 2
    answer = carl.post(address, data={**FORM, "kind": "text", "name": "Note", "action_ids": [action.id]})
    assert (answer.status_code, stored().restricted_action_ids) == (303, [action.id])
    assert "(archived)" not in carl.get("/settings/custom-fields/new").text.partition("<aside")[2]


def test_a_field_shows_where_it_is_visible_and_meant(person: User, action: Action, cast: Cast) -> None:
    treasury = db.session.get_one(Workspace, cast.treasury)
    create_definition(name="Everywhere", kind="text", by=person)
    create_definition(name="Treasury only", kind="text", by=person, is_global=False, workspaces=[treasury])
    create_definition(name="Slack only", kind="text", by=person, action_ids=[action.id])
    create_definition(name="At start", kind="text", by=person, displays_on=["task_start"])

    def names(place: str, workspace: int, action_id: int | None) -> list[str]:
        return [each.name for each in queries.definitions_for(place, workspace, action_id)]

    assert names("task_edit", cast.payments, None) == ["Everywhere"]
    assert names("task_edit", cast.payments, action.id) == ["Everywhere", "Slack only"]
    assert names("task_edit", cast.treasury, None) == ["Everywhere", "Treasury only"]
    assert names("task_start", cast.payments, None) == ["At start"]
    usable, elsewhere = queries.known_names([cast.payments], None)
    assert (sorted(usable), sorted(elsewhere)) == (
        ["At start", "Everywhere"],
        ["Slack only", "Treasury only"],
    )


def test_a_value_is_checked_stored_and_audited_with_before_and_after(person: User, task: Task) -> None:
    definition = create_definition(name="Count", kind="number", by=person)
    save_value(definition, ["1"], by=person, task=task)
    save_value(definition, ["2"], by=person, task=task)
    with pytest.raises(InvalidValue):
        save_value(definition, ["many"], by=person, task=task)
    db.session.commit()
    assert db.session.scalars(select(FieldValue.value)).all() == [2]
    lines = db.session.scalars(select(AuditLine).where(AuditLine.verb == "field_value.changed")).all()
    assert [(line.before, line.after) for line in lines] == [
        ({"Count": None}, {"Count": 1}),
        ({"Count": 1}, {"Count": 2}),
    ]


def test_the_change_of_a_user_field_is_audited_by_name(task: Task, person: User) -> None:
    owner = create_definition(name="Owner", kind="user", by=person)
    save_value(owner, [str(person.id)], by=person, task=task)
    db.session.flush()
    [line] = db.session.scalars(select(AuditLine).where(AuditLine.verb == "field_value.changed"))
    assert (line.before, line.after) == ({"Owner": None}, {"Owner": "Rune"})


def test_a_copied_task_gets_all_values_but_the_transient_ones(person: User, task: Task) -> None:
    kept = create_definition(name="Channel", kind="text", by=person)
    left = create_definition(name="Message", kind="text", by=person, transient=True)
    for definition in (kept, left):
        save_value(definition, ["x"], by=person, task=task)
    copy = Task(runbook=task.runbook, stream=task.stream, number=2, title="Copy")
    db.session.add(copy)
    db.session.flush()
    copy_task_values({task.id: copy.id})
    db.session.commit()
    assert list(queries.values_of_task(copy.id)) == [kept.id]


def test_required_fields_without_a_value_are_named(person: User, task: Task, cast: Cast) -> None:
    create_definition(name="Channel", kind="text", by=person, required=True)
    create_definition(name="Note", kind="text", by=person)
    definitions = queries.definitions_for("task_edit", cast.payments, None)
    missing = queries.missing_required(definitions, queries.values_of_task(task.id))
    assert [each.name for each in missing] == ["Channel"]


def test_the_list_costs_the_same_for_one_and_for_thirty_fields(
    carl: FlaskClient, person: User, counting_queries: Callable[[], Any]
) -> None:
    def cost() -> int:
        with counting_queries() as seen:
            assert carl.get("/settings/custom-fields").status_code == 200
        return len(seen)

    create_definition(name="F0", kind="text", by=person)
    db.session.commit()
    one = cost()
    for number in range(1, 30):
        create_definition(name=f"F{number}", kind="text", by=person)
    db.session.commit()
    assert cost() == one


def test_only_custom_fields_admins_open_the_page(cast: Cast, client_of: ClientOf) -> None:
    codes = {
        who: client_of(who).get("/settings/custom-fields").status_code
        for who in (cast.carl, cast.ines, cast.rune)
    }
    assert codes == {cast.carl: 200, cast.ines: 403, cast.rune: 403}
