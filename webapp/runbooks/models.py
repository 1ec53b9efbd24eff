"""Runbooks, their streams and tasks, predecessors, owners, assignees, comments, and their rehearsals and live runs."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, Column, ForeignKey, Index, String, Table, Text, UniqueConstraint, false
from sqlalchemy.orm import Mapped, mapped_column, relationship, validates

from webapp.accounts.models import User
from webapp.clock import now
from webapp.extensions import Base, UtcDateTime
from webapp.integrations.models import Action
from webapp.permissions import Role
from webapp.workspaces.models import Workspace

runbook_owners = Table(
    "runbook_owners",
    Base.metadata,
    Column("runbook_id", ForeignKey("runbooks.id", ondelete="CASCADE"), primary_key=True),
    Column("user_id", ForeignKey("users.id", ondelete="CASCADE"), primary_key=True),
)
task_assignees = Table(
    "task_assignees",
    Base.metadata,
    Column("task_id", ForeignKey("tasks.id", ondelete="CASCADE"), primary_key=True),
    Column("user_id", ForeignKey("users.id", ondelete="CASCADE"), primary_key=True),
)
task_predecessors = Table(
    "task_predecessors",
    Base.metadata,
    Column("task_id", ForeignKey("tasks.id", ondelete="CASCADE"), primary_key=True),
    Column("predecessor_id", ForeignKey("tasks.id", ondelete="CASCADE"), primary_key=True, index=True),
)


# What the plan says of a task by itself, which a copy and a snapshot of it hold as well. Its place, its number, and
# what it is tied to (stream, predecessors, people, fields) stand elsewhere.
PLAN_COLUMNS = (
    "title",
    "description",
    "type",
    "action_id",
    "linked_runbook_id",
    "planned_start",
    "fixed_start",
    "auto_start",
    "duration_s",
    "start_rule",
    "start_quorum",
    "finish_rule",
    "finish_quorum",
)


class Purpose(StrEnum):
    """What a row of runbooks is: a runbook, or the plan of one version of a template or snippet."""

    RUNBOOK = "runbook"
    TEMPLATE = "template"


class Runbook(Base):
    """A plan of tasks, and its rehearsal or live run.

    `state` is a value of `states.RunbookState`; `mode` is "rehearsal" or "live" once started. `seq` rises by one
    with every change that viewers should see; each changed task is stamped with it, so a page can pull what is new.
    Its times are planned and told in `time_zone`, an IANA name.
    `audience` is a key of audiences.AUDIENCES, who hears of the rehearsal or live run; None before the start.
    `message` stands at the top of everybody's page until it is taken down, with the name of who wrote it and when.
    `purpose` is a value of `Purpose`; while `frozen` nothing of the plan can be changed.
    """

    __tablename__ = "runbooks"

    id: Mapped[int] = mapped_column(primary_key=True)
    workspace_id: Mapped[int] = mapped_column(ForeignKey("workspaces.id"), index=True)
    name: Mapped[str] = mapped_column(String(200))
    description: Mapped[str] = mapped_column(Text, default="")
    state: Mapped[str] = mapped_column(String(20), default="planning")
    mode: Mapped[str | None] = mapped_column(String(20))
    audience: Mapped[str | None] = mapped_column(String(20))
    seq: Mapped[int] = mapped_column(default=1)
    next_task_number: Mapped[int] = mapped_column(default=1)
    message: Mapped[str] = mapped_column(Text, default="")
    message_by: Mapped[str | None] = mapped_column(String(200))
    message_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    planned_start: Mapped[datetime | None] = mapped_column(UtcDateTime)
    started_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    time_zone: Mapped[str] = mapped_column(String(60), default="UTC")
    created_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)
    archived_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    purpose: Mapped[str] = mapped_column(String(20), default="runbook", server_default="runbook")
    frozen: Mapped[bool] = mapped_column(default=False, server_default=false())

    workspace: Mapped[Workspace] = relationship()
    owners: Mapped[list[User]] = relationship(secondary=runbook_owners, lazy="selectin")
    streams: Mapped[list[Stream]] = relationship(
        back_populates="runbook", order_by="Stream.position, Stream.id", cascade="all, delete-orphan"
    )
    tasks: Mapped[list[Task]] = relationship(
        back_populates="runbook",
        foreign_keys="Task.runbook_id",
        order_by="Task.position, Task.id",
        cascade="all, delete-orphan",
    )

    @property
    def audit_name(self) -> str:
        return self.name

    @property
    def is_plan_only(self) -> bool:
        """Whether it is the plan of a template's version, which is never started."""
        return self.purpose != Purpose.RUNBOOK

    @property
    def guard_workspace_id(self) -> int:
        return self.workspace_id

    def roles_of(self, user_id: int) -> frozenset[Role]:
        return frozenset({Role.OWNER}) if any(owner.id == user_id for owner in self.owners) else frozenset()


