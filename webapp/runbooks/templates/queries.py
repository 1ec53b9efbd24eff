"""Reads about templates, snippets and their versions. `*_for` loads and authorises in one step."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from flask import abort
from sqlalchemy import Select, func, or_, select
from sqlalchemy.orm import contains_eager, joinedload

from webapp.accounts.models import User
from webapp.extensions import db
from webapp.permissions import TABLE, Permission
from webapp.runbooks import queries
from webapp.runbooks.models import Runbook
from webapp.runbooks.templates.models import RunbookTemplate, TemplateKind, TemplateUse, TemplateVersion
from webapp.runbooks.templates.versions import OPEN, VersionState


def template_for(user: User, template_id: int, permission: Permission) -> RunbookTemplate:
    """The template with its workspace, for someone who holds the permission on it."""
    query = (
        select(RunbookTemplate)
        .where(RunbookTemplate.id == template_id)
        .options(joinedload(RunbookTemplate.workspace))
    )
    return queries.permitted(user, db.session.scalar(query), permission)


def version_for(user: User, template_id: int, number: int, permission: Permission) -> TemplateVersion:
    """One version of a template, by its number, for someone who holds the permission on the template."""
    template_for(user, template_id, permission)
    query = _versions().where(TemplateVersion.template_id == template_id, TemplateVersion.number == number)
    found = db.session.scalar(query)
    if found is None:
        abort(404)
    return found


def versions_of(template: RunbookTemplate) -> list[TemplateVersion]:
    """Newest first."""
    query = _versions().where(TemplateVersion.template_id == template.id)
    return list(db.session.scalars(query.order_by(TemplateVersion.number.desc())))


def version_of_plan(runbook: Runbook) -> TemplateVersion | None:
    """The version whose plan that is."""
    return db.session.scalar(_versions().where(TemplateVersion.runbook_id == runbook.id))


@dataclass(frozen=True)
class Origin:
    """The version that became the runbook; `newer` is the number of a later one that is approved, or None."""

    version: TemplateVersion
    newer: int | None


def origin_of(runbook: Runbook) -> Origin | None:
    """Where a runbook came from, if from a template."""
    query = _versions().join(TemplateUse, TemplateUse.version_id == TemplateVersion.id)
    version = db.session.scalar(query.where(TemplateUse.runbook_id == runbook.id, TemplateUse.whole))
    if version is None:
        return None
    latest = db.session.scalar(
        select(func.max(TemplateVersion.number)).where(
            TemplateVersion.template_id == version.template_id,
            TemplateVersion.state == VersionState.APPROVED,
        )
    )
    return Origin(version, latest if latest is not None and latest > version.number else None)


@dataclass
class Listed:
    """A template as the list shows it."""

    template: RunbookTemplate
    latest: TemplateVersion
    approved: TemplateVersion | None
    undecided: TemplateVersion | None
    used: int


def templates_in(
    places: Collection[int],
    *,
    kind: str | None = None,
    text: str = "",
    archived: bool = False,
    only: Collection[int] | None = None,
) -> list[Listed]:
    """The templates of those workspaces, by name, in two queries; `only` narrows them to those ids."""
    query = (
        select(TemplateVersion)
        .join(TemplateVersion.template)
        .where(RunbookTemplate.workspace_id.in_(places))
        .where(
            RunbookTemplate.archived_at.is_not(None) if archived else RunbookTemplate.archived_at.is_(None)
        )
        .options(
            contains_eager(TemplateVersion.template).joinedload(RunbookTemplate.workspace),
            joinedload(TemplateVersion.author),
        )
        .order_by(func.lower(RunbookTemplate.name), RunbookTemplate.id, TemplateVersion.number.desc())
    )
    if kind is not None:
        query = query.where(RunbookTemplate.kind == kind)
    if only is not None:
        query = query.where(RunbookTemplate.id.in_(only))
    if text:
        query = query.where(
            or_(
                RunbookTemplate.name.icontains(text, autoescape=True),
                RunbookTemplate.description.icontains(text, autoescape=True),
            )
        )
    found: dict[int, Listed] = {}
    used = _used()
    for version in db.session.scalars(query):
        listed = found.setdefault(
            version.template_id,
            Listed(version.template, version, None, None, used.get(version.template_id, 0)),
        )
        if version.state == VersionState.APPROVED and listed.approved is None:
            listed.approved = version
        if version.state in OPEN:
            listed.undecided = version
    return list(found.values())


def used_by_version(template: RunbookTemplate) -> dict[int, int]:
    """Version id to how many times it was used."""
    query = (
        select(TemplateUse.version_id, func.count())
        .join(TemplateVersion, TemplateVersion.id == TemplateUse.version_id)
        .where(TemplateVersion.template_id == template.id)
        .group_by(TemplateUse.version_id)
    )
    return {row[0]: row[1] for row in db.session.execute(query)}


def usable_versions(places: Collection[int], kind: TemplateKind) -> list[TemplateVersion]:
    """The latest approved version of each template there that is not archived, by workspace and name."""
    newest = (
        select(TemplateVersion.template_id, func.max(TemplateVersion.number).label("number"))
        .where(TemplateVersion.state == VersionState.APPROVED)
        .group_by(TemplateVersion.template_id)
        .subquery()
    )
    query = (
        select(TemplateVersion)
        .join(TemplateVersion.template)
        .join(
            newest,
            (newest.c.template_id == TemplateVersion.template_id)
            & (newest.c.number == TemplateVersion.number),
        )
        .where(RunbookTemplate.workspace_id.in_(places), RunbookTemplate.kind == kind)
        .where(RunbookTemplate.archived_at.is_(None))
        .options(
            contains_eager(TemplateVersion.template).joinedload(RunbookTemplate.workspace),
            joinedload(TemplateVersion.runbook),
        )
        .order_by(RunbookTemplate.workspace_id, func.lower(RunbookTemplate.name), RunbookTemplate.id)
    )
    return list(db.session.scalars(query))


def waiting_for(user: User) -> set[int]:
    """The ids of the templates of which a version waits for the user's approval."""
    places = [
        place for place, role in user.workspace_roles().items() if Permission.APPROVE_TEMPLATES in TABLE[role]
    ]
    if not places:
        return set()
    query = (
        select(TemplateVersion.template_id)
        .join(TemplateVersion.template)
        .where(RunbookTemplate.workspace_id.in_(places), RunbookTemplate.archived_at.is_(None))
        .where(TemplateVersion.state == VersionState.IN_REVIEW)
        .where(func.coalesce(TemplateVersion.author_id, 0) != user.id)
        .where(func.coalesce(TemplateVersion.submitted_by_id, 0) != user.id)
    )
    return set(db.session.scalars(query))


def count_waiting(user: User) -> int:
    """How many templates wait for the user's approval."""
    return len(waiting_for(user))


def _used() -> dict[int, int]:
    """Template id to how many times any of its versions was used."""
    query = (
        select(TemplateVersion.template_id, func.count())
        .join(TemplateUse, TemplateUse.version_id == TemplateVersion.id)
        .group_by(TemplateVersion.template_id)
    )
    return {row[0]: row[1] for row in db.session.execute(query)}


def _versions() -> Select[TemplateVersion]:
    return select(TemplateVersion).options(
        joinedload(TemplateVersion.template).joinedload(RunbookTemplate.workspace),
        joinedload(TemplateVersion.runbook).joinedload(Runbook.workspace),
        joinedload(TemplateVersion.author),
        joinedload(TemplateVersion.submitted_by),
        joinedload(TemplateVersion.decided_by),
    )
