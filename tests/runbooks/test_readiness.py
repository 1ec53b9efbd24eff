"""Who may start, and what starts by itself."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some
from sqlalchemy import select

from tests.runbooks.conftest import Audit, MakeAction, MakeField, MakeRunbook, redo, runs, states, task, undo
from tests.runbooks.test_planning import plan_of
from webapp.accounts.models import User
from webapp.audit.models import AuditLine
from webapp.clock import now
from webapp.extensions import db
from webapp.runbooks import graph, operations, queries
from webapp.runbooks.models import Runbook, Task
from webapp.runbooks.operations.confirmations import rule_of
from webapp.runbooks.refusals import NotNow, PlanRefused
from webapp.runbooks.rules import Moment
from webapp.runbooks.states import Mode, Result

VERBS = [
    *["start", "start_too", "finish", "finish_too"] * 4,
    "skip",
    "by_hand",
    "link",
    "unlink",
    "delete",
    "undo",
    "redo",
    "pause",
    "resume",
    "add",
    "duplicate",
    "duplicate_stream",
    "reopen",
    "take_back",
    "assign",
    "retype",
    "rule",
]
RULES = [("anyone", 1), ("everyone", 1), ("at_least", 2), ("at_least", 1), ("who_started", 1)]
TYPES = ["normal", "milestone", "validation", "drill"]


def test_a_task_is_free_when_the_last_of_its_predecessors_is_complete(
    make_runbook: MakeRunbook, rune: User
) -> None:
    runbook = make_runbook("Announce", "Deploy", "Verify", waits={3: [1, 2]}, mode=Mode.LIVE)
    operations.skip_task(task(runbook, 1), "Not needed", by=rune)
    assert states(runbook)[3] == "not_startable"
    operations.start_task(task(runbook, 2), by=rune)
    assert states(runbook)[3] == "not_startable"
    operations.finish_task(task(runbook, 2), by=rune)
    assert states(runbook) == {1: "complete", 2: "complete", 3: "startable"}


def test_what_still_waits_is_told_that_it_waits_for_less(make_runbook: MakeRunbook, rune: User) -> None:
    runbook = make_runbook("Announce", "Deploy", "Verify", "Other", waits={3: [1, 2]}, mode=Mode.LIVE)
    operations.skip_task(task(runbook, 1), "Not needed", by=rune)
    db.session.commit()
    assert [each.seq == runbook.seq for each in runbook.tasks] == [True, False, True, False]


def test_a_task_that_starts_by_itself_follows_its_predecessor_at_once(
    make_runbook: MakeRunbook, make_action: MakeAction, rune: User, audit: Audit
) -> None:
    action = make_action(auto_start=True)
    runbook = make_runbook("Announce", "Deploy", waits={2: [1]}, actions={2: action}, mode=Mode.LIVE)
    operations.start_task(task(runbook, 1), by=rune)
    operations.finish_task(task(runbook, 1), by=rune)
    db.session.commit()
    second = task(runbook, 2)
    assert (second.state, second.started_by_id) == ("in_progress", None)
    assert [(run.task_id, run.trigger, run.requested_by_name) for run in runs()] == [
        (second.id, "task_start", "Runsheet")
    ]
    assert audit() == [
        ("task.started", "#1 Announce", "Rune"),
        ("task.finished", "#1 Announce", "Rune"),
        ("task.started", "#2 Deploy", "Runsheet"),
        ("integration_run.requested", "POST http://127.0.0.1:9/post", "Runsheet"),
    ]


def test_what_starts_by_itself_starts_once_with_the_runbook(
    make_runbook: MakeRunbook, make_action: MakeAction, rune: User
) -> None:
    runbook = make_runbook("Announce", "Deploy", actions={1: make_action(auto_start=True)})
    operations.start_runbook(runbook, Mode.LIVE, by=rune)
    assert states(runbook) == {1: "in_progress", 2: "startable"}
    assert len(runs()) == 1


def test_what_cannot_start_by_itself_says_why_once_and_waits_for_someone(
    make_runbook: MakeRunbook, make_action: MakeAction, make_field: MakeField, rune: User
) -> None:
    make_field("Slack Channel", displays_on=["task_edit"], required=True)
    action = make_action(auto_start=True, execute_in_rehearsal=True)
    runbook = make_runbook("Announce", actions={1: action})
    operations.start_runbook(runbook, Mode.REHEARSAL, by=rune)
    assert states(runbook) == {1: "startable"}
    assert runs() == []
    query = select(AuditLine.actor_name, AuditLine.object_name, AuditLine.note).where(
        AuditLine.verb == "task.not_started_by_itself"
    )
    assert [tuple(row) for row in db.session.execute(query)] == [
        ("Runsheet", "#1 Announce", "Fill in Slack Channel first.")
    ]


def test_a_refusal_of_what_starts_by_itself_leaves_the_finish_of_its_predecessor(
    make_runbook: MakeRunbook, make_action: MakeAction, rune: User
) -> None:
    action = make_action(auto_start=True)
    runbook = make_runbook("Announce", "Deploy", waits={2: [1]}, actions={2: action}, mode=Mode.LIVE)
    action.body = '{"text":"{{CustomField[\'No such\']}}"}'
    operations.skip_task(task(runbook, 1), "Not needed", by=rune)
    db.session.commit()
    assert states(runbook) == {1: "complete", 2: "startable"}
    assert runs() == []


def test_a_fixed_start_holds_what_would_start_by_itself(
    make_runbook: MakeRunbook, make_action: MakeAction, rune: User, audit: Audit
) -> None:
    runbook = make_runbook("Announce", actions={1: make_action(auto_start=True, fixed_start=True)})
    task(runbook, 1).planned_start = now() + timedelta(hours=1)
    operations.start_runbook(runbook, Mode.LIVE, by=rune)
    assert (states(runbook), runs()) == ({1: "startable"}, [])
    assert audit() == [("runbook.started", "Release 12", "Rune")]


def test_in_a_pause_nothing_starts_by_itself_until_it_is_over(
    make_runbook: MakeRunbook, make_action: MakeAction, rune: User
) -> None:
    runbook = make_runbook(
        "Announce", "Deploy", waits={2: [1]}, actions={2: make_action(auto_start=True)}, mode=Mode.LIVE
    )
    first = task(runbook, 1)
    operations.pause_runbook(runbook, by=rune)
    operations.delete_task(first, by=rune)
    assert states(runbook)[2] == "startable"
    assert runs() == []
    operations.resume_runbook(runbook, by=rune)
    assert states(runbook)[2] == "in_progress"
    assert len(runs()) == 1


@settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    derandomize=True,
)
@given(
    steps=some.lists(
        some.tuples(
            some.sampled_from(VERBS),
            some.integers(1, 5),
            some.integers(1, 5),
        ),
        min_size=10,
        max_size=30,
    )
)
def test_on_any_walk_no_task_starts_before_its_predecessors_are_done_or_without_those_whom_its_rule_asks_for(
    make_runbook: MakeRunbook, rune: User, vera: User, steps: list[tuple[str, int, int]]
) -> None:
    runbook = make_runbook("A", "B", "C", "D", "E", waits={2: [1], 3: [1], 4: [2, 3]}, mode=Mode.LIVE)
    for number, kind in ((3, "milestone"), (4, "validation")):
        task(runbook, number).type, task(runbook, number).auto_start = kind, kind == "milestone"
    for number, start, finish in (
        (1, "anyone", "who_started"),
        (2, "everyone", "anyone"),
        (5, "everyone", "everyone"),
    ):
        found = task(runbook, number)
        found.assignees, found.start_rule, found.finish_rule = [rune, vera], start, finish
    for verb, number, other in steps:
        before = states(runbook)
        try:
            with db.session.begin_nested():
                walk_one_step(verb, runbook, task(runbook, number), task(runbook, other), rune, vera)
        except (NotNow, PlanRefused, ValueError):
            assert states(runbook) == before
        after = states(runbook)
        kept = _kept(runbook)
        free = _free(runbook)
        moved = [each for each in kept if (before.get(each.number), after[each.number]) in _STEPS]
        assert {each.number for each in moved if _started(each, before)} <= free
        assert all(_said_so(each, Moment.START) for each in moved if _started(each, before))
        assert all(_said_so(each, Moment.FINISH) for each in moved if _finished(each, before))
        assert all(
            (each.result is not None)
            == (each.type == "validation" and each.state == "complete" and each.completion == "normally")
            for each in kept
        )
        standing = {each.number for each in kept if each.state in ("startable", "not_startable")}
        assert {each for each in standing if after[each] == "startable"} == _free(runbook) & standing
        assert all((each.state == "complete") == bool(each.completion and each.finished_at) for each in kept)
        assert queries.progress_of([runbook.id])[runbook.id].total == len(kept)
    db.session.rollback()


_STEPS = {("startable", "in_progress"), ("startable", "complete"), ("in_progress", "complete")}


def _started(found: Task, before: dict[int, str]) -> bool:
    return before.get(found.number) == "startable" and found.completion in (None, "normally")


def _finished(found: Task, before: dict[int, str]) -> bool:
    return before.get(found.number) == "in_progress" and found.completion == "normally"


def _said_so(found: Task, moment: Moment) -> bool:
    """Whether enough of the people whom the task's rule asks for have pressed."""
    asked = rule_of(found, moment)
    if asked.rule == "who_started" and moment is Moment.FINISH:
        return found.finished_by_id == found.started_by_id or found.finished_by is None or _conducts(found)
    return asked.met or not asked.needed


