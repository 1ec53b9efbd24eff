"""Integration Connections: the list, the modal, the edit panel."""

from __future__ import annotations

import re
from typing import Any

import pytest
from flask import g
from sqlalchemy import select

from webapp.accounts.models import User
from webapp.audit.models import AuditLine
from webapp.extensions import db
from webapp.integrations import operations
from webapp.integrations.models import Action, Connection
from webapp.integrations.operations.secrets import sandbox_token_of
from webapp.integrations.settings import Authorization, General, RequestSettings

HTMX = {"HX-Request": "true"}
LIST = "/settings/integrations"
SLACK = {
    "type": "predefined",
    "integration": "slack",
    "visibility": "global",
    "slack-client_id": "2141029472.691202649728",
    "slack-client_secret": "very-secret",
    "slack-authenticate_as": "functional",
    "slack-api_version": "v2",
    "slack-base_url": "https://slack.com",
}


def _names(page: str) -> list[str]:
    return re.findall(r'rowlink" href="[^"]*">([^<]*)<', page)


def _make(ines: User, name: str, *, url: str = "https://example.test/") -> Connection:
    connection = operations.create_connection(name=name, by=ines)
    operations.create_action(
        connection,
        General("Call"),
        is_global=True,
        authorization=Authorization("token", {"token_type": "Bearer"}, {"token": "very-secret"}),
        request=RequestSettings(url=url),
        by=ines,
    )
    db.session.commit()
    return connection


def test_without_connections_the_page_says_how_to_begin(client: Any) -> None:
    page = client.get(LIST).text
    assert "No connections yet" in page
    assert f'href="{LIST}/new"' in page


def test_a_custom_connection_is_created_and_listed_at_the_bottom(client: Any, ines: User) -> None:
    _make(ines, "Zulu")
    answer = client.post(LIST, data={"type": "custom", "name": " Slack ", "image_url": ""})
    made = db.session.scalars(select(Connection).where(Connection.name == "Slack")).one()
    assert (answer.status_code, answer.location) == (303, f"{LIST}/{made.id}")
    assert _names(client.get(LIST).text) == ["Zulu", "Slack"]


@pytest.mark.parametrize(
    ("name", "image_url", "sentence"),
    [
        ("", "", "Enter a name."),
        ("Taken", "", "Another connection has this name."),
        ("Slack", "http://example.test/i.png", "Enter an address that starts with https://"),
        ("Slack", "javascript:alert(1)", "Enter an address that starts with https://"),
    ],
)
def test_a_refused_connection_keeps_what_was_typed(
    client: Any, ines: User, name: str, image_url: str, sentence: str
) -> None:
    _make(ines, "Taken")
    answer = client.post(LIST, data={"type": "custom", "name": name, "image_url": image_url})
    assert answer.status_code == 422
    assert sentence in answer.text
    assert f'value="{image_url}"' in answer.text
    assert len(db.session.scalars(select(Connection)).all()) == 1


def test_choosing_predefined_brings_its_own_fields_as_a_fragment(client: Any) -> None:
    fragment = client.get(f"{LIST}/new?type=predefined", headers=HTMX).text
    assert "<html" not in fragment
    for label in ("Integration", "Client ID", "Client Secret", "Authenticate as", "API version", "Base URL"):
        assert f">{label}<" in fragment


def test_learn_more_in_the_modal_tells_the_types_apart_and_then_leads_to_the_chosen_ones_guide(
    client: Any,
) -> None:
    guide = re.compile(r'<a class="link small" href="([^"]*)">Learn more</a>')
    custom, predefined = (client.get(f"{LIST}/new{query}").text for query in ("", "?type=predefined"))
    assert (guide.findall(custom), guide.findall(predefined)) == (["/guides/integrations"], ["/guides/slack"])


def test_predefined_slack_is_set_up_in_one_go(client: Any) -> None:
    answer = client.post(LIST, data=SLACK)
    action = db.session.scalars(select(Action)).one()
    assert answer.status_code == 303
    assert answer.location == f"{LIST}/{action.connection_id}/actions/{action.id}#authorization"
    assert operations.secrets_of(action) == {"client_secret": "very-secret"}


