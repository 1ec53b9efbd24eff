"""The states of a template's version: every pair of state and event."""

from __future__ import annotations

from itertools import product

import pytest

from webapp.runbooks.states import NotNow
from webapp.runbooks.templates.versions import (
    FROZEN,
    OPEN,
    VersionEvent,
    VersionState,
    version_after,
    version_allows,
)

S, E = VersionState, VersionEvent

LEADS_TO = {
    (S.DRAFT, E.SUBMIT): S.IN_REVIEW,
    (S.DRAFT, E.DISCARD): S.DISCARDED,
    (S.IN_REVIEW, E.WITHDRAW): S.DRAFT,
    (S.IN_REVIEW, E.SEND_BACK): S.DRAFT,
    (S.IN_REVIEW, E.APPROVE): S.APPROVED,
}
STANDS = {
    S.DRAFT: "It is a draft.",
    S.IN_REVIEW: "It is in review.",
    S.APPROVED: "It is approved.",
    S.DISCARDED: "It was discarded.",
}
VERBS = {
    E.SUBMIT: "submitted",
    E.WITHDRAW: "taken back",
    E.SEND_BACK: "sent back",
    E.APPROVE: "approved",
    E.DISCARD: "discarded",
}


@pytest.mark.parametrize(("state", "event"), list(product(S, E)))
def test_each_event_in_each_state_leads_where_the_table_says_or_is_refused_with_a_sentence(
    state: VersionState, event: VersionEvent
) -> None:
    wanted = LEADS_TO.get((state, event))
    assert version_allows(state, event) is (wanted is not None)
    if wanted is not None:
        assert version_after(state, event) is wanted
        return
    with pytest.raises(NotNow) as refusal:
        version_after(state, event)
    assert str(refusal.value) == f"The version cannot be {VERBS[event]} now. {STANDS[state]}"


def test_a_state_that_nobody_knows_allows_nothing() -> None:
    assert not any(version_allows("signed", event) for event in E)


def test_only_a_draft_can_be_changed_and_what_is_undecided_can_still_move() -> None:
    assert set(S) - FROZEN == {S.DRAFT}
    assert {state for state, _ in LEADS_TO} == OPEN
