"""What was planned and what happened in one execution, as a review reads it and as it is kept. Pure.

While an execution is under way its record is read from the present rows; at its end the same record is kept as JSON.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from functools import cached_property
from typing import Any


@dataclass(frozen=True)
class StreamRecord:
    """A stream, as it was called then."""

    id: int
    name: str
    color: int


@dataclass(frozen=True)
class TaskRecord:
    """One task: its plan, and what happened.

    A field that is called as a column of tasks is read from that column, so one more line here keeps one more column;
    it needs a default, because records that were kept before do not have it. `predecessors` are numbers, in their
    order; `assignees`, `started_by` and `finished_by` are names ("Runsheet" for what happened by itself); `action` is
    "Connection: Action". Durations are in seconds.
    """

    id: int
    number: int
    title: str
    stream_id: int
    duration_s: int
    state: str
    description: str = ""
    planned_start: datetime | None = None
    completion: str | None = None
    skip_reason: str = ""
    started_at: datetime | None = None
    finished_at: datetime | None = None
    reopened_at: datetime | None = None
    started_by: str = ""
    finished_by: str = ""
    predecessors: tuple[int, ...] = ()
    assignees: tuple[str, ...] = ()
    action: str = ""
    type: str = "normal"
    result: str | None = None
    result_comment: str = ""


NAMES = tuple(each.name for each in fields(TaskRecord))
_MOMENTS = frozenset(each.name for each in fields(TaskRecord) if "datetime" in str(each.type))
_LISTS = frozenset(each.name for each in fields(TaskRecord) if "tuple" in str(each.type))


@dataclass(frozen=True)
class Record:
    """Every task that was in the plan, in the order of the list, and the streams in theirs."""

    streams: Sequence[StreamRecord]
    tasks: Sequence[TaskRecord]

    @cached_property
    def links(self) -> Mapping[int, Sequence[int]]:
        """Task id to the ids of its predecessors."""
        ids = {each.number: each.id for each in self.tasks}
        return {each.id: [ids[number] for number in each.predecessors] for each in self.tasks}

    def as_json(self) -> dict[str, Any]:
        """JSON-able. The names of the fields stand once, not in each of thousands of tasks."""
        return {
            "streams": [[each.id, each.name, each.color] for each in self.streams],
            "fields": list(NAMES),
            "tasks": [[_written(getattr(each, name)) for name in NAMES] for each in self.tasks],
        }

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> Record:
        """The record again; fields that this version no longer knows are left out."""
        known = [(at, name) for at, name in enumerate(kept["fields"]) if name in NAMES]
        return cls(
            streams=[StreamRecord(*each) for each in kept["streams"]],
            tasks=[
                TaskRecord(**{name: _read(name, values[at]) for at, name in known})
                for values in kept["tasks"]
            ],
        )


def _written(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value


def _read(name: str, value: Any) -> Any:
    if name in _MOMENTS:
        return datetime.fromisoformat(value) if value else None
    return tuple(value) if name in _LISTS else value
