"""The credential for one call, and, for pages, whether a person still has to sign in."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Select, select

from webapp.clock import now
from webapp.extensions import db
from webapp.integrations import oauth
from webapp.integrations.authorizations import AUTHORIZATIONS, Credential
from webapp.integrations.authorizations.base import SignInAs
from webapp.integrations.models import Action, Authentication, Connection
from webapp.integrations.operations import authentication as verbs
from webapp.integrations.operations.secrets import sandbox_token_of, secrets_of
from webapp.integrations.operations.sign_ins import mark_refused
from webapp.integrations.settings import origin_of

REFRESH_BEFORE = timedelta(seconds=60)
WAIT_FOR_OTHER_S = 20.0


class CredentialMissing(Exception):
    """The call cannot be authorized. `code` for the attempt, `sentence` and `remedy` for people."""

    def __init__(self, code: str, sentence: str, remedy: str) -> None:
        super().__init__(sentence)
        self.code, self.sentence, self.remedy = code, sentence, remedy


@dataclass(frozen=True)
class SignIn:
    """How one person stands with one task's action. `needed`: they (or an admin) must sign in before it can run."""

    needed: bool
    as_: SignInAs | None
    ready: bool
    authentication: Authentication | None = None
    sentence: str = ""


def credential_for(action: Action, *, task_id: int | None, user_id: int | None) -> Credential:
    """The credential for a call of the action, made for that task by that person. For workers.

    Refreshes an OAuth token that is about to end: one process does, the others wait for what it stored. Commits the
    session, and holds no transaction while it asks the provider. Raises CredentialMissing.
    """
    kind = AUTHORIZATIONS.get(action.authorization)
    if kind is None:
        raise CredentialMissing(
            "authorization_unavailable",
            f"The authorization type “{action.authorization}” is no longer available.",
            "Choose another in the action's Authorization tab.",
        )
    if not kind.signs_in:
        try:
            return kind.credential(action.authorization_settings, secrets_of(action))
        except KeyError:
            raise CredentialMissing(
                "authorization_incomplete",
                "The action's authorization is not filled in.",
                "Fill in the Authorization tab and save.",
            ) from None
    as_ = kind.sign_in_as(action.authorization_settings)
    found = db.session.scalar(_authentication(action.id, as_, task_id, user_id))
    if found is None:
        raise _not_signed_in(as_)
    _check_usable(found, action)
    if found.expires_at is not None and found.expires_at < now() + REFRESH_BEFORE:
        found = _refreshed(found, action)
    token = verbs.opened_token(found)["access_token"]
    who = found.identity.get("label", "an account")
    return Credential(
        headers={"Authorization": f"Bearer {token}"},
        description=f"{'Task user' if as_ == 'task' else 'Functional user'}: {who}",
        authentication_id=found.id,
        secrets=(token,),
    )


def sandbox_credential(connection: Connection) -> Credential:
    """What a call to the connection's sandbox address is sent with: never what its actions are authorized with."""
    token = sandbox_token_of(connection)
    if not token:
        return Credential(description="Sandbox, no token")
    return Credential({"Authorization": f"Bearer {token}"}, description="Sandbox token", secrets=(token,))


def sign_in_state(action: Action, *, task_id: int | None, user_id: int | None) -> SignIn:
    """How the person stands with the action on that task."""
    return sign_in_states([(task_id or 0, action)], user_id)[task_id or 0]


def sign_in_states(tasks: Iterable[tuple[int, Action]], user_id: int | None) -> dict[int, SignIn]:
    """Task id to how the person stands with its action, in at most two queries for any number of tasks."""
    wanted = list(tasks)
    as_of = {action.id: _sign_in_as(action) for _, action in wanted}
    shared = [id_ for id_, as_ in as_of.items() if as_ == "functional"]
    own = [task_id for task_id, action in wanted if as_of[action.id] == "task"]
    functional: dict[int, Authentication] = {}
    if shared:
        query = select(Authentication).where(
            Authentication.action_id.in_(shared), Authentication.task_id.is_(None)
        )
        functional = {each.action_id: each for each in db.session.scalars(query)}
    personal: dict[tuple[int, int], Authentication] = {}
    if own and user_id is not None:
        query = select(Authentication).where(
            Authentication.task_id.in_(own), Authentication.user_id == user_id
        )
        personal = {(each.action_id, each.task_id or 0): each for each in db.session.scalars(query)}
    found = {}
    for task_id, action in wanted:
        as_ = as_of[action.id]
        held = functional.get(action.id) if as_ == "functional" else personal.get((action.id, task_id))
        found[task_id] = _standing(action, as_, held)
    return found


