"""Every pair of a state and an event, of runbooks and of tasks, listed."""

from __future__ import annotations

import itertools

import pytest

from webapp.runbooks.states import (
    ENDED,
    NOT_STARTED,
    UNDER_WAY,
    NotNow,
    RunbookEvent,
    RunbookState,
    TaskEvent,
    TaskState,
    runbook_after,
    runbook_allows,
    sources,
    task_after,
    task_allows,
)

RUNBOOK_LEADS_TO = {
    "planning": {"start": "running"},
    "running": {"pause": "paused", "complete": "complete", "cancel": "cancelled"},
    "paused": {"resume": "running", "cancel": "cancelled"},
    "complete": {"plan again": "planning"},
    "cancelled": {"plan again": "planning"},
}
TASK_LEADS_TO = {
    "not_startable": {"release": "startable", "skip": "complete", "plan again": "not_startable"},
    "startable": {
        "block": "not_startable",
        "start": "in_progress",
        "reach": "complete",
        "finish by hand": "complete",
        "skip": "complete",
        "plan again": "not_startable",
    },
    "in_progress": {
        "finish": "complete",
        "finish by hand": "complete",
        "skip": "complete",
        "plan again": "not_startable",
    },
    "complete": {"reopen": "startable", "plan again": "not_startable"},
}


@pytest.mark.parametrize(("state", "event"), list(itertools.product(RunbookState, RunbookEvent)))
def test_each_event_leads_a_runbook_where_the_table_says_or_is_refused_with_a_sentence(
    state: RunbookState, event: RunbookEvent
) -> None:
    expected = RUNBOOK_LEADS_TO[state].get(event)
    assert runbook_allows(state, event) is (expected is not None)
    if expected is not None:
        assert runbook_after(state, event) == expected
    else:
        with pytest.raises(NotNow, match=r"^The runbook cannot be [a-z ]+ now\. It [a-z ]+\.$"):
            runbook_after(state, event)


@pytest.mark.parametrize(("state", "event"), list(itertools.product(TaskState, TaskEvent)))
def test_each_event_leads_a_task_where_the_table_says_or_is_refused_with_a_sentence(
    state: TaskState, event: TaskEvent
) -> None:
    expected = TASK_LEADS_TO[state].get(event)
    assert task_allows(state, event) is (expected is not None)
    if expected is not None:
        assert task_after(state, event) == expected
    else:
        with pytest.raises(NotNow, match=r"^The task cannot be [a-z ]+ now\. It [a-z ]+\.$"):
            task_after(state, event)


@pytest.mark.parametrize("event", list(TaskEvent))
def test_an_event_leads_to_one_state_wherever_it_comes_from(event: TaskEvent) -> None:
    assert sources(event) == {state for state in TaskState if event in TASK_LEADS_TO[state]}
    assert len({task_after(state, event) for state in sources(event)}) == 1


def test_the_sentence_says_what_cannot_be_done_and_how_things_stand() -> None:
    with pytest.raises(NotNow) as of_runbook:
        runbook_after("complete", RunbookEvent.PAUSE)
    with pytest.raises(NotNow) as of_task:
        task_after("not_startable", TaskEvent.START)
    assert str(of_runbook.value) == "The runbook cannot be paused now. It is complete."
    assert str(of_task.value) == "The task cannot be started now. It waits for other tasks."


def test_a_state_that_this_version_does_not_know_allows_nothing() -> None:
    assert not any(runbook_allows("archived", event) for event in RunbookEvent)
    assert not any(task_allows("on_hold", event) for event in TaskEvent)


def test_the_groups_of_states_are_those_that_pages_speak_of() -> None:
    assert {"running", "paused"} == UNDER_WAY
    assert {"complete", "cancelled"} == ENDED
    assert {"not_startable", "startable"} == NOT_STARTED
