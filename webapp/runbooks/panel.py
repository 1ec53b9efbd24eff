"""The panel of one task: its integration, fields, links, and what happened."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from webapp.audit import queries as audit
from webapp.fields import queries as fields
from webapp.fields.models import FieldDefinition, FieldValue
from webapp.integration_runs import queries as integration_runs
from webapp.integration_runs.models import IntegrationRun
from webapp.integration_runs.states import RunState
from webapp.integrations.credentials import SignIn, sign_in_state
from webapp.integrations.rehearsals import Destination
from webapp.permissions import Permission, can
from webapp.runbooks import activity, linking, queries
from webapp.runbooks.addresses import Here
from webapp.runbooks.board import Board, Viewer
from webapp.runbooks.forecast import Span
from webapp.runbooks.models import Runbook, Task
from webapp.runbooks.operations import locked_because
from webapp.runbooks.queries import Link
from webapp.runbooks.rows import Row, outcome_words
from webapp.runbooks.rules import Rule
from webapp.runbooks.states import (
    NOT_STARTED,
    UNDER_WAY,
    Mode,
    RunbookState,
    TaskEvent,
    TaskState,
    task_allows,
)
from webapp.runbooks.triggers import TRIGGERS, Trigger, destination_of
from webapp.workspaces import queries as workspaces

MOST_ENTRIES = 100


@dataclass(frozen=True)
class FieldRow:
    """A custom field on the panel; `locked` says why it cannot be changed."""

    definition: FieldDefinition
    value: FieldValue | None
    locked: str


@dataclass
class Panel:
    """Everything that the panel shows to one viewer.

    `destination` is where the task's action is called in the kind of run that the runbook is in; `rehearsed`, where it
    is in any rehearsal.
    """

    task: Task
    row: Row
    runbook: Runbook
    viewer: Viewer
    here: Here
    before: int | None
    after: int | None
    waits_for: Sequence[Link]
    then: Sequence[Link]
    entries: Sequence[activity.Entry]
    people: Sequence[Any]
    fields: Sequence[FieldRow] = field(default_factory=list)
    trigger: Trigger | None = None
    destination: Destination = Destination.NOWHERE
    rehearsed: Destination = Destination.NOWHERE
    sign_in: SignIn | None = None
    run: IntegrationRun | None = None
    earlier: Sequence[IntegrationRun] = field(default_factory=list)
    edit_form: Any = None
    may_read_runs: bool = False

    @property
    def base(self) -> str:
        return self.here.base

    @property
    def forecast(self) -> Span | None:
        """When the task is forecast to start and end, where that is not as planned; None once it is known."""
        open_ = self.runbook.state in UNDER_WAY and self.task.state != TaskState.COMPLETE
        return self.row.span if open_ and self.row.off_plan else None

    @property
    def url(self) -> str:
        return self.here.of_task(self.task.number)

    @property
    def may_run(self) -> bool:
        return self.viewer.may_run_task(self.row.people)

    @property
    def called(self) -> bool:
        """Whether this kind of run calls the task's action at all."""
        return self.destination != Destination.NOWHERE

    @property
    def running(self) -> bool:
        return self.runbook.state == RunbookState.RUNNING

    @property
    def may_edit(self) -> bool:
        """Whether the viewer may change what the plan says of this task."""
        return self.viewer.may_edit and self.runbook.state in (
            RunbookState.PLANNING,
            RunbookState.RUNNING,
            RunbookState.PAUSED,
        )

    @property
    def planned_only(self) -> bool:
        """Whether all of it can still be changed: it has not started."""
        return self.task.state in NOT_STARTED

    @property
    def signs_in_here(self) -> bool:
        """Whether this viewer can mend the sign-in on this panel."""
        return self.sign_in is not None and self.sign_in.as_ == "task"

    @property
    def needs_sign_in(self) -> bool:
        """Whether a sign-in stands before the task's call, or before another try of one that did not succeed."""
        return (
            self.destination == Destination.REAL
            and self.sign_in is not None
            and self.sign_in.needed
            and (self.task.state in NOT_STARTED or self.may_be_tried_again)
        )

    @property
    def may_be_tried_again(self) -> bool:
        """Whether the task's call ended without success and can still be repeated."""
        return (
            self.run is not None
            and self.run.state in (RunState.FAILED, RunState.UNKNOWN)
            and self.runbook.state in UNDER_WAY
        )

    @property
    def may_be_corrected(self) -> bool:
        """Whether the call failed for what its fields may say, so that another try goes out as they read then."""
        return (
            self.run is not None
            and self.run.state == RunState.FAILED
            and self.task.state == TaskState.IN_PROGRESS
            and self.may_run
            and any(not each.locked for each in self.fields)
        )

    @property
    def why_not_start(self) -> str:
        """The reason under a Start button that cannot be pressed; empty where it can."""
        if self.task.state != TaskState.STARTABLE:
            return ""
        if self.runbook.state == RunbookState.PAUSED:
            return "The runbook is paused."
        if self.row.not_before is not None:
            return "It has a fixed start, and that is still to come."
        if self.needs_sign_in and self._starts_call:
            name = self.task.action.connection.name if self.task.action else ""
            if self.signs_in_here:
                return f"Start is available once you authenticate with {name}."
            return self.sign_in.sentence if self.sign_in else ""
        return ""

    @property
    def why_not_finish(self) -> str:
        """What a task in progress waits for before anybody can finish it; empty where nothing holds it."""
        if self.task.state != TaskState.IN_PROGRESS:
            return ""
        linked = self.task.linked_runbook
        if linked is not None and not linking.is_done_for(self.task, linked):
            return linking.why_open(self.task, linked)
        if self.row.button or self.task.finish_rule != Rule.WHO_STARTED or self.run is not None:
            return ""
        return f"{self.task.started_by.name if self.task.started_by else 'Whoever started it'} finishes this task."

    @property
    def linked_state(self) -> str:
        """The key of the linked runbook's chip."""
        linked = self.task.linked_runbook
        if linked is None:
            return ""
        return str(linked.mode) if linked.state == RunbookState.RUNNING else linked.state

    @property
    def _starts_call(self) -> bool:
        return self.trigger is not None and self.trigger.key == "task_start"

    @property
    def may_skip(self) -> bool:
        return self.may_run and self.running and task_allows(self.task.state, TaskEvent.SKIP)

    @property
    def may_reopen(self) -> bool:
        return self.viewer.may_conduct and self.running and task_allows(self.task.state, TaskEvent.REOPEN)

    @property
    def may_finish_by_hand(self) -> bool:
        """Offered where an integration or a linked runbook stands in the way of the ordinary Finish."""
        linked = self.task.linked_runbook
        if linked is not None:
            waits = self.task.state == TaskState.IN_PROGRESS and not linking.is_done_for(self.task, linked)
            return waits and self.may_run and self.running and linked.state not in UNDER_WAY
        if not (self.may_run and self.running and self.task.action is not None and self.called):
            return False
        if not task_allows(self.task.state, TaskEvent.FINISH_BY_HAND):
            return False
        if self.task.state == TaskState.STARTABLE:
            return True
        return self.run is not None and self.run.state in (
            RunState.QUEUED,
            RunState.WAITING,
            RunState.FAILED,
            RunState.UNKNOWN,
        )

    @property
    def answer_was_cut(self) -> bool:
        """Whether the last answer was larger than what is kept of one."""
        return self.run is not None and bool(self.run.attempts) and self.run.attempts[-1].response_truncated

    @property
    def code(self) -> str:
        """The run's outcome in a word, for its chip."""
        if self.run is None or self.run.state not in (RunState.SUCCEEDED, RunState.FAILED):
            return ""
        return outcome_words(str((self.run.outcome or {}).get("code") or ""))