# What stands between the names of a stream and its sub-stream, so a name holds it nowhere.
OF_PARENT = " / "


class Stream(Base):
    """A named lane of tasks; `color` is one of the twelve stream colours, 0 to 11.

    A sub-stream is part of a `parent`, which is part of none itself. By their positions sub-streams follow their parent.
    `placed_seq` is the runbook's seq when the stream last got its place; a deleted one is kept, with `deleted_at`.
    """

    __tablename__ = "streams"

    id: Mapped[int] = mapped_column(primary_key=True)
    runbook_id: Mapped[int] = mapped_column(ForeignKey("runbooks.id", ondelete="CASCADE"), index=True)
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("streams.id"))
    name: Mapped[str] = mapped_column(String(120))
    color: Mapped[int] = mapped_column(default=0)
    position: Mapped[int] = mapped_column(default=0)
    seq: Mapped[int] = mapped_column(default=1)
    placed_seq: Mapped[int] = mapped_column(default=1)
    deleted_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    runbook: Mapped[Runbook] = relationship(back_populates="streams")
    parent: Mapped[Stream | None] = relationship(remote_side=[id])

    @property
    def audit_name(self) -> str:
        return self.full_name

    @property
    def full_name(self) -> str:
        """ "Parent / Child" for a sub-stream."""
        return f"{self.parent.name}{OF_PARENT}{self.name}" if self.parent else self.name


