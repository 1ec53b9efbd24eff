"""The demo's data: the cast of the tests as people, two workspaces, a runbook that waits for the guide, and large ones.

Made once; a second start finds it and leaves everything as people left it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from zoneinfo import ZoneInfo

from flask import Flask
from sqlalchemy import delete, select

from webapp.accounts.models import User
from webapp.accounts.operations import create_user
from webapp.accounts.queries import user_by_email
from webapp.clock import now
from webapp.extensions import db
from webapp.notifications.models import Notification
from webapp.permissions import Role
from webapp.runbooks import imports
from webapp.runbooks.models import PlanChange, Runbook, Task
from webapp.runbooks.operations.changes import touch
from webapp.runbooks.operations.lifecycle import create_runbook
from webapp.runbooks.operations.plan_writer import PlanWriter
from webapp.runbooks.operations.planning import Plan, add_task, edit_task
from webapp.runbooks.operations.snippets import save_as_snippet
from webapp.runbooks.operations.streams import add_stream, edit_stream
from webapp.runbooks.operations.templating import approve_version, save_as_template, submit_version
from webapp.runbooks.sheets.columns import PlanMapping, guess
from webapp.runbooks.sheets.plan import Checked, PlannedTask, check
from webapp.runbooks.sheets.yaml_files import read_yaml
from webapp.workspaces.models import Workspace
from webapp.workspaces.operations import create_workspace, set_role

PASSWORD = "runsheet-demo"
ZONE = "Europe/Berlin"
# Where the large plan has its decision to go.
GO = 6

# Name, email, and what the person may do; the order in which the demo prints them.
CAST = [
    ("Ines", "ines@example.com", "Integration Admin: sets up connections and actions"),
    ("Carl", "carl@example.com", "Custom Fields Admin: sets up custom fields"),
    ("Rune", "rune@example.com", "Editor in Payments: plans and runs runbooks"),
    ("Vera", "vera@example.com", "Viewer in Payments: may only look"),
    ("Ada", "ada@example.com", "Administrator: users, roles, workspaces, audit"),
    ("Otto", "otto@example.com", "Manager of another workspace: sees nothing of Payments"),
    ("Dana", "dana@example.com", "Everything at once: follow the guide in one browser"),
]
_ROLES = {
    "Ines": [Role.INTEGRATION_ADMIN],
    "Carl": [Role.CUSTOM_FIELDS_ADMIN],
    "Ada": [Role.ADMINISTRATOR, Role.AUDITOR],
    "Dana": [Role.ADMINISTRATOR, Role.INTEGRATION_ADMIN, Role.CUSTOM_FIELDS_ADMIN, Role.AUDITOR],
}


def seed(app: Flask, *, tasks: int | None = None) -> bool:
    """Make the demo's data where the database is empty. Whether it was.

    `tasks`, from 1 to 5,000, adds a runbook with that many: the failover of one site after the other.
    """
    with app.app_context():
        if user_by_email(CAST[0][1]) is not None:
            return False
        people = {
            name: create_user(name=name, email=email, password=PASSWORD, roles=_ROLES.get(name, ()), by=None)
            for name, email, _ in CAST
        }
        payments = create_workspace(name="Payments", by=None, manager=people["Dana"])
        create_workspace(name="Treasury", by=None, manager=people["Otto"])
        set_role(payments, people["Rune"], Role.EDITOR, by=None)
        set_role(payments, people["Vera"], Role.VIEWER, by=None)
        _add_runbook(payments, people["Rune"], people)
        _add_plan("Data-centre failover, region A to B", payments, people["Rune"])
        if tasks is not None:
            _add_plan(f"Failover of every site, {tasks:,} tasks", payments, people["Rune"], tasks=tasks)
        _add_templates(payments, people["Rune"], approver=people["Dana"])
        # Nobody sits down to a plan with a change to undo that is not theirs.
        db.session.execute(delete(PlanChange))
        db.session.commit()
        return True


# Stream, then its tasks: title, minutes, assignee, and the numbers of the tasks that must be done before.
_PLAN: list[tuple[str, list[tuple[str, int, str, tuple[int, ...]]]]] = [
    (
        "Command and comms",
        [
            ("Open the war room bridge and call the roll", 5, "Rune", ()),
            ("Confirm that replication lag is below 5 s", 10, "Dana", (1,)),
            ("Declare the failover", 10, "Dana", (2,)),
            ("Announce the start in Slack", 5, "Rune", (3,)),
        ],
    ),
    (
        "Database",
        [
            ("Stop write traffic on the core ledger", 5, "Dana", (3,)),
            ("Wait for the replica to reach the last log position", 10, "Dana", (5,)),
            ("Promote the replica to primary", 15, "Dana", (6,)),
        ],
    ),
    (
        "Applications",
        [
            ("Scale region B workers to production size", 15, "Rune", (3,)),
            ("Switch the payment engine to the region B profile", 20, "Rune", (7, 8)),
            ("Run the synthetic payment suite", 15, "Rune", (9,)),
        ],
    ),
]


def _add_runbook(workspace: Workspace, owner: User, people: dict[str, User]) -> None:
    """A small failover. Its task "Announce the start in Slack" is the one that the guide turns into a message."""
    runbook = create_runbook(
        name="Core banking failover, region A to B",
        description="Move core banking from region A to region B and prove that payments flow.",
        workspace=workspace,
        time_zone=ZONE,
        by=owner,
    )
    first = runbook.streams[0]
    edit_stream(first, name=_PLAN[0][0], color=0, parent=None, by=owner)
    made: dict[int, Task] = {}
    for number, (stream_name, tasks) in enumerate(_PLAN):
        stream = first if number == 0 else add_stream(runbook, stream_name, by=owner)
        for title, minutes, assignee, before in tasks:
            task = add_task(runbook, stream, title, by=owner)
            made[task.number] = task
            plan = Plan(
                title=title,
                stream=stream,
                duration_s=minutes * 60,
                assignees=[people[assignee]],
                predecessor_ids=[made[each].id for each in before],
            )
            edit_task(task, plan, by=owner)


def _add_plan(name: str, workspace: Workspace, owner: User, *, tasks: int | None = None) -> None:
    """A runbook that begins on the coming Saturday night, with the large plan as an import would write it."""
    plan = read_yaml((files("webapp") / "demo_plan.yaml").read_bytes())
    mapping = PlanMapping(guess(plan.lines[0].cells, plan.width), "UTC")
    checked = check(plan, mapping, imports.people_in(workspace.id), imports.ways_in(workspace.id))
    if checked.problems:
        raise ValueError(f"the demo's plan is wrong: {checked.problems[0]}")
    if tasks is not None:
        checked = Checked(site_after_site(checked.tasks, tasks), [])
    runbook = create_runbook(
        name=name, description=plan.about.description, workspace=workspace, time_zone=ZONE, by=owner
    )
    runbook.planned_start = _saturday_night(now())
    PlanWriter(runbook, touch(runbook), plan.about, lambda _: None).write(checked)


def _add_templates(workspace: Workspace, author: User, *, approver: User) -> None:
    """A template of the small failover and a snippet of its first tasks, which the author wrote and the other approved."""
    small = db.session.scalars(
        select(Runbook).where(Runbook.workspace_id == workspace.id).order_by(Runbook.id)
    ).first()
    if small is None:
        raise ValueError("the demo has no runbook to make a template of")
    template = save_as_template(
        small,
        name="Region failover",
        description="The failover as it went well in spring. Set the planned start, and check who is on call.",
        keep_assignees=False,
        by=author,
    )
    snippet = save_as_snippet(
        small,
        {1, 2},
        name="Roll call and health check",
        description="How every change begins.",
        keep_assignees=False,
        by=author,
    )
    for version in (template, snippet):
        submit_version(version, "The first version.", by=author)
        approve_version(version, by=approver)
    db.session.execute(delete(Notification))  # that was long ago, and is no news


def site_after_site(plan: Sequence[PlannedTask], count: int) -> list[PlannedTask]:
    """The plan again and again until it has `count` tasks; each site begins when the one before has its go."""
    rows = max(task.row for task in plan) + 1
    made: list[PlannedTask] = []
    while len(made) < count:
        site = len(made) // len(plan)
        for task in plan[: count - len(made)]:
            before = [each + site * rows for each in task.before]
            if task is plan[0] and site:
                before.append(plan[GO].row + (site - 1) * rows)
            title = f"Site {site + 1}: {task.title}"
            made.append(replace(task, row=task.row + site * rows, title=title, reference="", before=before))
    known = {task.row for task in made}
    return [replace(task, before=[each for each in task.before if each in known]) for task in made]


def _saturday_night(moment: datetime) -> datetime:
    days = (5 - moment.astimezone(ZoneInfo(ZONE)).weekday()) % 7 or 7
    there = moment.astimezone(ZoneInfo(ZONE)) + timedelta(days=days)
    return there.replace(hour=22, minute=0, second=0, microsecond=0).astimezone(UTC)