def load_panel(task: Task, board: Board) -> Panel:
    """The panel of a task whose row is on the board."""
    row = board.row(task.number)
    if row is None:
        raise ValueError("the board was loaded without this task")
    runbook, viewer, action = task.runbook, board.viewer, task.action
    before, after = queries.neighbours(task)
    lines = audit.lines_about("tasks", task.id)[-MOST_ENTRIES:]
    found = Panel(
        task=task,
        row=row,
        runbook=runbook,
        viewer=viewer,
        here=board.here,
        before=before,
        after=after,
        waits_for=queries.predecessors_of(task.id),
        then=queries.successors_of(task.id),
        entries=activity.entries(queries.comments_of(task.id), lines),
        people=workspaces.members_of(runbook.workspace_id),
    )
    if action is not None:
        found.trigger = TRIGGERS.get(action.trigger)
        found.destination = destination_of(action, runbook.mode)
        found.rehearsed = destination_of(action, Mode.REHEARSAL)
        if not runbook.is_plan_only:
            found.sign_in = sign_in_state(action, task_id=task.id, user_id=viewer.user.id)
    runs = integration_runs.runs_of_task(task.id)
    began = task.calls_since
    if runs and began is not None and runs[0].requested_at >= began:
        found.run = runs[0]
    found.earlier = runs[1:] if found.run is not None else runs
    found.fields = _fields(task, found.run)
    return found


def may_read_runs(viewer: Viewer) -> bool:
    """Whether the Run log link leads anywhere for them."""
    return can(viewer.user, Permission.READ_INTEGRATION_RUNS)


def _fields(task: Task, run: IntegrationRun | None) -> list[FieldRow]:
    """The fields of the panel: those that show on task edit, and of the others those that hold something."""
    values = fields.values_of_task(task.id)
    found = []
    for definition in fields.definitions_for(None, task.runbook.workspace_id, task.action_id):
        value = values.get(definition.id)
        here = "task_edit" in definition.displays_on
        asked = "task_start" in definition.displays_on or "task_finish" in definition.displays_on
        if here or (asked and value is not None and value.value not in fields.BLANK):
            found.append(FieldRow(definition, value, locked_because(task, definition, run)))
    return found
