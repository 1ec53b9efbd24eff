"""Where a rehearsal's calls go: nowhere, to a sandbox, or for real. Each connection has one rule. Pure."""

from __future__ import annotations

from enum import StrEnum


class RehearsalRule(StrEnum):
    """A connection's rule for rehearsals. The value is what the row stores."""

    BY_ACTION = "by_action"
    NOT_CALLED = "not_called"
    SANDBOX = "sandbox"
    REAL = "real"


class Destination(StrEnum):
    """Where one call goes."""

    NOWHERE = "nowhere"
    SANDBOX = "sandbox"
    REAL = "real"


_DESTINATIONS: dict[str, Destination] = {
    RehearsalRule.NOT_CALLED: Destination.NOWHERE,
    RehearsalRule.SANDBOX: Destination.SANDBOX,
    RehearsalRule.REAL: Destination.REAL,
}


def destination_in_rehearsal(rule: str, execute_in_rehearsal: bool) -> Destination:
    """Where an action's call goes in a rehearsal; a rule that this version does not know calls nothing."""
    if rule == RehearsalRule.BY_ACTION:
        return Destination.REAL if execute_in_rehearsal else Destination.NOWHERE
    return _DESTINATIONS.get(rule, Destination.NOWHERE)
