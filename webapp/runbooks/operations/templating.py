"""Templates and snippets: made from a runbook, in versions that someone else approves, and made into runbooks again."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import func, select, update

from webapp.accounts.models import User
from webapp.audit.operations import record
from webapp.clock import now
from webapp.extensions import db
from webapp.runbooks import queries
from webapp.runbooks.models import Purpose, Runbook
from webapp.runbooks.operations.changes import touch
from webapp.runbooks.operations.duplicating import copy_plan
from webapp.runbooks.operations.template_news import tell_approvers, tell_authors
from webapp.runbooks.refusals import NotNow, PlanRefused
from webapp.runbooks.templates.models import RunbookTemplate, TemplateKind, TemplateUse, TemplateVersion
from webapp.runbooks.templates.versions import FROZEN, OPEN, VersionEvent, VersionState, version_after


def save_as_template(
    runbook: Runbook, *, name: str, description: str, keep_assignees: bool, by: User | None
) -> TemplateVersion:
    """A new template whose first version, a draft, has the runbook's plan. Raises NotNow."""
    if runbook.is_plan_only:
        raise NotNow("This is the plan of a template already.")
    plan = copy_plan(
        runbook,
        name=name,
        planned_start=runbook.planned_start,
        keep_assignees=keep_assignees,
        by=by,
        purpose=Purpose.TEMPLATE,
    )
    return first_version(plan, TemplateKind.TEMPLATE, description=description, copy_of=runbook.name, by=by)


def first_version(
    plan: Runbook, kind: TemplateKind, *, description: str, copy_of: str, by: User | None
) -> TemplateVersion:
    """The template whose first version has that plan."""
    template = RunbookTemplate(
        workspace=plan.workspace, kind=kind, name=plan.name, description=description.strip()
    )
    db.session.add(template)
    db.session.flush()
    _record("template.created", template, by, after={"name": template.name, "kind": kind, "from": copy_of})
    return _add_version(template, plan, note="", by=by)


def new_version(
    template: RunbookTemplate,
    source: Runbook,
    *,
    note: str,
    keep_assignees: bool = True,
    by: User | None,
) -> TemplateVersion:
    """A new draft with the plan of `source`: an earlier version's, or a runbook's. Raises NotNow.

    A template has one version at a time that is not decided, so that nobody approves one and forgets the other. Its
    planned start is that of the version before, and the tasks' planned starts move there with it.
    """
    _lock(template)
    refuse_if_archived(template)
    undecided = db.session.scalar(
        select(TemplateVersion.number).where(
            TemplateVersion.template_id == template.id, TemplateVersion.state.in_(OPEN)
        )
    )
    if undecided is not None:
        raise NotNow(f"Version {undecided} is not decided yet. Go on with it, or discard it first.")
    if source.workspace_id != template.workspace_id:
        raise NotNow(f"{template.name} belongs to another workspace.")
    last = db.session.scalars(
        select(Runbook)
        .join(TemplateVersion, TemplateVersion.runbook_id == Runbook.id)
        .where(TemplateVersion.template_id == template.id)
        .order_by(TemplateVersion.number.desc())
    ).first()
    plan = copy_plan(
        source,
        name=template.name,
        planned_start=last.planned_start if last is not None else None,
        keep_assignees=keep_assignees,
        by=by,
        purpose=Purpose.TEMPLATE,
    )
    return _add_version(template, plan, note=note, by=by)


def describe_template(template: RunbookTemplate, *, name: str, description: str, by: User) -> None:
    """Change its name and description; the plans of its versions bear the same name."""
    _lock(template)
    before = {"name": template.name, "description": template.description}
    template.name, template.description = name, description
    plans = select(TemplateVersion.runbook_id).where(TemplateVersion.template_id == template.id)
    for plan in db.session.scalars(select(Runbook).where(Runbook.id.in_(plans))):
        touch(plan, frozen_too=True)
        plan.name = name
    _record("template.changed", template, by, before, {"name": name, "description": description})


def archive_template(template: RunbookTemplate, *, by: User) -> None:
    """Take it out of the choices. What was made from it stays. Raises NotNow."""
    _lock(template)
    refuse_if_archived(template)
    template.archived_at = now()
    _record("template.archived", template, by)


def restore_template(template: RunbookTemplate, *, by: User) -> None:
    """Bring it back. Raises NotNow."""
    _lock(template)
    if template.archived_at is None:
        raise NotNow(f"{template.name} is not archived.")
    template.archived_at = None
    _record("template.restored", template, by)


def note_changes(version: TemplateVersion, note: str, *, by: User) -> None:
    """Say what a draft changes. Raises NotNow once it is submitted."""
    _lock(version.template)
    db.session.refresh(version, ["state", "note"])
    if version.state != VersionState.DRAFT:
        raise NotNow(f"Version {version.number} is not a draft any more, so what was said about it stays.")
    before = version.note
    version.note = note.strip()
    if before != version.note:
        _record_version("template_version.changed", version, by, {"note": before}, {"note": version.note})


def submit_version(version: TemplateVersion, note: str, *, by: User) -> None:
    """Ask for approval; from now on its plan cannot be changed. Raises NotNow."""
    refuse_if_archived(version.template)
    _move(
        version,
        VersionEvent.SUBMIT,
        "template_version.submitted",
        by,
        note=note.strip(),
        reason="",
        submitted_by_id=by.id,
        submitted_at=now(),
    )
    tell_approvers(version, by=by)


def withdraw_version(version: TemplateVersion, *, by: User) -> None:
    """Take it back out of review, to change it; then it must be submitted again. Raises NotNow."""
    _move(version, VersionEvent.WITHDRAW, "template_version.withdrawn", by)


