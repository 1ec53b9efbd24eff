"""Several lines pasted as tasks: all of them in one change, or none."""

from __future__ import annotations

import re
from collections.abc import Callable
from json import loads
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.cast import Cast
from tests.runbooks.conftest import Audit, MakeRunbook, Refuses, states, tables, task
from webapp.accounts.models import User
from webapp.extensions import db
from webapp.runbooks import operations
from webapp.runbooks.refusals import NotNow, PlanRefused
from webapp.runbooks.states import Mode

ClientOf = Callable[[int], FlaskClient]
Counting = Callable[[], Any]
LIVE = {"HX-Request": "true"}


def test_each_line_becomes_a_task_at_the_end_of_its_stream(
    make_runbook: MakeRunbook, rune: User, audit: Audit
) -> None:
    runbook = make_runbook("Announce")
    seq = runbook.seq
    added = operations.add_tasks(runbook, runbook.streams[0], ["  Deploy ", "", "Verify"], by=rune)
    db.session.commit()
    assert [(each.number, each.title, each.state, each.duration_s) for each in added] == [
        (2, "Deploy", "not_startable", 300),
        (3, "Verify", "not_startable", 300),
    ]
    assert [task(runbook, 1).position < added[0].position < added[1].position] == [True]
    assert (runbook.seq, runbook.next_task_number) == (seq + 1, 4)
    assert {(each.seq, each.placed_seq) for each in added} == {(seq + 1, seq + 1)}
    assert audit() == [("task.added", "#2 Deploy", "Rune"), ("task.added", "#3 Verify", "Rune")]


def test_lines_pasted_into_a_running_runbook_may_start_at_once(make_runbook: MakeRunbook, rune: User) -> None:
    runbook = make_runbook("Announce", mode=Mode.LIVE)
    operations.add_tasks(runbook, runbook.streams[0], ["Deploy", "Verify"], by=rune)
    assert states(runbook) == {1: "startable", 2: "startable", 3: "startable"}


@pytest.mark.parametrize(
    ("lines", "sentence"),
    [
        (["", "  "], "Type a task name."),
        (
            ["Step"] * 501,
            "501 lines are too many to paste: 500 at once. Put them into a file and use Import.",
        ),
        (
            ["Step", "x" * 301],
            "Line 2 has 301 characters; a task name may have 300. Nothing was added.",
        ),
    ],
)
def test_what_cannot_be_added_adds_nothing(
    make_runbook: MakeRunbook, rune: User, refuses: Refuses, lines: list[str], sentence: str
) -> None:
    runbook = make_runbook("Announce")
    with refuses(PlanRefused, sentence):
        operations.add_tasks(runbook, runbook.streams[0], lines, by=rune)


def test_nothing_is_added_to_what_is_over_or_not_there(
    make_runbook: MakeRunbook, rune: User, refuses: Refuses
) -> None:
    runbook, other = make_runbook("Announce"), make_runbook("Tell", name="Release 13")
    with refuses(PlanRefused, "Choose a stream of this runbook."):
        operations.add_tasks(runbook, other.streams[0], ["Deploy"], by=rune)
    gone = operations.add_stream(runbook, "Network", by=rune)
    operations.delete_stream(gone, by=rune)
    with refuses(NotNow, "This stream was deleted."):
        operations.add_tasks(runbook, gone, ["Deploy"], by=rune)
    operations.start_runbook(runbook, Mode.LIVE, by=rune)
    operations.cancel_runbook(runbook, "No window", by=rune)
    with refuses(NotNow, "The runbook has ended, so its plan cannot be changed."):
        operations.add_tasks(runbook, runbook.streams[0], ["Deploy"], by=rune)


def test_five_hundred_lines_cost_as_many_queries_as_five(
    make_runbook: MakeRunbook, rune: User, counting_queries: Counting
) -> None:
    def counted(count: int) -> int:
        runbook = make_runbook("Announce")
        with counting_queries() as seen:
            operations.add_tasks(runbook, runbook.streams[0], [f"Step {at}" for at in range(count)], by=rune)
        return len(seen)

    assert counted(500) == counted(5)


def test_the_page_gets_the_rows_and_a_word_and_a_refusal_leaves_it_as_it_is(
    make_runbook: MakeRunbook, cast: Cast, client_of: ClientOf
) -> None:
    runbook = make_runbook("Announce")
    client, url, stream = client_of(cast.rune), f"/runbooks/{runbook.id}/tasks", runbook.streams[0].id
    answer = client.post(url, data={"titles": "Deploy\r\nVerify\n", "stream_id": stream}, headers=LIVE)
    told = loads(answer.headers["HX-Trigger"])["toast"]
    undo = re.search(r'id="undo-last"[^>]* value="(\d+)"', answer.text)
    assert undo is not None
    assert told == {
        "kind": "ok",
        "text": "2 tasks added.",
        "press": ["Undo", f"#undo-last[value='{undo[1]}']"],
    }
    assert 'hx-swap-oob="afterend:#t-1"' in answer.text and 'hx-swap-oob="afterend:#t-2"' in answer.text
    before = tables()
    refused = client.post(url, data={"titles": "Deploy\t5m\nVerify\t10m", "stream_id": stream}, headers=LIVE)
    assert (refused.status_code, refused.headers["HX-Trigger"]) == (
        422,
        (
            '{"toast": {"kind": "warn", "text": "That is more than one column. Paste one column of names, '
            'or use Import for all of them."}}'
        ),
    )
    assert tables() == before
    many = client.post(url, data={"titles": "Step\n" * 160, "stream_id": stream}, headers=LIVE)
    assert (many.status_code, many.headers["HX-Refresh"]) == (204, "true")
    assert "160 tasks added." in client.get(f"/runbooks/{runbook.id}").text
