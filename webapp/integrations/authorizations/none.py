"""No authorization."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from webapp.forms import BaseForm
from webapp.integrations.authorizations.base import AuthorizationKind, Credential


class NoneForm(BaseForm):
    """Nothing to fill in."""


class NoAuthorization(AuthorizationKind):
    key = "none"
    label = "No Auth"
    hint = "The request is sent as it is."
    form = NoneForm

    def sets_header(self, settings: Mapping[str, Any]) -> bool:
        return False

    def credential(self, settings: Mapping[str, Any], secrets: Mapping[str, str]) -> Credential:
        return Credential()
