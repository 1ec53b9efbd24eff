"""What people are told of a template's version: that it waits for them, and how it was decided."""

from __future__ import annotations

from sqlalchemy import select

from webapp.accounts.models import User
from webapp.extensions import db
from webapp.notifications.operations import News, notify
from webapp.permissions import TABLE, WORKSPACE_ROLES, Permission
from webapp.runbooks.templates.models import TemplateVersion
from webapp.workspaces.models import Membership

KIND = "template"
_APPROVERS = [role for role in WORKSPACE_ROLES if Permission.APPROVE_TEMPLATES in TABLE[role]]


def tell_approvers(version: TemplateVersion, *, by: User) -> None:
    """Tell those who may approve it that it waits for them; whoever wrote it may not."""
    query = (
        select(Membership.user_id)
        .join(User, User.id == Membership.user_id)
        .where(Membership.workspace_id == version.template.workspace_id)
        .where(Membership.role.in_(_APPROVERS), User.active)
    )
    people = [each for each in db.session.scalars(query) if each != version.author_id]
    notify(people, KIND, _news(version, f"{by.name} asks you to approve {_called(version)}."), by=by)


def tell_authors(version: TemplateVersion, verb: str, *, by: User) -> None:
    """Tell whoever wrote and whoever submitted it how it was decided: `verb` as in “approved”."""
    people = {each for each in (version.author_id, version.submitted_by_id) if each is not None}
    notify(people, KIND, _news(version, f"{by.name} {verb} {_called(version)}."), by=by)


def _called(version: TemplateVersion) -> str:
    return f"version {version.number} of the {version.template.kind} “{version.template.name}”"


def _news(version: TemplateVersion, sentence: str) -> News:
    return News(sentence, f"/templates/{version.template_id}")
