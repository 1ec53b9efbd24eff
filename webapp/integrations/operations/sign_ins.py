"""Verbs about granted tokens."""

from __future__ import annotations

from sqlalchemy import delete, func, select, update

from webapp.accounts.models import User
from webapp.audit.operations import record
from webapp.clock import now
from webapp.extensions import db
from webapp.integrations.models import Action, Authentication
from webapp.integrations.settings import origin_of


def count_authentications(action_id: int) -> int:
    """How many tokens have been granted to the action."""
    query = select(func.count()).select_from(Authentication).where(Authentication.action_id == action_id)
    return db.session.scalar(query) or 0


def end_authentications(action: Action, *, by: User | None, note: str) -> int:
    """Forget every token that was granted to the action. Answers how many there were."""
    count = count_authentications(action.id)
    if count:
        db.session.execute(delete(Authentication).where(Authentication.action_id == action.id))
        record("action.authentications_ended", action, by=by, after={"count": count}, note=note)
    return count


def mark_refused(authentication: Authentication, code: str) -> None:
    """The other side no longer accepts the token. The first refusal counts; a new sign-in clears it."""
    if authentication.refused_at is None:
        authentication.refused_at, authentication.refusal = now(), code[:200]
        record("authentication.refused", authentication, by=None, after={"code": code[:200]})


def bind_unbound(action: Action) -> None:
    """Tokens granted before the action had a URL may go to its first one (settings.moves has agreed)."""
    if action.url:
        db.session.execute(
            update(Authentication)
            .where(Authentication.action_id == action.id, Authentication.request_host == "")
            .values(request_host=origin_of(action.url).partition("://")[2])
        )
