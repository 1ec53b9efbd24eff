"""Secrets typed into every form that takes one, and tokens that a provider granted, are found in clear nowhere:
on no page, in no log line, no audit line, no row, and not in the bytes of the database's file.

The other system plays along badly: it sends back every credential that it was given.
"""

from __future__ import annotations

import json
import logging
import re
from base64 import b64encode
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import pytest
from flask.testing import FlaskClient
from sqlalchemy import make_url, select

from tests.access.answers import text_of
from tests.access.routes import Route
from tests.access.things import Things, own, rows
from tests.loopback import Line, Peer
from webapp.accounts.models import User
from webapp.audit.models import AuditLine
from webapp.config import Config
from webapp.extensions import db
from webapp.forms import SecretField
from webapp.integration_runs import jobs
from webapp.integration_runs.models import IntegrationRun
from webapp.integrations.authorizations import AUTHORIZATIONS
from webapp.integrations.models import Action, Authentication
from webapp.integrations.operations import secrets_of
from webapp.integrations.operations.authentication import CALLBACK_PATH, opened_token
from webapp.integrations.predefined import PREDEFINED

ClientOf = Callable[[int], FlaskClient]

# Unlike anything that webapp.redaction knows by its shape.
SECRETS = {
    "token": "quokka/token+7f3a",
    "password": "quokka/basic+91bc",
    "client_secret": "quokka/client+55d0",
    "slack_client_secret": "quokka/slack+0c4e",
    "refused_client_secret": "quokka/refused+d1d1",
    "code": "quokka-code-c0de",
    "access_token": "quokka/access+a11e",
    "refresh_token": "quokka/refresh+be11",
    "first_password": "quokka first 2b2b",
    "reset_password": "quokka reset 3c3c",
}
PAIR = b64encode(f"quokka-user:{SECRETS['password']}".encode()).decode()
GENERAL = {"trigger": "task_start", "timeout_s": "30", "cancelable": "y", "ok_false_fails": "y"}
OAUTH = {
    "authorization": "oauth_code",
    "authorization-flow": "authorization_code",
    "authorization-authenticate_as": "functional",
    "authorization-client_id": "2141029472.691202649728",
    "authorization-authorization_endpoint": "/authorize",
    "authorization-token_endpoint": "/token",
    "authorization-token_choice": "bot",
    "authorization-client_authentication": "client_secret_post",
    "authorization-pkce": "auto",
}


def in_clear(text: str) -> list[str]:
    """Which of the secrets the text holds, as typed, quoted for a URL, inside JSON or HTML, or as a Basic pair."""
    written = {
        name: {secret, quote(secret, safe=""), json.dumps(secret)[1:-1], secret.replace("+", "&#43;")}
        for name, secret in SECRETS.items()
    }
    written["pair"] = {PAIR, quote(PAIR, safe="")}
    return sorted(name for name, ways in written.items() if any(way in text for way in ways))


def talk(line: Line) -> None:
    """A provider and an API in one that both send back what they were sent."""
    while request := line.read().decode():
        head, _, body = request.partition("\r\n\r\n")
        path = head.split(" ")[1]
        if path == "/token":
            given = {name: SECRETS[name] for name in ("access_token", "refresh_token")}
            answer: dict[str, Any] = {**given, "token_type": "bearer", "expires_in": 43_200, "scope": "post"}
        elif path == "/refusing":
            said = f"wrong: {parse_qs(body)['client_secret'][0]}"
            answer = {"error": "invalid_client", "error_description": said}
        else:
            answer = {"ok": path == "/fine", "error": "no", "head": head, "body": body}
        sent = re.search(r"(?im)^authorization: (.*)\r$", head)
        data = json.dumps(answer).encode()
        line.send(
            b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
            + f"X-Seen: {sent[1] if sent else ''}\r\nContent-Length: {len(data)}\r\n\r\n".encode()
            + data
        )


@pytest.fixture
def peer() -> Iterator[Peer]:
    made = Peer(talk)
    yield made
    made.close()


class Watched:
    """A browser that keeps all that it was answered."""

    def __init__(self, client: FlaskClient) -> None:
        self._client = client
        self.seen: dict[str, str] = {}

    def open(self, method: str, address: str, **options: Any) -> Any:
        answer = self._client.open(address, method=method, **options)
        kind = "htmx " if "headers" in options else ""
        self.seen[f"{len(self.seen)} {kind}{method} {address}"] = f"{answer.headers}\n{text_of(answer)}"
        return answer

    def get(self, address: str, **options: Any) -> Any:
        return self.open("GET", address, **options)

    def post(self, address: str, status: int = 303, **form: Any) -> Any:
        answer = self.open("POST", address, data=form)
        assert answer.status_code == status, answer.text
        return answer

    @property
    def shown(self) -> dict[str, list[str]]:
        """What was asked to the secrets that the answer holds."""
        return {name: found for name, answer in self.seen.items() if (found := in_clear(answer))}


