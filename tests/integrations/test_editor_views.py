"""The action editor: new action, three tabs in one form, live check, test request."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from markupsafe import Markup
from sqlalchemy import select

from webapp.accounts.models import User
from webapp.extensions import db
from webapp.fields.operations import create_definition
from webapp.integrations import offered, operations
from webapp.integrations.models import Action, Authentication, Connection
from webapp.integrations.settings import General
from webapp.runbooks.models import Runbook, Stream, Task
from webapp.workspaces.models import Workspace

HTMX = {"HX-Request": "true"}
GUIDE_PAYLOAD = """{"channel":"{{CustomField['Slack Channel']}}","text":"{{CustomField['Slack Message']}}}"""
MENDED = """{"channel":"{{CustomField['Slack Channel']}}","text":"{{CustomField['Slack Message']}}"}"""
GENERAL = {
    "name": "Post to a channel",
    "image_url": "",
    "trigger": "task_start",
    "cancelable": "y",
    "finish_on_success": "y",
    "ok_false_fails": "y",
    "timeout_s": "30",
}
OAUTH = {
    "authorization": "oauth_code",
    "authorization-flow": "authorization_code",
    "authorization-authenticate_as": "functional",
    "authorization-client_id": "2141029472.691202649728",
    "authorization-client_secret": "very-secret",
    "authorization-provider_host": "https://slack.com",
    "authorization-authorization_endpoint": "/oauth/authorize",
    "authorization-token_endpoint": "/api/oauth.access",
    "authorization-scopes": "write channels:read chat:write:bot chat:write:user",
    "authorization-extra_parameters": "",
    "authorization-token_choice": "bot",
    "authorization-token_path": "",
    "authorization-client_authentication": "client_secret_post",
    "authorization-pkce": "auto",
}
REQUEST = {
    "method": "POST",
    "url": "https://slack.com/api/chat.postMessage",
    "headers": '{"Content-Type":"application/json"}',
    "parameters": "",
    "body": MENDED,
    "mode": "fire_and_forget",
}


@pytest.fixture
def connection(app: Any, ines: User) -> Connection:
    made = operations.create_connection(name="Slack", by=ines)
    db.session.commit()
    return made


@pytest.fixture
def action(connection: Connection, ines: User) -> Action:
    made = operations.create_action(
        connection,
        General("Post to a channel", cancelable=True, finish_on_success=True),
        is_global=True,
        by=ines,
    )
    for name, kind in (("Slack Channel", "text"), ("Slack Message", "text_area")):
        create_definition(name=name, kind=kind, action_ids=[made.id], by=ines)
    db.session.commit()
    return made


def _address(action: Action) -> str:
    return f"/settings/integrations/{action.connection_id}/actions/{action.id}"


def _edition(page: str) -> str:
    found = re.search(r'name="edition"[^>]*value="(\w+)"', page)
    assert found is not None
    return found[1]


def _save(client: Any, action: Action, *, headers: Any = None, edition: str = "", **changes: str) -> Any:
    data = {**GENERAL, **OAUTH, **REQUEST, **changes}
    data["edition"] = edition or _edition(client.get(_address(action)).text)
    return client.post(_address(action), data=data, headers=headers)


def _sign_in(action: Action, ines: User) -> Authentication:
    granted = Authentication(
        action_id=action.id,
        provider_host="https://slack.com",
        request_host="slack.com",
        identity={
            "label": "U061F7AUR in team Wyld Stallyns",
            "team": "Wyld Stallyns",
            "scopes": "chat:write",
        },
        granted_by_id=ines.id,
    )
    db.session.add(granted)
    db.session.commit()
    return granted


def test_the_new_action_dialog_has_the_guides_labels(client: Any, connection: Connection) -> None:
    page = client.get(f"/settings/integrations/{connection.id}/actions/new").text
    for words in (
        "Build a custom integration",
        ">Name<",
        ">Image URL ",
        ">Trigger<",
        ">Visibility<",
        ">Additional Settings<",
        ">Cancelable<",
        ">Finish task on success<",
    ):
        assert words in page


def test_creating_an_action_leads_to_its_authorization(client: Any, connection: Connection) -> None:
    payments = db.session.scalars(select(Workspace).where(Workspace.name == "Payments")).one()
    answer = client.post(
        f"/settings/integrations/{connection.id}/actions",
        data={**GENERAL, "template": "", "visibility": "workspaces", "workspaces": [str(payments.id)]},
    )
    action = db.session.scalars(select(Action)).one()
    assert (answer.status_code, answer.location) == (303, f"{_address(action)}#authorization")
    assert (action.is_global, action.workspaces, action.cancelable, action.auto_start) == (
        False,
        [payments],
        True,
        False,
    )


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"name": ""}, "Enter a name."),
        ({"visibility": "workspaces"}, "Choose at least one workspace, or all workspaces."),
        ({"timeout_s": "0"}, "Enter a number of seconds from 1 to 120."),
        ({"timeout_s": "soon"}, ">Enter a number of seconds from 1 to 120.<"),
        ({"trigger": "on_full_moon"}, "Not a valid choice."),
    ],
)
def test_a_refused_new_action_keeps_what_was_typed(
    client: Any, connection: Connection, changes: dict[str, str], sentence: str
) -> None:
    data = {
        **GENERAL,
        "template": "",
        "visibility": "global",
        "image_url": "https://example.test/i.png",
        **changes,
    }
    answer = client.post(f"/settings/integrations/{connection.id}/actions", data=data)
    assert answer.status_code == 422
    assert sentence in answer.text
    assert 'value="https://example.test/i.png"' in answer.text


