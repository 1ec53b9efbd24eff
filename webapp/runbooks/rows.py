"""What a page shows of one task in a list: its look, its chip, its one button. Pure: no Flask, no database."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from webapp.integration_runs.states import RunState
from webapp.integrations.rehearsals import Destination
from webapp.runbooks.durations import rounded, shown
from webapp.runbooks.forecast import Span
from webapp.runbooks.rules import Asked, Press, Rule, press
from webapp.runbooks.states import UNDER_WAY, Completion, Result, RunbookState, TaskState

if TYPE_CHECKING:
    from webapp.runbooks.task_types import TaskType

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
    """What a row says of its task's type, in a word; `href` where it leads anywhere."""

    text: str
    tone: str
    icon: str
    title: str
    href: str = ""


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
    type: str = "normal"
    linked_runbook_id: int | None = None
    fixed_start: bool = False
    auto_start: bool = False
    start_rule: str = Rule.ANYONE
    start_quorum: int = 1
    finish_rule: str = Rule.ANYONE
    finish_quorum: int = 1
    started_by_id: int | None = None
    result: str | None = None


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
    fixed_start: bool = False


@dataclass(frozen=True)
class Linked:
    """The runbook that a task starts, as far as its row shows it."""

    id: int
    name: str
    state: str
    url: str
    archived: bool = False
    ended: int = 0
    total: int = 0

    @property
    def words(self) -> str:
        """Where it stands, as the end of a sentence."""
        return f"{self.state}, {self.ended} of {self.total} tasks done"


@dataclass(frozen=True)
class Before:
    """A predecessor that is complete, as far as it may keep what follows from starting by itself."""

    number: int
    skipped: bool
    result: str | None


@dataclass(frozen=True)
class Looker:
    """What of a row depends on who looks: whether they may run the task, whether they conduct its runbook."""

    id: int
    may_run: bool
    conducts: bool = False


@dataclass(frozen=True)
class Together:
    """Several people who start or finish a task by their word together: who has given it, and who is missing.

    It reads the same for everybody.
    """

    needed: int
    there: tuple[Person, ...]
    missing: tuple[Person, ...]

    @property
    def met(self) -> bool:
        return len(self.there) >= self.needed

    @property
    def words(self) -> str:
        return f"{len(self.there)} of {self.needed} ready"

    @property
    def waits(self) -> str:
        """ "Waiting for Rune and Dana", or for how many more of them where not all are needed."""
        if self.met:
            return "All are ready"
        more = self.needed - len(self.there)
        names = [each.name for each in self.missing]
        if more < len(names):
            return f"Waiting for {more} more of {_listed(names)}"
        return f"Waiting for {_listed(names)}"

    @property
    def said(self) -> str:
        """Who has given their word and who has not, in sentences."""
        if not self.there:
            return f"{self.waits}."
        verb = "is" if len(self.there) == 1 else "are"
        return f"{_listed([each.name for each in self.there])} {verb} ready. {self.waits}."


def _listed(names: Sequence[str]) -> str:
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))


@dataclass(frozen=True)
class Row:
    """One task as a list shows it. `button` is start, sign_in, finish, take_back, retry, resolve, cancel or empty.
    `waits_for` are the numbers of predecessors that are not complete.

    Two rows are equal where a list shows the same: what `_row.html` does not read stays out of the comparison, because it
    changes with every moment and would have each row rendered anew.

    `not_before`: its fixed start, while that is still to come. `behind_s`: seconds that its forecast end is after its
    planned one; negative before it. `slack_s`: how much later it may end without moving the finish; None where that is
    no question any more.
    """

    facts: Facts
    kind: TaskType
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
    failing: bool = False
    together: Together | None = None
    linked: Linked | None = None
    not_before: datetime | None = None
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
        return "" if self.kind.point else shown(self.facts.duration_s)

    @property
    def failed(self) -> bool:
        """Whether its call hangs, or it is a validation that failed."""
        return self.failing or self.facts.result == Result.FAIL