class Task(Base):
    """One step. `number` is the id that people see, unique in its runbook.

    `state` is a value of `states.TaskState`; a complete task says how in `completion`: normally, skipped (with
    `skip_reason`, which also holds the reason of what was finished by hand), integration (by a call's success), runbook
    (by the runbook that it is linked to) or by_hand. `duration_s` is planned, in seconds. `placed_seq` is the runbook's
    seq when the task last got its place in the list; a deleted task is kept, with `deleted_at`, so that it can be
    restored and watchers hear of it. What was done before `reopened_at` no longer counts.

    `type` is a key of TASK_TYPES; a task has an action exactly where it is "integration", and a `linked_runbook` where it
    is "runbook". Rules are values of `rules.Rule`, and a quorum counts where the rule is at_least. `fixed_start`: not
    before its planned start. `auto_start`: it starts by itself. `tried_at` is when it last tried to, or when its fixed
    start was seen to have come. A validation's `result` is a value of `states.Result`.
    """

    __tablename__ = "tasks"
    __table_args__ = (
        UniqueConstraint("runbook_id", "number"),
        Index(None, "runbook_id", "seq"),
        Index(None, "stream_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    runbook_id: Mapped[int] = mapped_column(ForeignKey("runbooks.id", ondelete="CASCADE"))
    stream_id: Mapped[int] = mapped_column(ForeignKey("streams.id"))
    number: Mapped[int]
    position: Mapped[int] = mapped_column(default=0)
    title: Mapped[str] = mapped_column(String(300))
    description: Mapped[str] = mapped_column(Text, default="")
    type: Mapped[str] = mapped_column(String(20), default="normal")
    action_id: Mapped[int | None] = mapped_column(ForeignKey("integration_actions.id"), index=True)
    linked_runbook_id: Mapped[int | None] = mapped_column(ForeignKey("runbooks.id"), index=True)
    planned_start: Mapped[datetime | None] = mapped_column(UtcDateTime)
    fixed_start: Mapped[bool] = mapped_column(default=False)
    auto_start: Mapped[bool] = mapped_column(default=False)
    duration_s: Mapped[int] = mapped_column(default=300)
    start_rule: Mapped[str] = mapped_column(String(20), default="anyone")
    start_quorum: Mapped[int] = mapped_column(default=1)
    finish_rule: Mapped[str] = mapped_column(String(20), default="anyone")
    finish_quorum: Mapped[int] = mapped_column(default=1)

    state: Mapped[str] = mapped_column(String(20), default="not_startable")
    completion: Mapped[str | None] = mapped_column(String(20))
    skip_reason: Mapped[str] = mapped_column(Text, default="")
    result: Mapped[str | None] = mapped_column(String(20))
    result_comment: Mapped[str] = mapped_column(Text, default="")
    tried_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    started_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    started_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    finished_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    finished_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    reopened_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    seq: Mapped[int] = mapped_column(default=1)
    placed_seq: Mapped[int] = mapped_column(default=1)
    deleted_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    runbook: Mapped[Runbook] = relationship(back_populates="tasks", foreign_keys=[runbook_id])
    stream: Mapped[Stream] = relationship()
    action: Mapped[Action | None] = relationship()
    linked_runbook: Mapped[Runbook | None] = relationship(foreign_keys=[linked_runbook_id])
    started_by: Mapped[User | None] = relationship(foreign_keys=[started_by_id])
    finished_by: Mapped[User | None] = relationship(foreign_keys=[finished_by_id])
    assignees: Mapped[list[User]] = relationship(secondary=task_assignees, lazy="selectin")
    predecessors: Mapped[list[Task]] = relationship(
        secondary=task_predecessors,
        primaryjoin=id == task_predecessors.c.task_id,
        secondaryjoin=id == task_predecessors.c.predecessor_id,
        back_populates="successors",
    )
    successors: Mapped[list[Task]] = relationship(
        secondary=task_predecessors,
        primaryjoin=id == task_predecessors.c.predecessor_id,
        secondaryjoin=id == task_predecessors.c.task_id,
        back_populates="predecessors",
    )

    @property
    def audit_name(self) -> str:
        return f"#{self.number} {self.title}"

    @validates("action", "action_id")
    def _typed_by_action(self, _name: str, action: Any) -> Any:
        if action is not None:
            self.type = "integration"
        elif self.type == "integration":
            self.type = "normal"
        return action

    @property
    def calls_since(self) -> datetime | None:
        """Calls from then on belong to this try of the task in this run of its runbook; None before the start."""
        return self.reopened_at or self.runbook.started_at

    @property
    def guard_workspace_id(self) -> int:
        return self.runbook.workspace_id

    def roles_of(self, user_id: int) -> frozenset[Role]:
        held = self.runbook.roles_of(user_id)
        return held | {Role.ASSIGNEE} if any(each.id == user_id for each in self.assignees) else held


class Confirmation(Base):
    """Someone's word that the task may start or finish, where its rule asks for that of several people.

    `moment` is a value of `rules.Moment`. What counts is whether the person is assigned to the task now.
    """

    __tablename__ = "task_confirmations"

    task_id: Mapped[int] = mapped_column(ForeignKey("tasks.id", ondelete="CASCADE"), primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    moment: Mapped[str] = mapped_column(String(10), primary_key=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)


class Comment(Base):
    """What someone wrote on a task. A `lesson` is shown again when the run is reviewed."""

    __tablename__ = "comments"

    id: Mapped[int] = mapped_column(primary_key=True)
    task_id: Mapped[int] = mapped_column(ForeignKey("tasks.id", ondelete="CASCADE"), index=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)
    body: Mapped[str] = mapped_column(Text)
    lesson: Mapped[bool] = mapped_column(default=False)

    user: Mapped[User] = relationship()
    mentions: Mapped[list[Mention]] = relationship(cascade="all, delete-orphan", order_by="Mention.id")

    @property
    def audit_name(self) -> str:
        return self.body[:80]


class Mention(Base):
    """Someone whom a comment names: `words` is how it does, with the @, from `start`, counted in characters."""

    __tablename__ = "comment_mentions"

    id: Mapped[int] = mapped_column(primary_key=True)
    comment_id: Mapped[int] = mapped_column(ForeignKey("comments.id", ondelete="CASCADE"), index=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    start: Mapped[int]
    words: Mapped[str] = mapped_column(String(260))

    user: Mapped[User] = relationship()


class PlanImport(Base):
    """A file that someone uploaded, on its way into a plan.

    `state`: mapping (the person settles what its columns mean), queued, done, undone. It goes into `runbook_id`, or
    into a new runbook called `new_name`, which is made together with its tasks. `rows` is a sheets.table.Table as
    JSON, `mapping` a PlanMapping; `rows` is gone once it is done. `made` has the ids of what was added, for the undo:
    tasks, streams, and the streams that were taken away.
    """

    __tablename__ = "plan_imports"

    id: Mapped[int] = mapped_column(primary_key=True)
    workspace_id: Mapped[int] = mapped_column(ForeignKey("workspaces.id"), index=True)
    runbook_id: Mapped[int | None] = mapped_column(ForeignKey("runbooks.id", ondelete="CASCADE"), index=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    new_name: Mapped[str] = mapped_column(String(200), default="")
    file_name: Mapped[str] = mapped_column(String(200))
    state: Mapped[str] = mapped_column(String(20), default="mapping", index=True)
    row_count: Mapped[int] = mapped_column(default=0)
    rows: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True), deferred=True)
    mapping: Mapped[dict[str, Any]] = mapped_column(JSON)
    made: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True), deferred=True)
    refusal: Mapped[str] = mapped_column(Text, default="")
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now, index=True)
    queued_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    finished_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    runbook: Mapped[Runbook | None] = relationship()
    workspace: Mapped[Workspace] = relationship()
    user: Mapped[User] = relationship()

    @property
    def audit_name(self) -> str:
        return self.file_name