def test_the_guides_settings_are_saved_in_one_form(client: Any, action: Action) -> None:
    answer = _save(client, action)
    assert (answer.status_code, answer.location) == (303, _address(action))
    db.session.refresh(action)
    assert action.authorization_settings == {
        name.removeprefix("authorization-"): value
        for name, value in OAUTH.items()
        if name not in ("authorization", "authorization-client_secret")
    }
    assert operations.secrets_of(action) == {"client_secret": "very-secret"}
    assert (action.url, action.body, action.revision) == (REQUEST["url"], MENDED, 2)

    page = client.get(_address(action)).text
    assert "very-secret" not in page
    assert "by Ines." in page
    assert "/api/integrations/oauth/authentications/payload_transformer/callback" in page
    assert "Copy Slack app manifest" in page


def test_saving_by_htmx_reloads_the_page_so_that_its_policy_names_the_provider(
    client: Any, action: Action
) -> None:
    answer = _save(client, action, headers=HTMX)
    assert (answer.status_code, answer.headers["HX-Refresh"]) == (204, "true")
    policy = client.get(_address(action)).headers["Content-Security-Policy"]
    assert "form-action 'self' https://*.slack.com https://slack.com;" in policy


def test_the_guides_own_payload_is_refused_with_place_and_remedy(client: Any, action: Action) -> None:
    answer = _save(client, action, headers=HTMX, body=GUIDE_PAYLOAD)
    assert answer.status_code == 422
    assert "<html" not in answer.text
    assert "Line 1, column 54: This text value has an opening double quote but no closing one." in answer.text
    assert "Fix it" in answer.text
    assert "very-secret" not in answer.text
    db.session.refresh(action)
    assert action.url == ""


def test_errors_of_every_tab_are_shown_at_once_and_everything_typed_stays(
    client: Any, action: Action
) -> None:
    answer = _save(
        client,
        action,
        name="",
        body="{",
        **{"authorization-provider_host": "slack.com", "authorization-client_secret": ""},
    )
    assert answer.status_code == 422
    for sentence in (
        "Enter a name.",
        "Enter the Client Secret.",
        "Write the host with https://",
        "expected here",
    ):
        assert sentence in answer.text
    assert 'value="slack.com"' in answer.text
    assert 'value="2141029472.691202649728"' in answer.text
    assert re.findall(r'id="mark-(\w+)"[^>]*><span class="dot">', answer.text) == [
        "general",
        "authorization",
        "request",
    ]


def test_a_typed_secret_survives_a_refused_form_sealed(client: Any, action: Action) -> None:
    refused = _save(client, action, name="")
    kept = re.search(r'name="authorization-client_secret-kept" value="([^"]+)"', refused.text)
    assert kept is not None
    answer = _save(
        client,
        action,
        **{"authorization-client_secret": "", "authorization-client_secret-kept": kept[1]},
    )
    assert answer.status_code == 303
    assert operations.secrets_of(action) == {"client_secret": "very-secret"}


def test_a_sealed_secret_of_another_action_is_not_taken(client: Any, action: Action, ines: User) -> None:
    refused = _save(client, action, name="")
    kept = re.search(r'name="authorization-client_secret-kept" value="([^"]+)"', refused.text)
    assert kept is not None
    other = operations.create_action(action.connection, General("Other"), is_global=True, by=ines)
    db.session.commit()
    answer = _save(
        client, other, **{"authorization-client_secret": "", "authorization-client_secret-kept": kept[1]}
    )
    assert answer.status_code == 422
    assert "Enter the Client Secret." in answer.text


