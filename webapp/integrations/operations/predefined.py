"""Verbs that set up several things in one go: a predefined connection, an action from a template, a copy."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import select

from webapp.accounts.models import User
from webapp.audit.operations import record
from webapp.extensions import db
from webapp.fields import operations as fields
from webapp.fields.models import FieldDefinition, FieldRestriction
from webapp.integrations.models import Action, Connection
from webapp.integrations.operations.actions import create_action, workspace_names
from webapp.integrations.operations.connections import create_connection, free_name
from webapp.integrations.operations.refusals import IntegrationRefused
from webapp.integrations.operations.secrets import secrets_of
from webapp.integrations.predefined import ActionTemplate, Predefined
from webapp.integrations.settings import (
    GENERAL_FIELDS,
    REQUEST_FIELDS,
    Authorization,
    General,
    RequestSettings,
    origin_of,
)
from webapp.workspaces.models import Workspace


def create_predefined(
    kind: Predefined,
    answers: Mapping[str, Any],
    *,
    is_global: bool = True,
    workspaces: Iterable[Workspace] = (),
    by: User | None,
) -> Action:
    """Add the connection, its first action and the action's custom fields, in one transaction.

    `answers` are those of `kind.form`. Answers the action; its `connection` is named after the service.
    Raises IntegrationRefused.
    """
    connection = create_connection(
        name=free_name(kind.label), image_url=kind.image_url, predefined=kind.key, by=by
    )
    template = kind.actions[0]
    return _create_from(
        template,
        connection,
        template.general,
        is_global=is_global,
        workspaces=workspaces,
        authorization=kind.authorization(answers),
        base_url=kind.base_url(answers),
        by=by,
    )


def create_from_template(
    connection: Connection,
    kind: Predefined,
    template: ActionTemplate,
    general: General,
    *,
    is_global: bool,
    workspaces: Iterable[Workspace] = (),
    by: User,
) -> Action:
    """Add an action of a predefined connection with its custom fields.

    It takes client and secret over from the connection's newest action that has them, so that nobody types
    them again. Raises IntegrationRefused.
    """
    sibling = next((each for each in reversed(connection.actions) if each.authorization_secrets), None)
    authorization, base_url = Authorization(), kind.default_base_url
    if sibling is not None:
        authorization = Authorization(
            sibling.authorization, dict(sibling.authorization_settings), secrets_of(sibling)
        )
        base_url = origin_of(sibling.url) or base_url
    return _create_from(
        template,
        connection,
        general,
        is_global=is_global,
        workspaces=workspaces,
        authorization=authorization,
        base_url=base_url,
        by=by,
    )


def duplicate_action(action: Action, workspaces: Iterable[Workspace], *, by: User) -> Action:
    """Copy the action for other workspaces, ready to use.

    It gets settings and secrets (sealed anew), and the custom fields that are restricted to the first serve
    it too. Nobody's sign-in is copied.

    Raises IntegrationRefused where no workspace is chosen, or a field of the same name is in the way.
    """
    chosen = list(workspaces)
    copy = create_action(
        action.connection,
        General(**{name: getattr(action, name) for name in GENERAL_FIELDS}),
        is_global=False,
        workspaces=chosen,
        authorization=Authorization(
            action.authorization, dict(action.authorization_settings), secrets_of(action)
        ),
        request=RequestSettings(**{name: getattr(action, name) for name in REQUEST_FIELDS}),
        by=by,
    )
    copy.authorization_version, copy.mode_version = action.authorization_version, action.mode_version
    copy.mode_settings = dict(action.mode_settings)
    for definition in _restricted_to(action):
        _share_field(definition, copy, chosen, by=by)
    record("action.duplicated", action, by=by, after={"copy": copy.id, "visibility": workspace_names(chosen)})
    return copy


def _create_from(
    template: ActionTemplate,
    connection: Connection,
    general: General,
    *,
    is_global: bool,
    workspaces: Iterable[Workspace],
    authorization: Authorization,
    base_url: str,
    by: User | None,
) -> Action:
    chosen = list(workspaces)
    action = create_action(
        connection,
        general,
        is_global=is_global,
        workspaces=chosen,
        authorization=authorization,
        request=template.request(base_url),
        by=by,
    )
    for field in template.fields:
        try:
            fields.create_definition(
                name=field.name,
                kind=field.kind,
                help_text=field.help_text,
                displays_on=field.displays_on,
                required=field.required,
                transient=field.transient,
                is_global=is_global,
                workspaces=[] if is_global else chosen,
                action_ids=[action.id],
                by=by,
            )
        except fields.FieldRefused as refusal:
            raise IntegrationRefused(_in_the_way(field.name, refusal)) from refusal
    return action


def _restricted_to(action: Action) -> list[FieldDefinition]:
    query = (
        select(FieldDefinition)
        .join(FieldRestriction, FieldRestriction.field_definition_id == FieldDefinition.id)
        .where(FieldRestriction.action_id == action.id, FieldDefinition.archived_at.is_(None))
        .order_by(FieldDefinition.position)
    )
    return list(db.session.scalars(query))


def _share_field(
    definition: FieldDefinition, copy: Action, workspaces: Iterable[Workspace], *, by: User
) -> None:
    seen_in = list(definition.workspaces)
    try:
        fields.update_definition(
            definition,
            name=definition.name,
            displays_on=definition.displays_on,
            options=definition.options,
            is_global=definition.is_global,
            workspaces=seen_in + [each for each in workspaces if each not in seen_in],
            action_ids=[*definition.restricted_action_ids, copy.id],
            required=definition.required,
            transient=definition.transient,
            help_text=definition.help_text,
            by=by,
        )
    except fields.FieldRefused as refusal:
        raise IntegrationRefused(_in_the_way(definition.name, refusal)) from refusal


def _in_the_way(name: str, refusal: fields.FieldRefused) -> str:
    return f"The custom field “{name}” cannot be set up there: {refusal} Rename or archive the other first."
