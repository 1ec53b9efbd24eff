"""What a request template can read of a task: its fields, the task, the runbook, and who started it."""

from __future__ import annotations

from typing import Any

from flask import current_app

from webapp.accounts.models import User
from webapp.fields import queries as fields
from webapp.runbooks.models import Runbook, Task


def context_of(task: Task, by: User | None) -> dict[str, Any]:
    """The context of a template. A field's value is looked for on the task first, then on the runbook."""
    runbook = task.runbook
    definitions = fields.definitions_for(None, runbook.workspace_id, task.action_id)
    values = fields.in_force(fields.values_of_task(task.id), fields.values_of_runbook(runbook.id))
    return {
        "CustomField": fields.template_values(definitions, values),
        "Task": {
            "id": task.id,
            "number": task.number,
            "name": task.title,
            "description": task.description,
            "stream": task.stream.name,
            "url": f"{address_of(runbook)}?task={task.number}",
        },
        "Runbook": {
            "id": runbook.id,
            "name": runbook.name,
            "url": address_of(runbook),
            "mode": runbook.mode or runbook.state,
        },
        "User": {"name": by.name if by else "Runsheet", "email": by.email if by else ""},
    }


def path_of(runbook_id: int, number: int | None = None) -> str:
    """The page of a runbook, with one of its tasks open."""
    return f"/runbooks/{runbook_id}" + (f"?task={number}" if number is not None else "")


def address_of(runbook: Runbook) -> str:
    """The runbook's page as other systems can link to it."""
    return str(current_app.config["PUBLIC_URL"]).rstrip("/") + path_of(runbook.id)
