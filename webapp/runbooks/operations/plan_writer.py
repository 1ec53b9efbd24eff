"""Writing a checked file into a runbook's plan, with few statements however many tasks it has, and taking it away again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import func, select

from webapp.clock import now
from webapp.extensions import db
from webapp.runbooks import queries
from webapp.runbooks.models import OF_PARENT, Runbook, Stream, Task, task_assignees, task_predecessors
from webapp.runbooks.operations.lifecycle import FIRST_STREAM
from webapp.runbooks.operations.many_tasks import Told, insert_pairs, insert_tasks
from webapp.runbooks.operations.streams import COLORS, arrange
from webapp.runbooks.sheets.plan import Checked, PlannedTask
from webapp.runbooks.sheets.table import About


class PlanWriter:
    """Writes checked tasks into one runbook, under the lock that touch holds."""

    def __init__(self, runbook: Runbook, seq: int, about: About, told: Told) -> None:
        self._runbook, self._seq, self._about, self._told = runbook, seq, about, told

    def write(self, checked: Checked) -> dict[str, Any]:
        """What was made, for PlanImport.made."""
        streams = queries.streams_of(self._runbook.id)
        by_name = {each.full_name.lower(): each for each in reversed(streams)}
        new = self._add_streams(checked, by_name, streams)
        by_name |= {each.full_name.lower(): each for each in new}
        numbers = self._numbers(checked)
        ids = self._add_tasks(checked.tasks, numbers, by_name, streams[0])
        row_ids = dict(zip((task.row for task in checked.tasks), ids, strict=True))
        insert_pairs(
            task_predecessors,
            [(row_ids[task.row], row_ids[before]) for task in checked.tasks for before in task.before],
        )
        insert_pairs(
            task_assignees,
            [(row_ids[task.row], user_id) for task in checked.tasks for user_id in task.people],
        )
        removed = self._remove_unused(streams, new, checked)
        return {
            "tasks": ids,
            "numbers": f"{min(numbers)} to {max(numbers)}",
            "streams": [each.id for each in new],
            "stream_names": [each.full_name for each in new],
            "removed": removed,
        }

    def _add_streams(
        self, checked: Checked, known: dict[str, Stream], streams: Sequence[Stream]
    ) -> list[Stream]:
        count = db.session.scalar(
            select(func.count()).select_from(Stream).where(Stream.runbook_id == self._runbook.id)
        )
        color = 0 if self._has_only_the_first(streams) else count or 0
        tops: dict[str, Stream] = dict(known)
        new: list[Stream] = []
        for full_name in checked.streams:
            top, _, name = full_name.partition(OF_PARENT)
            parent = tops.get(top.lower())
            if parent is None:
                new.append(self._stream(top, None, color + len(new)))
                parent = tops[top.lower()] = new[-1]
            if name and full_name.lower() not in known:
                new.append(self._stream(name, parent, parent.color))
                parent.seq = self._seq
        db.session.add_all(new)
        arrange([*streams, *new])
        db.session.flush()
        return new

    def _stream(self, name: str, parent: Stream | None, color: int) -> Stream:
        full_name = f"{parent.name}{OF_PARENT}{name}" if parent else name
        return Stream(
            runbook=self._runbook,
            parent=parent,
            name=name,
            color=self._about.colors.get(full_name.lower(), color % COLORS),
            seq=self._seq,
            placed_seq=self._seq,
        )

    def _numbers(self, checked: Checked) -> list[int]:
        """The file's own ids where they can be the tasks' numbers and all are free, else the next ones."""
        db.session.refresh(self._runbook, ["next_task_number"])
        next_number = self._runbook.next_task_number
        numbers = checked.numbers
        if numbers is not None:
            query = select(Task.number).where(Task.runbook_id == self._runbook.id)
            if not set(numbers).isdisjoint(db.session.scalars(query)):
                numbers = None
        if numbers is None:
            numbers = list(range(next_number, next_number + len(checked.tasks)))
        self._runbook.next_task_number = max(next_number, max(numbers) + 1)
        return numbers

    def _add_tasks(
        self,
        tasks: Sequence[PlannedTask],
        numbers: Sequence[int],
        by_name: dict[str, Stream],
        usual: Stream,
    ) -> list[int]:
        position = (
            db.session.scalar(select(func.max(Task.position)).where(Task.runbook_id == self._runbook.id)) or 0
        )
        rows = [
            {
                "runbook_id": self._runbook.id,
                "stream_id": by_name.get(task.stream.lower(), usual).id,
                "number": number,
                "position": position + at,
                "title": task.title,
                "description": task.description,
                "planned_start": task.start,
                "duration_s": task.duration_s,
                "type": task.type,
                "action_id": task.action_id,
                "linked_runbook_id": task.linked_id,
                "fixed_start": task.fixed_start,
                "auto_start": task.auto_start,
                "start_rule": task.start_rule,
                "start_quorum": task.start_quorum,
                "finish_rule": task.finish_rule,
                "finish_quorum": task.finish_quorum,
                "seq": self._seq,
                "placed_seq": self._seq,
            }
            for at, (task, number) in enumerate(zip(tasks, numbers, strict=True), 1)
        ]
        by_number = insert_tasks(rows, self._told)
        return [by_number[number] for number in numbers]

    def _remove_unused(self, streams: Sequence[Stream], new: Sequence[Stream], checked: Checked) -> list[int]:
        """The stream that every new runbook has, where the file brings streams of its own for every task."""
        if not (new and self._has_only_the_first(streams) and all(task.stream for task in checked.tasks)):
            return []
        only = streams[0]
        query = select(func.count()).where(Task.stream_id == only.id, Task.deleted_at.is_(None))
        if db.session.scalar(query):
            return []
        only.deleted_at, only.seq = now(), self._seq
        return [only.id]

    @staticmethod
    def _has_only_the_first(streams: Sequence[Stream]) -> bool:
        return len(streams) == 1 and streams[0].name == FIRST_STREAM


def take_streams_back(runbook: Runbook, made: dict[str, Any], seq: int) -> None:
    """The streams that were taken away come back; those that were added go, where they are empty and not the last."""
    for stream in db.session.scalars(select(Stream).where(Stream.id.in_(made["removed"]))):
        stream.deleted_at, stream.seq, stream.placed_seq = None, seq, seq
    db.session.flush()
    held = select(Task.stream_id).where(Task.runbook_id == runbook.id, Task.deleted_at.is_(None))
    full = set(db.session.scalars(held))
    left = queries.streams_of(runbook.id)
    for stream in reversed(left):
        parents = {each.parent_id for each in left}
        if stream.id in made["streams"] and stream.id not in full | parents and len(left) > 1:
            stream.deleted_at, stream.seq = now(), seq
            left = [each for each in left if each is not stream]