def missing_sign_ins(asked: Iterable[tuple[int, Action, int]]) -> set[tuple[int, int]]:
    """(task id, user id) of those, out of (task id, action, user id), who have no sign-in that can be used for it."""
    wanted = list(asked)
    query = select(Authentication).where(
        Authentication.task_id.in_({task_id for task_id, _, _ in wanted}),
        Authentication.user_id.in_({user_id for _, _, user_id in wanted}),
    )
    held = {(each.action_id, each.task_id, each.user_id): each for each in db.session.scalars(query)}
    return {
        (task_id, user_id)
        for task_id, action, user_id in wanted
        if _standing(action, "task", held.get((action.id, task_id, user_id))).needed
    }


def signs_in(action: Action) -> bool:
    """Whether a sign-in stands before the action's calls at all."""
    return _sign_in_as(action) is not None


def lasts_until(authentication: Authentication) -> datetime | None:
    """When a sign-in ends for good; None where it does not, or can be renewed."""
    if authentication.expires_at is None or _can_refresh(authentication):
        return None
    return authentication.expires_at


def _sign_in_as(action: Action) -> SignInAs | None:
    kind = AUTHORIZATIONS.get(action.authorization)
    return kind.sign_in_as(action.authorization_settings) if kind is not None and kind.signs_in else None


def _standing(action: Action, as_: SignInAs | None, held: Authentication | None) -> SignIn:
    if as_ is None:
        return SignIn(needed=False, as_=None, ready=True)
    try:
        if held is None:
            raise _not_signed_in(as_)
        _check_usable(held, action)
    except CredentialMissing as missing:
        return SignIn(True, as_, False, held, f"{missing.sentence} {missing.remedy}")
    return SignIn(False, as_, True, held)


def _authentication(
    action_id: int, as_: SignInAs | None, task_id: int | None, user_id: int | None
) -> Select[Authentication]:
    query = select(Authentication).where(Authentication.action_id == action_id)
    if as_ == "task":
        return query.where(Authentication.task_id == task_id, Authentication.user_id == user_id)
    return query.where(Authentication.task_id.is_(None))


def _not_signed_in(as_: SignInAs | None) -> CredentialMissing:
    if as_ == "task":
        return CredentialMissing(
            "not_authenticated",
            "You have not authenticated for this task yet.",
            "Press Authenticate in the task's Integration card.",
        )
    return CredentialMissing(
        "not_authenticated",
        "The functional user has not authenticated yet.",
        "An integration admin presses Authenticate in the action's Authorization tab.",
    )


def _check_usable(found: Authentication, action: Action) -> None:
    """Raises CredentialMissing where the token was refused, has ended for good, or belongs to another host."""
    again = "Press Authenticate again."
    if found.refused_at is not None:
        raise CredentialMissing(
            "authentication_refused",
            f"The stored sign-in is no longer accepted ({found.refusal or 'refused'}).",
            again,
        )
    if origin_of(action.url).partition("://")[2] != found.request_host:
        raise CredentialMissing(
            "host_changed", "The stored sign-in was made for another host than the action now calls.", again
        )
    if found.expires_at is not None and found.expires_at < now() and not _can_refresh(found):
        raise CredentialMissing("authentication_expired", "The stored sign-in has expired.", again)


def _can_refresh(found: Authentication) -> bool:
    return "refresh_token" in verbs.opened_token(found)


def _refreshed(found: Authentication, action: Action) -> Authentication:
    if not _can_refresh(found):
        return found
    old_expiry = found.expires_at
    if not verbs.claim_refresh(found):
        return _wait_for_other(found, old_expiry)
    settings, secret = dict(action.authorization_settings), secrets_of(action).get("client_secret", "")
    refresh_token = verbs.opened_token(found)["refresh_token"]
    db.session.commit()
    try:
        granted = oauth.refresh(settings, secret, refresh_token)
    except oauth.OAuthRefused as refusal:
        if refusal.passing:
            verbs.give_up_refresh(found)
        else:
            mark_refused(found, refusal.code)
        db.session.commit()
        code = "refresh_failed" if refusal.passing else refusal.code
        raise CredentialMissing(code, str(refusal), "Press Authenticate again if it stays so.") from None
    verbs.keep_refreshed(found, granted)
    db.session.commit()
    return found


def _wait_for_other(found: Authentication, old_expiry: object) -> Authentication:
    """Read until the process that refreshes has stored the next token."""
    deadline = time.monotonic() + WAIT_FOR_OTHER_S
    while time.monotonic() < deadline:
        db.session.commit()
        time.sleep(0.05)
        db.session.refresh(found)
        if found.refused_at is not None or found.expires_at != old_expiry or found.refreshing_until is None:
            break
    if found.refused_at is not None or found.expires_at == old_expiry:
        raise CredentialMissing(
            "refresh_failed",
            "The stored sign-in could not be renewed.",
            "Try again, or press Authenticate again.",
        )
    return found