def test_what_someone_else_saved_meanwhile_is_not_overwritten(client: Any, action: Action) -> None:
    opened = _edition(client.get(_address(action)).text)
    assert _save(client, action).status_code == 303
    answer = _save(client, action, edition=opened, name="Mine")
    assert answer.status_code == 409
    assert "Someone else saved this action after you opened it." in answer.text
    assert 'value="Mine"' in answer.text
    assert _save(client, action, headers=HTMX, edition=opened, name="Mine").status_code == 422
    again = _save(client, action, edition=_edition(answer.text), name="Mine")
    assert again.status_code == 303


def test_another_host_asks_for_the_secret_again_and_warns_of_ended_sign_ins(
    client: Any, action: Action, ines: User
) -> None:
    _save(client, action)
    _sign_in(action, ines)
    moved = {"url": "https://other.test/post", "authorization-client_secret": ""}
    answer = _save(client, action, **moved)
    assert answer.status_code == 422
    assert "The request host changes from https://slack.com to https://other.test." in answer.text
    assert "Enter it again" in answer.text
    assert "1 sign-in ends with this change." in answer.text

    accepted = re.search(r'name="sign_ins_may_end"[^>]*value="([^"]*)"', answer.text)
    assert accepted is not None
    moved["authorization-client_secret"] = "very-secret"
    assert _save(client, action, **moved).status_code == 422
    assert operations.count_authentications(action.id) == 1
    assert _save(client, action, **moved, sign_ins_may_end=accepted[1]).status_code == 303
    assert operations.count_authentications(action.id) == 0


def test_an_app_id_in_place_of_the_client_id_is_noticed_but_saved(client: Any, action: Action) -> None:
    assert _save(client, action, **{"authorization-client_id": "A0KRD7HC3"}).status_code == 303
    assert "This looks like an App ID" in client.get(_address(action)).text


def test_the_connection_check_says_only_what_is_saved(client: Any, action: Action) -> None:
    nothing = "Nothing to check: requests are sent without credentials."
    assert nothing in client.get(_address(action)).text
    chosen = {**GENERAL, "authorization": "token"}
    fragment = client.post(f"{_address(action)}/authorization", data=chosen, headers=HTMX).text
    [check] = re.findall(r'<div id="sign-ins" hx-swap-oob="innerHTML">(.*?)</div>', fragment, re.DOTALL)
    assert "Save to see how this authorization stands." in check and "Filled in" not in check


def test_the_connection_check_names_what_is_missing(client: Any, action: Action) -> None:
    action.authorization = "token"
    db.session.commit()
    assert '<div class="note warn"' in client.get(_address(action)).text
    [check] = re.findall(r'id="sign-ins".*?</div>\s*</div>', client.get(_address(action)).text, re.DOTALL)
    assert "Not filled in yet" in check and "Enter the token." in check


def test_choosing_another_type_brings_its_fields(client: Any, action: Action) -> None:
    fragment = client.post(
        f"{_address(action)}/authorization", data={**GENERAL, "authorization": "token"}, headers=HTMX
    ).text
    assert "<html" not in fragment
    assert ">Token type<" in fragment
    assert "Client ID" not in fragment


def test_a_new_type_starts_with_its_own_defaults(client: Any, action: Action) -> None:
    data = {**GENERAL, "authorization": "oauth_code", "authorization-token_type": "Bearer"}
    fragment = client.post(f"{_address(action)}/authorization", data=data, headers=HTMX).text
    assert re.search(r'name="authorization-authenticate_as" value="functional" checked', fragment)


def test_a_typed_secret_survives_presets(client: Any, action: Action) -> None:
    address = f"{_address(action)}/authorization"
    first = client.post(address, data={**GENERAL, **OAUTH, "preset": "Slack (v2)"}, headers=HTMX).text
    kept = re.search(r'name="authorization-client_secret-kept" value="([^"]+)"', first)
    assert kept is not None
    data = {**OAUTH, "authorization-client_secret": "", "authorization-client_secret-kept": kept[1]}
    second = client.post(address, data={**GENERAL, **data, "preset": "Slack (v1)"}, headers=HTMX).text
    assert 'name="authorization-client_secret-kept"' in second
    assert "very-secret" not in first + second


def test_changing_the_type_without_scripts_shows_its_fields_before_saving(
    client: Any, action: Action
) -> None:
    data = {
        **GENERAL,
        **REQUEST,
        "authorization": "basic",
        "edition": _edition(client.get(_address(action)).text),
    }
    answer = client.post(_address(action), data=data)
    assert answer.status_code == 422
    assert "Fill in the fields of Basic Auth, then save." in answer.text
    assert ">User name<" in answer.text


