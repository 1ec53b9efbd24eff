"""The message that everybody who looks at a runbook sees."""

from __future__ import annotations

from typing import Any

from tests.cast import Cast
from tests.runbooks.conftest import Audit, MakeRunbook, only_line
from webapp.accounts.models import User
from webapp.extensions import db
from webapp.runbooks import operations
from webapp.runbooks.states import Mode

HTMX = {"HX-Request": "true"}


def test_a_message_is_kept_with_who_wrote_it_and_when(make_runbook: MakeRunbook, rune: User) -> None:
    runbook = make_runbook("Announce")
    seq = runbook.seq
    operations.set_message(runbook, " Bridge 4 is open ", by=rune)
    assert (runbook.message, runbook.message_by, runbook.seq) == ("Bridge 4 is open", "Rune", seq + 1)
    assert runbook.message_at is not None
    line = only_line()
    assert (line.verb, line.before, line.after) == (
        "runbook.message_changed",
        {"message": ""},
        {"message": "Bridge 4 is open"},
    )


def test_an_empty_message_takes_it_down(make_runbook: MakeRunbook, rune: User) -> None:
    runbook = make_runbook("Announce")
    operations.set_message(runbook, "Bridge 4 is open", by=rune)
    operations.set_message(runbook, "  ", by=rune)
    assert (runbook.message, runbook.message_by, runbook.message_at) == ("", None, None)


def test_the_same_message_again_is_no_change(make_runbook: MakeRunbook, rune: User, audit: Audit) -> None:
    runbook = make_runbook("Announce")
    for _ in range(2):
        operations.set_message(runbook, "Bridge 4 is open", by=rune)
    assert audit() == [("runbook.message_changed", "Release 12", "Rune")]


def test_who_watches_is_sent_the_message_and_cannot_change_it(
    make_runbook: MakeRunbook, client_of: Any, rune: User, cast: Cast
) -> None:
    runbook = make_runbook("Announce", mode=Mode.LIVE)
    since = runbook.seq
    operations.set_message(runbook, "Bridge <4> is open", by=rune)
    db.session.commit()
    address = f"/runbooks/{runbook.id}"
    pulled = client_of(cast.vera).get(f"{address}/changes?since={since}", headers=HTMX).text
    assert "Bridge &lt;4&gt; is open" in pulled
    assert "Take down" not in pulled
    assert "Take down" in client_of(cast.rune).get(address).text
    assert "Bridge &lt;4&gt; is open" in client_of(cast.vera).get(f"{address}/wall").text


def test_a_message_that_is_too_long_is_asked_for_again(
    make_runbook: MakeRunbook, client_of: Any, cast: Cast
) -> None:
    address = f"/runbooks/{make_runbook('Announce').id}/message"
    answer = client_of(cast.rune).post(address, data={"message": "x" * 301}, headers=HTMX)
    assert answer.status_code == 422
    assert "x" * 301 in answer.text