def test_a_typed_secret_survives_a_refused_form_without_being_shown(client: Any) -> None:
    refused = client.post(LIST, data={**SLACK, "slack-client_id": ""})
    assert refused.status_code == 422
    assert "Enter the Client ID of your Slack app." in refused.text
    assert "very-secret" not in refused.text
    kept = re.search(r'name="slack-client_secret-kept" value="([^"]+)"', refused.text)
    assert kept is not None
    answer = client.post(LIST, data={**SLACK, "slack-client_secret": "", "slack-client_secret-kept": kept[1]})
    assert answer.status_code == 303
    assert operations.secrets_of(db.session.scalars(select(Action)).one()) == {"client_secret": "very-secret"}


def test_visibility_of_no_workspace_is_refused(client: Any) -> None:
    answer = client.post(LIST, data={**SLACK, "visibility": "workspaces"})
    assert answer.status_code == 422
    assert "Choose at least one workspace, or all workspaces." in answer.text


def test_the_panel_saves_name_and_image(client: Any, ines: User) -> None:
    connection = _make(ines, "Slack")
    edition = _edition(client.get(f"{LIST}/{connection.id}").text)
    answer = client.post(
        f"{LIST}/{connection.id}",
        data={"name": "Slack EU", "image_url": "https://example.test/i.png", "edition": edition},
    )
    assert (answer.status_code, answer.location) == (303, LIST)
    db.session.refresh(connection)
    assert (connection.name, connection.image_url) == ("Slack EU", "https://example.test/i.png")


def test_the_panel_does_not_overwrite_what_someone_else_saved(client: Any, ines: User) -> None:
    connection = _make(ines, "Slack")
    opened = _edition(client.get(f"{LIST}/{connection.id}").text)
    operations.update_connection(connection, name="Slack of Carl", image_url="", by=ines)
    db.session.commit()
    answer = client.post(f"{LIST}/{connection.id}", data={"name": "Mine", "edition": opened})
    assert answer.status_code == 409
    assert "it is now called “Slack of Carl”" in answer.text
    assert 'value="Mine"' in answer.text
    again = client.post(f"{LIST}/{connection.id}", data={"name": "Mine", "edition": _edition(answer.text)})
    assert again.status_code == 303


SANDBOX = {"name": "Slack", "rehearsal_rule": "sandbox", "sandbox_address": "https://Sandbox.example:8443/"}


def _save(client: Any, connection: Connection, **changes: str) -> Any:
    edition = _edition(client.get(f"{LIST}/{connection.id}").text)
    return client.post(f"{LIST}/{connection.id}", data={**SANDBOX, "edition": edition, **changes})


def test_the_panel_saves_what_a_rehearsal_calls_and_never_shows_the_token(client: Any, ines: User) -> None:
    connection = _make(ines, "Slack")
    assert _save(client, connection, sandbox_token="practice-456").status_code == 303
    db.session.refresh(connection)
    assert (connection.rehearsal_rule, connection.sandbox_address) == (
        "sandbox",
        "https://sandbox.example:8443",
    )
    assert sandbox_token_of(connection) == "practice-456"
    page = client.get(f"{LIST}/{connection.id}").text
    assert "practice-456" not in page
    assert "A value is saved." in page
    line = db.session.scalars(select(AuditLine).order_by(AuditLine.id.desc())).first()
    assert line is not None
    assert (line.verb, line.note) == ("connection.rehearsal_changed", "The sandbox token was replaced.")
    assert "practice-456" not in str((line.before, line.after))


