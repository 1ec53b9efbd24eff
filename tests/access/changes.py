"""For every route that changes something: what to set up, and what to send, so that it succeeds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from tests.access.things import OAUTH, Things
from tests.cast import Cast
from webapp.accounts.models import User
from webapp.accounts.passwords import hash_password
from webapp.clock import now
from webapp.extensions import db
from webapp.fields.models import FieldDefinition
from webapp.integration_runs.models import IntegrationRun
from webapp.integrations import queries as integrations
from webapp.integrations.models import Action, Connection
from webapp.jobs import perform as perform_job
from webapp.runbooks.models import Confirmation, Execution, PlanChange, PlanImport, Runbook, Stream, Task
from webapp.runbooks.operations import edit_stream, importing, undo_change
from webapp.runbooks.templates.models import RunbookTemplate, TemplateVersion
from webapp.workspaces.models import Workspace

Prepare = Callable[[Things, Cast], None]
Data = Callable[[Things, Cast], dict[str, Any]]


def nothing(_things: Things, _cast: Cast) -> None:
    """The things are as they should be."""


@dataclass(frozen=True)
class Change:
    """`data` is the form, or a function of the things that makes it; `number` the task where it is not the first one."""

    data: dict[str, Any] | Data | None = None
    prepare: Prepare = nothing
    number: int | None = None

    def form(self, things: Things, cast: Cast) -> dict[str, Any]:
        return self.data(things, cast) if callable(self.data) else dict(self.data or {})


def runbook(state: str, mode: str | None = "live", /, **of_tasks: Any) -> Prepare:
    """The runbook in that state, and each of its tasks with these values."""

    def prepare(things: Things, _cast: Cast) -> None:
        found = db.session.get_one(Runbook, things.runbook_id)
        found.state, found.mode, found.started_at = state, mode, now()
        db.session.add(
            Execution(
                runbook_id=found.id, kind=mode, number=3, started_at=found.started_at, started_by="Rune"
            )
        )
        for task in db.session.scalars(select(Task).where(Task.runbook_id == found.id)):
            for name, value in of_tasks.items():
                setattr(task, name, value)

    return prepare


def run(state: str) -> Prepare:
    """The call in that state, its task in progress."""

    def prepare(things: Things, cast: Cast) -> None:
        runbook("running", state="in_progress")(things, cast)
        found = db.session.get_one(IntegrationRun, things.run_id)
        found.state, found.requested_at = state, now()

    return prepare


def _said_so(things: Things, cast: Cast) -> None:
    """Ada has given her word for the start of the second task, which several people start together."""
    _STARTABLE(things, cast)
    query = select(Task).where(Task.runbook_id == things.runbook_id, Task.number == 2)
    found = db.session.scalars(query).one()
    db.session.add(Confirmation(task_id=found.id, user_id=cast.ada, moment="start"))


def archived(model: Any, name: str) -> Prepare:
    def prepare(things: Things, _cast: Cast) -> None:
        db.session.get_one(model, getattr(things, name)).archived_at = now()

    return prepare


def _renamed(*, undone: bool = False) -> Prepare:
    """A stream that Ada has renamed, or had."""

    def prepare(things: Things, cast: Cast) -> None:
        ada, stream = db.session.get_one(User, cast.ada), db.session.get_one(Stream, things.stream_id)
        edit_stream(stream, name="Calls", color=stream.color, parent=None, by=ada)
        if undone:
            [change] = db.session.scalars(select(PlanChange))
            undo_change(stream.runbook, change.id, by=ada)

    return prepare


def version(state: str) -> Prepare:
    """The template's version in that state, its plan frozen unless it is a draft."""

    def prepare(things: Things, _cast: Cast) -> None:
        found = db.session.scalars(
            select(TemplateVersion).where(TemplateVersion.template_id == things.template_id)
        ).one()
        found.state, found.runbook.frozen = state, state != "draft"

    return prepare


def _last_change(_things: Things, _cast: Cast) -> dict[str, Any]:
    return {"change": db.session.scalars(select(PlanChange.id)).one()}


def _snippet(things: Things) -> int:
    """The id of the approved version of the workspace's snippet."""
    query = select(TemplateVersion.id).join(TemplateVersion.template)
    return db.session.scalars(
        query.where(RunbookTemplate.kind == "snippet", RunbookTemplate.workspace_id == things.workspace_id)
    ).one()


def _imported(things: Things, _cast: Cast) -> None:
    found = db.session.get_one(PlanImport, things.import_id)
    found.state = "queued"
    db.session.commit()
    perform_job(importing.JOB, things.import_id)


def _task_user(things: Things, _cast: Cast) -> None:
    action = db.session.get_one(Action, things.action_id)
    action.authorization_settings = {**action.authorization_settings, "authenticate_as": "task"}
    db.session.get_one(Task, things.task_id).assignees = [db.session.get_one(User, things.member_id)]


