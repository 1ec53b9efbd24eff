"""Forms about workspaces."""

from __future__ import annotations

from wtforms import SelectField, StringField
from wtforms.validators import DataRequired, Length

from webapp.forms import BaseForm
from webapp.permissions import WORKSPACE_ROLES, Role


class WorkspaceForm(BaseForm):
    name = StringField("Name", [DataRequired("Enter a name."), Length(max=120)])


class MemberForm(BaseForm):
    """Someone to add. `user_id`'s choices are the people who are not members yet."""

    user_id = SelectField("Person", coerce=int)
    role = SelectField(
        "Role", choices={role.value: role.label for role in WORKSPACE_ROLES}, default=Role.MEMBER.value
    )
