"""Nudges: asking people who must authenticate to do so."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import update

from tests.cast import Cast
from tests.runbooks.conftest import MakeAction, MakeRunbook, Refuses, Told, only_line, task
from webapp.accounts.models import User
from webapp.clock import now
from webapp.extensions import db
from webapp.notifications.models import Notification
from webapp.permissions import Role
from webapp.runbooks import operations
from webapp.runbooks.models import Runbook
from webapp.runbooks.refusals import NotNow
from webapp.runbooks.states import Mode
from webapp.workspaces.models import Membership

ClientOf = Callable[[int], FlaskClient]
HTMX = {"HX-Request": "true"}


@pytest.fixture
def mara(cast: Cast) -> User:
    user = User(name="Mara", email="mara@example.com")
    db.session.add(Membership(workspace_id=cast.payments, user=user, role=Role.MEMBER))
    db.session.commit()
    return user


@pytest.fixture
def runbook(
    make_runbook: MakeRunbook, make_action: MakeAction, rune: User, vera: User, mara: User
) -> Runbook:
    """Rune and Vera have to authenticate for #1, Vera for #2 too, Mara for #3."""
    settings = {"authenticate_as": "task", "provider_host": "https://slack.com"}
    action = make_action(authorization="oauth_code", authorization_settings=settings)
    made = make_runbook("Announce", "Deploy", "Check", actions={1: action, 2: action, 3: action})
    for number, people in ((1, [rune, vera]), (2, [vera]), (3, [mara])):
        task(made, number).assignees = people
    db.session.commit()
    return made


def minutes_later(minutes: float) -> None:
    """What was told a moment ago was told that long ago."""
    db.session.execute(update(Notification).values(at=now() - timedelta(minutes=minutes)))
    db.session.commit()


def test_everybody_else_on_the_roll_call_is_nudged_to_exactly_their_task(
    runbook: Runbook, rune: User, vera: User, mara: User, told: Told
) -> None:
    assert operations.nudge(runbook, Mode.LIVE, by=rune) == [mara, vera]
    base = f"/runbooks/{runbook.id}?task="
    asks = "Rune asks you to authenticate for"
    assert told() == [
        ("Vera", "nudge", f"{asks} #1 Announce in “Release 12”, and for 1 more task of it.", f"{base}1"),
        ("Mara", "nudge", f"{asks} #3 Check in “Release 12”.", f"{base}3"),
    ]
    line = only_line()
    assert (line.verb, line.object_name, line.actor_name, line.after) == (
        "runbook.people_nudged",
        "Release 12",
        "Rune",
        {"Mara": ["#3"], "Vera": ["#1", "#2"]},
    )


def test_one_person_is_nudged_alone(runbook: Runbook, rune: User, mara: User, told: Told) -> None:
    assert operations.nudge(runbook, Mode.LIVE, by=rune, only=mara.id) == [mara]
    assert [row[0] for row in told()] == ["Mara"]


def test_a_second_nudge_within_five_minutes_is_refused(
    runbook: Runbook, rune: User, mara: User, refuses: Refuses
) -> None:
    operations.nudge(runbook, Mode.LIVE, by=rune, only=mara.id)
    minutes_later(3)
    with refuses(NotNow, "Mara was nudged 3m ago. Wait 2m before you nudge again."):
        operations.nudge(runbook, Mode.LIVE, by=rune, only=mara.id)
    minutes_later(5.1)
    assert operations.nudge(runbook, Mode.LIVE, by=rune, only=mara.id) == [mara]


def test_a_nudge_for_all_leaves_out_who_was_nudged_a_moment_ago(
    runbook: Runbook, rune: User, vera: User, mara: User, refuses: Refuses
) -> None:
    operations.nudge(runbook, Mode.LIVE, by=rune, only=mara.id)
    minutes_later(3)
    assert operations.nudge(runbook, Mode.LIVE, by=rune) == [vera]
    minutes_later(1)
    with refuses(NotNow, "Everybody was nudged 1m ago. Wait 4m before you nudge again."):
        operations.nudge(runbook, Mode.LIVE, by=rune)


