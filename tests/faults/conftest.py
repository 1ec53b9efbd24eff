"""A running Runsheet whose parts are killed, and a way to ask for calls and to count them at the receiving end."""

from __future__ import annotations

import html
import json
import re
import time
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import requests
from flask import Flask
from sqlalchemy import func, select

from slack_sandbox.grants import Grants
from slack_sandbox.store import Store
from tests.running import Running
from webapp import create_app
from webapp.accounts.models import User
from webapp.config import Config
from webapp.demo import PASSWORD
from webapp.extensions import db
from webapp.integration_runs import operations
from webapp.integration_runs.models import IntegrationRun
from webapp.integrations.models import Action, Connection
from webapp.integrations.operations.secrets import seal_secrets
from webapp.runbooks import operations as runbooks
from webapp.runbooks.models import Runbook, Task
from webapp.runbooks.reviews.executions import executions_of, record_of
from webapp.runbooks.states import Mode, TaskState
from webapp.workspaces.models import Workspace

BODY = '{"channel":"C024BE91L","text":"{{CustomField[\'Slack Message\'] | default: Task.name}}"}'


class Ground:
    """The running processes, an action that posts to the sandbox, and counts on both sides. Runs are told apart by text."""

    def __init__(self, running: Running, app: Flask) -> None:
        self.running, self.app = running, app
        self.action_id = 0

    def prepare(self) -> None:
        """An action with a token of the sandbox, which answers late and without its posting limit."""
        store = Store(str(self.running.instance / "sandbox.sqlite"))
        token = Grants(store).mint("bot", 2, "U061F7AUR", ("chat:write", "chat:write.public")).access_token
        store.close()
        action = Action(
            connection=Connection(name="Faults"),
            name="Post",
            url=f"{self.running.sandbox}/api/chat.postMessage",
            headers='{"Content-Type":"application/json; charset=utf-8"}',
            body=BODY,
            authorization="token",
            authorization_settings={"token_type": "Bearer"},
            timeout_s=2,
        )
        db.session.add(action)
        db.session.flush()
        seal_secrets(action, {"token": token}, by=None)
        db.session.commit()
        self.action_id = action.id
        self.control("switches", {"rate_limit": False, "delay": 0.3})

    def ask(self, texts: list[str]) -> None:
        """Ask for a call with each text, each in a transaction of its own, as clicks are."""
        for text in texts:
            action = db.session.get_one(Action, self.action_id)
            context = {"CustomField": {"Slack Message": text}}
            operations.request_run(action, trigger="task_start", context=context, by=None, workspace_id=None)
            db.session.commit()

    def start_runbook(self, texts: list[str]) -> int:
        """A live runbook of Rune's with a task for each text, which starts the call. Its id."""
        rune = db.session.scalars(select(User).where(User.email == "rune@example.com")).one()
        workspace = db.session.scalars(select(Workspace).where(Workspace.name == "Payments")).one()
        runbook = runbooks.create_runbook(name="Killed", workspace=workspace, by=rune)
        action = db.session.get_one(Action, self.action_id)
        for text in texts:
            runbooks.add_task(runbook, runbook.streams[0], text, by=rune).action = action
        db.session.commit()
        runbooks.start_runbook(runbook, Mode.LIVE, by=rune)
        runbook_id = runbook.id
        db.session.commit()
        return runbook_id

    def standing(self, runbook_id: int) -> dict[str, Any]:
        """How the live run stands: what is stored of it, and of each task."""
        db.session.rollback()
        [execution] = executions_of(runbook_id)
        columns = (Task.number, Task.state, Task.started_at, Task.finished_at)
        query = select(*columns).where(Task.runbook_id == runbook_id).order_by(Task.number)
        found = {
            "started": (execution.label, execution.started_at, execution.started_by),
            "ending": execution.ending,
            "tasks": [tuple(row) for row in db.session.execute(query)],
        }
        db.session.rollback()
        return found

    def end(self, runbook_id: int) -> list[tuple[int, str]]:
        """Cancel the live run; what was kept of each task: its number and state."""
        runbook = db.session.get_one(Runbook, runbook_id)
        runbooks.cancel_runbook(runbook, "It was only for a test", by=runbook.owners[0])
        db.session.commit()
        [execution] = executions_of(runbook_id)
        return [(each.number, each.state) for each in record_of(execution).tasks]

    def startable(self, runbook_id: int) -> list[int]:
        """The numbers of the tasks that nobody has started yet."""
        query = select(Task.number).where(Task.runbook_id == runbook_id, Task.state == TaskState.STARTABLE)
        found = list(db.session.scalars(query.order_by(Task.number)))
        db.session.rollback()
        return found

    @contextmanager
    def signed_in(self) -> Iterator[Callable[[int, int], bool]]:
        """Rune's browser, with a click on a task's Start: whether it was answered at all."""
        address = self.running.address
        with requests.Session() as browser:
            browser.headers["Referer"] = address
            page = browser.get(f"{address}/sign-in", timeout=10).text
            form = {"email": "rune@example.com", "password": PASSWORD, "csrf_token": _token(page)}
            page = browser.post(f"{address}/sign-in", form, timeout=10).text
            token = _token(page)

            def click(runbook_id: int, number: int) -> bool:
                start = f"{address}/runbooks/{runbook_id}/tasks/{number}/start"
                headers = {"HX-Request": "true", "X-CSRFToken": token}
                try:
                    return requests.post(start, headers=headers, cookies=browser.cookies, timeout=10).ok
                except (requests.ConnectionError, requests.Timeout):
                    return False  # the process was killed before or after it did what was asked

            yield click

    def arrived(self, prefix: str) -> Counter[str]:
        """How often each text has arrived at the sandbox."""
        calls = self.control("requests?method=chat.postMessage")["requests"]
        texts = (call["arguments"].get("text", "") for call in calls)
        return Counter(text for text in texts if text.startswith(prefix))

    def states(self, prefix: str) -> dict[str, str]:
        """Text to the state of its run."""
        db.session.rollback()
        rows = db.session.execute(select(IntegrationRun.body, IntegrationRun.state)).all()
        db.session.rollback()
        found = {json.loads(body)["text"]: state for body, state in rows if body}
        return {text: state for text, state in found.items() if text.startswith(prefix)}

    def wait_until_settled(self, seconds: float = 60.0) -> None:
        """Until nothing is queued or being sent."""

        def settled() -> bool:
            query = select(func.count()).where(IntegrationRun.state.in_(("queued", "sending")))
            left = db.session.scalar(query)
            db.session.rollback()
            return left == 0

        self.wait_for(settled, "left runs queued or sending", seconds)

    def wait_for(self, condition: Callable[[], bool], otherwise: str, seconds: float = 30.0) -> None:
        """Until the condition holds. Raises AssertionError with the processes' output where it does not."""
        until = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < until, f"It {otherwise}:\n{self.running.output()[-4000:]}"
            time.sleep(0.02)

    def control(self, path: str, values: dict[str, Any] | None = None) -> Any:
        """Ask the sandbox's control pages."""
        data = None if values is None else json.dumps(values).encode()
        request = urllib.request.Request(
            f"{self.running.sandbox}/sandbox/{path}", data, {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)


def _token(page: str) -> str:
    found = re.search(r'name="csrf_token"[^>]*value="([^"]+)"|X-CSRFToken":"([^"]+)"', html.unescape(page))
    assert found, page
    return found[1] or found[2]


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory, worker_number: int) -> Iterator[Ground]:
    """A demo of our own, whose parts may be killed, and a client of its database."""
    running = Running(tmp_path_factory.mktemp("faults") / "instance", number=3 * worker_number + 2)
    try:
        running.start()
        app = create_app(Config.from_environment(running.environ))
        with app.app_context():
            made = Ground(running, app)
            made.prepare()
            yield made
            db.session.remove()
            db.engine.dispose()
    finally:
        running.discard()
