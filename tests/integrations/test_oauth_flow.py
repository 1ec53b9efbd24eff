"""Signing in to another system, from the button to the stored token, against the Slack sandbox on loopback."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, text, update
from werkzeug.serving import make_server

import slack_sandbox
from tests.cast import Cast
from webapp.audit.models import AuditLine
from webapp.clock import now
from webapp.egress import EgressPolicy
from webapp.extensions import db
from webapp.http import Door
from webapp.integrations import offered
from webapp.integrations.credentials import CredentialMissing, credential_for, sign_in_state
from webapp.integrations.models import Action, Authentication, Connection, PendingAuthentication
from webapp.integrations.oauth_sentences import sentence_for
from webapp.integrations.operations import secrets as sealed
from webapp.integrations.operations.authentication import CALLBACK_PATH, opened_token

CALLBACK = "http://127.0.0.1:5055" + CALLBACK_PATH
RUNE_AT_SLACK = "U0RUNE4JK"
ClientOf = Callable[[int], FlaskClient]

V1 = {
    "authorization_endpoint": "/oauth/authorize",
    "token_endpoint": "/api/oauth.access",
    "scopes": "write channels:read chat:write:bot chat:write:user",
}
V2 = {
    "authorization_endpoint": "/oauth/v2/authorize",
    "token_endpoint": "/api/oauth.v2.access",
    "scopes": "chat:write",
}
V2_USER = {**V2, "scopes": "", "extra_parameters": '{"user_scope": "chat:write"}', "token_choice": "user"}
V2_PATH = {**V2_USER, "token_choice": "path", "token_path": "authed_user.access_token"}


@dataclass
class Slack:
    """A running sandbox: its address and its own parts."""

    url: str
    app: Flask

    def switch(self, **values: Any) -> None:
        answer = requests.post(f"{self.url}/sandbox/switches", json=values, timeout=5)
        assert answer.status_code == 200, answer.text


@pytest.fixture(scope="module")
def slack() -> Iterator[Slack]:
    app = slack_sandbox.create_app(slack_sandbox.Settings(redirect_uris=[CALLBACK], rate_limit=False))
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield Slack(f"http://127.0.0.1:{server.server_port}", app)
    server.shutdown()
    thread.join()
    server.server_close()
    app.extensions["slack_sandbox"].store.close()


@pytest.fixture
def action(app: Flask, cast: Cast, slack: Slack) -> int:
    """The guide's action: v1, functional user."""
    requests.post(f"{slack.url}/sandbox/reset", json={"tokens": True}, timeout=5)
    connection = Connection(name="Slack")
    made = Action(connection=connection, name="Post to a channel", authorization="oauth_code")
    made.url = f"{slack.url}/api/chat.postMessage"
    made.authorization_settings = {
        "flow": "authorization_code",
        "authenticate_as": "functional",
        "client_id": "2141029472.691202649728",
        "provider_host": slack.url,
        "client_authentication": "client_secret_post",
        "pkce": "auto",
        "token_choice": "bot",
        "token_path": "",
        **V1,
    }
    db.session.add(made)
    db.session.flush()
    sealed.seal_secrets(made, {"client_secret": "e1b9e11dfcd19c1982d5de12921e17e8c"}, by=None)
    db.session.commit()
    return made.id


def change(action: int, **settings: Any) -> None:
    """Change settings without raising the revision, as a fresh set-up."""
    made = db.session.get_one(Action, action)
    made.authorization_settings = {**made.authorization_settings, **settings}
    db.session.commit()


def start(client: FlaskClient, action: int, **form: Any) -> Any:
    return client.post(f"/integrations/actions/{action}/authenticate", data=form)


def consent(location: str, decision: str = "allow", person: str = "U061F7AUR") -> str:
    """Answer the provider's consent page; the path and query that the browser then asks us for."""
    answer = requests.post(
        location, data={"person": person, "decision": decision}, allow_redirects=False, timeout=5
    )
    assert answer.status_code in (302, 303), answer.text
    assert answer.headers["Location"].startswith(CALLBACK)
    return answer.headers["Location"].removeprefix("http://127.0.0.1:5055")


