from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qsl

import pytest
from authlib.integrations.requests_client import OAuth2Session
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.serving import WSGIRequestHandler, make_server

from slack_sandbox import Settings, create_app
from slack_sandbox.sandbox import Sandbox

CALLBACK = "http://127.0.0.1:5055/api/integrations/oauth/authentications/payload_transformer/callback"
GUIDE_SCOPES = "write channels:read chat:write:bot chat:write:user"
INES = "U061F7AUR"

Post = Callable[..., Any]
Decide = Callable[..., dict[str, str]]


@pytest.fixture
def settings() -> Settings:
    return Settings(redirect_uris=[CALLBACK], rate_limit=False)


@pytest.fixture
def app(settings: Settings) -> Iterator[Flask]:
    app = create_app(settings)
    app.testing = True
    yield app
    app.extensions["slack_sandbox"].store.close()


@pytest.fixture
def here(app: Flask) -> Sandbox:
    sandbox: Sandbox = app.extensions["slack_sandbox"]
    return sandbox


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def bot_token(here: Sandbox) -> str:
    return here.grants.mint("bot", 2, INES, ("chat:write",)).access_token


@pytest.fixture
def call(client: FlaskClient, bot_token: str) -> Post:
    """Call a method with JSON as the bot, or with another token; the answer's JSON."""

    def call(method: str, arguments: dict[str, Any], token: str = bot_token) -> Any:
        response = client.post(
            f"/api/{method}",
            json=arguments,
            headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json; charset=utf-8"},
        )
        return response.get_json()

    return call


@pytest.fixture
def post(call: Post) -> Post:
    """Post a message to a channel; further arguments go along."""

    def post(channel: str = "#ops-runbooks", text: str = "Failover has started", **more: Any) -> Any:
        token = {"token": more.pop("token")} if "token" in more else {}
        return call("chat.postMessage", {"channel": channel, "text": text, **more}, **token)

    return post


class QuietHandler(WSGIRequestHandler):
    def log(self, *_: Any) -> None:
        pass


@pytest.fixture
def base(app: Flask) -> Iterator[str]:
    """The address of a real loopback server, for what a test client can't show."""
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=QuietHandler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def oauth(settings: Settings) -> Iterator[Callable[..., OAuth2Session]]:
    """Makes Authlib sessions that are closed after the test."""
    made: list[OAuth2Session] = []

    def oauth(**options: Any) -> OAuth2Session:
        options = {
            "client_secret": settings.client_secret,
            "token_endpoint_auth_method": "client_secret_post",
            "redirect_uri": CALLBACK,
            "scope": GUIDE_SCOPES,
            "default_timeout": 5,
        } | options
        made.append(OAuth2Session(settings.client_id, **options))
        return made[-1]

    yield oauth
    for session in made:
        session.close()


@pytest.fixture
def asking(settings: Settings) -> dict[str, str]:
    """What the guide's app sends to the authorize page of the first version."""
    return {
        "client_id": settings.client_id,
        "scope": "write channels:read chat:write:bot chat:write:user",
        "redirect_uri": settings.redirect_uris[0],
        "state": "xyz",
    }


@pytest.fixture
def asking_v2(asking: dict[str, str]) -> dict[str, str]:
    return asking | {"scope": "chat:write,channels:read", "user_scope": "chat:write"}


@pytest.fixture
def decide(client: FlaskClient) -> Decide:
    """Answer the consent page; what goes back to the app, by name, with the address as "to"."""

    def decide(asked: dict[str, str], decision: str = "allow", person: str = INES) -> dict[str, str]:
        path = "/oauth/v2/authorize" if "user_scope" in asked else "/oauth/authorize"
        response = client.post(path, query_string=asked, data={"person": person, "decision": decision})
        assert response.status_code == 303, response.get_data(as_text=True)
        to, _, query = response.headers["Location"].partition("?")
        return {"to": to, **dict(parse_qsl(query))}

    return decide


@pytest.fixture
def exchange(client: FlaskClient, settings: Settings) -> Post:
    """Exchange at oauth.access, or at another method; None leaves an argument out."""

    def exchange(code: str | None, method: str = "oauth.access", **changes: str | None) -> Any:
        arguments = {
            "client_id": settings.client_id,
            "client_secret": settings.client_secret,
            "code": code,
            "redirect_uri": settings.redirect_uris[0],
        } | changes
        sent = {name: value for name, value in arguments.items() if value is not None}
        return client.post(f"/api/{method}", data=sent).get_json()

    return exchange
