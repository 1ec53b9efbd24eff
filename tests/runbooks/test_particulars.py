"""Integration actions and custom field values in a plan's YAML: exported, imported elsewhere, left out where unknown."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import delete, select

from tests.cast import Cast
from tests.runbooks.conftest import MakeAction, MakeField, MakeRunbook, task
from webapp.accounts.models import User
from webapp.audit.models import AuditLine
from webapp.extensions import db
from webapp.fields import queries as fields
from webapp.fields.kinds import KINDS
from webapp.fields.models import FieldDefinition
from webapp.integrations.models import Action
from webapp.runbooks import imports, operations, queries
from webapp.runbooks.models import PlanImport, Runbook
from webapp.runbooks.operations import importing
from webapp.runbooks.plan_particulars import load_particulars, offered_in
from webapp.runbooks.sheets.columns import PlanMapping
from webapp.runbooks.sheets.particulars import Notice, Offered, OfferedField, resolve
from webapp.runbooks.sheets.reading import read
from webapp.runbooks.sheets.table import FileRefused
from webapp.runbooks.sheets.yaml_files import PlanHead, write_yaml
from webapp.workspaces.models import Membership, Workspace

START = b"runsheet: runbook 1\nname: A\ntasks:\n- title: Call\n"


def yaml_of(runbook: Runbook) -> bytes:
    streams = [(each.name, each.color, "") for each in queries.streams_of(runbook.id)]
    head = PlanHead(runbook.name, runbook.description, runbook.planned_start, streams)
    return write_yaml(head, imports.plan_rows(runbook.id), load_particulars(runbook))


def imported(data: bytes, workspace_id: int, by: User) -> Runbook:
    """A new runbook there of the file."""
    workspace = db.session.get_one(Workspace, workspace_id)
    found = importing.receive_plan(
        read(data), file_name="a.yaml", zone="UTC", by=by, workspace=workspace, new_name="Imported"
    )
    found.state = "queued"
    db.session.commit()
    assert importing.perform_import(found.id, told=lambda written: None)
    db.session.commit()
    made = db.session.get_one(PlanImport, found.id).runbook
    assert made is not None
    return made


@pytest.fixture
def action(make_action: MakeAction) -> Action:
    return make_action()


@pytest.fixture
def every_kind(rune: User) -> list[FieldDefinition]:
    """A field of every type, each with a value that its kind gives as a sample; one for people."""
    options = ["Red", "Green; very", "Blue"]
    made = [
        FieldDefinition(name=f"A {kind.key}", kind=kind.key, options=options if kind.has_options else [])
        for kind in KINDS
    ]
    db.session.add_all(made)
    db.session.commit()
    return made


def test_a_plan_comes_back_with_its_actions_and_the_values_of_fields_of_every_type(
    make_runbook: MakeRunbook, action: Action, every_kind: list[FieldDefinition], rune: User, cast: Cast
) -> None:
    runbook = make_runbook("Call", "End", actions={1: action})
    own = FieldDefinition(name="Change number", kind="text", displays_on=["runbook_edit"])
    db.session.add(own)
    db.session.flush()
    for definition in every_kind:
        sample = KINDS[definition.kind].sample(definition.options)
        typed = sample if isinstance(sample, list) else [str(sample)]
        if KINDS[definition.kind].people(rune.id):
            typed = [str(rune.id)]
        operations.save_field(task(runbook, 1), definition, typed, by=rune)
    operations.save_runbook_field(runbook, own, ["CHG 12"], by=rune)
    db.session.commit()
    data = yaml_of(runbook)
    made = imported(data, cast.payments, rune)
    before, after = (fields.values_of_task(task(each, 1).id) for each in (runbook, made))
    assert {key: each.value for key, each in after.items()} == {
        key: each.value for key, each in before.items()
    }
    assert len(after) == len(KINDS)
    assert {key: each.value for key, each in fields.values_of_runbook(made.id).items()} == {own.id: "CHG 12"}
    assert (task(made, 1).action_id, task(made, 2).action_id) == (action.id, None)
    made.name = runbook.name
    assert yaml_of(made) == data


def test_it_is_written_by_name_and_what_is_transient_never(
    make_runbook: MakeRunbook, action: Action, make_field: MakeField, rune: User
) -> None:
    runbook = make_runbook("Call", actions={1: action})
    for definition in (make_field("Channel"), make_field("Code of today", transient=True)):
        operations.save_field(task(runbook, 1), definition, ["#general"], by=rune)
    db.session.commit()
    assert (
        yaml_of(runbook)
        .decode()
        .endswith(
            "- number: 1\n"
            "  title: Call\n"
            "  stream: Tasks\n"
            "  duration: 5m\n"
            "  integration_action:\n"
            "    connection: Slack\n"
            "    name: Post to a channel\n"
            "  fields:\n"
            "    Channel: '#general'\n"
        )
    )


def test_elsewhere_it_is_imported_without_what_is_not_there_which_is_named(
    make_runbook: MakeRunbook,
    make_action: MakeAction,
    make_field: MakeField,
    rune: User,
    cast: Cast,
) -> None:
    payments = [db.session.get_one(Workspace, cast.payments)]
    hidden = make_action(is_global=False, workspaces=payments)
    runbook = make_runbook("Call", "Call again", actions={1: hidden, 2: hidden})
    mine = make_field("Channel", is_global=False, workspaces=payments)
    person = make_field("Who", kind="user")
    for number in (1, 2):
        operations.save_field(task(runbook, number), mine, ["#general"], by=rune)
    operations.save_field(task(runbook, 1), person, [str(rune.id)], by=rune)
    db.session.add(Membership(workspace_id=cast.treasury, user_id=cast.ada, role="editor"))
    db.session.commit()
    ada = db.session.get_one(User, cast.ada)
    data = yaml_of(runbook)
    db.session.execute(delete(AuditLine))
    made = imported(data, cast.treasury, ada)
    assert [each.title for each in queries.names_within(made.id)] == ["Call", "Call again"]
    assert task(made, 1).action_id is None
    assert fields.values_of_task(task(made, 1).id) == {}
    line = db.session.scalars(select(AuditLine).where(AuditLine.verb == "runbook.plan_imported")).one()
    assert line.after is not None
    assert line.after["left out"] == [
        "There is no integration action “Slack: Post to a channel” in this workspace.",
        "There is no custom field “Channel” here in this workspace.",
        "Who: “rune@example.com” is nobody in this workspace.",
    ]


def test_the_import_page_names_what_will_be_left_out(client_of: Any, cast: Cast, rune: User) -> None:
    data = START + b"  integration_action:\n    connection: Pager\n    name: Ring\n  fields:\n    Room: 12\n"
    workspace = db.session.get_one(Workspace, cast.payments)
    found = importing.receive_plan(
        read(data), file_name="a.yaml", zone="UTC", by=rune, workspace=workspace, new_name="Imported"
    )
    db.session.commit()
    text = client_of(cast.rune).get(f"/imports/{found.id}").text
    assert "There is no integration action “Pager: Ring” in this workspace." in text
    assert "There is no custom field “Room” here in this workspace." in text
    assert "Import 1 task" in text


def known(read_: Any = lambda texts: texts[0], **options: Any) -> OfferedField:
    return OfferedField(7, "Channel", read_, **options)


def test_capitals_do_not_matter_and_a_field_of_another_action_is_left_out() -> None:
    said = {
        "tasks": {
            "2": {"action": ["SLACK", "post"], "fields": {"channel": "#a"}},
            "3": {"fields": {"Channel": "#b"}},
        }
    }
    offered = Offered({("slack", "post"): 5}, [known(action_ids=frozenset({5}))])
    found = resolve(said, {2, 3}, offered)
    assert (found.actions, found.values) == ({2: 5}, {2: {7: "#a"}})
    assert found.notices == [
        Notice("There is no custom field “Channel” here in this workspace.", "Its values are left out.", [3])
    ]
    assert found.facts() == {
        "integration actions": 1,
        "field values": 1,
        "left out": ["There is no custom field “Channel” here in this workspace."],
    }


def test_a_field_that_is_not_for_runbooks_takes_no_value_of_one() -> None:
    said = {"fields": {"Channel": "#a"}}
    assert resolve(said, set(), Offered({}, [known(on_runbook=True)])).own == {7: "#a"}
    assert resolve(said, set(), Offered({}, [known()])).own == {}


def test_rows_that_are_not_imported_say_nothing() -> None:
    assert resolve({"tasks": {"9": {"fields": {"Room": "1"}}}}, {2}, Offered({}, [])).facts() == {}


@pytest.mark.parametrize(
    ("written", "sentence"),
    [
        (
            b"  integration_action: Post\n",
            "“integration_action” of task 1 has to have the entries connection and name, and no others.",
        ),
        (
            b"  integration_action:\n    connection: [a]\n    name: b\n",
            "“integration_action” of task 1 has to have plain values.",
        ),
        (b"  fields: [a]\n", "“fields” of task 1 has to be a list of names and values."),
        (
            b"  fields:\n    Room: {a: b}\n",
            "“fields” of task 1 has a value of “Room” that is neither text nor a list of texts.",
        ),
        (
            b"  fields:\n    Room: " + b"x" * 20_001 + b"\n",
            "“fields” of task 1 has a value of “Room” that is neither text nor a list of texts.",
        ),
    ],
    ids=["plain", "lists", "no names", "nested", "long"],
)
def test_what_no_export_writes_is_refused_with_a_sentence(written: bytes, sentence: str) -> None:
    with pytest.raises(FileRefused) as refusal:
        read(START + written)
    assert str(refusal.value) == sentence


def test_exporting_and_offering_read_as_much_for_many_tasks_as_for_few(
    make_runbook: MakeRunbook, make_field: MakeField, action: Action, counting_queries: Any, rune: User
) -> None:
    definition = make_field()
    counts = []
    for size in (2, 25):
        numbers = range(1, size + 1)
        made = make_runbook(*(f"Task {each}" for each in numbers), actions=dict.fromkeys(numbers, action))
        for number in numbers:
            operations.save_field(task(made, number), definition, ["x"], by=rune)
        db.session.commit()
        db.session.expire_all()
        made.workspace_id  # noqa: B018
        with counting_queries() as seen:
            load_particulars(made)
            offered_in(made.workspace_id)
        counts.append(len(seen))
    assert counts[0] == counts[1]


def test_a_mapping_that_was_kept_before_files_said_so_much_is_still_read() -> None:
    table = read(b"ID,Title\n1,Call\n")
    stored = table.as_json()
    del stored["about"]["particulars"]
    assert type(table).from_json(stored) == table
    assert PlanMapping(("number", "title"), "UTC").at("title") == 1