def said(client: FlaskClient) -> list[tuple[str, str]]:
    """The sentences that the next page will show."""
    with client.session_transaction() as session:
        return [tuple(each) for each in session.pop("_flashes", [])]


def stored() -> Authentication:
    return db.session.scalars(select(Authentication)).one()


@pytest.mark.parametrize(
    ("settings", "starts_with"),
    [(V1, "xoxp-"), (V2, "xoxb-"), (V2_USER, "xoxp-"), (V2_PATH, "xoxp-")],
    ids=["v1", "v2 bot", "v2 user", "v2 by path"],
)
def test_the_functional_user_signs_in(
    action: int, cast: Cast, client_of: ClientOf, settings: dict[str, str], starts_with: str
) -> None:
    change(action, **settings)
    ines = client_of(cast.ines)
    sent = start(ines, action)
    assert sent.status_code == 303
    back = ines.get(consent(sent.location))
    assert back.status_code == 303
    assert back.location.endswith(f"/actions/{action}#authorization")
    [(kind, sentence)] = said(ines)
    assert kind == "ok" and sentence.startswith("Authenticated as ")
    found = stored()
    assert opened_token(found)["access_token"].startswith(starts_with)
    assert (found.task_id, found.user_id, found.granted_by_id) == (None, None, cast.ines)
    credential = credential_for(db.session.get_one(Action, action), task_id=None, user_id=None)
    assert credential.headers["Authorization"].startswith(f"Bearer {starts_with}")
    line = db.session.scalars(select(AuditLine).where(AuditLine.verb == "authentication.granted")).one()
    assert starts_with not in str(line.after)


def test_the_bots_token_is_refused_where_the_users_is_wanted(
    action: int, cast: Cast, client_of: ClientOf
) -> None:
    change(action, **V2, token_choice="user")
    ines = client_of(cast.ines)
    ines.get(consent(start(ines, action).location))
    assert said(ines) == [("bad", f"{sentence_for('no_user_token')} (no_user_token)")]
    assert db.session.scalar(select(Authentication)) is None


def test_the_same_way_back_twice_is_refused(action: int, cast: Cast, client_of: ClientOf) -> None:
    ines = client_of(cast.ines)
    way_back = consent(start(ines, action).location)
    ines.get(way_back)
    said(ines)
    ines.get(way_back)
    assert said(ines) == [
        ("bad", "This sign-in has expired or was started in another browser. Press Authenticate again.")
    ]


def test_another_browser_of_the_same_person_cannot_finish_it(
    action: int, cast: Cast, client_of: ClientOf
) -> None:
    way_back = consent(start(client_of(cast.ines), action).location)
    other = client_of(cast.ines)
    other.get(way_back)
    assert said(other)[0][1].startswith("This sign-in has expired or was started in another browser.")
    assert db.session.scalar(select(Authentication)) is None


def test_a_signed_out_browser_is_sent_to_sign_in_without_the_code(
    app: Flask, action: int, cast: Cast, client_of: ClientOf
) -> None:
    way_back = consent(start(client_of(cast.ines), action).location)
    answer = app.test_client().get(way_back)
    assert (answer.status_code, answer.location) == (303, "/sign-in")


def test_a_denied_consent_is_said_plainly(action: int, cast: Cast, client_of: ClientOf) -> None:
    ines = client_of(cast.ines)
    ines.get(consent(start(ines, action).location, "cancel"))
    assert said(ines) == [
        ("bad", "The request was declined at the provider. Press Authenticate again and choose Allow.")
    ]
    assert db.session.scalar(select(Authentication)) is None


