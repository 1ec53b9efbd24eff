"""The runs page, one run, and what people decide about it."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.cast import Cast
from webapp.accounts.models import User
from webapp.extensions import db
from webapp.integration_runs import jobs, operations, reports
from webapp.integration_runs.models import IntegrationRun
from webapp.integrations.models import Action
from webapp.integrations.offered import RequestTestRefused
from webapp.integrations.queries import action_for
from webapp.runbooks.models import Runbook

Ask = Callable[..., IntegrationRun]
ClientOf = Callable[[int], FlaskClient]
HTMX = {"HX-Request": "true"}


@pytest.fixture
def rune(cast: Cast) -> User:
    return db.session.get_one(User, cast.rune)


@pytest.fixture
def run(sent: Ask, rune: User, cast: Cast) -> IntegrationRun:
    """A run of a task in Payments that failed."""
    runbook = Runbook(workspace_id=cast.payments, name="Failover")
    db.session.add(runbook)
    db.session.flush()
    return sent("/slack/channel_not_found", by=rune, workspace_id=cast.payments, runbook_id=runbook.id)


def state_of(run_id: int) -> str:
    db.session.expire_all()
    return db.session.get_one(IntegrationRun, run_id).state


def text_of(html: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


def test_the_runs_page_lists_runs_newest_first(
    client_of: ClientOf, cast: Cast, sent: Ask, make_action: Callable[..., Action]
) -> None:
    sent("/ok")
    sent("/slack/is_archived")
    html = client_of(cast.ines).get("/settings/runs").text
    assert re.findall(r"(Delivered|Failed)</span></td>", html) == ["Failed", "Delivered"]
    assert "#general is archived." in html


def test_an_empty_page_says_when_something_will_appear(client_of: ClientOf, cast: Cast) -> None:
    html = client_of(cast.ines).get("/settings/runs").text
    assert "When a task with an integration starts, its call appears here." in html


@pytest.mark.parametrize(
    ("query", "hits"),
    [
        ("state=failed", 1),
        ("state=succeeded", 1),
        ("state=unknown", 0),
        ("q=is_archived", 1),
        ("q=HELLO", 2),
        ("q=nothing+like+that", 0),
        ("since=2020-01-01&until=2099-01-01", 2),
        ("until=2020-01-01", 0),
        ("connection=1", 1),
        ("connection=2&state=failed", 1),
        ("action=1", 1),
        ("connection=x&state=odd&since=odd&page=-4", 2),
    ],
)
def test_runs_can_be_narrowed(client_of: ClientOf, cast: Cast, sent: Ask, query: str, hits: int) -> None:
    sent("/ok")
    sent("/slack/is_archived")
    first = db.session.get_one(IntegrationRun, 1).action
    query = query.replace("connection=1", f"connection={first.connection_id}")
    query = query.replace("connection=2", f"connection={first.connection_id + 1}")
    query = query.replace("action=1", f"action={first.id}")
    html = client_of(cast.ines).get(f"/settings/runs?{query}").text
    assert html.count("rowlink") == hits


def test_pages_have_fifty_runs(client_of: ClientOf, cast: Cast, ask: Ask, make_action: Any) -> None:
    action = make_action()
    for _ in range(51):
        ask(action=action)
    client = client_of(cast.ines)
    assert client.get("/settings/runs").text.count("rowlink") == 50
    assert client.get("/settings/runs?page=2").text.count("rowlink") == 1


def test_the_list_asks_as_many_questions_for_thirty_runs_as_for_one(
    client_of: ClientOf, cast: Cast, ask: Ask, make_action: Any, counting_queries: Any
) -> None:
    client = client_of(cast.ines)
    ask()
    client.get("/settings/runs")
    with counting_queries() as for_one:
        client.get("/settings/runs")
    for number in range(29):
        ask(action=make_action(f"/{number}"))
    with counting_queries() as for_thirty:
        client.get("/settings/runs")
    assert len(for_one) == len(for_thirty)


def test_a_run_shows_request_answer_attempt_and_reference(
    client_of: ClientOf, cast: Cast, run: IntegrationRun
) -> None:
    reference = run.reference
    text = text_of(client_of(cast.ines).get(f"/settings/runs/{run.id}").text)
    for expected in (
        "Not delivered Slack has no channel #general, or the app cannot see it.",
        "Who acts: runbook editor.",
        "Code: channel_not_found",
        "Asked for by Rune",
        reference,
        "Attempt 1",
        "Credential No authorization",
        "x-slack-req-id: abc123",
    ):
        assert expected in text


def test_what_came_back_is_shown_as_text_and_never_as_markup(
    client_of: ClientOf, cast: Cast, sent: Ask
) -> None:
    run_id = sent("/slack/%3Cscript%3Ealert(1)%3C%2Fscript%3E").id
    db.session.get_one(IntegrationRun, run_id).attempts[0].response_body = "<script>alert(1)</script>"
    db.session.commit()
    html = client_of(cast.ines).get(f"/settings/runs/{run_id}").text
    assert "<script>alert" not in html
    assert "&lt;script&gt;alert" in html


def test_an_answer_that_is_nested_too_deeply_to_indent_is_shown_as_it_is(
    client_of: ClientOf, cast: Cast, sent: Ask
) -> None:
    run_id = sent("/slack/ok").id
    db.session.get_one(IntegrationRun, run_id).attempts[0].response_body = "[" * 50_000
    db.session.commit()
    assert "[" * 50_000 in client_of(cast.ines).get(f"/settings/runs/{run_id}").text


def test_a_secret_that_someone_wrote_into_the_request_is_not_shown(
    client_of: ClientOf, cast: Cast, sent: Ask
) -> None:
    headers = '{"Content-Type":"application/json","X-Api-Key":"abcdef123456"}'
    run = sent(headers=headers, body='{"password":"hunter2hunter2"}')
    html = client_of(cast.ines).get(f"/settings/runs/{run.id}").text
    assert "abcdef123456" not in html
    assert "hunter2" not in html


@pytest.mark.parametrize("page", ["/settings/runs/{}", "/settings/runs", "/integration-runs/{}/result"])
def test_a_secret_in_the_address_is_not_shown(client_of: ClientOf, cast: Cast, sent: Ask, page: str) -> None:
    run = sent("/hook?token=a-secret-in-the-address")
    html = client_of(cast.ines).get(page.format(run.id)).text
    assert "a-secret-in-the-address" not in html
    assert ("/hook?token=[hidden]" in html) == ("{}" in page)


@pytest.mark.parametrize(("who", "status"), [("ines", 200), ("rune", 403), ("vera", 403), ("ada", 403)])
def test_the_runs_page_is_for_those_who_may_read_every_run(
    client_of: ClientOf, cast: Cast, who: str, status: int, run: IntegrationRun
) -> None:
    client = client_of(getattr(cast, who))
    assert client.get("/settings/runs").status_code == status
    assert client.get(f"/settings/runs/{run.id}").status_code == status


@pytest.mark.parametrize(("who", "status"), [("rune", 200), ("vera", 200), ("ines", 200), ("otto", 404)])
def test_the_result_is_for_those_who_may_see_its_runbook(
    client_of: ClientOf, cast: Cast, who: str, status: int, run: IntegrationRun
) -> None:
    assert client_of(getattr(cast, who)).get(f"/integration-runs/{run.id}/result").status_code == status


@pytest.mark.parametrize("decision", ["cancel", "retry", "resolve"])
@pytest.mark.parametrize(("who", "status"), [("vera", 403), ("ines", 403), ("otto", 404), ("carl", 404)])
def test_deciding_is_for_those_who_may_run_the_task(
    client_of: ClientOf, cast: Cast, who: str, status: int, decision: str, run: IntegrationRun
) -> None:
    answer = client_of(getattr(cast, who)).post(
        f"/integration-runs/{run.id}/{decision}", data={"outcome": "succeeded", "note": "seen"}
    )
    assert (answer.status_code, state_of(run.id)) == (status, "failed")


def test_a_retry_from_the_runbook_answers_with_words_and_sends_again(
    client_of: ClientOf, cast: Cast, run: IntegrationRun
) -> None:
    answer = client_of(cast.rune).post(f"/integration-runs/{run.id}/retry", headers=HTMX)
    assert (answer.status_code, answer.text) == (204, "")
    assert answer.headers["HX-Trigger"] == '{"toast": {"kind": "ok", "text": "The request is sent again."}}'
    assert state_of(run.id) == "queued"
    jobs.drain()
    assert [each.asked_by for each in db.session.get_one(IntegrationRun, run.id).attempts] == ["Rune", "Rune"]


def test_a_plain_form_goes_back_to_where_it_stood(
    client_of: ClientOf, cast: Cast, run: IntegrationRun
) -> None:
    client = client_of(cast.rune)
    answer = client.post(f"/integration-runs/{run.id}/retry", data={"back": "/runbooks/1?task=2"})
    assert (answer.status_code, answer.location) == (303, "/runbooks/1?task=2")
    away = client.post(f"/integration-runs/{run.id}/cancel", data={"back": "//evil.example"})
    assert away.location == "/"


def test_what_cannot_be_done_now_is_said(client_of: ClientOf, cast: Cast, run: IntegrationRun) -> None:
    answer = client_of(cast.rune).post(f"/integration-runs/{run.id}/cancel", headers=HTMX)
    assert "The request has already failed. It cannot be cancelled now." in answer.headers["HX-Trigger"]
    assert '"kind": "warn"' in answer.headers["HX-Trigger"]


def test_an_unknown_outcome_is_resolved_with_a_note(
    client_of: ClientOf, cast: Cast, sent: Ask, rune: User
) -> None:
    run = sent("/drop", by=rune, workspace_id=cast.payments)
    client = client_of(cast.rune)
    bare = client.post(f"/integration-runs/{run.id}/resolve", data={"outcome": "succeeded"}, headers=HTMX)
    assert "Say how you know" in bare.headers["HX-Trigger"]
    client.post(
        f"/integration-runs/{run.id}/resolve", data={"outcome": "succeeded", "note": "Seen"}, headers=HTMX
    )
    assert state_of(run.id) == "succeeded"
    odd = client.post(f"/integration-runs/{run.id}/resolve", data={"outcome": "perhaps"})
    assert odd.status_code == 400


def test_an_unknown_outcome_offers_to_resolve_it_and_warns_before_a_retry(
    client_of: ClientOf, cast: Cast, sent: Ask
) -> None:
    run = sent("/drop")
    html = client_of(cast.ines).get(f"/settings/runs/{run.id}").text
    assert "What did you find at the other system?" in html
    assert "If it did arrive, it will be there twice." in html


def test_an_integration_admin_decides_about_test_requests(
    client_of: ClientOf, cast: Cast, make_action: Callable[..., Action]
) -> None:
    ines = db.session.get_one(User, cast.ines)
    context = {"CustomField": {"Slack Channel": "#a", "Slack Message": "b"}}
    run = operations.request_test(make_action("/status/404"), context, by=ines)
    db.session.commit()
    jobs.drain()
    client_of(cast.ines).post(f"/integration-runs/{run.id}/retry")
    assert state_of(run.id) == "queued"


def test_the_editor_sees_its_test_request_through(
    cast: Cast, make_action: Callable[..., Action], app: Any
) -> None:
    ines = db.session.get_one(User, cast.ines)
    action = action_for(ines, make_action("/slack/is_archived").id)
    context = {"CustomField": {"Slack Channel": "#a", "Slack Message": "b"}}
    run_id = reports.send_test(action, context, None, ines)
    db.session.commit()
    with app.test_request_context():
        waiting = reports.report_test(ines, run_id)
    assert (waiting.settled, "Waiting for a worker to send it." in waiting.html) == (False, True)
    jobs.drain()
    with app.test_request_context():
        settled = reports.report_test(ines, run_id)
    assert settled.settled
    assert "#a is archived." in settled.html
    with pytest.raises(RequestTestRefused, match="Payload"):
        reports.send_test(action, {"CustomField": {}}, None, ines)


def test_the_result_asks_again_until_it_is_settled(
    client_of: ClientOf, cast: Cast, ask: Ask, rune: User
) -> None:
    run = ask(by=rune, workspace_id=cast.payments)
    client = client_of(cast.rune)
    before = client.get(f"/integration-runs/{run.id}/result", headers=HTMX).text
    jobs.drain()
    after = client.get(f"/integration-runs/{run.id}/result", headers=HTMX).text
    assert ("every 1s" in before, "every 1s" in after) == (True, False)
    assert before.startswith(f'<div id="result-{run.id}"')


def test_the_list_of_connections_shows_how_calls_went(cast: Cast, sent: Ask) -> None:
    from webapp.integration_runs.queries import recent_runs

    run = sent("/slack/is_archived")
    found = recent_runs([run.action.connection_id, 999])
    assert list(found) == [run.action.connection_id]
    recent = found[run.action.connection_id]
    assert (recent.runs[-1], recent.failures[-1], recent.last_state) == (1, 1, "failed")
    assert recent.last_words == "#general is archived."
