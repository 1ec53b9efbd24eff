"""kill -9 of each part during posts: no run is lost, and none is sent twice. Counted at the receiving end."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.faults.conftest import Ground
from webapp.broker import wait_until_ready

pytestmark = [pytest.mark.faults, pytest.mark.timeout(240)]

LOT = 50


def test_killing_the_worker_loses_no_run_and_sends_none_twice(ground: Ground) -> None:
    chance = random.Random(7)
    for lot in range(4):
        ground.ask([f"worker {lot} {number}" for number in range(LOT)])
        ground.wait_for(
            lambda lot=lot: sum(ground.arrived(f"worker {lot} ").values()) > 5, "did not begin to send"
        )
        time.sleep(chance.random() * 0.3)
        ground.running.kill("worker")
    ground.wait_until_settled()
    arrived, states = ground.arrived("worker "), ground.states("worker ")
    assert len(states) == 4 * LOT
    assert set(arrived.values()) == {1}
    unknown = {text for text, state in states.items() if state == "unknown"}
    # Some were in flight when the worker died; without those this would show nothing.
    assert unknown
    assert len(arrived) + len(unknown - set(arrived)) == 4 * LOT
    assert {state for text, state in states.items() if text not in unknown} == {"succeeded"}


def test_killing_the_broker_loses_no_run_and_sends_none_twice(ground: Ground) -> None:
    if "REDIS_URL" in ground.running.environ:
        pytest.skip("the broker is not ours to kill")
    for lot in range(2):
        ground.ask([f"broker {lot} {number}" for number in range(LOT)])
        ground.running.kill("broker")
        ground.ask([f"broker {lot} {number}" for number in range(LOT, 2 * LOT)])
        assert wait_until_ready(ground.app.extensions["config"].redis_url, seconds=30)
    ground.wait_until_settled()
    assert ground.arrived("broker ") == dict.fromkeys(ground.states("broker "), 1)
    assert len(ground.states("broker ")) == 4 * LOT
    assert set(ground.states("broker ").values()) == {"succeeded"}


def test_killing_the_web_process_between_commit_and_nudge_loses_no_run(ground: Ground) -> None:
    asked = subprocess.run(
        [sys.executable, "-c", _DIES_AT_THE_COMMIT, str(ground.action_id), str(LOT)],
        env=ground.running.environ,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (asked.returncode, asked.stderr) == (-signal.SIGKILL, "")
    ground.wait_until_settled()
    states = ground.states("web ")
    assert len(states) == LOT
    assert set(states.values()) == {"succeeded"}
    assert ground.arrived("web ") == dict.fromkeys(states, 1)


def test_killing_the_web_process_during_clicks_on_start_sends_each_task_once(ground: Ground) -> None:
    runbook_id = ground.start_runbook([f"click {number}" for number in range(4 * LOT)])
    rounds = unanswered = 0
    with ground.signed_in() as click, ThreadPoolExecutor(8) as people:
        while waiting := ground.startable(runbook_id):
            rounds += 1
            clicks = [people.submit(click, runbook_id, number) for number in waiting]
            if rounds <= 2:
                ground.wait_for(
                    lambda clicks=clicks: sum(each.done() for each in clicks) >= len(clicks) // 3,
                    "answered too few clicks",
                )
                ground.running.kill("web")
            unanswered += sum(not each.result() for each in clicks)
    assert unanswered  # else no click met a process that was dead or dying
    ground.wait_until_settled()
    states = ground.states("click ")
    assert len(states) == 4 * LOT
    assert set(states.values()) == {"succeeded"}
    assert ground.arrived("click ") == dict.fromkeys(states, 1)


def test_a_runbook_that_is_under_way_stands_where_it_stood_after_web_and_worker_were_killed(
    ground: Ground,
) -> None:
    runbook_id = ground.start_runbook([f"goes on {number}" for number in range(3)])
    with ground.signed_in() as click:
        ground.wait_for(lambda: click(runbook_id, 1), "did not take the first click")
        ground.wait_until_settled()
        before = ground.standing(runbook_id)
        ground.running.kill("web")
        ground.running.kill("worker")
        assert ground.standing(runbook_id) == before
        ground.wait_for(lambda: click(runbook_id, 2), "does not take a click after the kill")
    ground.wait_until_settled()
    assert ground.arrived("goes on ") == {"goes on 0": 1, "goes on 1": 1}
    kept, after = ground.end(runbook_id), ground.standing(runbook_id)
    assert (before["ending"], after["ending"]) == (None, "cancelled")
    assert kept == [(1, "in_progress"), (2, "in_progress"), (3, "startable")]


_DIES_AT_THE_COMMIT = """
import os, signal, sys
from sqlalchemy import event
from sqlalchemy.orm import Session
from webapp import create_app
from webapp.config import Config
from webapp.extensions import db
from webapp.integration_runs import operations
from webapp.integrations.models import Action

with create_app(Config.from_environment()).app_context():
    action = db.session.get_one(Action, int(sys.argv[1]))
    for number in range(int(sys.argv[2])):
        context = {"CustomField": {"Slack Message": f"web {number}"}}
        operations.request_run(action, trigger="task_start", context=context, by=None, workspace_id=None)
    # First in line after the commit, before the nudge.
    event.listen(Session, "after_commit", lambda _: os.kill(os.getpid(), signal.SIGKILL), insert=True)
    db.session.commit()
"""