@pytest.mark.parametrize("issuer", ["https://evil.example", "https://[", ""])
def test_an_answer_that_names_another_provider_is_refused(
    action: int, slack: Slack, cast: Cast, client_of: ClientOf, issuer: str
) -> None:
    ines = client_of(cast.ines)
    ines.get(consent(start(ines, action).location) + f"&iss={issuer}")
    sentence = f"This answer came from another provider ({issuer}), so it was not used."
    remedy = "Check the OAuth2 provider host, then press Authenticate again."
    assert said(ines) == [("bad", f"{sentence} {remedy}")]
    assert db.session.scalar(select(Authentication)) is None
    ines.get(consent(start(ines, action).location) + f"&iss={slack.url}/tenant")
    assert stored().action_id == action


def test_a_sign_in_expires_after_ten_minutes(action: int, cast: Cast, client_of: ClientOf) -> None:
    ines = client_of(cast.ines)
    way_back = consent(start(ines, action).location)
    db.session.execute(update(PendingAuthentication).values(expires_at=now() - timedelta(seconds=1)))
    db.session.commit()
    ines.get(way_back)
    assert said(ines)[0][1].startswith("This sign-in has expired")


def test_settings_that_changed_meanwhile_stop_it(action: int, cast: Cast, client_of: ClientOf) -> None:
    ines = client_of(cast.ines)
    way_back = consent(start(ines, action).location)
    db.session.get_one(Action, action).revision += 1
    db.session.commit()
    ines.get(way_back)
    assert said(ines) == [("bad", "The action's settings changed meanwhile. Press Authenticate again.")]


def test_a_wrong_client_secret_is_said_plainly(action: int, cast: Cast, client_of: ClientOf) -> None:
    made = db.session.get_one(Action, action)
    sealed.seal_secrets(made, {"client_secret": "not the secret"}, by=None)
    db.session.commit()
    ines = client_of(cast.ines)
    ines.get(consent(start(ines, action).location))
    [(_, sentence)] = said(ines)
    assert sentence.startswith("The Client Secret is not right.") and sentence.endswith("(bad_client_secret)")


@pytest.mark.parametrize("fault", ["denied", "expired", "changed", "wrong secret"])
def test_a_sign_in_that_is_not_granted_is_audited_in_the_words_that_were_shown(
    action: int, cast: Cast, client_of: ClientOf, fault: str
) -> None:
    made = db.session.get_one(Action, action)
    if fault == "wrong secret":
        sealed.seal_secrets(made, {"client_secret": "not the secret"}, by=None)
    db.session.commit()
    ines = client_of(cast.ines)
    way_back = consent(start(ines, action).location, "cancel" if fault == "denied" else "allow")
    if fault == "expired":
        db.session.execute(update(PendingAuthentication).values(expires_at=now() - timedelta(seconds=1)))
    if fault == "changed":
        db.session.get_one(Action, action).revision += 1
    db.session.commit()
    ines.get(way_back)
    [(_, sentence)] = said(ines)
    line = db.session.scalars(select(AuditLine).where(AuditLine.verb == "authentication.not_granted")).one()
    about = ("users", cast.ines) if fault == "expired" else ("integration_actions", action)
    assert (line.note, line.actor_name, (line.object_type, line.object_id)) == (sentence, "Ines", about)


def test_endpoints_of_two_slack_versions_are_said_plainly(
    action: int, cast: Cast, client_of: ClientOf
) -> None:
    change(action, token_endpoint="/api/oauth.v2.access")
    ines = client_of(cast.ines)
    ines.get(consent(start(ines, action).location))
    assert said(ines)[0][1].startswith("The two endpoints are of different Slack versions.")


