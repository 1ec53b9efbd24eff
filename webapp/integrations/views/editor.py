"""The action editor: General, Authorization and Request in one form."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from flask import abort, flash, g, make_response, request, url_for
from flask_login import current_user
from flask_wtf import FlaskForm

from webapp.extensions import db
from webapp.integrations import manifest, offered, operations, queries, standing
from webapp.integrations.authorizations import AUTHORIZATIONS, AuthorizationKind
from webapp.integrations.authorizations.oauth_code import looks_like_app_id
from webapp.integrations.forms import (
    ActionForm,
    DuplicateForm,
    authorization_of,
    settings_form,
    show_errors,
)
from webapp.integrations.models import Action
from webapp.integrations.operations.authentication import redirect_uri
from webapp.integrations.predefined import PREDEFINED, Preset
from webapp.integrations.request import Check, sentence
from webapp.integrations.settings import Authorization, sign_in_origins, target_of
from webapp.integrations.views import blueprint, kept_secrets
from webapp.integrations.views.check import checked
from webapp.integrations.views.connections import list_page
from webapp.page import is_fragment_request, page, told
from webapp.permissions import Permission
from webapp.workspaces import queries as workspaces

ACTION = "/settings/integrations/<int:connection_id>/actions/<int:action_id>"
TEMPLATE = "integrations/editor.html"
TABS = (("general", "General"), ("authorization", "Authorization"), ("request", "Request"))


@blueprint.get(ACTION, permission=Permission.MANAGE_INTEGRATIONS)
def action(connection_id: int, action_id: int) -> Any:
    found = queries.action_for(current_user, action_id, connection_id=connection_id)
    kind = AUTHORIZATIONS.get(found.authorization)
    form = ActionForm(formdata=None, obj=found, edition=queries.edition(found))
    own = settings_form(kind, action=found) if kind is not None else None
    return _editor(found, form, kind, own)


@blueprint.post(ACTION, permission=Permission.MANAGE_INTEGRATIONS)
def save_action(connection_id: int, action_id: int) -> Any:
    found = queries.action_for(current_user, action_id, connection_id=connection_id, for_change=True)
    form = ActionForm()
    kind = AUTHORIZATIONS.get(form.authorization.data)
    if kind is None:
        abort(400)
    own, seen = _own_form(found, kind)
    if not seen:
        show_errors(form.authorization, [f"Fill in the fields of {kind.label}, then save."])
        return _editor(found, form, kind, own, status=422)
    wanted = authorization_of(kind, own)
    right = form.validate()
    right = own.validate() and right
    right = _check_authorization(found, kind, own, wanted) and right
    right = _check_request(found, form, kind, wanted) and right
    if right and form.edition.data != queries.edition(found):
        return _stale(found, form, kind, own)
    if right:
        try:
            saved = operations.save_action(
                found,
                general=form.general(),
                authorization=wanted,
                request=form.request_settings(),
                by=current_user,
                sign_ins_may_end=form.sign_ins_may_end.data == _target_text(wanted, form),
            )
        except operations.CredentialsWouldMove as refusal:
            _warn_of_move(refusal, form, own, wanted)
            return _editor(found, form, kind, own, status=422, moved=refusal)
        db.session.commit()
        return _saved(found, saved)
    return _editor(found, form, kind, own, status=422)


@blueprint.post(f"{ACTION}/authorization", permission=Permission.MANAGE_INTEGRATIONS)
def authorization_fields(connection_id: int, action_id: int) -> Any:
    """The fields of the type that was just chosen, with what was typed so far; or filled in from a preset."""
    found = queries.action_for(current_user, action_id, connection_id=connection_id)
    form = ActionForm()
    preset = _preset(request.form.get("preset"))
    if preset is not None:
        form.authorization.data = preset.authorization
    kind = AUTHORIZATIONS.get(form.authorization.data)
    if kind is None:
        abort(400)
    own, _ = _own_form(found, kind)
    for name, value in (preset.settings if preset else {}).items():
        own[name].data = value
    if not is_fragment_request():
        return _editor(found, form, kind, own)
    return page(
        "integrations/_authorization_chosen.html", action=found, form=form, **_authorization(found, kind, own)
    )


def _own_form(found: Action, kind: AuthorizationKind) -> tuple[FlaskForm, bool]:
    """The kind's own form as posted, and True; or as stored, and False where its fields were not in the post.

    They are not where the type was changed without scripts: the person has not seen them yet.
    """
    own = settings_form(kind, action=found, posted=True)
    if own.data and not any(field.name in request.form for field in own):
        return settings_form(kind, action=found), False
    kept_secrets.take_back(own, kind, found)
    return own, True


def _check_authorization(
    found: Action, kind: AuthorizationKind, own: FlaskForm, wanted: Authorization
) -> bool:
    """Whether settings and secrets, stored and typed, are right together; puts sentences on the fields."""
    stored = operations.secrets_of(found) if found.authorization == kind.key else {}
    problems = kind.validate(wanted.settings, {**stored, **wanted.secrets})
    for name, said in problems.items():
        if not own[name].errors:
            show_errors(own[name], [said])
    return not problems


def _check_request(found: Action, form: ActionForm, kind: AuthorizationKind, wanted: Authorization) -> bool:
    """Whether the request can be made; puts sentences on the fields. An empty URL is left for later."""
    settings = form.request_settings()
    if not settings.url:
        return True
    check = checked(found, settings, kind=kind, authorization=wanted.settings)
    for problem in check.errors:
        show_errors(form[problem.part], [sentence(problem)])
    return not check.errors


def _stale(found: Action, form: ActionForm, kind: AuthorizationKind, own: FlaskForm) -> Any:
    form.form_errors.append(
        "Someone else saved this action after you opened it. Nothing of yours is saved yet; what you typed "
        "is below. Open the action in another tab to see theirs. Save again to replace it with yours."
    )
    form.edition.data = queries.edition(found)
    # htmx swaps 422, not 409; a browser without scripts shows whatever comes.
    return _editor(found, form, kind, own, status=422 if is_fragment_request() else 409)


def _warn_of_move(
    refusal: operations.CredentialsWouldMove, form: ActionForm, own: FlaskForm, wanted: Authorization
) -> None:
    for name in refusal.missing:
        show_errors(
            own[name], ["Enter it again: a stored secret is only ever sent to the place it was saved for."]
        )
    form.sign_ins_may_end.data = _target_text(wanted, form)


def _target_text(wanted: Authorization, form: ActionForm) -> str:
    target = target_of(AUTHORIZATIONS.label(wanted.kind), wanted.settings, form.url.data or "")
    return "; ".join(f"{what}: {value}" for what, value in target.items())


def _saved(found: Action, saved: operations.Saved) -> Any:
    words = f"{found.name} is saved."
    if saved.sign_ins_ended:
        people = "1 sign-in was" if saved.sign_ins_ended == 1 else f"{saved.sign_ins_ended} sign-ins were"
        words += f" {people} ended; Authenticate again."
    if not is_fragment_request():
        return told(_address(found), words)
    flash(words, "ok")
    # A reload rather than a redirect: the address stays the same but for its hash, and the page's form-action
    # must name the provider that was just saved.
    answer = make_response("", 204)
    answer.headers["HX-Refresh"] = "true"
    return answer


def _editor(
    found: Action,
    form: ActionForm,
    kind: AuthorizationKind | None,
    own: FlaskForm | None,
    *,
    status: int = 200,
    moved: operations.CredentialsWouldMove | None = None,
) -> Any:
    if kind is not None and kind.signs_in:
        g.form_action_origins = sign_in_origins(found.authorization, found.authorization_settings)
    check = checked(
        found, form.request_settings(), kind=kind, authorization=own.data if own is not None else {}
    )
    authorization = _authorization(found, kind, own)
    context: dict[str, Any] = {
        "action": found,
        "opened": found.connection,
        "form": form,
        "check": check,
        "problem_sentence": sentence,
        "moved": moved,
        "tabs": _tabs(found, form, own, check, authorization["sign_ins"]),
        "tab": _tab_to_show(form, own),
        "triggers": offered.triggers,
        "modes": offered.modes,
        "samples": offered.sample_tasks(current_user, found.id),
        "can_test": offered.request_test is not None,
        "duplicate_form": _duplicate_form(found),
        **authorization,
    }
    if is_fragment_request():
        return page(TEMPLATE, block="editor", status=status, predefined=PREDEFINED, **context)
    return list_page(TEMPLATE, block=None, status=status, **context)


def _authorization(found: Action, kind: AuthorizationKind | None, own: FlaskForm | None) -> dict[str, Any]:
    """What the Authorization tab and its right column show."""
    saved = kind if kind is not None and found.authorization == kind.key else None
    stored = operations.secrets_of(found) if saved else {}
    lacking = list(saved.validate(found.authorization_settings, stored).values()) if saved else []
    if kind is not None and own is not None:
        _note_saved(found, kind, own, stored)
    settings: Mapping[str, Any] = own.data if own is not None else {}
    slack = (
        manifest.is_slack(settings, urlsplit(found.url).hostname or "") if kind and kind.signs_in else False
    )
    return {
        "kind": kind,
        "own": own,
        "kept": kept_secrets.keep(own, kind, found) if kind is not None and own is not None else {},
        "sign_in_as": kind.sign_in_as(found.authorization_settings)
        if kind is not None and kind.signs_in
        else None,
        "kind_is_saved": saved is not None,
        "lacking": lacking,
        "ready_to_sign_in": saved is not None and not lacking,
        "redirect_uri": redirect_uri(),
        "insecure_redirect": _insecure(redirect_uri()),
        "presets": [preset for each in PREDEFINED for preset in each.presets]
        if kind and kind.signs_in
        else [],
        "app_id_warning": slack and looks_like_app_id(str(settings.get("client_id") or "")),
        "manifest": manifest.slack_manifest(found.connection.name, settings, redirect_uri()) if slack else "",
        "sign_ins": queries.authentications_of(found.id),
    }


def _note_saved(found: Action, kind: AuthorizationKind, own: FlaskForm, stored: Mapping[str, str]) -> None:
    """Tell each secret field whether something is stored, by whom and when."""
    if not found.secrets_saved_at:
        return
    note = f"Last replaced {_day(found.secrets_saved_at)} by {found.secrets_saved_by}."
    for name in kind.secret_fields:
        if name in stored:
            own[name].saved, own[name].saved_note = True, note


def _tabs(
    found: Action, form: ActionForm, own: FlaskForm | None, check: Check, sign_ins: list[Any]
) -> list[tuple[str, str, str]]:
    """Each tab with its mark: ok, or bad where something is missing or wrong."""
    wrong = {
        field.render_kw["data-tab"]
        for each in (form, own)
        if each is not None
        for field in each
        if field.errors and (field.render_kw or {}).get("data-tab")
    }
    kind = AUTHORIZATIONS.get(found.authorization)
    if kind is None or kind.validate(found.authorization_settings, standing.stored_secrets(found)):
        wrong.add("authorization")
    elif kind.signs_in and kind.sign_in_as(found.authorization_settings) == "functional":
        usable = [each for each, user in sign_ins if user is None and each.refused_at is None]
        if not usable:
            wrong.add("authorization")
    if check.errors or not form.url.data:
        wrong.add("request")
    return [(key, label, "bad" if key in wrong else "ok") for key, label in TABS]


def _tab_to_show(form: ActionForm, own: FlaskForm | None) -> str:
    for each in (form, own):
        for field in each or ():
            if field.errors and (field.render_kw or {}).get("data-tab"):
                return str(field.render_kw["data-tab"])
    return "general"


def _preset(label: str | None) -> Preset | None:
    return next((preset for each in PREDEFINED for preset in each.presets if preset.label == label), None)


def _duplicate_form(found: Action) -> DuplicateForm:
    form = DuplicateForm(formdata=None)
    own = {each.id for each in found.workspaces}
    form.offer_workspaces(each for each in workspaces.all_workspaces() if each.id not in own)
    return form


def _insecure(address: str) -> bool:
    parts = urlsplit(address)
    return parts.scheme != "https" and parts.hostname not in ("localhost", "127.0.0.1", "::1")


def _day(moment: datetime) -> str:
    return f"{moment.day} {moment:%b %Y}"


def _address(found: Action) -> str:
    return url_for("integrations.action", connection_id=found.connection_id, action_id=found.id)
