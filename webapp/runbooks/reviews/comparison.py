"""Two rehearsals, or a rehearsal and the live run, beside each other. Pure: no Flask, no database.

Tasks are matched by number: it is what people know them by, and it stays when a task is renamed or moved.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from webapp.runbooks.reviews.differences import apart, sentence, stretched, worth_saying
from webapp.runbooks.reviews.review import Review, Reviewed, Summary
from webapp.runbooks.schedule import Schedule


@dataclass(frozen=True)
class Side:
    """One of the two. What has not ended counts until `schedule.moment`."""

    label: str
    review: Review
    schedule: Schedule

    @property
    def took_s(self) -> int:
        """From the start to the end, or until now."""
        start = self.schedule.started or self.schedule.begin
        return int((self.schedule.moment - start).total_seconds())

    def late_s(self, task: Reviewed | None) -> int:
        """By how much the task started late; 0 where it did not."""
        late = self.review.late_by_id.get(task.facts.id) if task else None
        return late.late_s if late else 0


@dataclass(frozen=True)
class Total:
    """A figure of both. `kind` is moment, duration (seconds) or count; `difference` is said of the second, in words."""

    label: str
    kind: str
    first: datetime | int | None
    second: datetime | int | None
    difference: str = ""
    tone: str = ""


@dataclass(frozen=True)
class Compared:
    """One task in both. One of the two is None where it was only in the plan of the other.

    `first_late_s` and `second_late_s`: by how much it started late, 0 where it did not.
    """

    first: Reviewed | None
    second: Reviewed | None
    stream: Summary
    first_late_s: int
    second_late_s: int

    @property
    def _newest(self) -> Reviewed:
        found = self.second or self.first
        assert found is not None
        return found

    @property
    def number(self) -> int:
        return self._newest.number

    @property
    def title(self) -> str:
        return self._newest.title

    @property
    def renamed_from(self) -> str:
        """What it was called in the first, where that differs."""
        if self.first is None or self.second is None or self.first.title == self.second.title:
            return ""
        return self.first.title

    @property
    def difference_s(self) -> int | None:
        """How much longer it took in the second, in seconds; None where it did not take place in both."""
        if self.first is None or self.second is None:
            return None
        if self.first.took_s is None or self.second.took_s is None:
            return None
        return self.second.took_s - self.first.took_s

    @property
    def replanned(self) -> bool:
        """Whether its planned duration differs."""
        if self.first is None or self.second is None:
            return False
        return self.first.facts.duration_s != self.second.facts.duration_s

    @property
    def ended_otherwise(self) -> bool:
        if self.first is None or self.second is None:
            return False
        return self.first.ending != self.second.ending

    @property
    def differs(self) -> bool:
        """Whether anything about it is worth a look."""
        if self.first is None or self.second is None:
            return True
        return (
            worth_saying(self.difference_s or 0)
            or self.ended_otherwise
            or self.replanned
            or bool(self.renamed_from)
            or bool(self.first_late_s) is not bool(self.second_late_s)
        )

    @property
    def weight(self) -> tuple[int, int, int]:
        """Where it stands among the biggest differences: by time, then what ended otherwise, then the rest."""
        gap = abs(self.difference_s or 0)
        if worth_saying(gap):
            return 0, -gap, self.number
        if self.ended_otherwise:
            return 1, 0, self.number
        if self.first is None or self.second is None:
            return 2, 0, self.number
        return (3 if self.differs else 4), 0, self.number


@dataclass(frozen=True)
class ComparedStream:
    """One stream in both, matched by what it is, not by its name; one of the two may be None."""

    first: Summary | None
    second: Summary | None

    @property
    def name(self) -> str:
        return self._newest.name

    @property
    def color(self) -> int:
        return self._newest.color

    @property
    def _newest(self) -> Summary:
        found = self.second or self.first
        assert found is not None
        return found

    @property
    def difference_s(self) -> int | None:
        if self.first is None or self.second is None:
            return None
        if self.first.took_s is None or self.second.took_s is None:
            return None
        return self.second.took_s - self.first.took_s


@dataclass(frozen=True)
class Comparison:
    """All of it. `tasks` are in the order of the second plan, with what is only in the first at the end."""

    first: Side
    second: Side
    totals: Sequence[Total]
    streams: Sequence[ComparedStream]
    tasks: Sequence[Compared]

    @cached_property
    def differing(self) -> Sequence[Compared]:
        return [each for each in self.tasks if each.differs]

    @cached_property
    def by_difference(self) -> Sequence[Compared]:
        """The same tasks, the biggest differences first."""
        return sorted(self.tasks, key=lambda each: each.weight)

    def words(self, task: Compared) -> str:
        """How the second differs from the first for that task."""
        if task.first is None:
            return f"Only in {self.second.label}"
        if task.second is None:
            return f"Only in {self.first.label}"
        if task.ended_otherwise:
            return f"{task.second.ending}, before: {task.first.ending.lower()}"
        if task.difference_s is None:
            return task.second.ending
        if worth_saying(task.difference_s):
            return sentence(stretched(task.difference_s))
        if bool(task.first_late_s) is not bool(task.second_late_s):
            return (
                f"As long as before, late only in {(self.second if task.second_late_s else self.first).label}"
            )
        return "As long as before"


def compare(first: Side, second: Side) -> Comparison:
    """Both beside each other; differences are those of the second."""
    before = {each.number: (each, stream) for stream, tasks in first.review.streams for each in tasks}
    after = {each.number: (each, stream) for stream, tasks in second.review.streams for each in tasks}
    pairs = [
        (before[number][0] if number in before else None, task, stream)
        for number, (task, stream) in after.items()
    ]
    gone = [(task, None, stream) for number, (task, stream) in before.items() if number not in after]
    return Comparison(
        first=first,
        second=second,
        totals=_totals(first, second),
        streams=_streams(first.review, second.review),
        tasks=[
            Compared(one, other, stream, first.late_s(one), second.late_s(other))
            for one, other, stream in [*pairs, *gone]
        ],
    )


def _streams(first: Review, second: Review) -> list[ComparedStream]:
    before = {summary.stream_id: summary for summary, _ in first.streams}
    after = {summary.stream_id: summary for summary, _ in second.streams}
    found = [ComparedStream(before.get(stream_id), summary) for stream_id, summary in after.items()]
    return found + [
        ComparedStream(summary, None) for stream_id, summary in before.items() if stream_id not in after
    ]


def _totals(first: Side, second: Side) -> list[Total]:
    one, other = first.review.whole, second.review.whole

    def durations(label: str, read: Callable[[Side], int]) -> Total:
        gap = read(second) - read(first)
        words, tone = (apart(gap), _tone(gap) if worth_saying(gap) else "") if gap else ("", "")
        return Total(label, "duration", read(first), read(second), words, tone)

    def counts(label: str, before: int, after: int) -> Total:
        gap = after - before
        return Total(
            label, "count", before, after, f"{abs(gap):,} {'more' if gap > 0 else 'fewer'}" if gap else ""
        )

    starts = durations("Started after its plan", lambda side: max(0, side.schedule.start_late_s))
    return [
        Total("Started", "moment", first.schedule.started, second.schedule.started),
        durations("Planned to take", lambda side: side.review.whole.planned_s),
        durations("Took", lambda side: side.took_s),
        *([starts] if starts.first or starts.second else []),
        counts("Tasks", one.total, other.total),
        counts("Finished", one.done, other.done),
        counts("Skipped", one.skipped, other.skipped),
        counts("Finished by hand", one.by_hand, other.by_hand),
        counts("Late starts", one.late_starts, other.late_starts),
    ]


def _tone(seconds: float) -> str:
    return "late" if seconds > 0 else "early"