def test_who_does_not_have_to_authenticate_is_not_nudged(
    cast: Cast, runbook: Runbook, rune: User, refuses: Refuses
) -> None:
    nobody = "There is nobody to nudge: who was to authenticate has done so."
    for person in (cast.rune, cast.otto, cast.ada):
        with refuses(NotNow, nobody):
            operations.nudge(runbook, Mode.LIVE, by=rune, only=person)
    with refuses(NotNow, nobody):
        operations.nudge(runbook, Mode.REHEARSAL, by=rune)  # which does not call it


def test_nobody_is_nudged_for_what_has_ended(runbook: Runbook, rune: User, refuses: Refuses) -> None:
    operations.start_runbook(runbook, Mode.REHEARSAL, by=rune)
    operations.cancel_runbook(runbook, "Enough", by=rune)
    sentence = "The runbook has ended, so nobody has to authenticate for it any more."
    with refuses(NotNow, sentence):
        operations.nudge(runbook, Mode.LIVE, by=rune)


def test_a_nudge_is_about_one_runbook(
    make_runbook: MakeRunbook, runbook: Runbook, rune: User, mara: User
) -> None:
    other = make_runbook("Check", name="Release 13", actions={1: task(runbook, 3).action})  # type: ignore[dict-item]
    task(other, 1).assignees = [mara]
    assert operations.nudge(runbook, Mode.LIVE, by=rune, only=mara.id) == [mara]
    assert operations.nudge(other, Mode.LIVE, by=rune) == [mara]


def test_the_page_offers_to_nudge_others_and_says_when_that_was(
    cast: Cast, runbook: Runbook, mara: User, client_of: ClientOf
) -> None:
    rune, vera = client_of(cast.rune), client_of(cast.vera)
    address = f"/runbooks/{runbook.id}"

    def buttons(page: str) -> list[str]:
        return re.findall(r'id="nudge-(\w+)"', page)

    assert buttons(rune.get(f"{address}/preflight").text) == ["all", str(mara.id), str(cast.vera)]
    assert buttons(vera.get(f"{address}/preflight").text) == []
    shown = rune.post(f"{address}/nudge?mode=live", data={"person": mara.id}, headers=HTMX)
    assert shown.status_code == 200
    assert "Mara is nudged." in shown.headers["HX-Trigger"]
    assert shown.text.count("Nudged <time") == 1
    again = rune.post(f"{address}/nudge?mode=live", data={"person": mara.id}, headers=HTMX)
    assert "Mara was nudged" in again.headers["HX-Trigger"]
    assert '"kind": "warn"' in again.headers["HX-Trigger"]
    plain = rune.post(f"{address}/nudge?mode=live")
    assert (plain.status_code, plain.location) == (303, f"{address}/preflight?mode=live")
    assert vera.post(f"{address}/nudge").status_code == 403
    assert client_of(cast.otto).post(f"{address}/nudge").status_code == 404


def test_many_people_are_nudged_in_as_many_questions_as_few(
    cast: Cast, runbook: Runbook, rune: User, counting_queries: Callable[[], Any]
) -> None:
    counted, runbook_id = [], runbook.id
    for count in (1, 30):
        people = [User(name=f"P {count} {at}", email=f"p{count}-{at}@example.com") for at in range(count)]
        db.session.add_all(
            Membership(workspace_id=cast.payments, user=each, role=Role.MEMBER) for each in people
        )
        task(db.session.get_one(Runbook, runbook_id), 3).assignees = people
        minutes_later(6)
        db.session.commit()
        db.session.expunge_all()
        again, by = db.session.get_one(Runbook, runbook_id), db.session.get_one(User, cast.rune)
        with counting_queries() as seen:
            assert len(operations.nudge(again, Mode.LIVE, by=by)) == count + 1
        counted.append(len(seen))
        db.session.commit()
    assert counted[0] == counted[1]
