"""How a change of the plan is called, in words. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from types import MappingProxyType

from webapp.runbooks.undo.differences import PLACE, PRESENT, Difference

# What people call it, where that is not the column's name.
_WORDS: Mapping[str, str] = MappingProxyType(
    {
        "title": "name",
        "duration_s": "duration",
        "action_id": "integration action",
        "waits_for": "predecessors",
        PLACE: "place",
    }
)
LONGEST = 200


def called(key: str) -> str:
    """ "duration_s" as "duration"."""
    return _WORDS.get(key) or key.removesuffix("_id").replace("_", " ")


def label_of(found: Sequence[Difference]) -> str:
    """ "Changed duration of #12", "Added 3 tasks", "Moved Network": what was done to the tasks, else to the streams."""
    of_tasks = [each for each in found if each.table == "tasks"]
    chosen = of_tasks if of_tasks and not _only_streams_came_or_went(found) else found
    chosen = [each for each in chosen if each.table == chosen[0].table]
    verb = _verb(chosen)
    whom = chosen[0].name if len(chosen) == 1 else f"{len(chosen):,} {chosen[0].table}"
    return f"{verb} {whom}"[:LONGEST]


def what_was_done(keys: Collection[str], name: str, *, present: bool) -> str:
    """ "changed the duration of #12", "deleted #12", "moved #12"."""
    if PRESENT in keys:
        return f"{'brought back' if present else 'deleted'} {name}"
    if set(keys) == {PLACE}:
        return f"moved {name}"
    return f"changed the {listed([called(key) for key in keys])} of {name}"


def listed(words: Sequence[str]) -> str:
    """ "a", "a and b", "a, b and c"."""
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def _only_streams_came_or_went(found: Sequence[Difference]) -> bool:
    return found[0].table == "streams" and PRESENT in found[0].after


def _verb(found: Sequence[Difference]) -> str:
    if all(each.before is None for each in found):
        return "Added"
    if all(not each.after.get(PRESENT, True) for each in found):
        return "Deleted"
    keys = {key for each in found for key in each.after}
    if keys == {PLACE}:
        return "Moved"
    return f"Changed {called(next(iter(keys)))} of" if len(keys) == 1 else "Changed"