def test_the_sandbox_token_stays_until_the_address_changes(client: Any, ines: User) -> None:
    connection = _make(ines, "Slack")
    _save(client, connection, sandbox_token="practice-456")
    _save(client, connection, name="Slack EU")
    db.session.refresh(connection)
    assert sandbox_token_of(connection) == "practice-456"
    _save(client, connection, sandbox_address="https://elsewhere.example")
    db.session.refresh(connection)
    assert sandbox_token_of(connection) == ""


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"sandbox_address": ""}, "Enter the address that is called instead."),
        ({"sandbox_address": "https://sandbox.example/api"}, "Write scheme, host and port only"),
        ({"sandbox_address": "https://me:pw@sandbox.example"}, "Write scheme, host and port only"),
        ({"sandbox_address": "ftp://sandbox.example"}, "Write scheme, host and port only"),
        ({"sandbox_token": "tok\u20acn"}, "a header cannot carry"),
    ],
)
def test_a_refused_rehearsal_setting_changes_nothing_and_keeps_what_was_typed(
    client: Any, ines: User, changes: dict[str, str], sentence: str
) -> None:
    connection = _make(ines, "Slack")
    answer = _save(client, connection, **{"sandbox_token": "practice-456", "name": "Renamed", **changes})
    assert answer.status_code == 422
    assert sentence in answer.text
    assert 'value="Renamed"' in answer.text
    assert "practice-456" not in answer.text
    assert re.search(r'name="sandbox_token-kept" value="[^"]+"', answer.text)
    db.session.refresh(connection)
    assert (connection.name, connection.rehearsal_rule) == ("Slack", "by_action")


def test_archived_connections_leave_the_list_and_come_back(client: Any, ines: User) -> None:
    connection = _make(ines, "Slack")
    assert client.post(f"{LIST}/{connection.id}/archive").location == LIST
    assert _names(client.get(LIST).text) == []
    assert _names(client.get(f"{LIST}?show=archived").text) == ["Slack"]
    client.post(f"{LIST}/{connection.id}/restore")
    assert _names(client.get(LIST).text) == ["Slack"]


def test_the_list_can_be_searched_by_connection_and_by_action(client: Any, ines: User) -> None:
    _make(ines, "Slack")
    operations.create_connection(name="100% Paging", by=ines)
    db.session.commit()
    found = {
        text: _names(client.get(LIST, query_string={"q": text}).text) for text in ("sla", "call", "%", "x")
    }
    assert found == {"sla": ["Slack"], "call": ["Slack"], "%": ["100% Paging"], "x": []}
    fragment = client.get(f"{LIST}?q=sla", headers=HTMX).text
    assert "<html" not in fragment
    assert _names(fragment) == ["Slack"]


def test_needs_attention_lists_what_is_not_set_up(client: Any, ines: User) -> None:
    _make(ines, "Ready")
    _make(ines, "Half", url="")
    operations.create_connection(name="Empty", by=ines)
    db.session.commit()
    assert _names(client.get(f"{LIST}?show=attention").text) == ["Half", "Empty"]


@pytest.mark.parametrize("path", ["", "?show=attention", "?show=archived"])
def test_the_list_asks_the_same_number_of_questions_for_one_and_for_thirty(
    client: Any, cast: Any, counting_queries: Any, path: str
) -> None:
    def count_after_adding(*names: str) -> int:
        for name in names:
            _make(db.session.get_one(User, cast.ines), name)
        db.session.remove()
        g.pop("_login_user", None)  # the test's app context outlives the request's user
        with counting_queries() as statements:
            assert client.get(LIST + path).status_code == 200
        return len(statements)

    count_after_adding()
    assert count_after_adding("First") == count_after_adding(*(f"Number {each}" for each in range(29)))


def test_the_panel_of_a_slack_connection_offers_the_app_manifest(client: Any, ines: User) -> None:
    plain = _make(ines, "Other")
    client.post(LIST, data=SLACK)
    made = db.session.scalars(select(Connection).where(Connection.predefined == "slack")).one()
    assert "Copy Slack app manifest" in client.get(f"{LIST}/{made.id}").text
    assert "Copy Slack app manifest" not in client.get(f"{LIST}/{plain.id}").text


def test_an_unknown_connection_is_not_found(client: Any) -> None:
    assert client.get(f"{LIST}/999").status_code == 404


def _edition(page: str) -> str:
    found = re.search(r'name="edition"[^>]*value="(\w+)"', page)
    assert found is not None
    return found[1]
