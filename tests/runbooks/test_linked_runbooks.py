"""Tasks that start another runbook: what may be linked, what starts it, and what its end does to the task."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from tests.cast import Cast
from tests.runbooks.conftest import Audit, MakeRunbook, Refuses, states, task, undo
from webapp.accounts.models import User
from webapp.audit.models import AuditLine
from webapp.clock import now
from webapp.extensions import db
from webapp.runbooks import operations
from webapp.runbooks.models import Runbook, Task
from webapp.runbooks.operations import Plan
from webapp.runbooks.operations.duplicating import copy_tasks
from webapp.runbooks.refusals import NotNow, PlanRefused, WarningsToAccept
from webapp.runbooks.states import Mode

ClientOf = Callable[[int], FlaskClient]
HTMX = {"HX-Request": "true"}


def plan_with(found: Task, linked: Runbook | None) -> Plan:
    return replace(operations.plan_of(found, []), type="runbook", linked_runbook=linked)


@pytest.fixture
def dns(make_runbook: MakeRunbook) -> Runbook:
    return make_runbook("Lower the TTL", "Switch", name="DNS cutover")


@pytest.fixture
def main(make_runbook: MakeRunbook, dns: Runbook, rune: User) -> Runbook:
    """Its first task starts the DNS cutover, and its second waits for that."""
    runbook = make_runbook("Cut over", "Go on", name="Failover", waits={2: [1]})
    operations.edit_task(task(runbook, 1), plan_with(task(runbook, 1), dns), by=rune)
    db.session.commit()
    return runbook


def begun(runbook: Runbook, rune: User, mode: Mode = Mode.LIVE) -> Task:
    """The first task, in a runbook that has been started."""
    operations.start_runbook(runbook, mode, by=rune)
    db.session.commit()
    return task(runbook, 1)


def do_all(runbook: Runbook, rune: User) -> None:
    for each in runbook.tasks:
        operations.skip_task(each, "Done in the drill", by=rune)
    operations.complete_runbook(runbook, by=rune)
    db.session.commit()


@pytest.mark.parametrize("mode", list(Mode))
def test_its_start_starts_the_runbook_in_the_same_mode_and_that_one_s_end_finishes_it(
    main: Runbook, dns: Runbook, rune: User, mode: Mode
) -> None:
    first = begun(main, rune, mode)
    operations.start_task(first, by=rune)
    db.session.commit()
    assert (first.state, dns.state, dns.mode) == ("in_progress", "running", mode)
    do_all(dns, rune)
    assert states(main) == {1: "complete", 2: "startable"}
    assert (first.completion, first.finished_by_id) == ("runbook", None)
    assert main.seq == first.seq


def test_what_goes_on_in_the_runbook_is_news_to_those_who_watch_the_task(
    main: Runbook, dns: Runbook, rune: User, cast: Cast, client_of: ClientOf
) -> None:
    operations.start_task(begun(main, rune), by=rune)
    db.session.commit()
    since = main.seq
    operations.skip_task(task(dns, 1), "Not needed", by=rune)
    db.session.commit()
    pulled = client_of(cast.vera).get(f"/runbooks/{main.id}/changes?since={since}", headers=HTMX)
    assert pulled.status_code == 200
    assert f'href="/runbooks/{dns.id}"' in pulled.text
    assert "1/2 done" in pulled.text


def test_it_is_not_finished_before_the_runbook_is(
    main: Runbook, dns: Runbook, rune: User, refuses: Refuses
) -> None:
    first = begun(main, rune)
    operations.start_task(first, by=rune)
    sentence = "“DNS cutover” is under way. This task finishes when that is complete."
    with refuses(NotNow, sentence):
        operations.finish_task(first, by=rune)
    with refuses(NotNow, sentence):
        operations.finish_by_hand(first, "Did it", by=rune)


def test_a_cancelled_runbook_leaves_the_task_open_and_says_what_to_do(
    main: Runbook, dns: Runbook, rune: User, refuses: Refuses, cast: Cast, client_of: ClientOf
) -> None:
    first = begun(main, rune)
    operations.start_task(first, by=rune)
    operations.cancel_runbook(dns, "Wrong night", by=rune)
    db.session.commit()
    sentence = "“DNS cutover” was cancelled. Finish this task by hand with a reason, or skip it."
    notes = select(AuditLine.note).where(AuditLine.verb == "task.not_finished_by_itself")
    assert (first.state, list(db.session.scalars(notes))) == ("in_progress", [sentence])
    page = client_of(cast.rune).get(f"/runbooks/{main.id}?task=1").text
    assert sentence in page
    assert "Finish by hand…" in page
    with refuses(NotNow, sentence):
        operations.finish_task(first, by=rune)
    operations.finish_by_hand(first, "Switched in the console", by=rune)
    assert states(main) == {1: "complete", 2: "startable"}


def test_a_runbook_that_is_of_another_kind_of_run_finishes_nothing(
    main: Runbook, dns: Runbook, rune: User
) -> None:
    first = begun(main, rune, Mode.REHEARSAL)
    operations.start_task(first, by=rune)
    operations.cancel_runbook(dns, "Wrong night", by=rune)
    operations.plan_again(dns, by=rune)
    operations.start_runbook(dns, Mode.LIVE, by=rune)
    do_all(dns, rune)
    assert first.state == "in_progress"


def test_after_a_rehearsal_both_are_planned_again_and_rehearsed_once_more(
    main: Runbook, dns: Runbook, rune: User, refuses: Refuses
) -> None:
    operations.start_task(begun(main, rune, Mode.REHEARSAL), by=rune)
    do_all(dns, rune)
    operations.cancel_runbook(main, "Enough", by=rune)
    operations.plan_again(main, by=rune)
    first = begun(main, rune, Mode.REHEARSAL)
    sentence = "“DNS cutover” has ended as a rehearsal. Take it back to planning on its page first."
    with refuses(NotNow, sentence):
        operations.start_task(first, by=rune)
    operations.plan_again(dns, by=rune)
    operations.start_task(first, by=rune)
    assert (first.state, dns.state) == ("in_progress", "running")


def test_going_back_to_planning_while_the_runbook_is_under_way_breaks_nothing(
    main: Runbook, dns: Runbook, rune: User
) -> None:
    operations.start_task(begun(main, rune, Mode.REHEARSAL), by=rune)
    operations.cancel_runbook(main, "Enough", by=rune)
    operations.plan_again(main, by=rune)
    do_all(dns, rune)
    assert (states(main), dns.state) == ({1: "not_startable", 2: "not_startable"}, "complete")


@pytest.mark.parametrize(
    ("prepare", "sentence"),
    [
        ("archived", "“DNS cutover” is archived. Choose another runbook for this task."),
        ("running", "“DNS cutover” is already under way, so this task cannot start it."),
        ("complete", "“DNS cutover” has had its live run already. Duplicate it, and link the copy."),
        ("none", "No runbook is linked yet. Choose one under Type."),
        ("not ready", "There is nothing to run yet. Add a task first."),
    ],
)
def test_nothing_is_started_where_the_runbook_cannot_be(
    main: Runbook, dns: Runbook, rune: User, refuses: Refuses, prepare: str, sentence: str
) -> None:
    first = begun(main, rune)
    if prepare == "archived":
        dns.archived_at = now()
    elif prepare in ("running", "complete"):
        operations.start_runbook(dns, Mode.LIVE, by=rune)
        if prepare == "complete":
            do_all(dns, rune)
    elif prepare == "none":
        first.linked_runbook = None
    else:
        for each in dns.tasks:
            operations.delete_task(each, by=rune)
    with refuses(NotNow, sentence):
        operations.start_task(first, by=rune)


def test_only_who_may_conduct_the_runbook_starts_it(
    main: Runbook, dns: Runbook, rune: User, vera: User, refuses: Refuses
) -> None:
    first = begun(main, rune)
    first.assignees = [vera]
    sentence = "Starting this task starts “DNS cutover”, which you may not start. Ask one of its owners."
    with refuses(NotNow, sentence):
        operations.start_task(first, by=vera)


def test_what_its_pre_flight_warns_about_takes_a_reason(
    main: Runbook, dns: Runbook, rune: User, refuses: Refuses, cast: Cast, client_of: ClientOf
) -> None:
    task(dns, 1).start_rule = "everyone"
    first = begun(main, rune)
    warning = "1 task asks several people to start or finish it and is assigned to nobody, so anyone can: #1."
    with refuses(WarningsToAccept, f"{warning} Say why it may start anyway."):
        operations.start_task(first, by=rune)
    runes, address = client_of(cast.rune), f"/runbooks/{main.id}/tasks/1/start"
    asked = runes.post(address, headers=HTMX)
    assert (asked.status_code, warning in asked.text) == (422, True)
    blank = runes.post(address, data={"accepted": " "}, headers=HTMX)
    assert (blank.status_code, "Write a reason." in blank.text) == (422, True)
    assert runes.post(address, data={"accepted": "All are here"}, headers=HTMX).status_code == 200
    db.session.expire_all()
    assert (first.state, dns.state) == ("in_progress", "running")
    line = select(AuditLine.note).where(AuditLine.verb == "runbook.started", AuditLine.runbook_id == dns.id)
    assert db.session.scalars(line).one() == "All are here"


def test_a_runbook_belongs_to_one_task_under_way(
    main: Runbook, dns: Runbook, make_runbook: MakeRunbook, rune: User, refuses: Refuses
) -> None:
    operations.start_task(begun(main, rune, Mode.REHEARSAL), by=rune)
    operations.cancel_runbook(dns, "Again", by=rune)
    operations.plan_again(dns, by=rune)
    other = make_runbook("Cut over too", name="Other")
    operations.edit_task(task(other, 1), plan_with(task(other, 1), dns), by=rune)
    second = begun(other, rune, Mode.REHEARSAL)
    with refuses(
        NotNow,
        "“DNS cutover” belongs to #1 Cut over of “Failover”, which is in progress. Finish that task first.",
    ):
        operations.start_task(second, by=rune)


def test_a_loop_of_runbooks_is_refused_and_named(
    main: Runbook, dns: Runbook, make_runbook: MakeRunbook, rune: User, refuses: Refuses
) -> None:
    sites = make_runbook("All sites", name="Sites")
    operations.edit_task(task(sites, 1), plan_with(task(sites, 1), main), by=rune)
    loop = (
        "That would be a loop: “DNS cutover” starts “Sites” and “Sites” starts “Failover” "
        "and “Failover” starts “DNS cutover”."
    )
    with refuses(PlanRefused, loop) as refusal:
        operations.edit_task(task(dns, 1), plan_with(task(dns, 1), sites), by=rune)
    assert refusal.value.field == "linked_runbook_id"
    with refuses(PlanRefused, "A runbook cannot start itself."):
        operations.edit_task(task(dns, 1), plan_with(task(dns, 1), dns), by=rune)


def test_a_task_that_comes_back_by_undo_closes_no_loop(
    main: Runbook, dns: Runbook, rune: User, refuses: Refuses
) -> None:
    operations.delete_task(task(main, 1), by=rune)
    operations.edit_task(task(dns, 1), plan_with(task(dns, 1), main), by=rune)
    loop = "That would be a loop: “Failover” starts “DNS cutover” and “DNS cutover” starts “Failover”."
    with refuses(NotNow, f"{loop.rstrip('.')}, so “Deleted #1” can’t be undone."):
        undo(main, rune)


def test_the_form_offers_the_runbooks_of_the_same_workspace_and_takes_no_other(
    main: Runbook, dns: Runbook, make_runbook: MakeRunbook, cast: Cast, client_of: ClientOf
) -> None:
    secret = make_runbook("Close the books", name="Treasury close", workspace_id=cast.treasury)
    runes, address = client_of(cast.rune), f"/runbooks/{main.id}"
    page = runes.get(f"{address}?task=1").text
    assert ("DNS cutover" in page, "Treasury close" in page) == (True, False)
    form: dict[str, Any] = {"title": "Cut over", "duration": "5m", "type": "runbook"}
    foreign = runes.post(f"{address}/tasks/1", data={**form, "linked_runbook_id": secret.id}, headers=HTMX)
    assert foreign.status_code == 422
    db.session.expire_all()
    assert task(main, 1).linked_runbook_id == dns.id


def test_a_type_that_links_nothing_lets_its_runbook_go(main: Runbook, rune: User, audit: Audit) -> None:
    operations.edit_task(
        task(main, 1), replace(operations.plan_of(task(main, 1), []), type="normal"), by=rune
    )
    db.session.commit()
    assert (task(main, 1).type, task(main, 1).linked_runbook_id) == ("normal", None)
    line = db.session.scalars(select(AuditLine).order_by(AuditLine.id.desc())).first()
    assert line is not None
    assert line.after == {"type": "Task", "linked runbook": None}


def test_a_copy_into_the_runbook_that_it_would_start_leaves_the_link_out(
    main: Runbook, dns: Runbook, rune: User
) -> None:
    places = [{"stream_id": dns.streams[0].id, "number": 9, "position": 9, "seq": 1, "placed_seq": 1}]
    copy_tasks([task(main, 1)], places, into=dns)
    assert (task(dns, 9).type, task(dns, 9).linked_runbook_id) == ("runbook", None)
    copy_tasks([task(main, 1)], [{**places[0], "stream_id": main.streams[0].id}], into=main)
    assert task(main, 9).linked_runbook_id == dns.id
