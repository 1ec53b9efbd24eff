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
    found = re.search(r"My tasks</span>(?:<span class=\"count acc\">(\d+)</span>)?</a>", client.get("/").text)
    assert found
    return found[1] or ""


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


@pytest.mark.parametrize("who", ["ines", "otto"])
def test_who_has_no_tasks_sees_no_number(cast: Cast, client_of: ClientOf, who: str) -> None:
    assert "My tasks</span><span" not in client_of(getattr(cast, who)).get("/").text
