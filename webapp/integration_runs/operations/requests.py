"""Asking for a call: the request is rendered and checked now, and sent by a worker after the commit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

from webapp.accounts.models import User
from webapp.audit.operations import record
from webapp.clock import now
from webapp.extensions import db
from webapp.integration_runs.models import IntegrationRun
from webapp.integration_runs.nudges import nudge_after_commit
from webapp.integration_runs.signals import run_changed
from webapp.integration_runs.states import RunState
from webapp.integrations.models import Action
from webapp.integrations.request import template_of
from webapp.integrations.settings import moved_to
from webapp.templating import TemplateError

TEST = "test"


class RequestInvalid(Exception):
    """The request cannot be made from these values: a sentence, and the part of the request and place it is about."""

    def __init__(self, sentence: str, part: str, line: int | None = None, column: int | None = None) -> None:
        super().__init__(sentence)
        self.sentence, self.part, self.line, self.column = sentence, part, line, column


def request_run(
    action: Action,
    *,
    trigger: str,
    context: Mapping[str, Any],
    by: User | None,
    workspace_id: int | None,
    runbook_id: int | None = None,
    task_id: int | None = None,
    to_sandbox: bool = False,
) -> IntegrationRun:
    """Ask for one call of the action with the values in `context`. Raises RequestInvalid; nothing is written then.

    `to_sandbox`: the request, as it is, goes to the sandbox address of the action's connection.
    """
    run = _run(action, trigger, context, by)
    if to_sandbox:
        run.to_sandbox, run.url = True, moved_to(action.connection.sandbox_address, run.url)
        run.host = urlsplit(run.url).netloc
    run.workspace_id, run.runbook_id, run.task_id, run.credential_task_id = (
        workspace_id,
        runbook_id,
        task_id,
        task_id,
    )
    return _asked(run, action, by)


def request_test(
    action: Action, context: Mapping[str, Any], *, by: User, credential_task_id: int | None = None
) -> IntegrationRun:
    """Ask for a test call of the action. It belongs to no task; one that lends its values may lend its sign-in too."""
    run = _run(action, TEST, context, by)
    run.credential_task_id = credential_task_id
    return _asked(run, action, by)


def _run(action: Action, trigger: str, context: Mapping[str, Any], by: User | None) -> IntegrationRun:
    try:
        rendered = template_of(action).render(context)
    except TemplateError as error:
        raise RequestInvalid(_sentence(error), error.part, error.line, error.column) from None
    name = by.name if by else "Runsheet"
    return IntegrationRun(
        reference=str(uuid4()),
        action_id=action.id,
        trigger=trigger,
        requested_by_id=by.id if by else None,
        requested_by_name=name,
        asked_by_id=by.id if by else None,
        asked_by_name=name,
        state=RunState.QUEUED,
        due_at=now(),
        method=rendered.method,
        url=rendered.url,
        host=rendered.host,
        headers=dict(rendered.headers),
        body=None if rendered.body is None else rendered.body_text,
    )


def _asked(run: IntegrationRun, action: Action, by: User | None) -> IntegrationRun:
    db.session.add(run)
    db.session.flush()
    record(
        "integration_run.requested",
        run,
        by=by,
        after={"action": action.name, "trigger": run.trigger, "host": run.host, "reference": run.reference},
        workspace_id=run.workspace_id,
        runbook_id=run.runbook_id,
    )
    run_changed.send(run)
    nudge_after_commit()
    return run


def _sentence(error: TemplateError) -> str:
    where = {
        "url": "URL",
        "headers": "Request headers",
        "parameters": "Request parameters",
        "body": "Payload",
    }[error.part]
    place = f", {error.place[0].lower()}{error.place[1:]}" if error.place else ""
    hint = f" {error.hint}" if error.hint else ""
    return f"{where}{place}: {error.message}{hint}"
