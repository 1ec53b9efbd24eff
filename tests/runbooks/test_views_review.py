"""The pages of a review: what they say, their CSV, the evidence pack, and lessons."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import zipfile
from collections.abc import Callable
from datetime import timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from tests.cast import Cast
from tests.runbooks.conftest import Audit, MakeAction, MakeRunbook, task
from tests.runbooks.test_views_lists import Counting, grow
from webapp.accounts.models import User
from webapp.clock import now
from webapp.extensions import db
from webapp.runbooks import operations
from webapp.runbooks.models import Comment, Execution, Runbook
from webapp.runbooks.states import Mode


@pytest.fixture
def runes(client_of: Callable[[int], FlaskClient], cast: Cast) -> FlaskClient:
    return client_of(cast.rune)


@pytest.fixture
def run_through(make_runbook: MakeRunbook, make_action: MakeAction, rune: User) -> Callable[[], Runbook]:
    """A live run that was cancelled: task 1 late, 2 skipped, 3 with a call that waits."""

    def run() -> Runbook:
        runbook = make_runbook("=Open", "Drain", "Call", actions={3: make_action()}, mode=Mode.LIVE)
        started_earlier(runbook, minutes=30)
        operations.start_task(task(runbook, 1), by=rune)
        operations.finish_task(task(runbook, 1), by=rune)
        operations.skip_task(task(runbook, 2), "The nodes are gone already", by=rune)
        operations.start_task(task(runbook, 3), by=rune)
        operations.add_comment(task(runbook, 1), "Ring the bridge ten minutes earlier", by=rune)
        db.session.commit()
        operations.cancel_runbook(runbook, "Enough was seen", by=rune)
        db.session.commit()
        return runbook

    return run


def started_earlier(runbook: Runbook, minutes: int) -> None:
    """As if what is under way had been started so long ago."""
    execution = db.session.scalars(select(Execution).where(Execution.ending.is_(None))).one()
    runbook.started_at = execution.started_at = now() - timedelta(minutes=minutes)


def lesson_of(runbook: Runbook) -> str:
    comment = db.session.scalars(select(Comment)).one()
    return f"/runbooks/{runbook.id}/tasks/1/comments/{comment.id}/lesson"


def test_before_the_start_there_is_nothing_to_review(runes: FlaskClient, make_runbook: MakeRunbook) -> None:
    address = f"/runbooks/{make_runbook('One').id}"
    assert "Nothing to review yet" in runes.get(f"{address}/review").text
    for file in ("", "/review.csv", "/review/live-1/evidence.zip"):
        assert runes.get(f"{address}/review/rehearsal-1{file}").status_code == 404


def test_a_review_says_what_was_late_skipped_called_and_learned(
    runes: FlaskClient, run_through: Callable[[], Runbook]
) -> None:
    runbook = run_through()
    address = f"/runbooks/{runbook.id}"
    assert runes.post(lesson_of(runbook), data={"lesson": "yes"}).status_code == 303
    shown = runes.get(f"{address}/review").text
    for words in (
        "Live run was cancelled",
        "Enough was seen",
        "30m late",
        "Nobody started it for 30m, although it could start since",
        "The nodes are gone already",
        "Slack: Post to a channel",
        "Ring the bridge ten minutes earlier",
    ):
        assert words in shown, words
    assert f'href="{address}/review"' in runes.get(address).text


def test_the_csv_of_a_review_has_each_task_and_is_safe_to_open(
    runes: FlaskClient, run_through: Callable[[], Runbook]
) -> None:
    answer = runes.get(f"/runbooks/{run_through().id}/review/live-1/review.csv")
    rows = list(csv.DictReader(io.StringIO(answer.data.decode("utf-8-sig"))))
    assert [(row["ID"], row["Title"], row["Ended"], row["Reason"]) for row in rows] == [
        ("1", "'=Open", "Finished", ""),
        ("2", "Drain", "Skipped", "The nodes are gone already"),
        ("3", "Call", "Not finished", ""),
    ]
    assert rows[0]["Started late (min)"] == "30"


def test_an_evidence_pack_holds_what_its_manifest_says(
    runes: FlaskClient, run_through: Callable[[], Runbook]
) -> None:
    answer = runes.get(f"/runbooks/{run_through().id}/review/live-1/evidence.zip")
    with zipfile.ZipFile(io.BytesIO(answer.data)) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    manifest = json.loads(files.pop("manifest.json"))
    assert {each["name"]: (each["bytes"], each["sha256"]) for each in manifest["files"]} == {
        name: (len(data), hashlib.sha256(data).hexdigest()) for name, data in files.items()
    }
    assert set(files) == {
        *("run-sheet.html", "run_sheet.css", "review.csv", "audit.jsonl", "integration-runs.jsonl")
    }
    assert (
        b'href="run_sheet.css"' in files["run-sheet.html"]
        and b"Back to the runbook" not in files["run-sheet.html"]
    )
    verbs = [json.loads(line)["verb"] for line in files["audit.jsonl"].splitlines()]
    assert verbs[-1] == "runbook.cancelled" and "task.skipped" in verbs
    [called] = map(json.loads, files["integration-runs.jsonl"].splitlines())
    assert (called["task"], called["action"], called["body"]) == (
        3,
        "Slack: Post to a channel",
        '{"text":"Call"}',
    )


def test_a_comment_is_marked_as_a_lesson_and_the_mark_taken_away_again(
    runes: FlaskClient, run_through: Callable[[], Runbook], audit: Audit
) -> None:
    runbook = run_through()
    address, before = lesson_of(runbook), len(audit())
    for lesson in ("yes", "yes", "no"):
        assert runes.post(address, data={"lesson": lesson}).status_code == 303
    assert [verb for verb, *_ in audit()[before:]] == ["comment.marked_as_lesson", "comment.lesson_unmarked"]
    assert runes.post(address, data={"lesson": "perhaps"}).status_code == 400
    assert "No comment is marked as a lesson." in runes.get(f"/runbooks/{runbook.id}/review").text


@pytest.mark.parametrize("file", ["", "/review.csv", "/evidence.zip"])
def test_more_tasks_cost_a_review_no_more_queries(
    runes: FlaskClient,
    run_through: Callable[[], Runbook],
    make_action: MakeAction,
    rune: User,
    counting_queries: Counting,
    file: str,
) -> None:
    runbook = run_through()
    address = f"/runbooks/{runbook.id}/review/live-1{file}"
    runes.get(address)
    counted = []
    for _ in range(2):
        with counting_queries() as seen:
            assert runes.get(address).status_code == 200
        counted.append(len(seen))
        grow(runbook, 200, rune, make_action().id)
    assert len(set(counted)) == 1, counted