def _conducts(found: Task) -> bool:
    return found.finished_by in found.runbook.owners


def _free(runbook: Runbook) -> set[int]:
    """The numbers of the tasks whose predecessors are all complete."""
    kept = _kept(runbook)
    done = {each.id for each in kept if each.state == "complete"}
    found = graph.startable(queries.links_within(runbook.id), done, [each.id for each in kept])
    return {each.number for each in kept if each.id in found}


def _kept(runbook: Runbook) -> list[Task]:
    query = select(Task).where(Task.runbook_id == runbook.id, Task.deleted_at.is_(None))
    return list(db.session.scalars(query))


def walk_one_step(verb: str, runbook: Runbook, chosen: Task, other: Task, by: User, vera: User) -> None:
    """Do that with the one task, or with it and the other; raises where that cannot be done now."""
    rule, quorum = RULES[other.number % len(RULES)]
    result = [Result.PASS, Result.FAIL, None][other.number % 3]
    way = {"result": result, "comment": "Seen"}
    kept = [each.id for each in chosen.predecessors if each.deleted_at is None]
    steps: dict[str, Any] = {
        "start": lambda: operations.start_task(chosen, by=by),
        "finish": lambda: operations.finish_task(chosen, by=by, **way),
        "start_too": lambda: operations.start_task(chosen, by=vera),
        "finish_too": lambda: operations.finish_task(chosen, by=vera, **way),
        "take_back": lambda: operations.take_back(chosen, by=vera),
        "assign": lambda: operations.edit_task(
            chosen,
            replace(plan_of(chosen), assignees=[[], [by], [vera], [by, vera]][other.number % 4]),
            by=by,
        ),
        "retype": lambda: operations.edit_task(
            chosen, replace(plan_of(chosen), type=TYPES[other.number % len(TYPES)]), by=by
        ),
        "rule": lambda: operations.edit_task(
            chosen,
            replace(
                plan_of(chosen),
                start_rule="anyone" if rule == "who_started" else rule,
                start_quorum=quorum,
                finish_rule=rule,
                finish_quorum=quorum,
            ),
            by=by,
        ),
        "reopen": lambda: operations.reopen_task(chosen, "It came loose", by=by),
        "skip": lambda: operations.skip_task(chosen, "Not needed", by=by),
        "by_hand": lambda: operations.finish_by_hand(chosen, "Done in the console", by=by),
        "link": lambda: operations.edit_task(
            chosen, replace(plan_of(chosen), predecessor_ids=[*kept, other.id]), by=by
        ),
        "unlink": lambda: operations.edit_task(
            chosen,
            replace(plan_of(chosen), predecessor_ids=[each for each in kept if each != other.id]),
            by=by,
        ),
        "delete": lambda: operations.delete_task(chosen, by=by),
        "undo": lambda: undo(runbook, by),
        "redo": lambda: redo(runbook, by),
        "pause": lambda: operations.pause_runbook(runbook, by=by),
        "resume": lambda: operations.resume_runbook(runbook, by=by),
        "add": lambda: operations.add_task(runbook, chosen.stream, "New", by=by, after=chosen),
        "duplicate": lambda: operations.duplicate_task(chosen, by=by),
        "duplicate_stream": lambda: operations.duplicate_stream(chosen.stream, by=by),
    }
    steps[verb]()
