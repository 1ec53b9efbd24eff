"""Undoing the last change of the plan, and doing it again: refused where someone has changed the same since."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any, NoReturn

from sqlalchemy import ScalarResult, delete, select, update

from webapp.accounts.models import User
from webapp.audit.operations import record, record_each
from webapp.clock import now
from webapp.extensions import db
from webapp.integrations.models import Action
from webapp.runbooks import graph, linking
from webapp.runbooks.arrangement import Place, Spots, nested, put_back
from webapp.runbooks.models import PlanChange, Runbook, Stream, Task, task_assignees, task_predecessors
from webapp.runbooks.operations.changes import refuse_if_ended, stamp, touch
from webapp.runbooks.operations.many_tasks import insert_pairs
from webapp.runbooks.operations.readiness import settle_readiness
from webapp.runbooks.refusals import NotNow, PlanRefused
from webapp.runbooks.states import UNDER_WAY
from webapp.runbooks.undo.differences import PLACE, PRESENT, Difference, PlanRow, PlanRows, Values, clashes
from webapp.runbooks.undo.history import changes_after, history_of
from webapp.runbooks.undo.rows import PEOPLE, WAITS_FOR, loaded, plan_columns, read_plan
from webapp.runbooks.undo.words import what_was_done
from webapp.workspaces import queries as workspaces

_MODELS: Mapping[str, type[Task | Stream]] = {"tasks": Task, "streams": Stream}
_ACTION = "action_id"
_PART_OF = {"tasks": "stream", "streams": "part of"}
_GROUPS = {"tasks": "stream_id", "streams": "parent_id"}


def undo_change(runbook: Runbook, change_id: int, *, by: User) -> str:
    """Take back that change, which must be the person's last; answers what it is called. Raises NotNow."""
    return _go(runbook, change_id, by, undoing=True)


def redo_change(runbook: Runbook, change_id: int, *, by: User) -> str:
    """Do again what the person undid last; answers what it is called. Raises NotNow."""
    return _go(runbook, change_id, by, undoing=False)


def _go(runbook: Runbook, change_id: int, by: User, *, undoing: bool) -> str:
    seq = touch(runbook)
    refuse_if_ended(runbook)
    history = history_of(runbook.id, by.id)
    change = history.undo if undoing else history.redo
    if change is None:
        raise NotNow(f"There is nothing of yours to {'undo' if undoing else 'do again'} in this runbook.")
    if change.id != change_id:
        raise NotNow(f"Your last change is another one by now: {change.label}.")
    rewriting = _Rewriting(runbook, change, undoing=undoing)
    rewriting.check()
    rewriting.write(seq, by)
    change.undone_at = now() if undoing else None
    record(
        "plan.undone" if undoing else "plan.redone",
        runbook,
        by=by,
        after={"change": change.label},
        workspace_id=runbook.workspace_id,
        runbook_id=runbook.id,
    )
    db.session.flush()
    if runbook.state in UNDER_WAY:
        settle_readiness(runbook, seq, by=by)
    return change.label


