"""Checking the Request tab while it is written: preview, problems, Fix it, and the test request."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import abort, request, url_for
from flask_login import current_user

from webapp.extensions import db, limiter
from webapp.fields import queries as fields
from webapp.integrations import offered, queries
from webapp.integrations import request as requests
from webapp.integrations.authorizations import AUTHORIZATIONS, AuthorizationKind
from webapp.integrations.forms import ActionForm
from webapp.integrations.models import Action
from webapp.integrations.request import Check
from webapp.integrations.settings import REQUEST_FIELDS, RequestSettings
from webapp.integrations.views import blueprint
from webapp.page import page
from webapp.permissions import Permission
from webapp.row_ids import row_id
from webapp.template_diagnosis import KnownNames, sample_context

_ACTION = "/settings/integrations/<int:connection_id>/actions/<int:action_id>"


@blueprint.post(f"{_ACTION}/check", permission=Permission.MANAGE_INTEGRATIONS)
def check_request(connection_id: int, action_id: int) -> Any:
    """Preview and problems of the request as it is typed, not as it is saved."""
    found = queries.action_for(current_user, action_id, connection_id=connection_id)
    return _check_fragment(found, ActionForm())


@blueprint.post(f"{_ACTION}/fix", permission=Permission.MANAGE_INTEGRATIONS)
def fix_request(connection_id: int, action_id: int) -> Any:
    """The part of the request named by `part`, mended, for the person to look at and save."""
    found = queries.action_for(current_user, action_id, connection_id=connection_id)
    form = ActionForm()
    part = request.args.get("part", "")
    check = _checked_form(found, form)
    mended = next((each.fix for each in check.problems if each.part == part and each.fix), None)
    if mended is None:
        abort(400)
    form[part].data = mended
    return _check_fragment(found, form, mended=part)


@blueprint.post(f"{_ACTION}/test", permission=Permission.MANAGE_INTEGRATIONS)
@limiter.limit("20/minute", key_func=lambda: f"test {current_user.get_id()}")
def test_request(connection_id: int, action_id: int) -> Any:
    """Send the saved request once, through the worker, with the chosen task's values."""
    found = queries.action_for(current_user, action_id, connection_id=connection_id)
    form = ActionForm()
    if offered.request_test is None:
        abort(404)
    if form.request_settings() != RequestSettings(**{name: getattr(found, name) for name in REQUEST_FIELDS}):
        return _trial(
            found, sentence="Save first: the test sends what is saved, and you changed the request."
        )
    task_id = _sample_task_id()
    try:
        run_id = offered.request_test.send(found, _context(found, task_id), task_id, current_user)
    except offered.RequestTestRefused as refusal:
        db.session.rollback()
        return _trial(found, sentence=str(refusal))
    db.session.commit()
    return _trial(found, run_id=run_id)


@blueprint.get(f"{_ACTION}/test/<int:run_id>", permission=Permission.MANAGE_INTEGRATIONS)
def test_report(connection_id: int, action_id: int, run_id: int) -> Any:
    """How the test request stands; asked for again and again until it is settled."""
    found = queries.action_for(current_user, action_id, connection_id=connection_id)
    if offered.request_test is None:
        abort(404)
    return _trial(found, run_id=run_id)


def checked(
    found: Action,
    settings: RequestSettings,
    *,
    kind: AuthorizationKind | None,
    authorization: Mapping[str, Any],
    context: Mapping[str, Any] | None = None,
) -> Check:
    """The request as it would be sent with sample values, or with `context`."""
    return requests.check(settings, known_names(found), kind=kind, settings=authorization, context=context)


def known_names(found: Action) -> KnownNames:
    """The custom fields that the action's template may name."""
    workspace_ids = None if found.is_global else [each.id for each in found.workspaces]
    return KnownNames(*fields.known_names(workspace_ids, found.id))


def _checked_form(found: Action, form: ActionForm) -> Check:
    kind = AUTHORIZATIONS.get(form.authorization.data or found.authorization)
    stored = found.authorization_settings if kind is not None and found.authorization == kind.key else {}
    task_id = _sample_task_id()
    context = offered.sample_context(current_user, task_id) if task_id is not None else None
    return checked(found, form.request_settings(), kind=kind, authorization=stored, context=context)


def _check_fragment(found: Action, form: ActionForm, mended: str = "") -> Any:
    return page(
        "integrations/_check.html",
        action=found,
        form=form,
        check=_checked_form(found, form),
        problem_sentence=requests.sentence,
        samples=offered.sample_tasks(current_user, found.id),
        sample_id=_sample_task_id(),
        can_test=offered.request_test is not None,
        mended=mended,
        typed=True,
    )


def _context(found: Action, task_id: int | None) -> Mapping[str, Any]:
    if task_id is not None:
        return offered.sample_context(current_user, task_id)
    return sample_context(known_names(found))


def _sample_task_id() -> int | None:
    return request.form.get("sample", type=row_id)


def _trial(found: Action, *, run_id: int | None = None, sentence: str = "") -> Any:
    report = offered.request_test.report(current_user, run_id) if run_id and offered.request_test else None
    return page(
        "integrations/_trial.html",
        report=report,
        sentence=sentence,
        poll_url=url_for(
            "integrations.test_report", connection_id=found.connection_id, action_id=found.id, run_id=run_id
        )
        if run_id
        else "",
    )