@pytest.fixture
def ada(client_of: ClientOf, ada_with_every_role: int) -> Watched:
    return Watched(client_of(ada_with_every_role))


def new_action(ada: Watched, name: str) -> str:
    """A connection with one action, made with the forms; the action's address."""
    connection = ada.post("/settings/integrations", type="custom", name=name, image_url="").location
    made = ada.post(f"{connection}/actions", name=name, visibility="global", template="", **GENERAL)
    return str(made.location).partition("#")[0]


def save(
    ada: Watched, address: str, peer: Peer, status: int = 303, path: str = "/fine", **fields: str
) -> Any:
    edition = re.search(r'name="edition"[^>]*value="(\w+)"', ada.get(address).text)
    assert edition is not None
    form = {"name": "Post", **GENERAL, **request_to(peer, path), "edition": edition[1], **fields}
    return ada.post(address, status, **form)


def request_to(peer: Peer, path: str = "/fine") -> dict[str, str]:
    return {
        "method": "POST",
        "url": peer.url(path),
        "headers": '{"Content-Type":"application/json"}',
        "parameters": "",
        "body": '{"text":"Hello"}',
        "mode": "fire_and_forget",
    }


def sign_in(ada: Watched, address: str) -> Any:
    """Press Authenticate, allow it, and come back with the code."""
    action_id = address.rpartition("/")[2]
    left = ada.post(f"/integrations/actions/{action_id}/authenticate")
    [state] = parse_qs(urlsplit(left.location).query)["state"]
    return ada.get(f"{CALLBACK_PATH}?state={state}&code={SECRETS['code']}")


@pytest.fixture
def filled_in(ada: Watched, peer: Peer, payments: Things) -> Watched:
    """Every secret typed into its form, the requests sent with them, and the answers that repeat them stored."""
    provider = {**OAUTH, "authorization-provider_host": peer.url("").rstrip("/")}
    token = new_action(ada, "With a token")
    fields = {"authorization": "token", "authorization-token_type": "Bearer"}
    save(ada, token, peer, **fields, **{"authorization-token": SECRETS["token"]})
    basic = new_action(ada, "With a password")
    fields = {"authorization": "basic", "authorization-username": "quokka-user"}
    save(ada, basic, peer, path="/failing", **fields, **{"authorization-password": SECRETS["password"]})
    oauth = new_action(ada, "With a sign-in")
    secret = {"authorization-client_secret": SECRETS["refused_client_secret"]}
    save(
        ada, oauth, peer, 422, **provider, **secret, timeout_s="too long"
    )  # comes back with the secret sealed
    secret = {"authorization-client_secret": SECRETS["client_secret"]}
    save(ada, oauth, peer, **provider, **secret)
    assert sign_in(ada, oauth).status_code == 303
    ada.post(
        "/settings/integrations",
        **{
            "type": "predefined",
            "integration": "slack",
            "visibility": "global",
            "slack-client_id": "2141029472.691202649728",
            "slack-client_secret": SECRETS["slack_client_secret"],
            "slack-authenticate_as": "functional",
            "slack-api_version": "v2",
            "slack-base_url": peer.url("").rstrip("/"),
        },
    )
    person = {"name": "Nora", "email": "nora@example.com", "active": "y"}
    ada.post("/settings/users", 422, **{**person, "email": "no address"}, password=SECRETS["first_password"])
    ada.post("/settings/users", **person, password=SECRETS["first_password"])
    nora = db.session.scalars(select(User.id).where(User.name == "Nora")).one()
    ada.post(f"/settings/users/{nora}/password", password=SECRETS["reset_password"])
    for address, path in ((token, "/fine"), (basic, "/failing"), (oauth, "/fine")):
        ada.post(f"{address}/test", 200, **request_to(peer, path))
    jobs.drain()
    db.session.commit()
    return ada


