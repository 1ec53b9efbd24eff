"""The review's arithmetic: what is late, why, and that nothing is lost or counted twice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from webapp.runbooks.forecast import Span
from webapp.runbooks.reviews.differences import apart, moved, stretched
from webapp.runbooks.reviews.records import Record, StreamRecord, TaskRecord
from webapp.runbooks.reviews.review import Review, pauses_within, review
from webapp.runbooks.reviews.review_sheet import HEADINGS, cause_of, review_rows
from webapp.runbooks.schedule import schedule_of

START = datetime(2026, 12, 24, 18, 0, tzinfo=UTC)
STREAMS = [StreamRecord(1, "Bank", 0), StreamRecord(2, "Network", 3)]


def at(minutes: float) -> datetime:
    return START + timedelta(minutes=minutes)


def fact(
    number: int,
    minutes: float = 10,
    started: float | None = None,
    finished: float | None = None,
    completion: str | None = None,
    state: str = "",
    stream: int = 1,
) -> TaskRecord:
    known = "complete" if finished is not None else "in_progress" if started is not None else "not_startable"
    return TaskRecord(
        id=number,
        number=number,
        title=f"Step {number}",
        stream_id=stream,
        duration_s=int(minutes * 60),
        state=state or known,
        completion=completion or ("normally" if finished is not None else None),
        started_at=None if started is None else at(started),
        finished_at=None if finished is None else at(finished),
    )


def reviewed(
    facts: Sequence[TaskRecord],
    links: Mapping[int, Sequence[int]] | None = None,
    pauses: Sequence[Span] = (),
    until: float = 600,
    planned_start: datetime | None = None,
) -> Review:
    tasks = [replace(each, predecessors=tuple((links or {}).get(each.number, ()))) for each in facts]
    record = Record(STREAMS, tasks)
    schedule = schedule_of(tasks, record.links, started=START, planned_start=planned_start, moment=at(until))
    return review(record, schedule, pauses)


def only_late(*facts: TaskRecord, links: Mapping[int, Sequence[int]], pauses: Sequence[Span] = ()) -> str:
    """Why the last of the tasks was late."""
    late = reviewed(facts, links, pauses).late_by_id[facts[-1].id]
    return cause_of(late, ZoneInfo("UTC"))


def test_a_task_as_planned_differs_in_nothing() -> None:
    found = reviewed([fact(1, 10, 0, 10.5)])
    assert found.tasks[0].difference == "As planned"
    assert found.late == []
    assert found.whole.difference == "Finished on time"


def test_the_difference_of_a_task_is_said_in_words() -> None:
    found = reviewed([fact(1, 10, 12, 27), fact(2, 10, 0, 7)])
    assert [each.difference for each in found.tasks] == [
        "Started 12m late, took 5m longer, finished 17m late",
        "Took 3m less, finished 3m early",
    ]


def test_a_start_that_waited_for_a_slow_predecessor_names_it() -> None:
    words = only_late(fact(1, 10, 0, 25), fact(2, 10, 25, 35), links={2: [1]})
    assert words == "Waited for #1 Step 1, which ended 15m late because it took 15m longer."


def test_of_several_predecessors_the_one_that_ended_last_is_the_cause() -> None:
    words = only_late(fact(1, 10, 0, 25), fact(2, 10, 21, 31), fact(3, 10, 31, 41), links={3: [1, 2]})
    assert words == "Waited for #2 Step 2, which ended 21m late because it started 21m late."


def test_a_start_that_nobody_pressed_says_since_when_it_could_be() -> None:
    words = only_late(fact(1, 10, 0, 10), fact(2, 10, 24, 34), links={2: [1]})
    assert words == "Nobody started it for 14m, although it could start since 2026-12-24 18:10:00."


def test_a_start_may_be_late_for_both_reasons_and_for_a_pause() -> None:
    words = only_late(
        fact(1, 10, 0, 15),
        fact(2, 10, 35, 45),
        links={2: [1]},
        pauses=[Span(at(12), at(22)), Span(at(40), at(50))],
    )
    assert words == (
        "Waited for #1 Step 1, which ended 5m late because it took 5m longer. "
        "Nobody started it for 20m, 7m of it while the runbook was paused, "
        "although it could start since 2026-12-24 18:15:00."
    )


def test_a_predecessor_that_was_skipped_late_is_named_as_skipped() -> None:
    skipped = fact(1, 10, None, 40, completion="skipped")
    words = only_late(skipped, fact(2, 10, 40, 50), links={2: [1]})
    assert words == "Waited for #1 Step 1, which was skipped 30m late."


def test_what_starts_with_a_runbook_that_was_started_late_waited_for_the_start_and_then_for_people() -> None:
    found = reviewed([fact(1, 10, 5, 15), fact(2, 10, 15, 25)], {2: [1]}, planned_start=at(-120))
    assert [cause_of(each, ZoneInfo("UTC")) for each in found.late] == [
        (
            "Waited for the start of the runbook, 2h after the task's plan. "
            "Nobody started it for 5m, although it could start since 2026-12-24 18:00:00."
        ),
        "Waited for #1 Step 1, which ended 2h 5m late because it started 2h 5m late.",
    ]
    assert (found.whole.difference, found.whole.begun) == ("Finished 2h 5m late", START)


def test_a_runbook_that_was_started_before_its_plan_is_early() -> None:
    found = reviewed([fact(1, 10, 0, 10)], planned_start=at(30))
    assert (found.tasks[0].difference, found.late) == ("Started 30m early, finished 30m early", [])


def test_a_task_that_could_start_and_never_was_is_late_until_the_end() -> None:
    found = reviewed([fact(1, 10, state="startable")], until=45)
    [late] = found.late
    assert (late.lateness, late.started) == ("not started, 45m after its plan", False)
    assert late.waited == "Nobody has started it for 45m, although it could start since"
    assert found.whole.difference == "Not all done"


def test_a_task_that_waits_for_others_is_no_late_start() -> None:
    found = reviewed([fact(1, 10, 0), fact(2, 10)], {2: [1]})
    assert found.late == []
    assert [each.ending for each in found.tasks] == ["Not finished", "Not started"]


def test_a_predecessor_that_was_added_afterwards_does_not_count_beyond_the_start() -> None:
    [late] = reviewed([fact(1, 10, 0, 90), fact(2, 10, 30, 40)], {2: [1]}).late
    assert (late.late_s, late.held_s, late.waited_s) == (20 * 60, 20 * 60, 0)


def test_pauses_are_read_from_the_changes_and_an_open_one_lasts_until_the_end() -> None:
    changes = [(at(0), False), (at(5), True), (at(6), True), (at(9), False), (at(20), True)]
    assert pauses_within(changes, at(30)) == [Span(at(5), at(9)), Span(at(20), at(30))]


def test_differences_within_a_minute_are_none() -> None:
    assert [moved(each) for each in (-61, -59, 0, 59, 60, 3700)] == [
        "1m early",
        "on time",
        "on time",
        "on time",
        "1m late",
        "1h 1m late",
    ]
    assert [stretched(each) for each in (-120, 30, 90)] == ["2m less", "as long as planned", "1m longer"]
    assert [apart(each) for each in (-120, -30, 0, 90)] == [
        "2m less",
        "within a minute",
        "the same",
        "1m longer",
    ]


MINUTES = st.integers(0, 90)


@st.composite
def runs(draw: st.DrawFn) -> tuple[list[TaskRecord], dict[int, list[int]], list[Span]]:
    """A run as it can happen: nothing starts before the run or before its predecessors are complete."""
    facts: list[TaskRecord] = []
    links: dict[int, list[int]] = {}
    ends: dict[int, float] = {}
    for number in range(1, draw(st.integers(1, 12)) + 1):
        before = draw(st.lists(st.integers(1, max(1, number - 1)), max_size=3, unique=True))
        links[number] = [each for each in before if each < number]
        planned, stream = draw(MINUTES), draw(st.sampled_from([1, 2]))
        if any(each not in ends for each in links[number]):
            facts.append(fact(number, planned, stream=stream))
            continue
        start = max((ends[each] for each in links[number]), default=0) + draw(MINUTES)
        kind = draw(st.sampled_from(["normally", "by_hand", "skipped", "running", "startable"]))
        if kind == "startable":
            facts.append(fact(number, planned, state="startable", stream=stream))
        elif kind == "running":
            facts.append(fact(number, planned, start, stream=stream))
        else:
            ends[number] = start + draw(MINUTES)
            begun = None if kind == "skipped" else start
            facts.append(fact(number, planned, begun, ends[number], kind, stream=stream))
    begin = draw(MINUTES)
    return facts, links, [Span(at(begin), at(begin + draw(MINUTES)))]


@given(runs())
def test_every_task_is_counted_once_and_streams_add_up_to_the_whole(
    run: tuple[list[TaskRecord], dict[int, list[int]], list[Span]],
) -> None:
    facts, links, pauses = run
    found = reviewed(facts, links, pauses, until=2000)
    assert sorted(each.number for each in found.tasks) == [each.number for each in facts]
    for name in ("total", "done", "skipped", "by_hand", "open", "late_starts"):
        assert sum(getattr(summary, name) for summary, _ in found.streams) == getattr(found.whole, name)
    assert found.whole.late_starts == len(found.late)
    assert len(found.skipped) == found.whole.skipped
    for summary, tasks in found.streams:
        assert summary.plan.start == min(each.plan.start for each in tasks)
        assert summary.plan.end == max(each.plan.end for each in tasks)
        assert summary.open + summary.done + summary.skipped == len(tasks)
        assert summary.counts["done"] + summary.counts["skip"] <= summary.total


@given(runs())
def test_a_late_start_is_explained_to_the_second(
    run: tuple[list[TaskRecord], dict[int, list[int]], list[Span]],
) -> None:
    facts, links, pauses = run
    found = reviewed(facts, links, pauses, until=2000)
    by_id = {each.facts.id: each for each in found.tasks}
    for late in found.late:
        task, start = late.task, late.task.facts.started_at or at(2000)
        assert late.held_s + late.waited_s == late.late_s == (start - task.plan.start).total_seconds()
        assert min(late.held_s, late.waited_s, late.paused_s) >= 0
        assert late.paused_s <= late.waited_s
        assert task.plan.start <= late.since <= start
        assert late.started is (task.facts.started_at is not None)
        if late.held_by is not None:
            assert late.held_by.facts.id in links[task.facts.id]
            ended = [by_id[each].facts.finished_at for each in links[task.facts.id]]
            assert late.held_by.facts.finished_at == max(each for each in ended if each) == late.since
    started = [each for each in found.tasks if each.facts.started_at]
    on_time = [each for each in started if each.facts.id not in found.late_by_id]
    assert all((each.started_late_s or 0) < 60 for each in on_time)


@given(runs())
def test_the_sheet_has_a_row_of_full_width_for_each_task(
    run: tuple[list[TaskRecord], dict[int, list[int]], list[Span]],
) -> None:
    facts, links, pauses = run
    found = reviewed(facts, links, pauses, until=2000)
    rows = review_rows(found, [], [], ZoneInfo("Asia/Tokyo"))
    assert [row[0] for row in rows[1:]] == [str(each.number) for each in found.tasks]
    assert {len(row) for row in rows} == {len(HEADINGS)}
    assert rows[0][3] == "Planned start (Asia/Tokyo)"