def _known_password(_things: Things, cast: Cast) -> None:
    db.session.get_one(User, cast.ada).password_hash = hash_password("a first password")


def _saved_request(things: Things, _cast: Cast) -> dict[str, Any]:
    action = db.session.get_one(Action, things.action_id)
    names = ("method", "url", "headers", "parameters", "body", "mode")
    return {name: getattr(action, name) for name in names}


def _action_form(things: Things, cast: Cast) -> dict[str, Any]:
    action = db.session.get_one(Action, things.action_id)
    own = {f"authorization-{name}": value for name, value in OAUTH.items()}
    return {
        **_ACTION,
        **_saved_request(things, cast),
        **own,
        "authorization": "oauth_code",
        "edition": integrations.edition(action),
    }


def _connection_form(things: Things, _cast: Cast) -> dict[str, Any]:
    found = db.session.get_one(Connection, things.connection_id)
    return {"name": "Slack, renamed", "image_url": "", "edition": integrations.edition(found)}


_ACTION = {"name": "Post again", "trigger": "task_start", "timeout_s": "30"}
_FIELD = {"name": "Room", "kind": "text", "visibility": "global", "displays_on": "task_edit"}
_PASSWORD = {"current": "a first password", "password": "a second password", "again": "a second password"}
_PERSON = {"name": "Nora", "email": "nora@example.com", "active": "y"}
_RESOLVED = {"outcome": "succeeded", "note": "Seen in the channel"}
_STREAM = {"name": "Network", "color": "3"}
_COLUMNS = {"column-0": "number", "column-1": "title"}
_REASON = {"reason": "Not needed today"}
_STARTABLE = runbook("running", state="startable")
_STARTED = runbook("running", state="in_progress")
_DONE = runbook("running", state="complete")

