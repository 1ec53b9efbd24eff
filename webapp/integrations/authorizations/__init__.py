"""Authorization types, one file each. To add one: write its file, add it to the list."""

from __future__ import annotations

from webapp.integrations.authorizations.base import AuthorizationKind, Credential
from webapp.integrations.authorizations.basic import Basic
from webapp.integrations.authorizations.none import NoAuthorization
from webapp.integrations.authorizations.oauth_code import OAuthCode
from webapp.integrations.authorizations.token import Token
from webapp.registry import Registry

AUTHORIZATIONS: Registry[AuthorizationKind] = Registry(
    "authorization type", [NoAuthorization(), Token(), Basic(), OAuthCode()]
)

__all__ = ["AUTHORIZATIONS", "AuthorizationKind", "Credential"]
