"""A receiver on loopback that does as its path says, and actions that call it."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from webapp.extensions import db
from webapp.integration_runs import jobs, operations
from webapp.integration_runs.models import IntegrationRun
from webapp.integrations.models import Action, Connection


@dataclass
class Received:
    """One request as the receiver saw it."""

    path: str
    headers: dict[str, str]
    body: str


@dataclass
class Receiver:
    """The other system: /status/<code>, /slack/<error>, /slow/<seconds>, /big, /drop, /redirect; anything else says ok."""

    port: int
    received: list[Received] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def bodies(self) -> list[str]:
        return [each.body for each in self.received]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Any

    def do_POST(self) -> None:
        length = int(self.headers.get("Content-Length", 0))
        body = self.rfile.read(length).decode()
        receiver: Receiver = self.server.receiver
        receiver.received.append(Received(self.path, {k.lower(): v for k, v in self.headers.items()}, body))
        kind, _, detail = self.path.strip("/").partition("?")[0].partition("/")
        if kind == "drop":
            self.close_connection = True
            return
        if kind == "slow":
            time.sleep(float(detail))
        status, answer = 200, b'{"ok":true}'
        headers = dict(receiver.headers)
        if kind == "status":
            status = int(detail)
        elif kind == "slack":
            answer = json.dumps({"ok": False, "error": detail}).encode()
            headers["x-slack-req-id"] = "abc123"
        elif kind == "big":
            answer = b'{"ok":true,"pad":"' + b"x" * 5_000_000 + b'"}'
        elif kind == "redirect":
            status, headers["Location"] = 302, "https://elsewhere.example/api"
        elif kind == "echo":
            answer = json.dumps({"ok": True, "got": self.headers.get("Authorization")}).encode()
        try:
            self.send_response(status)
            for name, value in {"Content-Type": "application/json", **headers}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)
        except OSError:
            self.close_connection = True

    def log_message(self, *_: Any) -> None:
        pass


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256

    def handle_error(self, *_: Any) -> None:
        pass


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with _Server(("127.0.0.1", 0), _Handler) as server:
        server.receiver = Receiver(server.server_port)  # type: ignore[attr-defined]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        yield server.receiver  # type: ignore[attr-defined]
        server.shutdown()
        thread.join()


@pytest.fixture
def make_action(app: Any, receiver: Receiver) -> Callable[..., Action]:
    """An action that posts {"channel", "text"} to a path of the receiver."""

    def make(path: str = "/ok", **values: Any) -> Action:
        settings = {
            "name": "Post to a channel",
            "url": path if path.startswith("http") else receiver.origin + path,
            "headers": '{"Content-Type":"application/json"}',
            "body": '{"channel":"{{CustomField[\'Slack Channel\']}}","text":"{{CustomField[\'Slack Message\']}}"}',
            **values,
        }
        action = Action(connection=Connection(name="Slack"), **settings)
        db.session.add(action)
        db.session.commit()
        return action

    return make


CONTEXT = {"CustomField": {"Slack Channel": "#general", "Slack Message": "Hello"}}


@pytest.fixture
def ask(make_action: Callable[..., Action]) -> Callable[..., IntegrationRun]:
    """A committed run of a new action, or of the one given."""

    def asked(
        path: str = "/ok", *, action: Action | None = None, by: Any = None, **values: Any
    ) -> IntegrationRun:
        places = {name: values.pop(name, None) for name in ("workspace_id", "runbook_id", "task_id")}
        run = operations.request_run(
            action or make_action(path, **values), trigger="task_start", context=CONTEXT, by=by, **places
        )
        db.session.commit()
        return run

    return asked


@pytest.fixture
def sent(ask: Callable[..., IntegrationRun]) -> Callable[..., IntegrationRun]:
    """A run that a worker has sent once."""

    def send(*arguments: Any, **values: Any) -> IntegrationRun:
        run_id = ask(*arguments, **values).id
        jobs.drain()
        return db.session.get_one(IntegrationRun, run_id)

    return send


@pytest.fixture
def queued_jobs(app: Any) -> Callable[[], list[str]]:
    """The names of the jobs on the queue."""

    def names() -> list[str]:
        return [job.args[0] for job in app.extensions["runsheet_queue"].jobs]

    return names
