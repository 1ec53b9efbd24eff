"""The states of runbooks and tasks, what can happen to them, and where that leads. Pure: standard library only."""

from __future__ import annotations

from enum import StrEnum


class RunbookState(StrEnum):
    """Where a runbook stands. The value is what the row stores."""

    PLANNING = "planning"
    RUNNING = "running"
    PAUSED = "paused"
    COMPLETE = "complete"
    CANCELLED = "cancelled"


class RunbookEvent(StrEnum):
    """What people do with a whole runbook."""

    START = "start"
    PAUSE = "pause"
    RESUME = "resume"
    COMPLETE = "complete"
    CANCEL = "cancel"
    PLAN_AGAIN = "plan again"


class Mode(StrEnum):
    """How a runbook was started."""

    REHEARSAL = "rehearsal"
    LIVE = "live"


class TaskState(StrEnum):
    """Where a task stands. The value is what the row stores."""

    NOT_STARTABLE = "not_startable"
    STARTABLE = "startable"
    IN_PROGRESS = "in_progress"
    COMPLETE = "complete"


class TaskEvent(StrEnum):
    """What can happen to a task. Release and block follow from its predecessors; the rest is done by someone.

    Reach is the start and the finish at once of what takes no time.
    """

    RELEASE = "release"
    BLOCK = "block"
    START = "start"
    REACH = "reach"
    FINISH = "finish"
    FINISH_BY_HAND = "finish by hand"
    SKIP = "skip"
    REOPEN = "reopen"
    PLAN_AGAIN = "plan again"


class Completion(StrEnum):
    """How a complete task came to its end."""

    NORMALLY = "normally"
    SKIPPED = "skipped"
    INTEGRATION = "integration"
    RUNBOOK = "runbook"
    BY_HAND = "by_hand"


class Result(StrEnum):
    """What a validation found."""

    PASS = "pass"
    FAIL = "fail"
    NOT_TESTED = "not_tested"

    @property
    def word(self) -> str:
        """As it stands on a chip."""
        return {"pass": "Passed", "fail": "Failed", "not_tested": "Not tested"}[self.value]


# What did not turn out well, although the task is complete.
UNPROVEN = frozenset({Result.FAIL, Result.NOT_TESTED})


_R, _E = RunbookState, RunbookEvent

RUNBOOK_TRANSITIONS: dict[tuple[RunbookState, RunbookEvent], RunbookState] = {
    (_R.PLANNING, _E.START): _R.RUNNING,
    (_R.RUNNING, _E.PAUSE): _R.PAUSED,
    (_R.PAUSED, _E.RESUME): _R.RUNNING,
    (_R.RUNNING, _E.COMPLETE): _R.COMPLETE,
    (_R.RUNNING, _E.CANCEL): _R.CANCELLED,
    (_R.PAUSED, _E.CANCEL): _R.CANCELLED,
    # After a rehearsal only: operations asks for the mode too.
    (_R.COMPLETE, _E.PLAN_AGAIN): _R.PLANNING,
    (_R.CANCELLED, _E.PLAN_AGAIN): _R.PLANNING,
}

_T, _V = TaskState, TaskEvent

TASK_TRANSITIONS: dict[tuple[TaskState, TaskEvent], TaskState] = {
    (_T.NOT_STARTABLE, _V.RELEASE): _T.STARTABLE,
    (_T.NOT_STARTABLE, _V.SKIP): _T.COMPLETE,
    (_T.STARTABLE, _V.BLOCK): _T.NOT_STARTABLE,
    (_T.STARTABLE, _V.START): _T.IN_PROGRESS,
    (_T.STARTABLE, _V.REACH): _T.COMPLETE,
    (_T.STARTABLE, _V.FINISH_BY_HAND): _T.COMPLETE,
    (_T.STARTABLE, _V.SKIP): _T.COMPLETE,
    (_T.IN_PROGRESS, _V.FINISH): _T.COMPLETE,
    (_T.IN_PROGRESS, _V.FINISH_BY_HAND): _T.COMPLETE,
    (_T.IN_PROGRESS, _V.SKIP): _T.COMPLETE,
    (_T.COMPLETE, _V.REOPEN): _T.STARTABLE,
    (_T.NOT_STARTABLE, _V.PLAN_AGAIN): _T.NOT_STARTABLE,
    (_T.STARTABLE, _V.PLAN_AGAIN): _T.NOT_STARTABLE,
    (_T.IN_PROGRESS, _V.PLAN_AGAIN): _T.NOT_STARTABLE,
    (_T.COMPLETE, _V.PLAN_AGAIN): _T.NOT_STARTABLE,
}

UNDER_WAY = frozenset({_R.RUNNING, _R.PAUSED})
ENDED = frozenset({_R.COMPLETE, _R.CANCELLED})
NOT_STARTED = frozenset({_T.NOT_STARTABLE, _T.STARTABLE})

_RUNBOOK_STANDS = {
    _R.PLANNING: "It is still being planned.",
    _R.RUNNING: "It is running.",
    _R.PAUSED: "It is paused.",
    _R.COMPLETE: "It is complete.",
    _R.CANCELLED: "It was cancelled.",
}
_TASK_STANDS = {
    _T.NOT_STARTABLE: "It waits for other tasks.",
    _T.STARTABLE: "It has not been started yet.",
    _T.IN_PROGRESS: "It is already in progress.",
    _T.COMPLETE: "It is already complete.",
}
_RUNBOOK_VERBS = {
    _E.START: "started",
    _E.PAUSE: "paused",
    _E.RESUME: "resumed",
    _E.COMPLETE: "completed",
    _E.CANCEL: "cancelled",
    _E.PLAN_AGAIN: "planned again",
}
_TASK_VERBS = {
    _V.RELEASE: "released",
    _V.BLOCK: "blocked",
    _V.START: "started",
    _V.REACH: "reached",
    _V.FINISH: "finished",
    _V.FINISH_BY_HAND: "finished by hand",
    _V.SKIP: "skipped",
    _V.REOPEN: "reopened",
    _V.PLAN_AGAIN: "planned again",
}


class NotNow(Exception):
    """The runbook or task is in a state in which this cannot be done; the text says so to people."""


def runbook_after(state: str, event: RunbookEvent) -> RunbookState:
    """The runbook's state after the event. Raises NotNow."""
    found = RUNBOOK_TRANSITIONS.get((RunbookState(state), event))
    if found is None:
        raise NotNow(
            f"The runbook cannot be {_RUNBOOK_VERBS[event]} now. {_RUNBOOK_STANDS[RunbookState(state)]}"
        )
    return found


def task_after(state: str, event: TaskEvent) -> TaskState:
    """The task's state after the event. Raises NotNow."""
    found = TASK_TRANSITIONS.get((TaskState(state), event))
    if found is None:
        raise NotNow(f"The task cannot be {_TASK_VERBS[event]} now. {_TASK_STANDS[TaskState(state)]}")
    return found


def runbook_allows(state: str, event: RunbookEvent) -> bool:
    """Whether the event can happen; False for a state that this version does not know."""
    return (state, event) in RUNBOOK_TRANSITIONS


def task_allows(state: str, event: TaskEvent) -> bool:
    """Whether the event can happen; False for a state that this version does not know."""
    return (state, event) in TASK_TRANSITIONS


def sources(event: TaskEvent) -> frozenset[TaskState]:
    """The states in which the event can happen to a task."""
    return frozenset(state for state, each in TASK_TRANSITIONS if each is event)
