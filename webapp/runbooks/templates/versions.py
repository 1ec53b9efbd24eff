"""The states of a template's version, what can happen to it, and where that leads. Pure: standard library only."""

from __future__ import annotations

from enum import StrEnum

from webapp.runbooks.states import NotNow


class VersionState(StrEnum):
    """Where a version stands. The value is what the row stores."""

    DRAFT = "draft"
    IN_REVIEW = "in_review"
    APPROVED = "approved"
    DISCARDED = "discarded"


class VersionEvent(StrEnum):
    """What people do with a version."""

    SUBMIT = "submit"
    WITHDRAW = "withdraw"
    SEND_BACK = "send back"
    APPROVE = "approve"
    DISCARD = "discard"


_S, _E = VersionState, VersionEvent

VERSION_TRANSITIONS: dict[tuple[VersionState, VersionEvent], VersionState] = {
    (_S.DRAFT, _E.SUBMIT): _S.IN_REVIEW,
    (_S.DRAFT, _E.DISCARD): _S.DISCARDED,
    (_S.IN_REVIEW, _E.WITHDRAW): _S.DRAFT,
    (_S.IN_REVIEW, _E.SEND_BACK): _S.DRAFT,
    (_S.IN_REVIEW, _E.APPROVE): _S.APPROVED,
}

OPEN = frozenset({_S.DRAFT, _S.IN_REVIEW})
# What an approver looks at must be what is approved, so only a draft's plan can be changed.
FROZEN = frozenset(_S) - {_S.DRAFT}

_STANDS = {
    _S.DRAFT: "It is a draft.",
    _S.IN_REVIEW: "It is in review.",
    _S.APPROVED: "It is approved.",
    _S.DISCARDED: "It was discarded.",
}
_VERBS = {
    _E.SUBMIT: "submitted",
    _E.WITHDRAW: "taken back",
    _E.SEND_BACK: "sent back",
    _E.APPROVE: "approved",
    _E.DISCARD: "discarded",
}


def version_after(state: str, event: VersionEvent) -> VersionState:
    """The version's state after the event. Raises NotNow."""
    found = VERSION_TRANSITIONS.get((VersionState(state), event))
    if found is None:
        raise NotNow(f"The version cannot be {_VERBS[event]} now. {_STANDS[VersionState(state)]}")
    return found


def version_allows(state: str, event: VersionEvent) -> bool:
    """Whether the event can happen; False for a state that this version of Runsheet does not know."""
    return (state, event) in VERSION_TRANSITIONS
