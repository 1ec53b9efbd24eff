"""Authenticate, the way back from the provider, Disconnect."""

from __future__ import annotations

from typing import Any

from flask import abort, flash, redirect, request, session, url_for
from flask_login import current_user

from webapp.extensions import db, limiter
from webapp.integrations import oauth, offered, queries
from webapp.integrations.authorizations import AUTHORIZATIONS
from webapp.integrations.models import Action, Authentication
from webapp.integrations.oauth_sentences import sentence_for
from webapp.integrations.operations import IntegrationRefused, secrets_of
from webapp.integrations.operations import authentication as verbs
from webapp.integrations.views import blueprint
from webapp.page import told
from webapp.permissions import Permission, can
from webapp.row_ids import row_id

_STATES = "oauth"
_STATES_KEPT = 5
_CHANGED = "The action's settings changed meanwhile. Press Authenticate again."


def _per_user() -> str:
    return f"authenticate {current_user.get_id()}"


@blueprint.post("/integrations/actions/<int:action_id>/authenticate", permission=Permission.SIGNED_IN)
@limiter.limit("20/minute", key_func=_per_user)
def authenticate(action_id: int) -> Any:
    """Send the browser to the provider: as the functional user, or, with `task_id`, as this task's user."""
    task_id = request.form.get("task_id", type=row_id)
    if task_id is not None:
        task = offered.task_gate(current_user, task_id)
        action = db.session.get(Action, task.action_id) if task.action_id == action_id else None
        if action is None:
            abort(404)
        return_to = task.page_url
    else:
        action = queries.action_for(current_user, action_id)
        return_to = _editor(action)
    kind = AUTHORIZATIONS.get(action.authorization)
    expected = kind.sign_in_as(action.authorization_settings) if kind else None
    if expected != ("task" if task_id is not None else "functional"):
        return told(return_to, "This action is set up for another kind of sign-in.", "bad")
    try:
        address, state = verbs.begin_authentication(
            action, by=current_user, task_id=task_id, return_to=return_to
        )
    except IntegrationRefused as refusal:
        return told(return_to, str(refusal), "bad")
    db.session.commit()
    session[_STATES] = [*session.get(_STATES, []), verbs.state_hash(state)][-_STATES_KEPT:]
    return redirect(address, 303)


@blueprint.get(verbs.CALLBACK_PATH, permission=Permission.PUBLIC, writes=True)
def callback() -> Any:
    """The way back. The state is used up first, whatever comes next; where to go on is ours, never the query's."""
    if not current_user.is_authenticated:
        flash("Your session has ended. Sign in, then press Authenticate once more.", "warn")
        return redirect(url_for("accounts.sign_in"), 303)
    state = request.args.get("state", "")
    hashed = verbs.state_hash(state)
    started_here = hashed in session.get(_STATES, [])
    session[_STATES] = [each for each in session.get(_STATES, []) if each != hashed]
    pending = verbs.take_pending(state, by=current_user)
    db.session.commit()
    if pending is None or not started_here:
        return _refused(
            None,
            "/",
            "This sign-in has expired or was started in another browser. Press Authenticate again.",
        )
    action = db.session.get(Action, pending.action_id)
    if action is None or action.revision != pending.action_revision:
        return _refused(action, pending.return_to, _CHANGED)
    issuer = request.args.get("iss")
    if issuer is not None and not oauth.issued_by(action.authorization_settings, issuer):
        said = f"This answer came from another provider ({issuer[:100]}), so it was not used."
        return _refused(
            action,
            pending.return_to,
            f"{said} Check the OAuth2 provider host, then press Authenticate again.",
        )
    if "error" in request.args:
        said = sentence_for(request.args["error"], request.args.get("error_description"))
        return _refused(action, pending.return_to, said)
    code = request.args.get("code", "")
    if not code:
        return _refused(action, pending.return_to, "The provider sent no code. Press Authenticate again.")
    settings, secret = dict(action.authorization_settings), secrets_of(action)["client_secret"]
    db.session.rollback()  # no transaction stays open while the provider is asked
    try:
        granted = oauth.exchange(
            settings,
            secret,
            redirect_uri=pending.redirect_uri,
            code=code,
            code_verifier=verbs.code_verifier(pending),
        )
    except oauth.OAuthRefused as refusal:
        action = db.session.get(Action, pending.action_id)
        return _refused(action, pending.return_to, f"{refusal} ({refusal.code})")
    return _keep(pending.action_id, pending.action_revision, granted, pending.task_id, pending.return_to)


def _keep(action_id: int, revision: int, granted: oauth.Granted, task_id: int | None, return_to: str) -> Any:
    action = db.session.get(Action, action_id, with_for_update=True)
    if action is None or action.revision != revision:
        return _refused(action, return_to, _CHANGED)
    if task_id is not None:
        offered.task_gate(current_user, task_id)
    kept = verbs.keep_granted(action, granted, by=current_user, task_id=task_id)
    label = kept.identity["label"]
    db.session.commit()
    return told(return_to, f"Authenticated as {label}.")


def _refused(action: Action | None, return_to: str, sentence: str) -> Any:
    """Back with the sentence, which the audit log keeps too."""
    db.session.rollback()
    verbs.record_not_granted(action, sentence, by=current_user)
    db.session.commit()
    return told(return_to, sentence, "bad")


@blueprint.post(
    "/integrations/authentications/<int:authentication_id>/disconnect", permission=Permission.SIGNED_IN
)
def disconnect(authentication_id: int) -> Any:
    """Forget a token: one's own, or any as an integration admin."""
    found = db.session.get(Authentication, authentication_id)
    own = found is not None and found.user_id == current_user.id
    if found is None or not (own or can(current_user, Permission.MANAGE_INTEGRATIONS)):
        abort(404)
    if own and found.task_id is not None and not can(current_user, Permission.MANAGE_INTEGRATIONS):
        return_to = offered.task_gate(current_user, found.task_id).page_url
    else:
        return_to = _editor(found.action)
    verbs.disconnect(found, by=current_user)
    db.session.commit()
    return told(return_to, "Disconnected. The stored sign-in is forgotten.")


def _editor(action: Action) -> str:
    address = url_for("integrations.action", connection_id=action.connection_id, action_id=action.id)
    return f"{address}#authorization"
