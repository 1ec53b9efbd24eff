"""The states of a run, what can happen to it, and where that leads. Pure: standard library only."""

from __future__ import annotations

from enum import StrEnum


class RunState(StrEnum):
    """Where a run stands. The value is what the row stores."""

    QUEUED = "queued"
    SENDING = "sending"
    WAITING = "waiting"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    UNKNOWN = "unknown"
    CANCELLED = "cancelled"


class RunEvent(StrEnum):
    """What can happen to a run. Workers claim, defer and settle; people cancel, retry and resolve."""

    CLAIM = "claim"
    SUCCEED = "succeed"
    FAIL = "fail"
    LOSE = "lose"
    DEFER = "defer"
    AWAIT = "await"
    CANCEL = "cancel"
    RETRY = "retry"
    RESOLVE_SUCCEEDED = "resolve as succeeded"
    RESOLVE_FAILED = "resolve as failed"


_S, _E = RunState, RunEvent

TRANSITIONS: dict[tuple[RunState, RunEvent], RunState] = {
    (_S.QUEUED, _E.CLAIM): _S.SENDING,
    (_S.QUEUED, _E.CANCEL): _S.CANCELLED,
    (_S.SENDING, _E.SUCCEED): _S.SUCCEEDED,
    (_S.SENDING, _E.FAIL): _S.FAILED,
    (_S.SENDING, _E.LOSE): _S.UNKNOWN,
    (_S.SENDING, _E.DEFER): _S.QUEUED,
    (_S.SENDING, _E.AWAIT): _S.WAITING,
    (_S.WAITING, _E.SUCCEED): _S.SUCCEEDED,
    (_S.WAITING, _E.FAIL): _S.FAILED,
    (_S.WAITING, _E.LOSE): _S.UNKNOWN,
    (_S.WAITING, _E.CANCEL): _S.CANCELLED,
    # A worker that was given up answers late: what it knows is better than not knowing.
    (_S.UNKNOWN, _E.SUCCEED): _S.SUCCEEDED,
    (_S.UNKNOWN, _E.FAIL): _S.FAILED,
    (_S.UNKNOWN, _E.RETRY): _S.QUEUED,
    (_S.UNKNOWN, _E.RESOLVE_SUCCEEDED): _S.SUCCEEDED,
    (_S.UNKNOWN, _E.RESOLVE_FAILED): _S.FAILED,
    (_S.FAILED, _E.RETRY): _S.QUEUED,
}

SETTLED = frozenset({_S.SUCCEEDED, _S.FAILED, _S.UNKNOWN, _S.CANCELLED})

_STANDS = {
    _S.QUEUED: "The request is still waiting to be sent.",
    _S.SENDING: "The request is being sent at this moment, so it may already have arrived. Wait for its outcome.",
    _S.WAITING: "The request was sent, and the other system has not said yet how it ended.",
    _S.SUCCEEDED: "The request has already succeeded.",
    _S.FAILED: "The request has already failed.",
    _S.UNKNOWN: "The request may already have arrived.",
    _S.CANCELLED: "The request was cancelled.",
}
_VERBS = {
    _E.CANCEL: "It cannot be cancelled now.",
    _E.RETRY: "Only a failed request, or one whose outcome is unknown, can be retried.",
    _E.RESOLVE_SUCCEEDED: "Only an unknown outcome can be resolved.",
    _E.RESOLVE_FAILED: "Only an unknown outcome can be resolved.",
}


class NotNow(Exception):
    """The run is in a state in which this cannot be done; the text says so to people."""


def after(state: str, event: RunEvent) -> RunState:
    """The state after the event. Raises NotNow with a sentence for people."""
    found = TRANSITIONS.get((RunState(state), event))
    if found is None:
        raise NotNow(refusal(state, event))
    return found


def allows(state: str, event: RunEvent) -> bool:
    """Whether the event can happen in that state; False for a state that this version does not know."""
    return (state, event) in TRANSITIONS


def refusal(state: str, event: RunEvent) -> str:
    """Why the event cannot happen, for people."""
    return " ".join(filter(None, (_STANDS[RunState(state)], _VERBS.get(event, ""))))