CHANGES = {
    "accounts.save_profile": Change({"name": "Ada L.", "time_zone": "UTC"}),
    "accounts.check_sign_in": Change(
        {"email": "ada@example.com", "password": _PASSWORD["current"]}, _known_password
    ),
    "accounts.sign_out": Change(),
    "accounts.change_password": Change(_PASSWORD, _known_password),
    "accounts.end_session": Change(),
    "accounts.add_user": Change({**_PERSON, "password": "a first password"}),
    "accounts.save_user": Change(_PERSON),
    "accounts.reset_password": Change({"password": "a second password"}),
    "notifications.save_settings": Change({"kinds": ["mention"]}),
    "workspaces.add_workspace": Change({"name": "Fraud"}),
    "workspaces.save_workspace": Change({"name": "Payouts"}),
    "workspaces.add_member": Change(lambda things, cast: {"user_id": cast.otto, "role": "member"}),
    "workspaces.save_member": Change({"role": "viewer"}),
    "workspaces.archive": Change(),
    "workspaces.restore": Change(prepare=archived(Workspace, "workspace_id")),
    "fields.add_definition": Change(_FIELD),
    "fields.save_definition": Change(_FIELD),
    "fields.move_definition": Change({"to": "up"}),
    "fields.archive_definition": Change(),
    "fields.restore_definition": Change(prepare=archived(FieldDefinition, "definition_id")),
    "integrations.create_connection": Change({"type": "custom", "name": "Pager", "image_url": ""}),
    "integrations.save_connection": Change(_connection_form),
    "integrations.archive_connection": Change(),
    "integrations.restore_connection": Change(prepare=archived(Connection, "connection_id")),
    "integrations.create_action": Change({**_ACTION, "visibility": "global", "template": ""}),
    "integrations.save_action": Change(_action_form),
    "integrations.duplicate_action": Change(lambda things, cast: {"workspaces": cast.treasury}),
    "integrations.archive_action": Change(),
    "integrations.restore_action": Change(prepare=archived(Action, "action_id")),
    "integrations.test_request": Change(_saved_request),
    "integrations.disconnect": Change(),
    "integration_runs.cancel": Change(prepare=run("queued")),
    "integration_runs.retry": Change(prepare=run("failed")),
    "integration_runs.resolve": Change(_RESOLVED, run("unknown")),
    "runbooks.create_runbook": Change(
        lambda things, cast: {"name": "Release 13", "workspace_id": things.workspace_id}
    ),
    "runbooks.save_runbook": Change({"name": "Release 12a"}),
    "runbooks.save_message": Change({"message": "Bridge 4 is open"}),
    "runbooks.duplicate_runbook": Change({"name": "Release 13", "keep_assignees": "y"}),
    "runbooks.save_as_template": Change({"target": "new", "name": "Failover again"}),
    "runbooks.save_snippet": Change(
        lambda things, cast: {"number": things.number, "name": "Call them", "keep_assignees": "y"}
    ),
    "runbooks.insert_snippet": Change(
        lambda things, cast: {"version_id": _snippet(things), "stream_id": things.stream_id}
    ),
    "runbooks.save_template": Change({"name": "Failover of a region"}),
    "runbooks.archive_template": Change(),
    "runbooks.restore_template": Change(prepare=archived(RunbookTemplate, "template_id")),
    "runbooks.add_version": Change(prepare=version("approved")),
    "runbooks.save_version_note": Change({"note": "Shorter"}),
    "runbooks.submit_version": Change({"note": "The first one"}),
    "runbooks.withdraw_version": Change(prepare=version("in_review")),
    "runbooks.discard_version": Change(),
    "runbooks.approve_version": Change(prepare=version("in_review")),
    "runbooks.send_version_back": Change(_REASON, version("in_review")),
    "runbooks.start_runbook": Change({"mode": "rehearsal"}),
    "runbooks.nudge": Change(prepare=_task_user),
    "runbooks.pause_runbook": Change(prepare=runbook("running")),
    "runbooks.resume_runbook": Change(prepare=runbook("paused")),
    "runbooks.complete_runbook": Change(prepare=runbook("running", state="complete")),
    "runbooks.cancel_runbook": Change(_REASON, runbook("running")),
    "runbooks.plan_again": Change(prepare=runbook("complete", "rehearsal", state="complete")),
    "runbooks.add_stream": Change(_STREAM),
    "runbooks.save_stream": Change(_STREAM),
    "runbooks.move_stream": Change({"to": "down"}),
    "runbooks.duplicate_stream": Change(),
    "runbooks.delete_stream": Change(),
    "runbooks.add_task": Change(lambda things, cast: {"title": "Call", "stream_id": things.stream_id}),
    "runbooks.save_task": Change(
        lambda things, cast: {
            "title": "Call them",
            "duration": "5m",
            "stream_id": things.stream_id,
            "type": f"action:{things.action_id}",
        }
    ),
    "runbooks.edit_tasks": Change(lambda things, cast: {"number": things.number, "duration": "20m"}),
    "runbooks.delete_tasks": Change(lambda things, cast: {"number": things.spare_number}),
    "runbooks.move_task": Change({"to": "down"}),
    "runbooks.move_tasks": Change(lambda things, cast: {"number": things.number, "to": "down"}),
    "runbooks.save_cell": Change({"duration": "25m", "was-duration": "5m"}),
    "runbooks.duplicate_task": Change(),
    "runbooks.delete_task": Change(),
    "runbooks.undo_change": Change(_last_change, _renamed()),
    "runbooks.redo_change": Change(_last_change, _renamed(undone=True)),
    "runbooks.mark_lesson": Change({"lesson": "yes"}),
    "runbooks.add_comment": Change({"body": "Looks good"}),
    "runbooks.save_field": Change({"value": "#general"}),
    "runbooks.start_task": Change(prepare=_STARTABLE, number=2),
    "runbooks.finish_task": Change(prepare=_STARTED, number=2),
    "runbooks.take_back": Change(prepare=_said_so, number=2),
    "runbooks.skip_task": Change(_REASON, _STARTABLE, number=2),
    "runbooks.reopen_task": Change(_REASON, _DONE, number=2),
    "runbooks.finish_by_hand": Change(_REASON, run("failed")),
    "runbooks.cancel_call": Change(prepare=run("queued")),
    "runbooks.retry_call": Change(prepare=run("failed")),
    "runbooks.resolve_call": Change(_RESOLVED, run("unknown")),
    "runbooks.start_import": Change({**_COLUMNS, "headings": "1"}),
    "runbooks.undo_import": Change(prepare=_imported),
}
# These answer to what is typed or look at the world, and write nothing.
CHANGE_NOTHING = {
    "runbooks.check_hosts": Change(),
    "runbooks.ask_edit_tasks": Change(lambda things, cast: {"number": things.number}),
    "runbooks.ask_delete_tasks": Change(lambda things, cast: {"number": things.number}),
    "runbooks.ask_save_snippet": Change(lambda things, cast: {"number": things.number}),
    "integrations.check_request": Change(_saved_request),
    "integrations.fix_request": Change(
        lambda things, cast: {**_saved_request(things, cast), "body": '{"text":"{{Task.name}}}'}
    ),
    "integrations.authorization_fields": Change({"authorization": "token"}),
}
# Endpoint to why what it writes needs no audit line.
NOT_AUDITED = {
    "accounts.save_theme": "a matter of taste",
    "accounts.save_runbook_times": "a matter of taste too",
    "notifications.open_notification": "what one has read is nobody else's business",
    "notifications.read": "the same",
    "notifications.read_all": "the same",
    "runbooks.upload_plan": "a file of one's own, seen by nobody else and thrown away after a day: the import is audited",
    "runbooks.upload_new_plan": "the same",
    "runbooks.check_import": "the same",
    "runbooks.discard_import": "the same",
    "integrations.authenticate": "nothing is granted until the provider sends the person back, and that is audited",
}
