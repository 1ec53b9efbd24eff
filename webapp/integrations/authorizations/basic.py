"""HTTP Basic: a user name and a password (RFC 7617)."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from typing import Any

from wtforms import StringField
from wtforms.validators import DataRequired, Regexp

from webapp.forms import BaseForm, SecretField
from webapp.integrations.authorizations.base import AuthorizationKind, Credential, latin1_problem


class BasicForm(BaseForm):
    username = StringField(
        "User name",
        [DataRequired("Enter the user name."), Regexp("^[^:]*$", message="A user name cannot hold a colon.")],
        render_kw={"autocomplete": "off"},
    )
    password = SecretField("Password", description="Stored encrypted and never shown again.")


class Basic(AuthorizationKind):
    key = "basic"
    label = "Basic Auth"
    hint = "A user name and a password."
    form = BasicForm
    secret_fields = ("password",)

    def validate(self, settings: Mapping[str, Any], secrets: Mapping[str, str]) -> dict[str, str]:
        if not secrets.get("password"):
            return {"password": "Enter the password."}
        problems = {
            "username": latin1_problem(str(settings.get("username") or "")),
            "password": latin1_problem(secrets["password"]),
        }
        return {name: sentence for name, sentence in problems.items() if sentence}

    def credential(self, settings: Mapping[str, Any], secrets: Mapping[str, str]) -> Credential:
        password = secrets["password"]
        pair = b64encode(f"{settings['username']}:{password}".encode("latin-1")).decode()
        return Credential(
            {"Authorization": f"Basic {pair}"},
            description=f"User {settings['username']}",
            secrets=(password, pair),
        )