def test_a_preset_fills_in_slacks_addresses_and_keeps_the_client(client: Any, action: Action) -> None:
    fragment = client.post(
        f"{_address(action)}/authorization", data={**GENERAL, **OAUTH, "preset": "Slack (v2)"}, headers=HTMX
    ).text
    assert 'value="/oauth/v2/authorize"' in fragment
    assert 'value="/api/oauth.v2.access"' in fragment
    assert 'value="2141029472.691202649728"' in fragment


def test_the_functional_users_sign_in_is_shown_with_who_and_where(
    client: Any, action: Action, ines: User
) -> None:
    _save(client, action)
    assert ">Authenticate<" in re.sub(r"<svg.*?</svg>", "", client.get(_address(action)).text)
    granted = _sign_in(action, ines)
    page = client.get(_address(action)).text
    assert "Authenticated as U061F7AUR in team Wyld Stallyns" in page
    assert "Re-authenticate" in page
    assert f'action="/integrations/authentications/{granted.id}/disconnect"' in page


def test_task_users_who_signed_in_are_listed_and_can_be_revoked(
    client: Any, action: Action, cast: Any
) -> None:
    _save(client, action, **{"authorization-authenticate_as": "task"})
    assert "Each task user authenticates" in client.get(_address(action)).text
    runbook = Runbook(workspace_id=cast.payments, name="Failover")
    task = Task(runbook=runbook, stream=Stream(runbook=runbook, name="Command"), number=1, title="Announce")
    db.session.add(task)
    db.session.flush()
    granted = Authentication(
        action_id=action.id,
        task_id=task.id,
        user_id=cast.rune,
        provider_host="https://slack.com",
        request_host="slack.com",
        identity={"label": "rune in team Wyld Stallyns"},
    )
    db.session.add(granted)
    db.session.commit()
    page = client.get(_address(action)).text
    assert "rune in team Wyld Stallyns" in page
    assert "Revoke the sign-in of Rune?" in page
    client.post(f"/integrations/authentications/{granted.id}/disconnect")
    assert operations.count_authentications(action.id) == 0


def test_visibility_is_shown_and_not_asked_after_creation(client: Any, action: Action) -> None:
    page = client.get(_address(action)).text
    assert "Cannot be changed any more." in page
    assert 'name="visibility"' not in page
    _save(client, action, visibility="workspaces", workspaces="1")
    db.session.refresh(action)
    assert action.is_global


def test_the_check_shows_the_exact_request(client: Any, action: Action) -> None:
    fragment = client.post(
        f"{_address(action)}/check", data={**GENERAL, **REQUEST, **OAUTH}, headers=HTMX
    ).text
    assert "<html" not in fragment
    assert "{&#34;channel&#34;:&#34;text&#34;,&#34;text&#34;:&#34;text&#34;}" in fragment
    assert "Authorization: Bearer ••••••" in fragment
    assert "CustomField[&#39;Slack Channel&#39;]" in fragment


def test_the_check_shows_the_values_of_a_chosen_task(
    client: Any, action: Action, monkeypatch: pytest.MonkeyPatch
) -> None:
    values = {"CustomField": {"Slack Channel": "#ops", "Slack Message": 'say "go"'}}
    monkeypatch.setattr(
        offered, "sample_tasks", lambda user, action_id: [offered.SampleTask(118, "#118 Announce")]
    )
    monkeypatch.setattr(offered, "sample_context", lambda user, task_id: values if task_id == 118 else {})
    fragment = client.post(
        f"{_address(action)}/check", data={**GENERAL, **REQUEST, **OAUTH, "sample": "118"}, headers=HTMX
    ).text
    assert "{&#34;channel&#34;:&#34;#ops&#34;,&#34;text&#34;:&#34;say \\&#34;go\\&#34;&#34;}" in fragment
    assert '<option value="118" selected>#118 Announce</option>' in fragment


def test_fix_it_mends_the_payload_and_saves_nothing(client: Any, action: Action) -> None:
    data = {**GENERAL, **REQUEST, "authorization": "none", "body": GUIDE_PAYLOAD}
    fragment = client.post(f"{_address(action)}/fix?part=body", data=data, headers=HTMX).text
    assert "{{CustomField[&#39;Slack Message&#39;]}}&#34;}</textarea>" in fragment
    assert 'id="body-field" hx-swap-oob="true"' in fragment
    db.session.refresh(action)
    assert action.body == ""


