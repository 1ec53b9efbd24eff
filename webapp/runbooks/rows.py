"""What a page shows of one task in a list: its look, its chip, its one button. Pure: no Flask, no database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from webapp.integration_runs.states import RunState
from webapp.integrations.rehearsals import Destination
from webapp.runbooks.durations import rounded, shown
from webapp.runbooks.forecast import Span
from webapp.runbooks.states import UNDER_WAY, Completion, RunbookState, TaskState

FAILING = frozenset({RunState.FAILED, RunState.UNKNOWN})
LATE_START_S = 60
ON_ITS_WAY = frozenset({RunState.QUEUED, RunState.SENDING, RunState.WAITING})


class Person(NamedTuple):
    """Someone as an avatar shows them."""

    id: int
    name: str
    color: int

    @property
    def initials(self) -> str:
        words = self.name.split() or ["?"]
        return (words[0][0] + (words[-1][0] if len(words) > 1 else words[0][1:2])).upper()


class Chip(NamedTuple):
    """The integration chip of a row."""

    text: str
    tone: str
    icon: str
    title: str


class Facts(NamedTuple):
    """A task as the list reads it; the columns of its row."""

    id: int
    number: int
    title: str
    stream_id: int
    action_id: int | None
    planned_start: datetime | None
    duration_s: int
    state: str
    completion: str | None
    started_at: datetime | None
    finished_at: datetime | None
    seq: int
    placed_seq: int


@dataclass(frozen=True)
class Call:
    """The task's latest integration run in this execution."""

    state: str
    outcome: Mapping[str, Any] | None

    @property
    def code(self) -> str:
        return str((self.outcome or {}).get("code") or "")


@dataclass(frozen=True)
class Action:
    """The task's integration action, as far as a row shows it. `destination`: where this kind of run calls it."""

    name: str
    connection: str
    image: str
    short: str
    auto_start: bool
    cancelable: bool
    destination: Destination
    sign_in: str = ""


@dataclass(frozen=True)
class Row:
    """One task as a list shows it. `button` is start, sign_in, finish, retry, resolve, cancel or empty. `waits_for` are
    the numbers of predecessors that are not complete.

    Two rows are equal where a list shows the same: what `_row.html` does not read stays out of the comparison, because it
    changes with every moment and would have each row rendered anew.

    `behind_s`: seconds that its forecast end is after its planned one; negative before it. `slack_s`: how much later it
    may end without moving the finish; None where that is no question any more.
    """

    facts: Facts
    look: str
    button: str
    blocked: str
    wait: str
    waits_for: tuple[int, ...]
    people: tuple[Person, ...]
    comments: int
    chip: Chip | None
    planned: datetime | None
    planned_offset: str
    took: str
    share: int
    late_s: int
    span: Span = field(compare=False)
    behind_s: int = field(default=0, compare=False)
    slack_s: int | None = field(default=None, compare=False)
    critical: bool = field(default=False, compare=False)

    @property
    def planned_end(self) -> datetime | None:
        return self.planned + timedelta(seconds=self.facts.duration_s) if self.planned else None

    @property
    def off_plan(self) -> bool:
        """Whether it starts or ends another minute than planned, as far as is known by now."""
        starts = (self.span.start - self.planned).total_seconds() if self.planned else 0.0
        return max(abs(starts), abs(self.behind_s)) >= 60

    @property
    def id(self) -> int:
        return self.facts.id

    @property
    def number(self) -> int:
        return self.facts.number

    @property
    def title(self) -> str:
        return self.facts.title

    @property
    def state(self) -> str:
        return self.facts.state

    @property
    def duration(self) -> str:
        return shown(self.facts.duration_s)


def make_row(
    facts: Facts,
    *,
    runbook_state: str,
    may_run: bool,
    waits_for: Sequence[int],
    people: Sequence[Person],
    comments: int,
    action: Action | None,
    call: Call | None,
    plan: Span,
    span: Span,
    slack: timedelta | None,
    critical: bool,
    begin: datetime | None,
    moment: datetime,
) -> Row:
    """The row. `waits_for` are the numbers of predecessors that are not complete; `begin` is the runbook's start.

    Without a start the plan's moments mean nothing, only their distances from `moment` do.
    """
    button, blocked = _button(facts, runbook_state, action, call) if may_run else ("", "")
    elapsed = (moment - facts.started_at).total_seconds() if facts.started_at else 0.0
    return Row(
        facts=facts,
        look=look_of(facts.state, facts.completion, call),
        button=button,
        blocked=blocked,
        wait=_wait(facts, waits_for, call, button),
        waits_for=tuple(waits_for),
        people=tuple(people),
        comments=comments,
        chip=_chip(action, call),
        planned=plan.start if begin else facts.planned_start,
        planned_offset="" if begin else f"+{shown((plan.start - moment).total_seconds())}",
        took=_took(facts),
        share=min(100, int(elapsed * 100 / facts.duration_s)) if facts.duration_s else 100,
        late_s=late_by(facts, plan, moment) if runbook_state in UNDER_WAY else 0,
        span=span,
        behind_s=int((span.end - plan.end).total_seconds()),
        slack_s=None if slack is None else int(slack.total_seconds()),
        critical=critical,
    )