def test_a_private_provider_is_refused_unless_allowed(
    app: Flask, action: int, cast: Cast, client_of: ClientOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    ines = client_of(cast.ines)
    way_back = consent(start(ines, action).location)
    closed = Door(EgressPolicy.parse(""), user_agent="test")
    monkeypatch.setitem(app.extensions, "door", closed)
    ines.get(way_back)
    closed.close()
    [(_, sentence)] = said(ines)
    assert "is not a public address" in sentence
    assert db.session.scalar(select(Authentication)) is None


def test_pkce_is_sent_where_it_is_on(action: int, slack: Slack, cast: Cast, client_of: ClientOf) -> None:
    change(action, pkce="on")
    slack.switch(pkce=True)
    ines = client_of(cast.ines)
    sent = start(ines, action)
    assert "code_challenge" in parse_qs(urlsplit(sent.location).query)
    ines.get(consent(sent.location))
    slack.switch(pkce=False)
    assert opened_token(stored())["access_token"].startswith("xoxp-")


def test_the_client_may_authenticate_by_basic(action: int, cast: Cast, client_of: ClientOf) -> None:
    change(action, client_authentication="client_secret_basic")
    ines = client_of(cast.ines)
    ines.get(consent(start(ines, action).location))
    assert opened_token(stored())["access_token"].startswith("xoxp-")


def test_only_integration_admins_sign_the_functional_user_in(
    action: int, cast: Cast, client_of: ClientOf
) -> None:
    assert [start(client_of(who), action).status_code for who in (cast.carl, cast.rune, cast.ada)] == [
        403,
        403,
        403,
    ]


@pytest.fixture
def rune_has_a_task(monkeypatch: pytest.MonkeyPatch, action: int, cast: Cast) -> int:
    """A task of Rune's that uses the action, as the runbooks feature would offer it."""
    from webapp.runbooks.models import Runbook, Stream, Task

    change(action, authenticate_as="task")
    runbook = Runbook(workspace_id=cast.payments, name="Failover")
    stream = Stream(runbook=runbook, name="Command")
    task = Task(runbook=runbook, stream=stream, number=1, title="Announce", action_id=action)
    db.session.add_all([runbook, stream, task])
    db.session.commit()
    facts = SimpleNamespace(
        id=task.id,
        action_id=action,
        runbook_id=runbook.id,
        guard_workspace_id=cast.payments,
        page_url=f"/runbooks/{runbook.id}?task={task.id}",
    )
    monkeypatch.setattr(offered, "task_gate", lambda user, task_id: facts)
    return task.id


def test_each_task_user_signs_in_for_themselves(
    action: int, rune_has_a_task: int, cast: Cast, client_of: ClientOf
) -> None:
    rune = client_of(cast.rune)
    back = rune.get(consent(start(rune, action, task_id=rune_has_a_task).location, person=RUNE_AT_SLACK))
    assert back.location == f"/runbooks/1?task={rune_has_a_task}" or back.location.endswith(
        f"?task={rune_has_a_task}"
    )
    made = db.session.get_one(Action, action)
    hers = sign_in_state(made, task_id=rune_has_a_task, user_id=cast.rune)
    others = sign_in_state(made, task_id=rune_has_a_task, user_id=cast.ines)
    assert (hers.ready, hers.needed, others.ready, others.needed) == (True, False, False, True)
    assert others.sentence == (
        "You have not authenticated for this task yet. Press Authenticate in the task's Integration card."
    )
    with pytest.raises(CredentialMissing):
        credential_for(made, task_id=rune_has_a_task, user_id=cast.ines)


def test_disconnecting_forgets_the_token(
    action: int, rune_has_a_task: int, cast: Cast, client_of: ClientOf
) -> None:
    rune = client_of(cast.rune)
    rune.get(consent(start(rune, action, task_id=rune_has_a_task).location, person=RUNE_AT_SLACK))
    found = stored().id
    assert client_of(cast.vera).post(f"/integrations/authentications/{found}/disconnect").status_code == 404
    assert rune.post(f"/integrations/authentications/{found}/disconnect").status_code == 303
    assert db.session.scalar(select(Authentication)) is None


def granted_with_rotation(action: int, slack: Slack, client: FlaskClient) -> Authentication:
    change(action, **V2)
    slack.switch(rotation=True)
    client.get(consent(start(client, action).location))
    found = stored()
    found.expires_at = now() + timedelta(seconds=5)
    db.session.commit()
    return found


def test_a_token_about_to_end_is_refreshed_once_however_many_ask(
    app: Flask, action: int, slack: Slack, cast: Cast, client_of: ClientOf
) -> None:
    found = granted_with_rotation(action, slack, client_of(cast.ines))
    old = opened_token(found)
    db.session.commit()
    used: list[str] = []

    def ask() -> None:
        with app.app_context():
            made = db.session.get_one(Action, action)
            used.append(credential_for(made, task_id=None, user_id=None).headers["Authorization"])

    before = len(
        requests.get(f"{slack.url}/sandbox/requests?method=oauth.v2.access", timeout=5).json()["requests"]
    )
    threads = [threading.Thread(target=ask) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    after = len(
        requests.get(f"{slack.url}/sandbox/requests?method=oauth.v2.access", timeout=5).json()["requests"]
    )
    slack.switch(rotation=False)
    assert after - before == 1
    assert len(used) == 6 and len(set(used)) == 1
    db.session.expire_all()
    new = opened_token(stored())
    assert new["access_token"] != old["access_token"] and new["refresh_token"] != old["refresh_token"]


def test_a_refused_refresh_asks_for_a_new_sign_in(
    action: int, slack: Slack, cast: Cast, client_of: ClientOf
) -> None:
    granted_with_rotation(action, slack, client_of(cast.ines))
    requests.post(f"{slack.url}/sandbox/revoke", timeout=5)
    made = db.session.get_one(Action, action)
    with pytest.raises(CredentialMissing) as refused:
        credential_for(made, task_id=None, user_id=None)
    slack.switch(rotation=False)
    assert refused.value.code in ("invalid_refresh_token", "token_revoked")
    state = sign_in_state(made, task_id=None, user_id=None)
    assert state.needed and "no longer accepted" in state.sentence


@pytest.mark.parametrize("trouble", ["too_many_requests", "server_error"])
def test_trouble_of_the_provider_at_a_refresh_does_not_end_the_sign_in(
    action: int, slack: Slack, cast: Cast, client_of: ClientOf, trouble: str
) -> None:
    found = granted_with_rotation(action, slack, client_of(cast.ines))
    made, old = db.session.get_one(Action, action), opened_token(found)["access_token"]
    slack.switch(**{trouble: True})
    with pytest.raises(CredentialMissing) as refused:
        credential_for(made, task_id=None, user_id=None)
    slack.switch(**{trouble: False})
    assert refused.value.code == "refresh_failed"
    assert not sign_in_state(made, task_id=None, user_id=None).needed
    used = credential_for(made, task_id=None, user_id=None).headers["Authorization"]
    slack.switch(rotation=False)
    assert used != f"Bearer {old}"


def test_a_token_never_goes_to_another_host_than_it_was_granted_for(
    action: int, cast: Cast, client_of: ClientOf
) -> None:
    ines = client_of(cast.ines)
    ines.get(consent(start(ines, action).location))
    made = db.session.get_one(Action, action)
    made.url = "https://elsewhere.example/api/chat.postMessage"
    db.session.commit()
    with pytest.raises(CredentialMissing) as refused:
        credential_for(made, task_id=None, user_id=None)
    assert refused.value.code == "host_changed"


def test_no_secret_reaches_the_logs_or_the_database_in_the_clear(
    action: int, cast: Cast, client_of: ClientOf, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    ines = client_of(cast.ines)
    ines.get(consent(start(ines, action).location))
    token = opened_token(stored())["access_token"]
    secret = "e1b9e11dfcd19c1982d5de12921e17e8c"
    assert token not in caplog.text and secret not in caplog.text
    for table in db.metadata.sorted_tables:
        for row in db.session.execute(text(f"SELECT * FROM {table.name}")):
            assert token not in str(tuple(row)) and secret not in str(tuple(row)), table.name
