"""Saving, copying and archiving actions; what becomes of their secrets and of people's sign-ins."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

from webapp.accounts.models import User
from webapp.audit.models import AuditLine
from webapp.clock import now
from webapp.extensions import db
from webapp.fields.models import FieldDefinition
from webapp.fields.operations import create_definition
from webapp.integrations import operations, queries
from webapp.integrations.models import Action, Authentication
from webapp.integrations.settings import Authorization, General, RequestSettings
from webapp.secrets import SealedElsewhere
from webapp.workspaces.models import Workspace

SETTINGS = {
    "flow": "authorization_code",
    "authenticate_as": "functional",
    "client_id": "2141029472.691202649728",
    "provider_host": "https://slack.com",
    "authorization_endpoint": "/oauth/authorize",
    "token_endpoint": "/api/oauth.access",
    "scopes": "chat:write:bot",
}
OAUTH = Authorization("oauth_code", SETTINGS, {"client_secret": "very-secret"})
KEEP = Authorization("oauth_code", SETTINGS)
REQUEST = RequestSettings(url="https://slack.com/api/chat.postMessage", body='{"text":"hello"}')
GENERAL = General("Post to a channel", cancelable=True, finish_on_success=True)


@pytest.fixture
def action(app: Any, ines: User) -> Action:
    connection = operations.create_connection(name="Slack", by=ines)
    made = operations.create_action(
        connection, GENERAL, is_global=True, authorization=OAUTH, request=REQUEST, by=ines
    )
    db.session.commit()
    return made


def _sign_in(action: Action, ines: User, task_id: int | None = None) -> Authentication:
    granted = Authentication(
        action_id=action.id,
        task_id=task_id,
        user_id=ines.id if task_id else None,
        provider_host="https://slack.com",
        request_host="slack.com",
        identity={"label": "U1 in team T1"},
        granted_by_id=ines.id,
    )
    db.session.add(granted)
    db.session.commit()
    return granted


def _save(action: Action, ines: User, **changes: Any) -> operations.Saved:
    values: dict[str, Any] = {"general": GENERAL, "authorization": KEEP, "request": REQUEST, **changes}
    return operations.save_action(action, by=ines, **values)


def _lines(verb: str) -> list[AuditLine]:
    return list(db.session.scalars(select(AuditLine).where(AuditLine.verb == verb)))


def test_a_secret_is_sealed_for_its_row_and_never_audited(app: Any, action: Action) -> None:
    assert action.authorization_secrets is not None
    assert b"very-secret" not in action.authorization_secrets
    assert operations.secrets_of(action) == {"client_secret": "very-secret"}
    with pytest.raises(SealedElsewhere):
        app.extensions["vault"].open("integration_actions:999", action.authorization_secrets)
    assert action.secrets_saved_by == "Ines"
    line = _lines("action.created")[0]
    assert line.after is not None
    assert line.after["secrets"] == ["client_secret"]
    assert "very-secret" not in str(line.after)


def test_saving_without_a_change_changes_and_audits_nothing(action: Action, ines: User) -> None:
    before = queries.edition(action)
    _save(action, ines)
    assert (action.revision, queries.edition(action)) == (1, before)
    assert _lines("action.updated") == []


def test_a_secret_that_is_not_typed_again_stays(action: Action, ines: User) -> None:
    _save(action, ines, request=RequestSettings(url=REQUEST.url, body='{"text":"other"}'))
    assert operations.secrets_of(action) == {"client_secret": "very-secret"}
    assert action.revision == 2
    line = _lines("action.updated")[0]
    assert (line.before, line.after) == ({"body": '{"text":"hello"}'}, {"body": '{"text":"other"}'})


def test_a_name_is_no_reason_for_a_new_revision(action: Action, ines: User) -> None:
    before = queries.edition(action)
    _save(action, ines, general=General("Tell the channel", cancelable=True, finish_on_success=True))
    assert action.revision == 1
    assert queries.edition(action) != before


def test_replacing_a_secret_is_audited_by_its_name(action: Action, ines: User) -> None:
    _save(action, ines, authorization=OAUTH)
    assert action.revision == 2
    line = _lines("action.updated")[0]
    assert (line.before, line.after) == ({}, {"secrets_replaced": ["client_secret"]})


@pytest.mark.parametrize(
    ("authorization", "request_settings"),
    [
        (KEEP, RequestSettings(url="https://evil.test/collect")),
        (KEEP, RequestSettings(url="http://slack.com/api/chat.postMessage")),
        (Authorization("oauth_code", {**SETTINGS, "provider_host": "https://evil.test"}), REQUEST),
        (Authorization("oauth_code", {**SETTINGS, "token_endpoint": "/collect"}), REQUEST),
        (Authorization("oauth_code", {**SETTINGS, "client_id": "9.9"}), REQUEST),
    ],
    ids=["request host", "request scheme", "provider host", "token endpoint", "client ID"],
)
def test_a_stored_secret_does_not_follow_to_another_place(
    action: Action, ines: User, authorization: Authorization, request_settings: RequestSettings
) -> None:
    _sign_in(action, ines)
    with pytest.raises(operations.CredentialsWouldMove) as refusal:
        _save(action, ines, authorization=authorization, request=request_settings, sign_ins_may_end=True)
    assert (refusal.value.missing, refusal.value.sign_ins) == (["client_secret"], 1)
    assert action.authorization_settings == SETTINGS
    assert action.url == REQUEST.url
    assert operations.count_authentications(action.id) == 1


def test_sign_ins_end_only_after_a_warning(action: Action, ines: User) -> None:
    _sign_in(action, ines)
    moved = RequestSettings(url="https://other.test/post")
    with pytest.raises(operations.CredentialsWouldMove) as refusal:
        _save(action, ines, authorization=OAUTH, request=moved)
    assert (refusal.value.missing, refusal.value.sign_ins) == ([], 1)

    saved = _save(action, ines, authorization=OAUTH, request=moved, sign_ins_may_end=True)
    assert saved.sign_ins_ended == 1
    assert operations.count_authentications(action.id) == 0
    assert operations.secrets_of(action) == {"client_secret": "very-secret"}
    line = _lines("action.authentications_ended")[0]
    assert line.note == "Ended because the request host changes from https://slack.com to https://other.test."


def test_another_authorization_type_forgets_secrets_and_sign_ins(action: Action, ines: User) -> None:
    _sign_in(action, ines)
    saved = _save(action, ines, authorization=Authorization(), sign_ins_may_end=True)
    assert saved.sign_ins_ended == 1
    assert (action.authorization_secrets, action.secrets_saved_by) == (None, None)


def test_a_token_granted_before_the_url_was_set_is_bound_to_its_first_host(
    action: Action, ines: User
) -> None:
    action.url = ""
    granted = _sign_in(action, ines)
    granted.request_host = ""
    db.session.commit()
    assert _save(action, ines).sign_ins_ended == 0
    db.session.refresh(granted)
    assert granted.request_host == "slack.com"


def test_an_action_must_be_visible_somewhere(app: Any, ines: User) -> None:
    connection = operations.create_connection(name="Slack", by=ines)
    with pytest.raises(operations.IntegrationRefused) as refusal:
        operations.create_action(connection, GENERAL, is_global=False, by=ines)
    assert refusal.value.field == "workspaces"


def test_a_copy_for_another_workspace_works_at_once_but_for_signing_in(action: Action, ines: User) -> None:
    _sign_in(action, ines)
    payments, treasury = _workspaces()
    field = create_definition(
        name="Slack Channel",
        kind="text",
        is_global=False,
        workspaces=[payments],
        action_ids=[action.id],
        by=ines,
    )
    copy = operations.duplicate_action(action, [treasury], by=ines)
    db.session.commit()

    assert copy.id != action.id
    assert (copy.is_global, copy.workspaces) == (False, [treasury])
    assert (copy.name, copy.url, copy.body, copy.cancelable) == (
        action.name,
        action.url,
        action.body,
        action.cancelable,
    )
    assert operations.secrets_of(copy) == {"client_secret": "very-secret"}
    assert operations.count_authentications(copy.id) == 0
    assert field.restricted_action_ids == [action.id, copy.id]
    assert [each.name for each in field.workspaces] == ["Payments", "Treasury"]
    assert _lines("action.duplicated")[0].after == {"copy": copy.id, "visibility": ["Treasury"]}


def test_a_copy_is_refused_where_a_field_of_that_name_is_in_the_way(action: Action, ines: User) -> None:
    payments, treasury = _workspaces()
    create_definition(
        name="Slack Channel",
        kind="text",
        is_global=False,
        workspaces=[payments],
        action_ids=[action.id],
        by=ines,
    )
    create_definition(name="Slack Channel", kind="number", is_global=False, workspaces=[treasury], by=ines)
    db.session.commit()
    with pytest.raises(
        operations.IntegrationRefused, match="The custom field “Slack Channel” cannot be set up there"
    ):
        operations.duplicate_action(action, [treasury], by=ines)


def test_tasks_are_not_offered_what_is_archived_or_visible_elsewhere(action: Action, ines: User) -> None:
    payments, treasury = _workspaces()
    own = operations.create_action(
        action.connection, General("Own"), is_global=False, workspaces=[treasury], by=ines
    )
    assert [each.name for each in queries.actions_in(payments.id)] == ["Post to a channel"]
    assert [each.name for each in queries.actions_in(treasury.id)] == ["Post to a channel", "Own"]
    operations.archive_action(own, by=ines)
    assert [each.name for each in queries.actions_in(treasury.id)] == ["Post to a channel"]
    assert queries.action_choices() == [(action.id, "Slack: Post to a channel")]
    operations.archive_connection(action.connection, by=ines)
    assert queries.actions_in(treasury.id) == []
    operations.restore_connection(action.connection, by=ines)
    operations.restore_action(own, by=ines)
    assert [each.name for each in queries.actions_in(treasury.id)] == ["Post to a channel", "Own"]


def test_archiving_twice_is_audited_once(action: Action, ines: User) -> None:
    operations.archive_action(action, by=ines)
    operations.archive_action(action, by=ines)
    operations.restore_action(action, by=ines)
    operations.restore_action(action, by=ines)
    assert [len(_lines("action.archived")), len(_lines("action.restored"))] == [1, 1]


def test_a_refused_token_is_marked_by_its_first_refusal(action: Action, ines: User) -> None:
    granted = _sign_in(action, ines)
    operations.mark_refused(granted, "token_revoked")
    at = granted.refused_at
    operations.mark_refused(granted, "invalid_auth")
    assert (granted.refusal, granted.refused_at) == ("token_revoked", at)
    assert at is not None
    assert at <= now()
    assert [line.after for line in _lines("authentication.refused")] == [{"code": "token_revoked"}]


def test_connection_names_are_unique_whatever_their_case(action: Action, ines: User) -> None:
    with pytest.raises(operations.IntegrationRefused) as refusal:
        operations.create_connection(name="SLACK", by=ines)
    assert refusal.value.field == "name"
    operations.update_connection(action.connection, name="slack", image_url="", by=ines)
    assert _lines("connection.updated")[0].after == {"name": "slack"}


def test_no_fields_are_left_when_nothing_was_restricted(action: Action, ines: User) -> None:
    operations.duplicate_action(action, [_workspaces()[1]], by=ines)
    assert db.session.scalars(select(FieldDefinition)).all() == []


def _workspaces() -> tuple[Workspace, Workspace]:
    found = {each.name: each for each in db.session.scalars(select(Workspace))}
    return found["Payments"], found["Treasury"]
