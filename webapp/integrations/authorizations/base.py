"""What every authorization type answers. Pure: no Flask app, no database."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

from webapp.forms import BaseForm

SignInAs = Literal["functional", "task"]


@dataclass(frozen=True)
class Credential:
    """What is added to a request so that the other side lets it in.

    `description` is what pages and attempts show; `secrets` are the texts that logs must never hold.
    """

    headers: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    description: str = "No authorization"
    authentication_id: int | None = None
    secrets: tuple[str, ...] = ()


class AuthorizationKind:
    """One authorization type: its form, its check, and the credential that it makes.

    `secret_fields` are those of the form's fields that are sealed; all others are settings. A kind that `signs_in`
    gets its credential from an Authentication instead of from `credential`.
    """

    key: ClassVar[str]
    label: ClassVar[str]
    hint: ClassVar[str] = ""
    version: ClassVar[int] = 1
    form: ClassVar[type[BaseForm]]
    secret_fields: ClassVar[tuple[str, ...]] = ()
    signs_in: ClassVar[bool] = False

    def validate(self, settings: Mapping[str, Any], secrets: Mapping[str, str]) -> dict[str, str]:
        """What is wrong with the settings: field name to sentence."""
        return {}

    def sets_header(self, settings: Mapping[str, Any]) -> bool:
        """Whether the credential is an Authorization header, which the request may then not set as well."""
        return True

    def sign_in_as(self, settings: Mapping[str, Any]) -> SignInAs | None:
        """Who signs in: one functional user for all, or each task user; None where nobody does."""
        return None

    def credential(self, settings: Mapping[str, Any], secrets: Mapping[str, str]) -> Credential:
        """The credential from what the admin typed."""
        raise NotImplementedError


def latin1_problem(secret: str) -> str | None:
    """A sentence where the text cannot travel in a header (RFC 9110 §5.5; Basic is encoded as latin-1)."""
    try:
        secret.encode("latin-1")
    except UnicodeEncodeError:
        return "This holds characters that a header cannot carry. Use letters, digits and signs of ASCII."
    if any(ord(character) < 32 or ord(character) == 127 for character in secret):
        return "This holds a line break or control character. Copy it again."
    return None