def approve_version(version: TemplateVersion, *, by: User) -> None:
    """Approve it, unless it is one's own. Raises NotNow."""
    _refuse_own(version, by)
    _move(
        version,
        VersionEvent.APPROVE,
        "template_version.approved",
        by,
        decided_by_id=by.id,
        decided_at=now(),
    )
    tell_authors(version, "approved", by=by)


def send_version_back(version: TemplateVersion, reason: str, *, by: User) -> None:
    """Back to its author, who reads why. Raises NotNow, or PlanRefused without a reason."""
    reason = reason.strip()[:1000]
    if not reason:
        raise PlanRefused("Say what is to be changed.", "reason")
    _refuse_own(version, by)
    _move(version, VersionEvent.SEND_BACK, "template_version.sent_back", by, reason=reason)
    tell_authors(version, "sent back", by=by)


def discard_version(version: TemplateVersion, *, by: User) -> None:
    """Give a draft up. It stays in the list of versions, and its plan can be looked at. Raises NotNow."""
    _move(
        version,
        VersionEvent.DISCARD,
        "template_version.discarded",
        by,
        decided_by_id=by.id,
        decided_at=now(),
    )


def make_runbook(
    version: TemplateVersion,
    *,
    name: str,
    description: str,
    planned_start: datetime | None,
    keep_assignees: bool,
    by: User | None,
) -> Runbook:
    """A new runbook with the plan of an approved version, whose planned starts move along. Raises NotNow.

    It has the values of custom fields that are not transient, and no authentications.
    """
    refuse_unless_usable(version)
    runbook = copy_plan(
        version.runbook, name=name, planned_start=planned_start, keep_assignees=keep_assignees, by=by
    )
    runbook.description = description or runbook.description
    remember_use(version, runbook, whole=True, by=by)
    record(
        "runbook.created",
        runbook,
        by=by,
        after={"name": name, "workspace": runbook.workspace.name, "from template": version.audit_name},
        workspace_id=runbook.workspace_id,
        runbook_id=runbook.id,
    )
    return runbook


def remember_use(version: TemplateVersion, runbook: Runbook, *, whole: bool, by: User | None) -> None:
    """Count that the version became the runbook, or a part of it."""
    use = TemplateUse(version_id=version.id, runbook_id=runbook.id, whole=whole, by_id=by.id if by else None)
    db.session.add(use)
    db.session.flush()


def refuse_unless_usable(version: TemplateVersion) -> None:
    """Raises NotNow for a version that is not approved, or whose template is archived."""
    refuse_if_archived(version.template)
    if version.state != VersionState.APPROVED:
        raise NotNow(f"Version {version.number} of {version.template.name} is not approved.")


def refuse_if_archived(template: RunbookTemplate) -> None:
    """Raises NotNow for an archived template."""
    if template.archived_at is not None:
        raise NotNow(f"{template.name} is archived. Restore it first.")


def is_own(version: TemplateVersion, user: User) -> bool:
    """Whether the user wrote or submitted it, and so cannot approve it."""
    return user.id in (version.author_id, version.submitted_by_id)


def _refuse_own(version: TemplateVersion, by: User) -> None:
    _lock(version.template)
    db.session.refresh(version, ["author_id", "submitted_by_id"])
    if is_own(version, by):
        raise NotNow(
            "You wrote or submitted this version yourself. Someone else who may approve templates has to decide."
        )


def _add_version(template: RunbookTemplate, plan: Runbook, *, note: str, by: User | None) -> TemplateVersion:
    last = db.session.scalar(
        select(func.max(TemplateVersion.number)).where(TemplateVersion.template_id == template.id)
    )
    version = TemplateVersion(
        template=template,
        number=(last or 0) + 1,
        runbook=plan,
        note=note.strip(),
        author_id=by.id if by else None,
    )
    db.session.add(version)
    db.session.flush()
    _record_version("template_version.created", version, by, None, {"note": version.note})
    return version


def _move(version: TemplateVersion, event: VersionEvent, verb: str, by: User, **values: Any) -> None:
    """From one state to the next, under the template's lock. What is said with it goes into the audit log."""
    _lock(version.template)
    db.session.refresh(version, ["state", "note", "reason"])
    before = version.state
    version.state = version_after(before, event)
    for name, value in values.items():
        setattr(version, name, value)
    plan = version.runbook
    seq = touch(plan, frozen_too=True)
    plan.frozen = version.state in FROZEN
    # Every row looks different now, and so do the places for new ones: watchers get the streams as if just placed.
    for stream in queries.streams_of(plan.id):
        stream.seq = stream.placed_seq = seq
    db.session.flush()
    said = {name: values[name] for name in ("note", "reason") if values.get(name)}
    _record_version(verb, version, by, {"state": before}, {"state": version.state, **said})


def _lock(template: RunbookTemplate) -> None:
    """Changes of one template follow one another: the UPDATE holds its row until the transaction ends."""
    db.session.execute(
        update(RunbookTemplate)
        .where(RunbookTemplate.id == template.id)
        .values(updated_at=now())
        .execution_options(synchronize_session=False)
    )
    db.session.refresh(template, ["archived_at", "updated_at"])


def _record(
    verb: str,
    template: RunbookTemplate,
    by: User | None,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
) -> None:
    record(verb, template, by=by, before=before, after=after, workspace_id=template.workspace_id)


def _record_version(
    verb: str,
    version: TemplateVersion,
    by: User | None,
    before: dict[str, Any] | None,
    after: dict[str, Any],
) -> None:
    record(
        verb,
        version,
        by=by,
        before=before,
        after=after,
        workspace_id=version.template.workspace_id,
        runbook_id=version.runbook_id,
    )
