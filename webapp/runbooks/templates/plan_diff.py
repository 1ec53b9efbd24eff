"""What one plan says otherwise than another: streams and tasks, which are the same by their number. Pure."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

NAME, STREAM = "Name", "Stream"


@dataclass(frozen=True)
class TaskFacts:
    """What a plan says of one task: label to words, `NAME` among them; what it leaves empty is missing."""

    number: int
    stream_id: int
    facts: Mapping[str, str]

    @property
    def title(self) -> str:
        return self.facts.get(NAME, "")


@dataclass(frozen=True)
class PlanFacts:
    """A whole plan. `own` is what it says of itself, `streams` id to name; both these and `tasks` in their order."""

    own: Mapping[str, str]
    streams: Mapping[int, str]
    tasks: Sequence[TaskFacts]


@dataclass(frozen=True)
class Change:
    """One thing that is said otherwise; before or after is empty where it was not said."""

    label: str
    before: str
    after: str

    @property
    def long(self) -> bool:
        """Whether it is a text rather than a value, to be read one under the other."""
        return len(self.before) > 60 or len(self.after) > 60 or "\n" in self.before + self.after


@dataclass(frozen=True)
class TaskChange:
    """A task that is in both plans. `moved`: it has another place in its stream."""

    number: int
    title: str
    changes: Sequence[Change]
    moved: bool = False


@dataclass(frozen=True)
class PlanDiff:
    """All that differs, in the order of the later plan; what was taken away in that of the earlier one."""

    own: Sequence[Change] = ()
    streams_added: Sequence[str] = ()
    streams_removed: Sequence[str] = ()
    streams_renamed: Sequence[Change] = ()
    streams_moved: Sequence[str] = ()
    added: Sequence[TaskFacts] = ()
    removed: Sequence[TaskFacts] = ()
    changed: Sequence[TaskChange] = ()
    streams: Mapping[int, str] = field(default_factory=dict)

    @property
    def streams_changed(self) -> int:
        return (
            len(self.streams_added)
            + len(self.streams_removed)
            + len(self.streams_renamed)
            + len(self.streams_moved)
        )

    @property
    def reworded(self) -> Sequence[TaskChange]:
        """The tasks of which something is said otherwise."""
        return [each for each in self.changed if each.changes]

    @property
    def only_moved(self) -> Sequence[TaskChange]:
        """The tasks of which nothing but their place is another."""
        return [each for each in self.changed if not each.changes]

    @property
    def any(self) -> bool:
        return bool(self.own or self.streams_changed or self.added or self.removed or self.changed)

    @property
    def words(self) -> str:
        """The counts as one line: “2 tasks added, 1 changed, 1 stream renamed”."""
        parts: list[str] = []
        for count, verb in (
            (len(self.added), "added"),
            (len(self.removed), "removed"),
            (len(self.reworded), "changed"),
            (len(self.only_moved), "moved"),
        ):
            if count:
                noun = ("task " if count == 1 else "tasks ") if not parts else ""
                parts.append(f"{count} {noun}{verb}")
        streams = self.streams_changed
        if streams:
            parts.append(f"{streams} {'stream' if streams == 1 else 'streams'} changed")
        if self.own:
            parts.append("its own details changed")
        return ", ".join(parts) or "Nothing changed"


def diff(before: PlanFacts, after: PlanFacts) -> PlanDiff:
    """What `after` says otherwise than `before`."""
    same = _same_streams(before, after)
    old, new = {each.number: each for each in before.tasks}, {each.number: each for each in after.tasks}
    moved = _moved_tasks(before, after, same)
    changed = []
    for each in after.tasks:
        if each.number in old:
            changes = _task_changes(old[each.number], each, before, after, same)
            if changes or each.number in moved:
                changed.append(TaskChange(each.number, each.title, changes, each.number in moved))
    kept = [each for each in before.streams if each in same]
    places = {new_id: at for at, new_id in enumerate(after.streams)}
    shifted = _out_of_order([places[same[each]] for each in kept])
    return PlanDiff(
        own=_changes(before.own, after.own),
        streams_added=[name for id_, name in after.streams.items() if id_ not in set(same.values())],
        streams_removed=[name for id_, name in before.streams.items() if id_ not in same],
        streams_renamed=[
            Change(STREAM, before.streams[old_id], after.streams[same[old_id]])
            for old_id in kept
            if before.streams[old_id] != after.streams[same[old_id]]
        ],
        streams_moved=[after.streams[same[each]] for each in kept if places[same[each]] in shifted],
        added=[each for each in after.tasks if each.number not in old],
        removed=[each for each in before.tasks if each.number not in new],
        changed=changed,
        streams={**before.streams, **after.streams},
    )


def _same_streams(before: PlanFacts, after: PlanFacts) -> dict[int, int]:
    """Stream id before to the id of the same stream after: by name, else by the tasks that both hold."""
    same: dict[int, int] = {}
    left = dict(after.streams)
    for old_id, name in before.streams.items():
        found = next((new_id for new_id, each in left.items() if each.lower() == name.lower()), None)
        if found is not None:
            same[old_id] = found
            del left[found]
    homes = {each.number: each.stream_id for each in after.tasks}
    shared: Counter[tuple[int, int]] = Counter()
    for task in before.tasks:
        home = homes.get(task.number)
        if task.stream_id not in same and home in left:
            shared[task.stream_id, home] += 1
    for (old_id, new_id), _ in shared.most_common():
        if old_id not in same and new_id in left:
            same[old_id] = new_id
            del left[new_id]
    return same


def _task_changes(
    old: TaskFacts, new: TaskFacts, before: PlanFacts, after: PlanFacts, same: Mapping[int, int]
) -> list[Change]:
    found = _changes(old.facts, new.facts)
    if same.get(old.stream_id) != new.stream_id:
        found.insert(0, Change(STREAM, before.streams[old.stream_id], after.streams[new.stream_id]))
    return found


def _changes(old: Mapping[str, str], new: Mapping[str, str]) -> list[Change]:
    labels = [*new, *(each for each in old if each not in new)]
    pairs = [(label, old.get(label, ""), new.get(label, "")) for label in labels]
    return [Change(label, was, is_) for label, was, is_ in pairs if was != is_]


def _moved_tasks(before: PlanFacts, after: PlanFacts, same: Mapping[int, int]) -> set[int]:
    """The numbers of the fewest tasks that must have been moved within their stream."""
    places = {each.number: at for at, each in enumerate(after.tasks)}
    homes = {each.number: each.stream_id for each in after.tasks}
    lanes: dict[int, list[int]] = defaultdict(list)
    for each in before.tasks:
        if homes.get(each.number) is not None and homes[each.number] == same.get(each.stream_id):
            lanes[each.stream_id].append(each.number)
    moved: set[int] = set()
    for numbers in lanes.values():
        shifted = _out_of_order([places[each] for each in numbers])
        moved |= {each for each in numbers if places[each] in shifted}
    return moved


def _out_of_order(places: Sequence[int]) -> Collection[int]:
    """All but a longest rising part of them: the fewest whose move explains the order."""
    tails: list[int] = []
    ends: list[int] = []
    before: list[int] = []
    for at, place in enumerate(places):
        length = bisect_left(tails, place)
        before.append(ends[length - 1] if length else -1)
        if length == len(tails):
            tails.append(place)
            ends.append(at)
        else:
            tails[length], ends[length] = place, at
    kept = set()
    at = ends[-1] if ends else -1
    while at >= 0:
        kept.add(places[at])
        at = before[at]
    return [each for each in places if each not in kept]
