"""Every predefined integration is data that fits together, and setting one up makes everything at once."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

from webapp.accounts.models import User
from webapp.audit.models import AuditLine
from webapp.extensions import db
from webapp.fields.kinds import KINDS
from webapp.fields.models import DISPLAYS_ON, FieldDefinition
from webapp.forms import SecretField
from webapp.integrations import operations
from webapp.integrations.authorizations import AUTHORIZATIONS
from webapp.integrations.models import Action, Connection
from webapp.integrations.predefined import PREDEFINED, Predefined
from webapp.integrations.request import check
from webapp.integrations.settings import REQUEST_FIELDS
from webapp.integrations.standing import of_action
from webapp.template_diagnosis import KnownNames
from webapp.workspaces.models import Workspace

SLACK_ANSWERS = {
    "client_id": "2141029472.691202649728",
    "client_secret": "very-secret",
    "authenticate_as": "functional",
    "api_version": "v2",
    "base_url": "https://slack.com",
}
ANSWERS: dict[str, list[dict[str, str]]] = {
    "slack": [
        {**SLACK_ANSWERS, "authenticate_as": who, "api_version": version}
        for who in ("functional", "task")
        for version in ("v1", "v2")
    ]
}
CASES = [(kind, answers) for kind in PREDEFINED for answers in ANSWERS[kind.key]]


def _name(value: Any) -> str:
    return (
        value.key if isinstance(value, Predefined) else f"{value['api_version']}-{value['authenticate_as']}"
    )


@pytest.mark.parametrize(("kind", "answers"), CASES, ids=_name)
def test_its_authorization_is_valid_for_its_type(app: Any, kind: Predefined, answers: dict[str, str]) -> None:
    authorization = kind.authorization(answers)
    wanted = AUTHORIZATIONS[authorization.kind]
    form = wanted.form(formdata=None, meta={"csrf": False})
    assert {*authorization.settings, *authorization.secrets} == set(form.data)
    assert set(authorization.secrets) == set(wanted.secret_fields)
    assert wanted.validate(authorization.settings, authorization.secrets) == {}


@pytest.mark.parametrize("kind", PREDEFINED, ids=_name)
def test_its_form_asks_for_everything_that_is_answered(app: Any, kind: Predefined) -> None:
    form = kind.form(formdata=None, meta={"csrf": False})
    assert set(form.data) == set(ANSWERS[kind.key][0])
    assert kind.secret_fields == tuple(each.short_name for each in form if isinstance(each, SecretField))


@pytest.mark.parametrize("kind", PREDEFINED, ids=_name)
def test_its_actions_have_requests_without_a_problem_and_fields_that_exist(kind: Predefined) -> None:
    assert len({template.key for template in kind.actions}) == len(kind.actions) > 0
    for template in kind.actions:
        known = KnownNames({field.name: KINDS[field.kind].sample(()) for field in template.fields})
        found = check(template.request(kind.default_base_url), known, kind=None, settings={})
        assert found.problems == ()
        assert found.rendered is not None
        assert all(set(field.displays_on) <= set(DISPLAYS_ON) for field in template.fields)
        used = {name for name in known.custom_fields if f"['{name}']" in template.body + template.path}
        assert used == set(known.custom_fields)


@pytest.mark.parametrize("kind", PREDEFINED, ids=_name)
def test_its_presets_name_settings_of_their_type(app: Any, kind: Predefined) -> None:
    for preset in kind.presets:
        form = AUTHORIZATIONS[preset.authorization].form(formdata=None, meta={"csrf": False})
        assert set(preset.settings) <= set(form.data) - set(
            AUTHORIZATIONS[preset.authorization].secret_fields
        )


@pytest.mark.parametrize("kind", PREDEFINED, ids=_name)
def test_each_of_its_errors_has_a_sentence_a_remedy_and_someone_who_acts(kind: Predefined) -> None:
    assert len(kind.errors) > 0
    assert [
        code for code, error in kind.errors.items() if not (error.sentence and error.remedy and error.who)
    ] == []


@pytest.mark.parametrize(("kind", "answers"), CASES, ids=_name)
def test_setting_it_up_makes_connection_action_and_fields_in_one_go(
    app: Any, ines: User, kind: Predefined, answers: dict[str, str]
) -> None:
    action = operations.create_predefined(kind, answers, by=ines)
    db.session.commit()

    template = kind.actions[0]
    assert (action.connection.name, action.connection.predefined) == (kind.label, kind.key)
    assert {name: getattr(action, name) for name in REQUEST_FIELDS} == vars(
        template.request(kind.base_url(answers))
    )
    assert operations.secrets_of(action) == dict(kind.authorization(answers).secrets)
    fields = db.session.scalars(select(FieldDefinition).order_by(FieldDefinition.position)).all()
    assert [
        (each.name, each.kind, each.required, each.transient, each.displays_on, each.restricted_action_ids)
        for each in fields
    ] == [
        (each.name, each.kind, each.required, each.transient, list(each.displays_on), [action.id])
        for each in template.fields
    ]
    assert of_action(action, None).words in ("Not signed in", "Each task user")
    verbs = db.session.scalars(select(AuditLine.verb).where(AuditLine.actor_id == ines.id)).all()
    assert verbs[-2 - len(fields) :] == [
        "connection.created",
        "action.created",
        *["field.created"] * len(fields),
    ]


def test_slack_comes_with_the_guides_two_fields(app: Any, ines: User) -> None:
    action = operations.create_predefined(PREDEFINED["slack"], SLACK_ANSWERS, by=ines)
    fields = {each.name: each for each in db.session.scalars(select(FieldDefinition))}
    assert list(fields) == ["Slack Channel", "Slack Message"]
    assert all(
        each.displays_on == ["task_edit"] and each.required and each.transient for each in fields.values()
    )
    assert (action.name, action.cancelable, action.finish_on_success, action.ok_false_fails) == (
        "Post to a channel",
        True,
        True,
        True,
    )


def test_a_second_slack_connection_gets_a_name_and_fields_of_its_own(app: Any, ines: User) -> None:
    first = operations.create_predefined(PREDEFINED["slack"], SLACK_ANSWERS, by=ines)
    second = operations.create_predefined(PREDEFINED["slack"], SLACK_ANSWERS, by=ines)
    assert (first.connection.name, second.connection.name) == ("Slack", "Slack 2")
    restricted = [each.restricted_action_ids for each in db.session.scalars(select(FieldDefinition))]
    assert restricted == [[first.id], [first.id], [second.id], [second.id]]


def test_nothing_is_left_behind_when_a_field_is_in_the_way(app: Any, ines: User) -> None:
    from webapp.fields.operations import create_definition

    create_definition(name="Slack Channel", kind="text", by=ines)
    db.session.commit()
    with pytest.raises(operations.IntegrationRefused, match="Slack Channel"):
        operations.create_predefined(PREDEFINED["slack"], SLACK_ANSWERS, by=ines)
    db.session.rollback()
    assert db.session.scalars(select(Connection)).all() == []
    assert db.session.scalars(select(Action)).all() == []


def test_a_further_action_takes_client_and_secret_over(app: Any, ines: User) -> None:
    slack = PREDEFINED["slack"]
    first = operations.create_predefined(
        slack, {**SLACK_ANSWERS, "base_url": "http://127.0.0.1:5060"}, by=ines
    )
    template = slack.action("reply")
    assert template is not None
    second = operations.create_from_template(
        first.connection, slack, template, template.general, is_global=True, by=ines
    )
    assert second.url == "http://127.0.0.1:5060/api/chat.postMessage"
    assert second.authorization_settings == first.authorization_settings
    assert operations.secrets_of(second) == {"client_secret": "very-secret"}
    assert second.authorization_secrets != first.authorization_secrets


def test_visibility_of_the_fields_is_that_of_the_action(app: Any, ines: User) -> None:
    payments = db.session.scalars(select(Workspace).where(Workspace.name == "Payments")).one()
    operations.create_predefined(
        PREDEFINED["slack"], SLACK_ANSWERS, is_global=False, workspaces=[payments], by=ines
    )
    fields = db.session.scalars(select(FieldDefinition)).all()
    assert [(each.is_global, [ws.name for ws in each.workspaces]) for each in fields] == [
        (False, ["Payments"])
    ] * 2
