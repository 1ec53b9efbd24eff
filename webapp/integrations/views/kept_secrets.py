"""A typed secret survives a refused form without going back to the browser in the clear.

A form that comes back with errors carries each typed secret sealed, in a hidden field named after it; the
next attempt opens it where nothing new was typed. The seal is bound to the person, the action or connection, and the
field. A `kind` is whatever has a `key` and `secret_fields`.
"""

from __future__ import annotations

from typing import Any

from flask import current_app, request
from flask_login import current_user
from flask_wtf import FlaskForm

from webapp.integrations.models import Action, Connection
from webapp.secrets import SealedElsewhere, Unreadable

SUFFIX = "-kept"


def keep(own: FlaskForm, kind: Any, edited: Action | Connection | None) -> dict[str, str]:
    """Hidden field name to sealed text, for each secret that was typed."""
    vault = current_app.extensions["vault"]
    return {
        own[name].name + SUFFIX: vault.seal(_row_key(kind, name, edited), own[name].data).decode()
        for name in kind.secret_fields
        if own[name].data
    }


def take_back(own: FlaskForm, kind: Any, edited: Action | Connection | None) -> None:
    """Fill each secret field that was left empty with what an earlier attempt typed."""
    vault = current_app.extensions["vault"]
    for name in kind.secret_fields:
        sealed = request.form.get(own[name].name + SUFFIX, "")
        if sealed and not own[name].data:
            try:
                own[name].data = vault.open(_row_key(kind, name, edited), sealed.encode())
            except (Unreadable, SealedElsewhere):
                continue


def _row_key(kind: Any, name: str, edited: Action | Connection | None) -> str:
    return f"unsaved:{current_user.id}:{edited.id if edited else 'new'}:{kind.key}:{name}"