class _Rewriting:
    """One change, about to be undone or done again, and the plan as it stands under the lock that touch holds."""

    def __init__(self, runbook: Runbook, change: PlanChange, *, undoing: bool) -> None:
        self._runbook, self._change, self._undoing = runbook, change, undoing
        self._found = [Difference(**each) for each in change.rows]
        self._plan = read_plan(runbook)
        self._members = {each.id for each in workspaces.members_of(runbook.workspace_id)}
        self._spots = self._plan.spots
        self._result = self._rewritten()

    def check(self) -> None:
        """Raises NotNow where a row does not stand as the change left it, or what comes of it would be no plan."""
        for each in self._found:
            row = self._plan.of(each.table).get(each.id)
            if row is None:
                self._refuse(f"{each.name} is gone")
            keys = clashes(row, self._spots[each.table], each.id, each.expected(undoing=self._undoing))
            if keys:
                self._refuse(self._who_changed(each, keys, row))
            if row.begun and not each.begun:
                self._refuse(f"{row.name} has started since")
        self._check_streams()
        self._check_links()
        self._check_linked_runbooks()

    def write(self, seq: int, by: User) -> None:
        """Write the rows, stamp them and what waits for them, and audit each."""
        db.session.flush()
        for table, model in _MODELS.items():
            chosen = [each for each in self._found if each.table == table]
            self._write_columns(model, table, chosen, seq)
        tasks = {each.id: each.wanted(undoing=self._undoing) for each in self._found if each.table == "tasks"}
        for table_of_pairs, key in ((task_assignees, PEOPLE), (task_predecessors, WAITS_FOR)):
            ids = [task_id for task_id, wanted in tasks.items() if key in wanted]
            if ids:
                db.session.execute(delete(table_of_pairs).where(table_of_pairs.c.task_id.in_(ids)))
                rows = self._result.tasks
                insert_pairs(
                    table_of_pairs, [(each, other) for each in ids for other in rows[each].values[key]]
                )
        followers = select(task_predecessors.c.task_id).where(task_predecessors.c.predecessor_id.in_(tasks))
        stamp(list(db.session.scalars(followers)), seq)
        self._stamp_heads(seq)
        self._forget_loaded()
        self._record(by)

    def _rewritten(self) -> PlanRows:
        result = PlanRows(dict(self._plan.tasks), dict(self._plan.streams))
        for table in _MODELS:
            rows = result.of(table)
            places = {}
            for each in self._found:
                if each.table != table or each.id not in rows:
                    continue
                wanted = each.wanted(undoing=self._undoing)
                if PLACE in wanted:
                    places[each.id] = Place(*wanted[PLACE])
                rows[each.id] = self._row(rows[each.id], wanted)
            if places:
                spots = {**self._spots[table], **put_back(self._spots[table], places)}
                spots |= nested(spots) if table == "streams" and not _too_deep(spots) else {}
                for row_id, spot in spots.items():
                    rows[row_id] = replace(rows[row_id], spot=spot)
        return result

    def _row(self, row: PlanRow, wanted: Values) -> PlanRow:
        values = {**row.values, **{key: value for key, value in wanted.items() if key != PLACE}}
        if PEOPLE in wanted:  # who has left the workspace since does not come back this way
            known = self._members | set(row.values[PEOPLE])
            values[PEOPLE] = [each for each in wanted[PEOPLE] if each in known]
        return replace(row, values=values)

    def _check_streams(self) -> None:
        streams, tasks = self._result.streams, self._result.tasks
        for row in tasks.values():
            stream = streams[row.spot.group] if row.spot.group is not None else None
            if row.values[PRESENT] and stream is not None and not stream.values[PRESENT]:
                gone = not self._plan.streams[row.spot.group].values[PRESENT]  # type: ignore[index]
                self._refuse(
                    f"{stream.name} was deleted since" if gone else f"{stream.name} holds {row.name} by now"
                )
        for row in streams.values():
            if row.values[PRESENT] and row.spot.group is not None:
                parent = streams[row.spot.group]
                if not parent.values[PRESENT]:
                    gone = not self._plan.streams[row.spot.group].values[PRESENT]
                    self._refuse(
                        f"{parent.name} was deleted since"
                        if gone
                        else f"{row.name} is part of {parent.name} by now"
                    )
                if parent.spot.group is not None:
                    self._refuse(
                        f"{row.name} is part of {parent.name}, which can’t be part of another stream then"
                    )
        if not any(row.values[PRESENT] for row in streams.values()):
            self._refuse("a runbook needs at least one stream")

    def _check_links(self) -> None:
        before, after = _links(self._plan), _links(self._result)
        loop = graph.loop_in(after)
        if loop:
            path = " waits for ".join(self._plan.tasks[each].name for each in loop)
            self._refuse(f"that would be a loop by now ({path})")
        for task_id, waits_for in after.items():
            row = self._plan.tasks[task_id]
            for each in waits_for:
                if row.begun and not self._plan.tasks[each].begun and each not in before.get(task_id, ()):
                    self._refuse(
                        f"{row.name} has started since and would wait for {self._plan.tasks[each].name}"
                    )

    def _check_linked_runbooks(self) -> None:
        """Of what comes back, the runbooks that its tasks start may start this one by now."""
        for each in self._found:
            row = self._result.tasks.get(each.id) if each.table == "tasks" else None
            linked_id = row.values["linked_runbook_id"] if row and row.values[PRESENT] else None
            if linked_id is None or {PRESENT, "linked_runbook_id"}.isdisjoint(
                each.wanted(undoing=self._undoing)
            ):
                continue
            try:
                linking.refuse_link(self._runbook, db.session.get_one(Runbook, linked_id))
            except PlanRefused as refusal:
                self._refuse(str(refusal).rstrip("."))

    def _who_changed(self, difference: Difference, keys: Sequence[str], row: PlanRow) -> str:
        for each in changes_after(self._change):
            for other in (Difference(**found) for found in each.rows):
                if (other.table, other.id) == (difference.table, difference.id):
                    same = [key for key in keys if key in other.after]
                    if same:
                        done = what_was_done(same, row.name, present=row.values[PRESENT])
                        return f"{each.user.name} {done} since"
        return f"{row.name} has changed since"

    def _refuse(self, cause: str) -> NoReturn:
        done = "undone" if self._undoing else "done again"
        raise NotNow(f"{cause[:1].upper()}{cause[1:]}, so “{self._change.label}” can’t be {done}.")

    def _write_columns(
        self, model: type[Task | Stream], table: str, found: Sequence[Difference], seq: int
    ) -> None:
        rows: dict[int, dict[str, Any]] = defaultdict(dict)
        columns = {column.name: column for column in plan_columns(model)}
        for each in found:
            wanted = each.wanted(undoing=self._undoing)
            row = {name: loaded(columns[name], value) for name, value in wanted.items() if name in columns}
            if PRESENT in wanted:
                row["deleted_at"] = None if wanted[PRESENT] else now()
            if PLACE in wanted or wanted.get(PRESENT):
                row["placed_seq"] = seq
            rows[each.id] = {**row, "seq": seq}
        for row_id, result in self._result.of(table).items():
            spot = self._spots[table][row_id]
            if result.spot.position != spot.position:
                rows[row_id]["position"] = result.spot.position
            if result.spot.group != spot.group:
                rows[row_id][_GROUPS[table]] = result.spot.group
        alike = defaultdict(list)
        for row_id, row in rows.items():
            alike[tuple(sorted(row))].append({"id": row_id, **row})
        for each_alike in alike.values():
            db.session.execute(update(model), each_alike)

    def _stamp_heads(self, seq: int) -> None:
        """The heads of streams that count one task or sub-stream more or less."""
        heads = {
            spot.group
            for table in _MODELS
            for row_id, row in self._result.of(table).items()
            if row.spot.group != self._spots[table][row_id].group
            for spot in (row.spot, self._spots[table][row_id])
        }
        heads |= {self._spots[each.table][each.id].group for each in self._found}
        db.session.execute(
            update(Stream)
            .where(Stream.id.in_([each for each in heads if each is not None]))
            .values(seq=seq)
            .execution_options(synchronize_session=False)
        )

    def _forget_loaded(self) -> None:
        """What the statements wrote behind the back of loaded objects is read again."""
        for each in list(db.session):
            if isinstance(each, Task | Stream):
                db.session.expire(each)
        db.session.expire(self._runbook, ["tasks", "streams"])

    def _record(self, by: User) -> None:
        for table, model in _MODELS.items():
            chosen = {each.id: each for each in self._found if each.table == table}
            if not chosen:
                continue
            things: ScalarResult[Task | Stream] = db.session.scalars(
                select(model).where(model.id.in_(chosen))
            )
            by_verb = defaultdict(list)
            for thing in things:
                difference = chosen[thing.id]
                wanted = difference.wanted(undoing=self._undoing)
                then = difference.expected(undoing=self._undoing)
                facts = (
                    (None, None)
                    if PRESENT in wanted
                    else (self._facts(table, then), self._facts(table, wanted))
                )
                by_verb[_verb(wanted)].append((thing, *facts))
            for verb, lines in by_verb.items():
                record_each(
                    f"{model.__name__.lower()}.{verb}",
                    lines,
                    by=by,
                    workspace_id=self._runbook.workspace_id,
                    runbook_id=self._runbook.id,
                )

    def _facts(self, table: str, values: Values) -> dict[str, Any]:
        """The values for the audit log."""
        found = dict(values)
        if PLACE in found:
            group = found.pop(PLACE)[0]
            found[_PART_OF[table]] = self._plan.streams[group].name if group is not None else None
        if _ACTION in found:
            found["integration action"] = self._actions.get(found.pop(_ACTION))
        if WAITS_FOR in found:
            found["predecessors"] = [self._plan.tasks[each].name for each in found.pop(WAITS_FOR)]
        if PEOPLE in found:
            found["assignees"] = sorted(self._names[each] for each in found.pop(PEOPLE))
        return found

    @cached_property
    def _actions(self) -> dict[int, str]:
        """The integration actions that the change speaks of, by id."""
        ids = [side.get(_ACTION) for each in self._found for side in (each.before or {}, each.after)]
        query = select(Action.id, Action.name).where(
            Action.id.in_([each for each in ids if each is not None])
        )
        return {row.id: row.name for row in db.session.execute(query)}

    @cached_property
    def _names(self) -> dict[int, str]:
        """The people that the change speaks of, by id."""
        values = [side for each in self._found for side in (each.before or {}, each.after)]
        ids = {user_id for side in values for user_id in side.get(PEOPLE, ())}
        query = select(User.id, User.name).where(User.id.in_(ids))
        return {row.id: row.name for row in db.session.execute(query)}


def _too_deep(spots: Spots) -> bool:
    """Whether something is part of what is a part itself."""
    return any(spot.group is not None and spots[spot.group].group is not None for spot in spots.values())


def _verb(wanted: Values) -> str:
    if PRESENT in wanted:
        return "restored" if wanted[PRESENT] else "deleted"
    return "moved" if set(wanted) == {PLACE} else "changed"


def _links(plan: PlanRows) -> dict[int, list[int]]:
    """Task id to what it waits for, of what is in the plan."""
    present = {each for each, row in plan.tasks.items() if row.values[PRESENT]}
    return {
        each: [other for other in plan.tasks[each].values[WAITS_FOR] if other in present] for each in present
    }
