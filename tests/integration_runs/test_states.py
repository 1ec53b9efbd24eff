"""Every pair of a state and an event, listed."""

from __future__ import annotations

import itertools

import pytest

from webapp.integration_runs.states import SETTLED, NotNow, RunEvent, RunState, after, allows, refusal

LEADS_TO = {
    "queued": {"claim": "sending", "cancel": "cancelled"},
    "sending": {
        "succeed": "succeeded",
        "fail": "failed",
        "lose": "unknown",
        "defer": "queued",
        "await": "waiting",
    },
    "waiting": {"succeed": "succeeded", "fail": "failed", "lose": "unknown", "cancel": "cancelled"},
    "succeeded": {},
    "failed": {"retry": "queued"},
    "unknown": {
        "succeed": "succeeded",
        "fail": "failed",
        "retry": "queued",
        "resolve as succeeded": "succeeded",
        "resolve as failed": "failed",
    },
    "cancelled": {},
}


@pytest.mark.parametrize(("state", "event"), list(itertools.product(RunState, RunEvent)))
def test_each_event_leads_where_the_table_says_or_is_refused_with_a_sentence(
    state: RunState, event: RunEvent
) -> None:
    expected = LEADS_TO[state].get(event)
    assert allows(state, event) is (expected is not None)
    if expected is not None:
        assert after(state, event) == expected
    else:
        with pytest.raises(NotNow, match=r"^[A-Z].*\.$"):
            after(state, event)


def test_what_is_being_sent_cannot_be_cancelled_and_the_reason_is_said() -> None:
    assert refusal("sending", RunEvent.CANCEL) == (
        "The request is being sent at this moment, so it may already have arrived. Wait for its outcome. "
        "It cannot be cancelled now."
    )


def test_a_state_that_this_version_does_not_know_allows_nothing() -> None:
    assert not any(allows("paused", event) for event in RunEvent)


def test_settled_states_are_those_that_no_worker_will_touch() -> None:
    assert {"succeeded", "failed", "unknown", "cancelled"} == SETTLED
