"""How an action or a connection stands with its authorization, in the words of a chip. Reads no database."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from webapp.integrations.authorizations import AUTHORIZATIONS
from webapp.integrations.models import Action, Authentication

SAVED = "saved"


@dataclass(frozen=True)
class Standing:
    """A chip: its words, tone and icon, and whether someone has to do something. Lower `rank` is worse."""

    words: str
    tone: str
    icon: str
    rank: int

    @property
    def needs_attention(self) -> bool:
        return self.rank < 3


NOT_SET_UP = Standing("Not set up", "", "circle-dashed", 2)


def of_action(action: Action, functional: Authentication | None) -> Standing:
    """The standing of one action. `functional` is its functional user's authentication."""
    kind = AUTHORIZATIONS.get(action.authorization)
    if kind is None:
        return Standing(AUTHORIZATIONS.label(action.authorization), "bad", "alert-triangle", 0)
    if not action.url or kind.validate(action.authorization_settings, stored_secrets(action)):
        return NOT_SET_UP
    if not kind.signs_in:
        return Standing(kind.label, "ok", "key", 5)
    if kind.sign_in_as(action.authorization_settings) == "task":
        return Standing("Each task user", "acc", "users", 4)
    if functional is None:
        return Standing("Not signed in", "warn", "alert-triangle", 1)
    if functional.refused_at is not None:
        return Standing("Sign-in expired", "warn", "alert-triangle", 0)
    return Standing("Functional user", "ok", "shield-check", 5)


def of_connection(actions: Iterable[Action], functional: Mapping[int, Authentication]) -> Standing:
    """The worst of the connection's actions; a connection without actions is not set up."""
    standings = [of_action(action, functional.get(action.id)) for action in actions]
    return min(standings, key=lambda each: each.rank, default=NOT_SET_UP)


def stored_secrets(action: Action) -> dict[str, str]:
    """What `validate` needs to know about secrets without opening them: which are stored."""
    kind = AUTHORIZATIONS.get(action.authorization)
    if kind is None or action.authorization_secrets is None:
        return {}
    return dict.fromkeys(kind.secret_fields, SAVED)
