"""What a predefined integration is: data. Pure: no Flask request, no database."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from flask_wtf import FlaskForm
from wtforms.fields.core import UnboundField

from webapp.forms import SecretField
from webapp.integrations.settings import Authorization, General, RequestSettings


@dataclass(frozen=True)
class FieldTemplate:
    """A custom field that an action brings with it, restricted to it. `kind` is a key of fields' KINDS."""

    name: str
    kind: str = "text"
    help_text: str = ""
    required: bool = True
    transient: bool = True
    displays_on: tuple[str, ...] = ("task_edit",)


@dataclass(frozen=True)
class ActionTemplate:
    """An action that is ready but for the account. `path` follows the integration's base URL."""

    key: str
    label: str
    hint: str
    general: General
    path: str
    method: str = "POST"
    headers: str = '{"Content-Type":"application/json; charset=utf-8"}'
    parameters: str = ""
    body: str = ""
    fields: tuple[FieldTemplate, ...] = ()

    def request(self, base_url: str) -> RequestSettings:
        """The Request tab for a service at `base_url`."""
        return RequestSettings(
            method=self.method,
            url=base_url.rstrip("/") + self.path,
            headers=self.headers,
            parameters=self.parameters,
            body=self.body,
        )


@dataclass(frozen=True)
class Preset:
    """Settings of an authorization type that a custom integration can be filled in with by one click."""

    label: str
    authorization: str
    settings: Mapping[str, str]


@dataclass(frozen=True)
class Predefined:
    """A service that Runsheet knows. The first of `actions` comes with the connection.

    `form` asks what only the admin knows; its answers go into `authorization` and `base_url`. `errors` maps
    the service's error codes to what they mean; `guide` is the guide page that Learn more opens.
    """

    key: str
    label: str
    hint: str
    icon: str
    guide: str
    form: type[FlaskForm]
    default_base_url: str
    actions: tuple[ActionTemplate, ...]
    presets: tuple[Preset, ...] = ()
    image_url: str = ""
    errors: Mapping[str, Any] = field(default_factory=dict)

    @property
    def secret_fields(self) -> tuple[str, ...]:
        """The form's fields that are never shown again."""
        fields = {name: getattr(self.form, name) for name in dir(self.form) if not name.startswith("_")}
        return tuple(
            name
            for name, field in fields.items()
            if isinstance(field, UnboundField) and issubclass(field.field_class, SecretField)
        )

    def base_url(self, answers: Mapping[str, Any]) -> str:
        """Where the service is: the form's `base_url`, or the default."""
        return str(answers.get("base_url") or self.default_base_url).rstrip("/")

    def authorization(self, answers: Mapping[str, Any]) -> Authorization:
        """The Authorization tab from the form's answers."""
        raise NotImplementedError

    def action(self, key: str | None) -> ActionTemplate | None:
        """The action template with that key, or None."""
        return next((each for each in self.actions if each.key == key), None)