class PlanChange(Base):
    """What one operation changed in a runbook's plan, so that whoever did it can take it back.

    `rows` is a list of undo.differences.Difference as JSON: each row of the plan that changed, as it stood before and
    as the change left it. `seq` is the runbook's after the change.
    """

    __tablename__ = "plan_changes"
    __table_args__ = (Index(None, "runbook_id", "user_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    runbook_id: Mapped[int] = mapped_column(ForeignKey("runbooks.id", ondelete="CASCADE"))
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)
    seq: Mapped[int]
    label: Mapped[str] = mapped_column(String(200))
    rows: Mapped[list[Any]] = mapped_column(JSON, deferred=True)
    undone_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    user: Mapped[User] = relationship()


class Execution(Base):
    """One rehearsal, or the live run, of a runbook. `kind` is a value of `states.Mode`; `number` counts within it.

    `ending` is "complete" or "cancelled" (with `reason`), None while it is under way. `planned_start` is what the plan
    counted from; `shift_s` is how far the start moved the planned times, in seconds. `kept` is what was planned and what
    happened, a records.Record as JSON; None until it has ended.
    """

    __tablename__ = "executions"
    __table_args__ = (UniqueConstraint("runbook_id", "kind", "number"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    runbook_id: Mapped[int] = mapped_column(ForeignKey("runbooks.id", ondelete="CASCADE"), index=True)
    kind: Mapped[str] = mapped_column(String(20))
    number: Mapped[int]
    planned_start: Mapped[datetime | None] = mapped_column(UtcDateTime)
    shift_s: Mapped[int] = mapped_column(default=0)
    started_at: Mapped[datetime] = mapped_column(UtcDateTime)
    started_by: Mapped[str] = mapped_column(String(200), default="")
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    ended_by: Mapped[str] = mapped_column(String(200), default="")
    ending: Mapped[str | None] = mapped_column(String(20))
    reason: Mapped[str] = mapped_column(Text, default="")
    kept: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True), deferred=True)

    @property
    def live(self) -> bool:
        return self.kind == "live"

    @property
    def label(self) -> str:
        """ "Rehearsal 2", "Live run"."""
        if self.live and self.number == 1:
            return "Live run"
        return f"{'Live run' if self.live else 'Rehearsal'} {self.number}"

    @property
    def noun(self) -> str:
        """ "rehearsal" or "live run", for sentences."""
        return "live run" if self.live else "rehearsal"

    @property
    def slug(self) -> str:
        """Its part of an address: "rehearsal-2"."""
        return f"{self.kind}-{self.number}"

    @property
    def standing(self) -> str:
        """How it ended, in a word or two."""
        return self.ending or "under way"
