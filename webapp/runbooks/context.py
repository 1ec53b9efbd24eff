"""What a request template can read of a task: its fields, the task, the runbook, and who started it."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from flask import current_app

from webapp.accounts.models import User
from webapp.fields import queries as fields
from webapp.runbooks.models import Runbook, Task


def context_of(task: Task, by: User | None) -> dict[str, Any]:
    """The context of a template. A field's value is looked for on the task first, then on the runbook."""
    return contexts_of(task.runbook, [task], by)[task.id]


def contexts_of(runbook: Runbook, tasks: Collection[Task], by: User | None) -> dict[int, dict[str, Any]]:
    """Task id to context_of it, in a constant number of queries for any number of the runbook's tasks."""
    definitions = fields.definitions_by_action(runbook.workspace_id, {task.action_id for task in tasks})
    shared = fields.values_of_runbook(runbook.id)
    own = fields.values_of_tasks([task.id for task in tasks])
    emails = fields.emails_of([*shared.values(), *(each for held in own.values() for each in held.values())])
    return {
        task.id: _context(
            task,
            runbook,
            by,
            fields.template_values(
                definitions[task.action_id], fields.in_force(own.get(task.id, {}), shared), emails
            ),
        )
        for task in tasks
    }


def _context(task: Task, runbook: Runbook, by: User | None, custom: dict[str, Any]) -> dict[str, Any]:
    return {
        "CustomField": custom,
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