def look_of(state: str, completion: str | None, call: Call | None) -> str:
    """The key of the state icon."""
    if completion == Completion.SKIPPED:
        return "skipped"
    return "failed" if is_failing(state, call) else state


def is_failing(state: str, call: Call | None) -> bool:
    """Whether the task hangs because its call failed, or nobody knows how it went."""
    return state == TaskState.IN_PROGRESS and call is not None and call.state in FAILING


def late_by(facts: Facts, plan: Span, moment: datetime) -> int:
    """Seconds over its planned duration, or after its planned start where it can start; 0 where it is not late.

    Nobody presses Start in the same second, so a start is late from a minute on.
    """
    if facts.state == TaskState.IN_PROGRESS and facts.started_at is not None:
        due = facts.started_at + timedelta(seconds=facts.duration_s)
    elif facts.state == TaskState.STARTABLE:
        late_s = int((moment - plan.start).total_seconds())
        return late_s if late_s >= LATE_START_S else 0
    else:
        return 0
    return max(0, int((moment - due).total_seconds()))


def outcome_words(code: str) -> str:
    """An outcome's code as a chip writes it: "200", "HTTP 503", "channel_not_found"."""
    if code.startswith("http_"):
        status = code.removeprefix("http_")
        return status if status.startswith("2") else f"HTTP {status}"
    return code


def _button(facts: Facts, runbook_state: str, action: Action | None, call: Call | None) -> tuple[str, str]:
    if runbook_state not in (RunbookState.RUNNING, RunbookState.PAUSED):
        return "", ""
    paused = "The runbook is paused." if runbook_state == RunbookState.PAUSED else ""
    if facts.state == TaskState.STARTABLE:
        if action is not None and action.sign_in and not paused:
            return "sign_in", ""
        return "start", paused
    if facts.state == TaskState.IN_PROGRESS:
        if call is not None and call.state == RunState.FAILED:
            return "retry", ""
        if call is not None and call.state == RunState.UNKNOWN:
            return "resolve", ""
        if call is not None and call.state in ON_ITS_WAY:
            may_cancel = action is not None and action.cancelable and call.state != RunState.SENDING
            return ("cancel", "") if may_cancel else ("", "")
        return "finish", paused
    return "", ""


def _wait(facts: Facts, waits_for: Sequence[int], call: Call | None, button: str) -> str:
    if facts.state == TaskState.NOT_STARTABLE:
        if len(waits_for) == 1:
            return f"After #{waits_for[0]}"
        return f"After {len(waits_for)} tasks" if waits_for else ""
    if facts.completion == Completion.SKIPPED:
        return "Skipped"
    if facts.state == TaskState.IN_PROGRESS and not button:
        words = {RunState.QUEUED: "Queued", RunState.SENDING: "Sending", RunState.WAITING: "Waiting"}
        return words.get(RunState(call.state), "In progress") if call else "In progress"
    return ""


def _chip(action: Action | None, call: Call | None) -> Chip | None:
    if call is not None:
        sentence = str((call.outcome or {}).get("sentence") or "")
        words = outcome_words(call.code)
        looks = {
            RunState.QUEUED: ("Queued", "", "clock"),
            RunState.SENDING: ("Sending", "acc", "loader-2"),
            RunState.WAITING: ("Waiting", "acc", "hourglass"),
            RunState.SUCCEEDED: (words or "Delivered", "ok", "check"),
            RunState.FAILED: (words or "Failed", "bad", "alert-triangle"),
            RunState.UNKNOWN: ("Outcome unknown", "warn", "question-mark"),
            RunState.CANCELLED: ("Cancelled", "", "ban"),
        }
        text, tone, icon = looks.get(RunState(call.state), (call.state, "", "question-mark"))
        return Chip(text, tone, icon, sentence)
    if action is None:
        return None
    name = f"{action.connection}: {action.name}"
    if action.destination == Destination.NOWHERE:
        return Chip("Not called", "line", "plug-x", f"{name} is not called in this rehearsal")
    if action.destination == Destination.SANDBOX:
        return Chip("Sandbox", "line", "test-pipe", f"{name} calls its sandbox in this rehearsal")
    if action.auto_start:
        return Chip("Auto", "", "bolt", f"{name}, starts by itself")
    return Chip(action.short, "", "plug", name)


def _took(facts: Facts) -> str:
    if facts.started_at is None or facts.finished_at is None:
        return ""
    return rounded((facts.finished_at - facts.started_at).total_seconds())
