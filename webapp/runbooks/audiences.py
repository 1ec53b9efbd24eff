"""Who hears of a rehearsal or live run: of its start, its pauses and its end, and of tasks of theirs that can be started.

Chosen at the start and kept with the runbook. Only those are told who may read the runbook at that moment.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from sqlalchemy import Select, false, select

from webapp.accounts.models import User
from webapp.extensions import db
from webapp.notifications import queries as notifications
from webapp.permissions import TABLE, WORKSPACE_ROLES, Permission
from webapp.registry import Registry
from webapp.runbooks.models import Runbook, Task, runbook_owners, task_assignees
from webapp.runbooks.states import Mode
from webapp.workspaces.models import Membership

_READERS = [role for role in WORKSPACE_ROLES if Permission.READ_RUNBOOKS in TABLE[role]]


@dataclass(frozen=True)
class Audience:
    """`label` is how forms offer it and the audit log names it; `people` gives the ids of its users."""

    key: str
    label: str
    people: Callable[[Runbook], Select[int]]


def readers(runbook: Runbook) -> Select[int]:
    """The ids of everybody who may read the runbook and can sign in."""
    return (
        select(Membership.user_id)
        .join(User, User.id == Membership.user_id)
        .where(Membership.workspace_id == runbook.workspace_id, Membership.role.in_(_READERS), User.active)
    )


def _assigned(runbook: Runbook) -> Select[int]:
    assigned = (
        select(task_assignees.c.user_id)
        .join(Task, Task.id == task_assignees.c.task_id)
        .where(Task.runbook_id == runbook.id, Task.deleted_at.is_(None))
    )
    return readers(runbook).where(Membership.user_id.in_(assigned))


def _owners(runbook: Runbook) -> Select[int]:
    owners = select(runbook_owners.c.user_id).where(runbook_owners.c.runbook_id == runbook.id)
    return readers(runbook).where(Membership.user_id.in_(owners))


def _nobody(runbook: Runbook) -> Select[int]:
    return readers(runbook).where(false())


AUDIENCES: Registry[Audience] = Registry(
    "audience",
    [
        Audience("assigned", "Everybody assigned in it", _assigned),
        Audience("members", "All members of the workspace", readers),
        Audience("owners", "Its owners only", _owners),
        Audience("nobody", "Nobody", _nobody),
    ],
)
USUAL: Mapping[Mode, str] = MappingProxyType({Mode.LIVE: "assigned", Mode.REHEARSAL: "nobody"})


def audience_of(runbook: Runbook) -> Audience:
    """The one chosen at its start; the usual one where it was started before there was a choice."""
    usual = USUAL[Mode(runbook.mode or Mode.LIVE)]
    return AUDIENCES.get(runbook.audience) or AUDIENCES[usual]


def counts(runbook: Runbook, *, besides: User) -> dict[str, int]:
    """Audience to how many people would be told of a start by that user: those who turned it off are not counted."""
    found = {each.key: set(db.session.scalars(each.people(runbook))) - {besides.id} for each in AUDIENCES}
    told = notifications.without_muted(set().union(*found.values()), "runbook_started")
    return {key: len(people & told) for key, people in found.items()}
