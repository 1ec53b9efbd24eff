"""A token that the admin was given: sent as `Authorization: <type> <value>`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from wtforms import StringField
from wtforms.validators import DataRequired, Regexp

from webapp.forms import BaseForm, SecretField
from webapp.integrations.authorizations.base import AuthorizationKind, Credential, latin1_problem


class TokenForm(BaseForm):
    token_type = StringField(
        "Token type",
        [
            DataRequired("Enter the type, usually Bearer."),
            Regexp(r"^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$", message="One word, such as Bearer or Token."),
        ],
        default="Bearer",
    )
    token = SecretField("Token", description="Stored encrypted and never shown again.")


class Token(AuthorizationKind):
    key = "token"
    label = "Token Auth"
    hint = "A token from the other system's settings."
    form = TokenForm
    secret_fields = ("token",)

    def validate(self, settings: Mapping[str, Any], secrets: Mapping[str, str]) -> dict[str, str]:
        if not secrets.get("token"):
            return {"token": "Enter the token."}
        problem = latin1_problem(secrets["token"])
        return {"token": problem} if problem else {}

    def credential(self, settings: Mapping[str, Any], secrets: Mapping[str, str]) -> Credential:
        token = secrets["token"]
        kind = settings.get("token_type") or "Bearer"
        return Credential({"Authorization": f"{kind} {token}"}, description=f"{kind} token", secrets=(token,))