def make_row(
    facts: Facts,
    *,
    kind: TaskType,
    chip: Chip | None,
    runbook_state: str,
    looker: Looker,
    waits_for: Sequence[int],
    people: Sequence[Person],
    ready: Collection[int],
    comments: int,
    action: Action | None,
    call: Call | None,
    linked: Linked | None,
    plan: Span,
    span: Span,
    slack: timedelta | None,
    critical: bool,
    begin: datetime | None,
    moment: datetime,
) -> Row:
    """The row. `waits_for` are the numbers of predecessors that are not complete; `begin` is the runbook's start.

    `ready` are the ids of those who have given their word for the next step. Without a start the plan's moments mean
    nothing, only their distances from `moment` do.
    """
    asked = asked_of(facts, [each.id for each in people], ready) if runbook_state in UNDER_WAY else None
    together = _together(asked, people) if asked is not None and asked.needed else None
    button, blocked = ("", "")
    if looker.may_run:
        button, blocked = _button(facts, runbook_state, action, call, linked)
    if asked is not None and button in ("start", "sign_in", "finish"):
        button = _theirs(button, asked, looker)
    not_before = _not_before(facts, action, moment) if runbook_state in UNDER_WAY else None
    if not_before is not None and button in ("start", "sign_in"):
        button = ""
    elapsed = (moment - facts.started_at).total_seconds() if facts.started_at else 0.0
    return Row(
        facts=facts,
        kind=kind,
        look=look_of(facts.state, facts.completion, call, facts.result),
        button=button,
        blocked=blocked,
        wait=_wait(facts, waits_for, call, button, together, linked),
        waits_for=tuple(waits_for),
        people=tuple(people),
        comments=comments,
        chip=chip,
        planned=plan.start if begin else facts.planned_start,
        planned_offset="" if begin else f"+{shown((plan.start - moment).total_seconds())}",
        took="" if kind.point else _took(facts, None if runbook_state in UNDER_WAY else moment),
        share=min(100, int(elapsed * 100 / facts.duration_s)) if facts.duration_s else 100,
        late_s=late_by(facts, plan, moment) if runbook_state in UNDER_WAY else 0,
        span=span,
        failing=is_failing(facts.state, call),
        together=together,
        linked=linked,
        not_before=not_before,
        behind_s=int((span.end - plan.end).total_seconds()),
        slack_s=None if slack is None else int(slack.total_seconds()),
        critical=critical,
    )


def look_of(state: str, completion: str | None, call: Call | None, result: str | None = None) -> str:
    """The key of the state icon. A validation that failed is complete, and yet no page calls it done."""
    if completion == Completion.SKIPPED:
        return "skipped"
    return "failed" if is_failing(state, call) or result == Result.FAIL else state


def asked_of(facts: Facts, people: Sequence[int], ready: Collection[int]) -> Asked | None:
    """The rule of the task's next step; None where it has none: it waits, or is complete."""
    if facts.state == TaskState.STARTABLE:
        return Asked(facts.start_rule, facts.start_quorum, people, ready)
    if facts.state == TaskState.IN_PROGRESS:
        return Asked(facts.finish_rule, facts.finish_quorum, people, ready, facts.started_by_id)
    return None


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


def _button(
    facts: Facts, runbook_state: str, action: Action | None, call: Call | None, linked: Linked | None
) -> tuple[str, str]:
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
        if linked is not None and linked.state != RunbookState.COMPLETE:
            return "", ""
        return "finish", paused
    return "", ""


def _not_before(facts: Facts, action: Action | None, moment: datetime) -> datetime | None:
    fixed = facts.fixed_start or (action is not None and action.fixed_start)
    if not fixed or facts.state != TaskState.STARTABLE or facts.planned_start is None:
        return None
    return facts.planned_start if facts.planned_start > moment else None


def _theirs(button: str, asked: Asked, looker: Looker) -> str:
    """The button, where the task's rule asks for this person's press."""
    found = press(asked, looker.id, conducts=looker.conducts)
    if found in (Press.NOT_ASKED, Press.NOT_THEIRS):
        return ""
    pressed = bool(asked.needed) and looker.id in asked.ready
    return "take_back" if pressed and not asked.met else button


def _together(asked: Asked, people: Sequence[Person]) -> Together:
    by_id = {each.id: each for each in people}
    return Together(
        asked.needed,
        tuple(by_id[each] for each in asked.there),
        tuple(by_id[each] for each in asked.missing),
    )


def _wait(
    facts: Facts,
    waits_for: Sequence[int],
    call: Call | None,
    button: str,
    together: Together | None,
    linked: Linked | None,
) -> str:
    if facts.state == TaskState.NOT_STARTABLE:
        if len(waits_for) == 1:
            return f"After #{waits_for[0]}"
        return f"After {len(waits_for)} tasks" if waits_for else ""
    if facts.completion == Completion.SKIPPED:
        return "Skipped"
    if facts.state == TaskState.IN_PROGRESS and call is not None and call.state in ON_ITS_WAY:
        words = {RunState.QUEUED: "Queued", RunState.SENDING: "Sending", RunState.WAITING: "Waiting"}
        return "" if button else words[RunState(call.state)]
    if facts.state == TaskState.IN_PROGRESS and not button and together is None:
        return (
            "Runbook cancelled"
            if linked is not None and linked.state == RunbookState.CANCELLED
            else "In progress"
        )
    return ""


def chip_of_call(call: Call) -> Chip:
    """How the task's latest call stands, in a word."""
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


def _took(facts: Facts, ended: datetime | None) -> str:
    """How long it took, or had taken when its runbook `ended`; nothing where it goes on."""
    end = facts.finished_at or ended
    if facts.started_at is None or end is None:
        return ""
    return rounded((end - facts.started_at).total_seconds())
