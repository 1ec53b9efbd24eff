"""One object of every kind that an address can name, in one workspace."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any
from uuid import uuid4

from flask import current_app
from sqlalchemy import select

from webapp.accounts.models import User, UserSession
from webapp.clock import now
from webapp.extensions import Base, db
from webapp.fields.models import FieldDefinition
from webapp.integration_runs.models import IntegrationRun
from webapp.integrations.models import Action, Authentication, Connection
from webapp.notifications.models import Notification
from webapp.permissions import Role
from webapp.runbooks.models import Comment, Execution, PlanImport, Purpose, Runbook, Stream, Task
from webapp.runbooks.reviews.record_reads import present_record
from webapp.runbooks.sheets.columns import PlanMapping
from webapp.runbooks.sheets.reading import read
from webapp.runbooks.templates.models import RunbookTemplate, TemplateKind, TemplateUse, TemplateVersion
from webapp.workspaces.models import Membership, Workspace

OAUTH = {
    "flow": "authorization_code",
    "authenticate_as": "functional",
    "client_id": "2141029472.691202649728",
    "provider_host": "https://slack.com",
    "authorization_endpoint": "/oauth/authorize",
    "token_endpoint": "/api/oauth.access",
    "scopes": "chat:write",
    "extra_parameters": "",
    "client_authentication": "client_secret_post",
    "pkce": "auto",
    "token_choice": "bot",
}


@dataclass
class Things:
    """The objects of one workspace, by id; tasks by the number that addresses have.

    A session, an import and a notification are of whoever asks, so `own` fills them in for each person.
    """

    workspace_id: int
    member_id: int
    connection_id: int
    action_id: int
    authentication_id: int
    definition_id: int
    runbook_id: int
    stream_id: int
    empty_stream_id: int
    task_id: int
    number: int
    spare_number: int
    run_id: int
    comment_id: int
    template_id: int
    version: int
    session_id: int = 0
    import_id: int = 0
    spare_import_id: int = 0
    notification_id: int = 0


ARGUMENTS: dict[str, Callable[[Things], Any]] = {
    "workspace_id": lambda things: things.workspace_id,
    "user_id": lambda things: things.member_id,
    "session_id": lambda things: things.session_id,
    "notification_id": lambda things: things.notification_id,
    "import_id": lambda things: things.import_id,
    "connection_id": lambda things: things.connection_id,
    "action_id": lambda things: things.action_id,
    "authentication_id": lambda things: things.authentication_id,
    "definition_id": lambda things: things.definition_id,
    "runbook_id": lambda things: things.runbook_id,
    "stream_id": lambda things: things.stream_id,
    "number": lambda things: things.number,
    "comment_id": lambda things: things.comment_id,
    "run_id": lambda things: things.run_id,
    "kind": lambda things: "rehearsal",
    "execution": lambda things: 1,
    "slug": lambda things: "slack",
    "name": lambda things: "duration",
    "template_id": lambda things: things.template_id,
    "version": lambda things: things.version,
}
# Where the first object of the kind would not do, or would be missing for the routes that come after.
ARGUMENTS_OF_ENDPOINT: dict[str, dict[str, Callable[[Things], Any]]] = {
    "runbooks.delete_task": {"number": lambda things: things.spare_number},
    "runbooks.discard_import": {"import_id": lambda things: things.spare_import_id},
    "runbooks.delete_stream": {"stream_id": lambda things: things.empty_stream_id},
}


def things_in(workspace_id: int) -> Things:
    """Make and commit them. Nobody owns the runbook or is assigned to a task; the field shows in that workspace only."""
    workspace = db.session.get_one(Workspace, workspace_id)
    member = User(name=f"Mara {workspace_id}", email=f"mara-{workspace_id}@example.com")
    workspace.memberships.append(Membership(user=member, role=Role.MEMBER))
    connection = Connection(name=f"Slack of {workspace.name}")
    action = Action(
        connection=connection,
        name="Post to a channel",
        authorization="oauth_code",
        authorization_settings=dict(OAUTH),
        is_global=False,
        workspaces=[workspace],
        url="https://slack.com/api/chat.postMessage",
        headers='{"Content-Type":"application/json"}',
        body='{"text":"{{Task.name}}"}',
        cancelable=True,
    )
    definition = FieldDefinition(
        name=f"Channel of {workspace.name}",
        kind="text",
        is_global=False,
        workspaces=[workspace],
        displays_on=["task_edit"],
    )
    runbook = Runbook(name=f"Release of {workspace.name}", workspace=workspace)
    streams = [
        Stream(name="Tasks", runbook=runbook, position=1),
        Stream(name="Empty", runbook=runbook, position=2),
        Stream(name="Gone", runbook=runbook, position=3, deleted_at=now()),
    ]
    titles = ("Call", "Spare", "Deleted", "Last")
    tasks = [
        Task(runbook=runbook, stream=streams[0], number=number, position=number, title=title)
        for number, title in enumerate(titles, 1)
    ]
    tasks[0].action, tasks[2].deleted_at = action, now()
    runbook.next_task_number = len(tasks) + 1
    db.session.add_all([member, action, definition, runbook])
    db.session.flush()
    vault = current_app.extensions["vault"]
    action.authorization_secrets = vault.seal(action.secrets_row_key, {"client_secret": "very-secret"})
    authentication = Authentication(
        action=action,
        provider_host="https://slack.com",
        request_host="slack.com",
        identity={"label": "deploy-bot in team Orbit", "team": "Orbit"},
    )
    run = IntegrationRun(
        reference=str(uuid4()),
        action=action,
        workspace_id=workspace_id,
        runbook_id=runbook.id,
        task_id=tasks[0].id,
        trigger="task_start",
        state="unknown",
        method="POST",
        url=action.url,
        host="slack.com",
        body='{"text":"Call"}',
    )
    comment = Comment(task_id=tasks[0].id, user=member, body="Ring twice")
    db.session.add_all([authentication, run, comment])
    db.session.flush()
    kept = present_record(runbook.id).as_json()
    for number in (1, 2):
        db.session.add(
            Execution(
                runbook_id=runbook.id,
                kind="rehearsal",
                number=number,
                started_at=now(),
                ended_at=now(),
                ending="cancelled",
                kept=kept,
            )
        )
    plan = Runbook(name="Failover", workspace=workspace, purpose=Purpose.TEMPLATE)
    plan.streams = [Stream(name="Tasks", position=1)]
    template = RunbookTemplate(name="Failover", workspace=workspace)
    template.versions = [TemplateVersion(number=1, runbook=plan)]
    snippet_plan = Runbook(name="Roll call", workspace=workspace, purpose=Purpose.TEMPLATE, frozen=True)
    snippet_plan.streams = [Stream(name="Tasks", position=1)]
    snippet_plan.tasks = [Task(stream=snippet_plan.streams[0], number=1, position=1, title="Call the roll")]
    snippet = RunbookTemplate(name="Roll call", workspace=workspace, kind=TemplateKind.SNIPPET)
    snippet.versions = [TemplateVersion(number=1, runbook=snippet_plan, state="approved")]
    db.session.add_all([plan, template, snippet_plan, snippet])
    db.session.flush()
    db.session.add(TemplateUse(version_id=template.versions[0].id, runbook_id=runbook.id, whole=True))
    authentication.token = vault.seal(authentication.secrets_row_key, {"access_token": "granted"})
    made = Things(
        workspace_id=workspace_id,
        member_id=member.id,
        connection_id=connection.id,
        action_id=action.id,
        authentication_id=authentication.id,
        definition_id=definition.id,
        runbook_id=runbook.id,
        stream_id=streams[0].id,
        empty_stream_id=streams[1].id,
        task_id=tasks[0].id,
        number=tasks[0].number,
        spare_number=tasks[1].number,
        run_id=run.id,
        comment_id=comment.id,
        template_id=template.id,
        version=1,
    )
    db.session.commit()
    return made


def own(things: Things, user_id: int) -> Things:
    """The same things, with a session, imports and a notification of that person."""
    return replace(
        things,
        session_id=session_of(user_id),
        import_id=import_of(user_id, things),
        spare_import_id=import_of(user_id, things),
        notification_id=notification_of(user_id),
    )


def session_of(user_id: int) -> int:
    """Another signed-in browser of that person, by the id of its session."""
    row = UserSession(user_id=user_id, token_hash=uuid4().hex)
    db.session.add(row)
    db.session.commit()
    return row.id


def notification_of(user_id: int) -> int:
    """Something that this person was told and has not read."""
    row = Notification(user_id=user_id, kind="message", sentence="The bridge is open.", link="/my-tasks")
    db.session.add(row)
    db.session.commit()
    return row.id


def import_of(user_id: int, things: Things) -> int:
    """A plan that this person uploaded into the runbook, before its columns are settled."""
    table = read(b"ID,Title\n1,Call the bridge\n")
    row = PlanImport(
        runbook_id=things.runbook_id,
        workspace_id=things.workspace_id,
        user_id=user_id,
        file_name="plan.csv",
        row_count=1,
        rows=table.as_json(),
        mapping=PlanMapping(("number", "title"), "UTC", headings=True).as_json(),
    )
    db.session.add(row)
    db.session.commit()
    return row.id


def rows() -> dict[str, list[Any]]:
    """Every row of every table."""
    found = {
        table.name: [
            tuple(row) for row in db.session.execute(select(table).order_by(*table.primary_key.columns))
        ]
        for table in Base.metadata.sorted_tables
    }
    db.session.rollback()
    return found
