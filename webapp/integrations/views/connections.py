"""Integration Connections: the list, the New Integration Connection modal, the edit panel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from flask import request, url_for
from flask_login import current_user
from flask_wtf import FlaskForm

from webapp.extensions import db
from webapp.integrations import manifest, offered, operations, queries, standing
from webapp.integrations.forms import (
    ConnectionForm,
    CustomConnectionForm,
    NewConnectionForm,
    PredefinedConnectionForm,
)
from webapp.integrations.models import Action, Connection
from webapp.integrations.operations.authentication import redirect_uri
from webapp.integrations.predefined import PREDEFINED
from webapp.integrations.rehearsals import RehearsalRule
from webapp.integrations.views import blueprint, kept_secrets
from webapp.page import page, told
from webapp.permissions import Permission
from webapp.workspaces import queries as workspaces

TEMPLATE = "integrations/connections.html"


@dataclass(frozen=True)
class Row:
    """A connection as the list shows it."""

    connection: Connection
    actions: list[Action]
    standing: standing.Standing
    recent: offered.RecentRuns

    @property
    def needs_attention(self) -> bool:
        return self.standing.needs_attention or self.recent.last_state in ("failed", "unknown")


@blueprint.get("/settings/integrations", permission=Permission.MANAGE_INTEGRATIONS)
def connections() -> Any:
    return list_page()


@blueprint.get("/settings/integrations/new", permission=Permission.MANAGE_INTEGRATIONS)
def new_connection() -> Any:
    """The modal. `type` and `integration` in the query switch what it asks for."""
    if request.args.get("type") != "predefined":
        return _new_page(CustomConnectionForm(formdata=None))
    kind = PREDEFINED.get(request.args.get("integration")) or next(iter(PREDEFINED))
    form = _predefined_form(formdata=None, type="predefined", integration=kind.key)
    return _new_page(form, kind, kind.form(formdata=None, prefix=f"{kind.key}-", meta={"csrf": False}))


@blueprint.post("/settings/integrations", permission=Permission.MANAGE_INTEGRATIONS)
def create_connection() -> Any:
    if request.form.get("type") == "predefined":
        return _create_predefined()
    form = CustomConnectionForm()
    if form.validate():
        try:
            connection = operations.create_connection(
                name=form.name.data, image_url=form.image_url.data or "", by=current_user
            )
        except operations.IntegrationRefused as refusal:
            form.name.errors = [str(refusal)]
        else:
            db.session.commit()
            return told(
                _panel(connection),
                f"{connection.name} is created. Add its first action with New.",
            )
    return _new_page(form, status=422)


def _create_predefined() -> Any:
    form = _predefined_form()
    kind = PREDEFINED.get(form.integration.data) or next(iter(PREDEFINED))
    own = kind.form(prefix=f"{kind.key}-", meta={"csrf": False})
    kept_secrets.take_back(own, kind, None)
    right = form.validate()
    if own.validate() and right:
        try:
            action = operations.create_predefined(
                kind,
                own.data,
                is_global=form.is_global,
                workspaces=form.chosen_workspaces,
                by=current_user,
            )
        except operations.IntegrationRefused as refusal:
            db.session.rollback()
            form.integration.errors = [str(refusal)]
        else:
            db.session.commit()
            return told(
                url_for("integrations.action", connection_id=action.connection_id, action_id=action.id)
                + "#authorization",
                f"{action.connection.name} is created, with its action and custom fields.",
            )
    return _new_page(form, kind, own, status=422)


@blueprint.get("/settings/integrations/<int:connection_id>", permission=Permission.MANAGE_INTEGRATIONS)
def connection(connection_id: int) -> Any:
    found = queries.connection_for(current_user, connection_id)
    return _panel_page(found, ConnectionForm(formdata=None, obj=found, edition=queries.edition(found)))


@blueprint.post("/settings/integrations/<int:connection_id>", permission=Permission.MANAGE_INTEGRATIONS)
def save_connection(connection_id: int) -> Any:
    found = queries.connection_for(current_user, connection_id, for_change=True)
    form = ConnectionForm(obj=found)
    kept_secrets.take_back(form, ConnectionForm, found)
    if form.validate():
        if form.edition.data != queries.edition(found):
            form.form_errors.append(
                f"Someone else saved this connection after you opened it: it is now called “{found.name}”. "
                "Nothing of yours is saved yet. Save again to replace what they wrote."
            )
            form.edition.data = queries.edition(found)
            return _panel_page(found, form, status=409)
        try:
            operations.update_connection(
                found, name=form.name.data, image_url=form.image_url.data or "", by=current_user
            )
            operations.set_rehearsal(
                found,
                RehearsalRule(form.rehearsal_rule.data),
                sandbox_address=form.sandbox_address.data or "",
                sandbox_token=form.sandbox_token.data or "",
                by=current_user,
            )
        except operations.IntegrationRefused as refusal:
            db.session.rollback()
            form[refusal.field].errors = [str(refusal)]
        else:
            db.session.commit()
            return told(url_for("integrations.connections"), f"{found.name} is saved.")
    return _panel_page(found, form, status=422)


@blueprint.post(
    "/settings/integrations/<int:connection_id>/archive", permission=Permission.MANAGE_INTEGRATIONS
)
def archive_connection(connection_id: int) -> Any:
    found = queries.connection_for(current_user, connection_id, for_change=True)
    operations.archive_connection(found, by=current_user)
    db.session.commit()
    return told(
        url_for("integrations.connections"),
        f"{found.name} is archived. Tasks that use it keep it; new ones cannot choose it.",
    )


@blueprint.post(
    "/settings/integrations/<int:connection_id>/restore", permission=Permission.MANAGE_INTEGRATIONS
)
def restore_connection(connection_id: int) -> Any:
    found = queries.connection_for(current_user, connection_id, for_change=True)
    operations.restore_connection(found, by=current_user)
    db.session.commit()
    return told(_panel(found), f"{found.name} is back.")


def list_page(
    template: str = TEMPLATE, *, block: str | None = "list", status: int = 200, **context: Any
) -> Any:
    """The list, alone or with something over it (`template` extends it, or `context` fills its overlay)."""
    text, show = request.args.get("q", "").strip(), request.args.get("show", "all")
    rows = _rows(text, archived=show == "archived")
    waiting = [row for row in rows if row.needs_attention]
    counts = {"all": len(rows), "attention": len(waiting)} if show != "archived" else {}
    return page(
        template,
        block=block,
        status=status,
        rows=waiting if show == "attention" else rows,
        q=text,
        show=show,
        counts=counts,
        archived_count=queries.count_archived_connections(),
        predefined=PREDEFINED,
        **context,
    )


def _rows(text: str, *, archived: bool) -> list[Row]:
    found = queries.connections(text=text, archived=archived)
    in_use = {each.id: [action for action in each.actions if action.archived_at is None] for each in found}
    functional = queries.functional_authentications(
        action.id for actions in in_use.values() for action in actions
    )
    recent = offered.recent_runs([each.id for each in found])
    return [
        Row(
            each,
            in_use[each.id],
            standing.of_connection(in_use[each.id], functional),
            recent.get(each.id) or offered.RecentRuns(),
        )
        for each in found
    ]


def _panel_page(found: Connection, form: ConnectionForm, status: int = 200) -> Any:
    functional = queries.functional_authentications(action.id for action in found.actions)
    form.sandbox_token.saved = found.sealed_sandbox_token is not None
    return list_page(
        "integrations/connection.html",
        block=None,
        status=status,
        opened=found,
        form=form,
        kept=kept_secrets.keep(form, ConnectionForm, found),
        standings={
            action.id: standing.of_action(action, functional.get(action.id)) for action in found.actions
        },
        usage=offered.usage([action.id for action in found.actions]),
        manifest=_manifest(found),
        triggers=offered.triggers,
    )


def _manifest(found: Connection) -> str:
    """The Slack app manifest for the connection's first action that calls Slack; "" where none does."""
    for action in found.actions:
        host = urlsplit(action.url).hostname or ""
        if action.archived_at is None and manifest.is_slack(action.authorization_settings, host):
            return manifest.slack_manifest(found.name, action.authorization_settings, redirect_uri())
    return ""


def _predefined_form(**options: Any) -> PredefinedConnectionForm:
    form = PredefinedConnectionForm(**options)
    form.offer_workspaces(workspaces.all_workspaces())
    return form


def _new_page(
    form: NewConnectionForm, kind: Any = None, own: FlaskForm | None = None, status: int = 200
) -> Any:
    return list_page(
        "integrations/new_connection.html",
        block="new_connection",
        status=status,
        form=form,
        kind=kind,
        own=own,
        kept=kept_secrets.keep(own, kind, None) if kind is not None and own is not None else {},
        opened=None,
    )


def _panel(found: Connection) -> str:
    return url_for("integrations.connection", connection_id=found.id)