def test_the_secrets_arrived_and_can_be_used(filled_in: Watched, peer: Peer) -> None:
    held = {}
    for action in db.session.scalars(select(Action)):
        held |= {f"{action.authorization} {name}": value for name, value in secrets_of(action).items()}
    assert SECRETS["token"] == held["token token"]
    assert SECRETS["password"] == held["basic password"]
    assert {SECRETS["client_secret"], SECRETS["slack_client_secret"], "very-secret"} == {
        secret
        for action in db.session.scalars(select(Action).where(Action.authorization == "oauth_code"))
        for secret in secrets_of(action).values()
    }
    granted = db.session.scalars(select(Authentication).order_by(Authentication.id.desc())).first()
    assert granted is not None
    assert opened_token(granted)["refresh_token"] == SECRETS["refresh_token"]
    used = "".join(request.decode() for request in peer.requests)
    assert in_clear(used) == ["access_token", "client_secret", "code", "pair", "token"]
    states = [
        run.state
        for run in db.session.scalars(select(IntegrationRun).where(IntegrationRun.trigger == "test"))
    ]
    assert states == ["succeeded", "failed", "succeeded"]


def test_no_page_shows_a_secret(
    filled_in: Watched, routes: list[Route], payments: Things, ada_with_every_role: int
) -> None:
    things = own(payments, ada_with_every_role)
    every = {
        "action_id": [action.id for action in db.session.scalars(select(Action))],
        "run_id": list(db.session.scalars(select(IntegrationRun.id))),
        "user_id": list(db.session.scalars(select(User.id))),
    }
    connections = {action.id: action.connection_id for action in db.session.scalars(select(Action))}
    db.session.rollback()
    for route in routes:
        if not route.safe or route.endpoint == "integrations.callback":
            continue
        objects = [route.objects(things)]
        for argument in set(every) & set(route.arguments):
            objects = [{**each, argument: value} for each in objects for value in every[argument]]
        for each in objects:
            if "connection_id" in each and "action_id" in each:
                each["connection_id"] = connections[each["action_id"]]
            for options in ({}, {"headers": {"HX-Request": "true"}}):
                filled_in.get(route.path(each), **options)
    pages = "".join(filled_in.seen.values())
    assert pages.count("[hidden]") > 3  # what the other system sent back is there, without them
    assert filled_in.shown == {}


def test_no_audit_line_no_row_and_no_byte_of_the_database_holds_a_secret(
    filled_in: Watched, config: Config
) -> None:
    verbs = set(db.session.scalars(select(AuditLine.verb)))
    assert verbs >= {
        "action.updated",
        "authentication.granted",
        "user.password_changed",
        "connection.created",
    }
    found = {
        f"{table}: {name}" for table, held in rows().items() for row in held for name in in_clear(repr(row))
    }
    assert found == set()
    url = make_url(config.database_url)
    if url.get_backend_name() == "sqlite":  # PostgreSQL's files are not ours to read
        path = Path(str(url.database))
        held = b"".join(each.read_bytes() for each in sorted(path.parent.glob(path.name + "*")))
        assert b"2141029472.691202649728" in held
        assert in_clear(held.decode("latin-1")) == []


def test_no_log_line_holds_a_secret(
    caplog: pytest.LogCaptureFixture, request: pytest.FixtureRequest, peer: Peer
) -> None:
    with caplog.at_level(logging.DEBUG):
        request.getfixturevalue("filled_in")
    told = [record.getMessage() for record in caplog.records]
    assert told
    assert [name for line in told for name in in_clear(line)] == []


def test_a_provider_that_repeats_the_client_secret_in_its_refusal_is_not_quoted(
    ada: Watched, peer: Peer, caplog: pytest.LogCaptureFixture
) -> None:
    address = new_action(ada, "Refused")
    fields = {
        **OAUTH,
        "authorization-provider_host": peer.url("").rstrip("/"),
        "authorization-token_endpoint": "/refusing",
        "authorization-client_secret": SECRETS["client_secret"],
    }
    save(ada, address, peer, **fields)
    back = sign_in(ada, address)
    page = ada.get(back.location)
    assert "invalid_client" in page.text
    assert (ada.shown, in_clear(caplog.text)) == ({}, [])


def test_every_secret_field_there_is_is_typed_into_above() -> None:
    fields = {
        f"{kind.key} {name}"
        for kinds in (AUTHORIZATIONS, PREDEFINED)
        for kind in kinds
        for name in dir(kind.form)
        if getattr(getattr(kind.form, name), "field_class", None) is SecretField
    }
    assert fields == {"token token", "basic password", "oauth_code client_secret", "slack client_secret"}
    sealed = {f"{kind.key} {name}" for kind in AUTHORIZATIONS for name in kind.secret_fields}
    assert sealed == fields - {"slack client_secret"}
