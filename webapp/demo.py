"""The demo's data: the cast of the tests as people, two workspaces, and a runbook that waits for the guide.

Made once; a second start finds it and leaves everything as people left it.
"""

from __future__ import annotations

from flask import Flask

from webapp.accounts.models import User
from webapp.accounts.operations import create_user
from webapp.accounts.queries import user_by_email
from webapp.extensions import db
from webapp.permissions import Role
from webapp.workspaces.operations import create_workspace, set_role

PASSWORD = "runsheet-demo"  # noqa: S105 - printed at every start of the demo

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


def seed(app: Flask) -> bool:
    """Make the demo's data where the database is empty. Whether it was."""
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
        _add_runbook(payments.id, people["Rune"])
        db.session.commit()
        return True


def _add_runbook(workspace_id: int, owner: User) -> None:
    """A small failover whose announcement is the task that the guide turns into a Slack message."""