@pytest.mark.parametrize(
    ("body", "said"),
    [(GUIDE_PAYLOAD, "has a problem"), (REQUEST["body"], "complete")],
    ids=["a missing quote", "valid"],
)
def test_the_tab_s_mark_follows_what_is_typed(client: Any, action: Action, body: str, said: str) -> None:
    data = {**GENERAL, **REQUEST, "authorization": "none", "body": body}
    fragment = client.post(f"{_address(action)}/check", data=data, headers=HTMX).text
    mark = fragment.partition('id="mark-request" hx-swap-oob="true"')[2].partition("</button>")[0]
    assert f", {said}" in mark


def test_there_is_nothing_to_fix_in_a_valid_payload(client: Any, action: Action) -> None:
    data = {**GENERAL, **REQUEST, "authorization": "none"}
    assert client.post(f"{_address(action)}/fix?part=body", data=data, headers=HTMX).status_code == 400


def test_duplicating_opens_the_copy(client: Any, action: Action) -> None:
    treasury = db.session.scalars(select(Workspace).where(Workspace.name == "Treasury")).one()
    answer = client.post(f"{_address(action)}/duplicate", data={"workspaces": [str(treasury.id)]})
    copy = db.session.scalars(select(Action).where(Action.id != action.id)).one()
    assert (answer.status_code, answer.location) == (303, _address(copy))
    assert copy.workspaces == [treasury]


def test_archiving_an_action_keeps_it_in_the_panel(client: Any, action: Action) -> None:
    answer = client.post(f"{_address(action)}/archive")
    assert answer.location == f"/settings/integrations/{action.connection_id}"
    assert "Archived actions (1)" in client.get(answer.location).text
    client.post(f"{_address(action)}/restore")
    db.session.refresh(action)
    assert action.archived_at is None


def test_an_action_is_found_under_its_own_connection_only(client: Any, action: Action, ines: User) -> None:
    other = operations.create_connection(name="Other", by=ines)
    db.session.commit()
    assert client.get(f"/settings/integrations/{other.id}/actions/{action.id}").status_code == 404


def test_a_type_that_is_no_longer_available_does_not_break_the_page(client: Any, action: Action) -> None:
    action.authorization, action.trigger, action.mode = "telepathy", "on_full_moon", "wish"
    db.session.commit()
    page = client.get(_address(action))
    assert page.status_code == 200
    assert "This authorization type is no longer available" in page.text
    assert client.get(f"/settings/integrations/{action.connection_id}").status_code == 200


@pytest.fixture
def sent() -> Iterator[list[tuple[int, Any, int | None]]]:
    """Test requests are taken down here instead of being handed to the feature above."""
    asked: list[tuple[int, Any, int | None]] = []

    def send(action: Action, context: Any, task_id: int | None, by: Any) -> int:
        if not action.url:
            raise offered.RequestTestRefused("There is no URL yet.")
        asked.append((action.id, context, task_id))
        return 7

    before = offered.request_test
    offered.request_test = offered.RequestTest(
        send,
        lambda user, run_id: offered.RequestReport(len(asked) > 1, Markup("<p>run {}</p>").format(run_id)),
    )
    yield asked
    offered.request_test = before


def test_the_test_sends_what_is_saved_and_is_polled_until_it_is_settled(
    client: Any, action: Action, sent: list[Any]
) -> None:
    _save(client, action)
    answer = client.post(f"{_address(action)}/test", data={**GENERAL, **REQUEST}, headers=HTMX)
    assert "<p>run 7</p>" in answer.text
    assert f'hx-get="{_address(action)}/test/7"' in answer.text
    assert sent[0][0] == action.id
    assert sent[0][1]["CustomField"] == {"Slack Channel": "text", "Slack Message": "text"}
    client.post(f"{_address(action)}/test", data={**GENERAL, **REQUEST}, headers=HTMX)
    assert "hx-get" not in client.get(f"{_address(action)}/test/7", headers=HTMX).text


def test_a_request_that_is_not_saved_yet_is_not_tested(client: Any, action: Action, sent: list[Any]) -> None:
    _save(client, action)
    data = {**GENERAL, **REQUEST, "url": "https://other.test/"}
    answer = client.post(f"{_address(action)}/test", data=data, headers=HTMX)
    assert "Save first" in answer.text
    assert sent == []


def test_a_refused_test_says_why(client: Any, action: Action, sent: list[Any]) -> None:
    data = {**GENERAL, **REQUEST, "url": "", "headers": "", "body": ""}
    answer = client.post(f"{_address(action)}/test", data=data, headers=HTMX)
    assert "There is no URL yet." in answer.text
