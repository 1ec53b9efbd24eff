"""The number beside My tasks in the menu."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from flask.testing import FlaskClient

from tests.cast import Cast
from tests.runbooks.conftest import MakeRunbook, task
from webapp.accounts.models import User
from webapp.extensions import db
from webapp.runbooks import operations
from webapp.runbooks.states import Mode

ClientOf = Callable[[int], FlaskClient]


def shown(client: FlaskClient) -> str:
    """What stands beside My tasks."""
    return number_in(client.get("/").text)


def number_in(text: str) -> str:
    """The number in a page or in pieces of one; nothing where it is hidden."""
    found = re.search(
        r'<span class="count acc" id="count-runbooks-my_tasks"( hidden)?[^>]*>(\d+)</span>', text
    )
    assert found
    return "" if found[1] else found[2]


def test_the_menu_counts_what_waits_for_the_user_now(
    make_runbook: MakeRunbook, rune: User, vera: User, cast: Cast, client_of: ClientOf
) -> None:
    runbook = make_runbook("One", "Two", "Three", "Four", waits={4: [3]})
    for number, people in ((1, [rune]), (2, [rune, vera]), (4, [rune])):
        task(runbook, number).assignees = people
    db.session.commit()
    both = [client_of(cast.rune), client_of(cast.vera)]
    assert [shown(each) for each in both] == ["", ""]
    operations.start_runbook(runbook, Mode.LIVE, by=rune)
    assert [shown(each) for each in both] == ["2", "1"]
    operations.start_task(task(runbook, 2), by=vera)
    operations.start_task(task(runbook, 1), by=rune)
    operations.finish_task(task(runbook, 1), by=rune)
    assert [shown(each) for each in both] == ["1", "1"]
    operations.cancel_runbook(runbook, "Called off", by=rune)
    assert [shown(each) for each in both] == ["", ""]


def test_the_number_follows_what_others_do(
    make_runbook: MakeRunbook, rune: User, vera: User, cast: Cast, client_of: ClientOf
) -> None:
    runbook = make_runbook("One", "Two", waits={2: [1]}, mode=Mode.LIVE)
    task(runbook, 2).assignees = [vera]
    db.session.commit()
    seq, watching = runbook.seq, client_of(cast.vera)
    operations.start_task(task(runbook, 1), by=rune)
    operations.finish_task(task(runbook, 1), by=rune)
    db.session.commit()
    for page, pulls in (
        (f"/runbooks/{runbook.id}", f"/runbooks/{runbook.id}/changes?since={seq}"),
        (f"/runbooks/{runbook.id}/dashboard", f"/runbooks/{runbook.id}/changes?since={seq}"),
        ("/my-tasks", "/my-tasks/changes"),
    ):
        here = {"HX-Request": "true", "HX-Current-URL": f"http://localhost{page}"}
        assert number_in(watching.get(pulls, headers=here).text) == "1"


@pytest.mark.parametrize("who", ["ines", "otto"])
def test_who_has_no_tasks_sees_no_number(cast: Cast, client_of: ClientOf, who: str) -> None:
    page = client_of(getattr(cast, who)).get("/").text
    assert "count-runbooks-my_tasks" not in page or number_in(page) == ""
