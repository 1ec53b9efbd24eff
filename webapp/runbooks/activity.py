"""What happened on a task, in sentences: comments, and the audit lines that say more than the page already shows. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from webapp.runbooks.mentions import Named, Part, parts

LONGEST_VALUE = 80


class Line(Protocol):
    """An audit line, as far as its sentence needs it."""

    @property
    def at(self) -> datetime: ...
    @property
    def actor_name(self) -> str: ...
    @property
    def verb(self) -> str: ...
    @property
    def before(self) -> Mapping[str, Any] | None: ...
    @property
    def after(self) -> Mapping[str, Any] | None: ...
    @property
    def note(self) -> str | None: ...


@dataclass(frozen=True)
class Entry:
    """One entry: a comment with its author and its id, or a sentence about a change with an icon.

    `parts` are the text of a comment in pieces, the people whom it names apart.
    """

    at: datetime
    text: str
    icon: str = ""
    author: Any = None
    parts: Sequence[Part] = ()
    comment_id: int | None = None
    lesson: bool = False

    @property
    def key(self) -> str:
        """The id of its element; empty for a change."""
        return f"comment-{self.comment_id}" if self.comment_id is not None else ""


def _values(line: Line) -> str:
    changed = [f"{name} to {_shown(value)}" for name, value in (line.after or {}).items()]
    return f"changed {' and '.join(changed)}"


def _added(line: Line) -> str:
    original = (line.after or {}).get("copy of")
    return f"added the task as a copy of {original}" if original else "added the task"


def _changes(line: Line) -> str:
    names = [name.replace("_s", "").replace("_", " ") for name in line.after or {}]
    return f"changed {', '.join(names) or 'the task'}"


def _finished(line: Line) -> str:
    after = line.after or {}
    why = {
        "integration": ", because its integration succeeded",
        "runbook": ", because its linked runbook is complete",
    }.get(after.get("completion", ""), "")
    result = {"pass": " as passed", "fail": " as failed", "not_tested": " as not tested"}.get(
        after.get("result", ""), ""
    )
    return _noted(f"finished the task{result}{why}", line)


def _noted(words: str, line: Line) -> str:
    return f"{words}: {line.note}" if line.note else words


_SENTENCES: dict[str, tuple[str, Callable[[Line], str]]] = {
    "task.added": ("plus", _added),
    "task.changed": ("pencil", _changes),
    "task.moved": ("arrows-sort", lambda line: "moved the task"),
    "task.deleted": ("trash", lambda line: "deleted the task"),
    "task.restored": ("restore", lambda line: "restored the task"),
    "task.started": ("player-play", lambda line: _noted("started the task", line)),
    "task.reached": ("flag", lambda line: _noted("reached the milestone", line)),
    "task.start_confirmed": ("users", lambda line: f"is ready to start the task, {line.note}"),
    "task.finish_confirmed": ("users", lambda line: f"is ready to finish the task, {line.note}"),
    "task.confirmation_taken_back": ("restore", lambda line: f"took their word back, {line.note} are left"),
    "task.finished": ("check", _finished),
    "task.finished_by_hand": ("user-check", lambda line: f"finished the task by hand: {line.note}"),
    "task.skipped": ("player-skip-forward", lambda line: f"skipped the task: {line.note}"),
    "task.reopened": ("rotate", lambda line: f"reopened the task: {line.note}"),
    "task.not_started_by_itself": (
        "clock-pause",
        lambda line: f"did not start the task by itself: {line.note}",
    ),
    "task.not_finished_by_itself": (
        "clock-pause",
        lambda line: f"did not finish the task by itself: {line.note}",
    ),
    "task.start_refused": ("alert-circle", lambda line: f"could not start the task: {line.note}"),
    "task.finish_refused": ("alert-circle", lambda line: f"could not finish the task: {line.note}"),
    "field_value.changed": ("pencil", _values),
}


def entries(comments: Iterable[Any], lines: Iterable[Line]) -> list[Entry]:
    """Comments and changes together, newest last."""
    found = [
        Entry(
            each.at,
            each.body,
            author=each.user,
            parts=parts(each.body, [Named(one.user, one.start, one.words) for one in each.mentions]),
            comment_id=each.id,
            lesson=each.lesson,
        )
        for each in comments
    ]
    for line in lines:
        known = _SENTENCES.get(line.verb)
        if known is not None:
            icon, say = known
            found.append(Entry(line.at, f"{line.actor_name} {say(line)}", icon))
    return sorted(found, key=lambda entry: entry.at)


def _shown(value: Any) -> str:
    if isinstance(value, list):
        value = ", ".join(str(each) for each in value)
    text = "nothing" if value in (None, "") else " ".join(str(value).split())
    return text if len(text) <= LONGEST_VALUE else text[: LONGEST_VALUE - 1] + "…"
