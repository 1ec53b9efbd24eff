"""What a YAML file says of a plan besides its columns: integration actions and custom field values, by name. Pure.

What exists in the workspace and is visible there is taken; the rest is left out and named, because a plan that comes
from elsewhere is worth having without it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from webapp.fields.kinds import InvalidValue
from webapp.runbooks.sheets.table import FileRefused, clean
from webapp.runbooks.sheets.values import short

ACTION, FIELDS = "integration_action", "fields"
LONGEST_TEXT = 20_000

Written = str | list[str]


@dataclass(frozen=True)
class TaskParticulars:
    """`action` is the names of the connection and the action; `fields` name to what would be typed."""

    action: tuple[str, str] | None = None
    fields: Mapping[str, Written] = field(default_factory=dict)

    def entries(self) -> dict[str, Any]:
        """The entries of a task in the file."""
        found: dict[str, Any] = {}
        if self.action is not None:
            found[ACTION] = {"connection": self.action[0], "name": self.action[1]}
        if self.fields:
            found[FIELDS] = dict(self.fields)
        return found


@dataclass(frozen=True)
class PlanParticulars:
    """Those of a whole plan, for export: `tasks` by number, `fields` of the runbook itself."""

    tasks: Mapping[int, TaskParticulars] = field(default_factory=dict)
    fields: Mapping[str, Written] = field(default_factory=dict)


@dataclass(frozen=True)
class OfferedField:
    """A custom field of the workspace. `read` turns typed texts into what is stored, or raises InvalidValue.

    It is for tasks with one of `action_ids`, or for every task where there are none; `on_runbook`, for runbooks too.
    """

    id: int
    name: str
    read: Callable[[Sequence[str]], Any]
    action_ids: frozenset[int] = frozenset()
    on_runbook: bool = False


@dataclass(frozen=True)
class Offered:
    """What a workspace has: (connection, action) in small letters to the action's id, and its fields."""

    actions: Mapping[tuple[str, str], int]
    fields: Sequence[OfferedField]


@dataclass(frozen=True)
class Notice:
    """Something that is left out; `rows` are the file's rows that name it."""

    cause: str
    remedy: str
    rows: Sequence[int]


@dataclass
class Resolved:
    """What is taken: row to action id, row to (field id to stored value), the runbook's own values; and what is not."""

    actions: dict[int, int] = field(default_factory=dict)
    values: dict[int, dict[int, Any]] = field(default_factory=dict)
    own: dict[int, Any] = field(default_factory=dict)
    notices: list[Notice] = field(default_factory=list)

    def facts(self) -> dict[str, Any]:
        """The counts for the audit log; nothing for a file that has no particulars."""
        facts = {
            "integration actions": len(self.actions),
            "field values": sum(len(each) for each in self.values.values()),
            "left out": [each.cause for each in self.notices],
        }
        return {name: value for name, value in facts.items() if value}


def read_task(number: int, task: Mapping[str, Any]) -> dict[str, Any]:
    """The particulars of a task of the file as JSON; nothing where there are none. Raises FileRefused."""
    found: dict[str, Any] = {}
    action = task.get(ACTION)
    if action not in (None, ""):
        if not (isinstance(action, dict) and set(action) == {"connection", "name"}):
            raise FileRefused(
                f"“{ACTION}” of task {number} has to have the entries connection and name, and no others."
            )
        if not all(isinstance(each, str) for each in action.values()):
            raise FileRefused(f"“{ACTION}” of task {number} has to have plain values.")
        found["action"] = [clean(action["connection"]), clean(action["name"])]
    fields = read_fields(f"“{FIELDS}” of task {number}", task.get(FIELDS))
    if fields:
        found["fields"] = fields
    return found


def read_fields(where: str, written: Any) -> dict[str, Written]:
    """Field name to its text or texts. Raises FileRefused."""
    if written in (None, "", {}):
        return {}
    if not isinstance(written, dict):
        raise FileRefused(f"{where} has to be a list of names and values.")
    found: dict[str, Written] = {}
    for name, value in written.items():
        texts = value if isinstance(value, list) else [value]
        if not all(isinstance(each, str) and len(each) <= LONGEST_TEXT for each in texts):
            raise FileRefused(
                f"{where} has a value of “{short(name)}” that is neither text nor a list of texts."
            )
        cleaned = [clean(each) for each in texts]
        found[name] = cleaned if isinstance(value, list) else cleaned[0]
    return found


def resolve(particulars: Mapping[str, Any], rows: Collection[int], offered: Offered) -> Resolved:
    """What of a file's particulars can be taken for the tasks in those rows."""
    return _Resolving(offered).run(particulars, rows)


class _Resolving:
    def __init__(self, offered: Offered) -> None:
        self._offered = offered
        self._found = Resolved()
        self._left_out: dict[tuple[str, str], list[int]] = {}

    def run(self, particulars: Mapping[str, Any], rows: Collection[int]) -> Resolved:
        for key, each in particulars.get("tasks", {}).items():
            row = int(key)
            if row in rows:
                self._task(row, each)
        own = particulars.get("fields", {})
        self._found.own = self._values(own, 0, [each for each in self._offered.fields if each.on_runbook])
        self._found.notices = [
            Notice(cause, remedy, sorted(set(rows) - {0})) for (cause, remedy), rows in self._left_out.items()
        ]
        return self._found

    def _task(self, row: int, written: Mapping[str, Any]) -> None:
        action_id = None
        if written.get("action"):
            connection, name = written["action"]
            action_id = self._offered.actions.get((connection.lower(), name.lower()))
            if action_id is None:
                self._leave(
                    row,
                    f"There is no integration action “{short(connection)}: {short(name)}” in this workspace.",
                    "The tasks come without it. Choose another one for them afterwards.",
                )
            else:
                self._found.actions[row] = action_id
        meant = [each for each in self._offered.fields if not each.action_ids or action_id in each.action_ids]
        values = self._values(written.get("fields", {}), row, meant)
        if values:
            self._found.values[row] = values

    def _values(
        self, written: Mapping[str, Written], row: int, meant: Sequence[OfferedField]
    ) -> dict[int, Any]:
        by_name = {each.name.lower(): each for each in meant}
        found: dict[int, Any] = {}
        for name, value in written.items():
            known = by_name.get(name.lower())
            if known is None:
                self._leave(
                    row,
                    f"There is no custom field “{short(name)}” here in this workspace.",
                    "Its values are left out.",
                )
                continue
            try:
                stored = known.read(value if isinstance(value, list) else [value])
            except InvalidValue as wrong:
                self._leave(row, f"{known.name}: {wrong}", "This value is left out.")
                continue
            if stored is not None:
                found[known.id] = stored
        return found

    def _leave(self, row: int, cause: str, remedy: str) -> None:
        self._left_out.setdefault((cause, remedy), []).append(row)
