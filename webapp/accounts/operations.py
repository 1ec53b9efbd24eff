"""Verbs about people. Each checks, writes and audits; none commits."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import update

from webapp.accounts import passwords, queries
from webapp.accounts.models import GlobalRole, User, UserSession
from webapp.audit.operations import record
from webapp.clock import now
from webapp.extensions import db
from webapp.permissions import Role


class AccountRefused(Exception):
    """The change cannot be made; the text says why and what to do instead. `field` names the form's field."""

    def __init__(self, sentence: str, field: str = "") -> None:
        super().__init__(sentence)
        self.field = field


def create_user(*, name: str, email: str, password: str, roles: Iterable[Role] = (), by: User | None) -> User:
    """Add a person. Raises AccountRefused for a taken address or a short password."""
    email = email.strip().lower()
    if queries.user_by_email(email):
        raise AccountRefused("Someone already has this email address.", "email")
    _check_length(password)
    user = User(name=name, email=email, password_hash=passwords.hash_password(password))
    user.color = sum(email.encode()) % 12
    user.held_roles = [GlobalRole(role=role) for role in sorted(roles)]
    db.session.add(user)
    db.session.flush()
    record("user.created", user, by=by, after=_facts(user))
    return user


def update_user(user: User, *, name: str, email: str, roles: Iterable[Role], active: bool, by: User) -> None:
    """Change a person. Raises AccountRefused where nobody could give roles any more, or the address is taken."""
    before = _facts(user)
    other = queries.user_by_email(email)
    if other is not None and other.id != user.id:
        raise AccountRefused("Someone already has this email address.", "email")
    wanted = set(roles)
    loses = Role.ADMINISTRATOR in user.global_roles and user.active
    if loses and not (active and Role.ADMINISTRATOR in wanted) and queries.count_active_administrators() == 1:
        raise AccountRefused(
            "This is the only administrator. Make someone else an administrator first.", "roles"
        )
    user.name, user.email, user.active = name, email.strip().lower(), active
    kept = {held.role: held for held in user.held_roles}
    user.held_roles = [kept.get(role) or GlobalRole(role=role) for role in sorted(wanted)]
    if not active:
        end_sessions(user)
    record("user.updated", user, by=by, before=before, after=_facts(user))


def set_password(user: User, password: str, *, by: User, keep_session: UserSession | None = None) -> None:
    """Replace the password and end the user's other sessions. Raises AccountRefused for a short one."""
    _check_length(password)
    user.password_hash = passwords.hash_password(password)
    end_sessions(user, keep=keep_session)
    record("user.password_changed", user, by=by)


def update_profile(user: User, *, name: str, time_zone: str, single_keys: bool) -> None:
    """What people may change about themselves."""
    before = {"name": user.name, "time_zone": user.time_zone, "single_keys": user.single_keys}
    user.name, user.time_zone, user.single_keys = name, time_zone, single_keys
    record(
        "user.profile_updated",
        user,
        by=user,
        before=before,
        after={"name": name, "time_zone": time_zone, "single_keys": single_keys},
    )


def set_theme(user: User, theme: str) -> None:
    """Light, dark or auto. A matter of taste, so it leaves no audit line."""
    user.theme = theme


def show_in_own_zone(user: User, wanted: bool) -> None:
    """Whether runbooks show their times in the user's own zone, not in theirs. A matter of taste, like the theme."""
    user.in_own_zone = wanted


def end_session(session: UserSession, *, by: User) -> None:
    """Sign one browser out."""
    session.revoked_at = now()
    record("session.ended", session.user, by=by, after={"browser": session.browser[:120]})


def end_sessions(user: User, keep: UserSession | None = None) -> None:
    """Sign all the user's browsers out, except `keep`."""
    query = update(UserSession).where(UserSession.user_id == user.id, UserSession.revoked_at.is_(None))
    if keep is not None:
        query = query.where(UserSession.id != keep.id)
    db.session.execute(query.values(revoked_at=now()))


def _check_length(password: str) -> None:
    if len(password) < passwords.MINIMUM_LENGTH:
        raise AccountRefused(f"Use at least {passwords.MINIMUM_LENGTH} characters.", "password")


def _facts(user: User) -> dict[str, object]:
    return {
        "name": user.name,
        "email": user.email,
        "active": user.active,
        "roles": sorted(role.label for role in user.global_roles),
    }
