"""The panel of a task whose call has gone wrong: what it says and what it offers."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from flask.testing import FlaskClient

from tests.cast import Cast
from tests.runbooks.conftest import MakeAction, MakeField, MakeRunbook, runs, task
from webapp.accounts.models import User
from webapp.clock import now
from webapp.extensions import db
from webapp.fields import operations as fields
from webapp.integration_runs.models import Attempt
from webapp.integrations.models import Action, Authentication
from webapp.runbooks import operations
from webapp.runbooks.models import Runbook
from webapp.runbooks.states import Mode

ClientOf = Callable[[int], FlaskClient]
AUTHENTICATE = "/integrations/actions/{}/authenticate"


@pytest.fixture
def slack(make_action: MakeAction) -> Action:
    """An action that posts as the person who starts the task."""
    return make_action(
        authorization="oauth_code",
        authorization_settings={"authenticate_as": "task", "provider_host": "https://slack.com"},
    )


@pytest.fixture
def announcing(make_runbook: MakeRunbook, slack: Action, rune: User) -> Runbook:
    """A live runbook whose one task was started and whose call Slack has refused, and Rune's sign-in with it."""
    runbook = make_runbook("Announce", actions={1: slack}, mode=Mode.LIVE)
    signed_in = Authentication(
        action_id=slack.id,
        task_id=task(runbook, 1).id,
        user_id=rune.id,
        provider_host="https://slack.com",
        request_host="127.0.0.1:9",
        identity={"label": "rune in team Payments"},
        granted_at=now(),
        granted_by_id=rune.id,
    )
    db.session.add(signed_in)
    db.session.commit()
    operations.start_task(task(runbook, 1), by=rune)
    settle(runbook, "failed", "token_revoked", "Slack no longer accepts the stored sign-in.")
    signed_in.refused_at, signed_in.refusal = now(), "token_revoked"
    db.session.commit()
    return runbook


def settle(runbook: Runbook, state: str, code: str, sentence: str) -> None:
    """Give the runbook's one call an outcome, as a worker would."""
    [run] = runs()
    run.state, run.settled_at = state, now()
    run.outcome = {
        "code": code,
        "sentence": sentence,
        "remedy": "Press Authenticate again, then retry.",
        "who": "whoever signed in",
    }
    db.session.commit()


def panel(client: FlaskClient, runbook: Runbook) -> str:
    """The panel of the runbook's first task, as htmx asks for it."""
    return client.get(f"/runbooks/{runbook.id}/tasks/1", headers={"HX-Request": "true"}).text


def test_a_call_that_failed_for_its_sign_in_offers_to_authenticate_again(
    announcing: Runbook, slack: Action, cast: Cast, client_of: ClientOf
) -> None:
    text = panel(client_of(cast.rune), announcing)
    assert AUTHENTICATE.format(slack.id) in text
    assert "The stored sign-in is no longer accepted (token_revoked). Press Authenticate again." in text


@pytest.mark.parametrize("state", ["succeeded", "queued", "cancelled"])
def test_a_call_that_is_not_tried_again_asks_for_no_sign_in(
    announcing: Runbook, slack: Action, cast: Cast, client_of: ClientOf, state: str
) -> None:
    settle(announcing, state, "http_200", "")
    assert AUTHENTICATE.format(slack.id) not in panel(client_of(cast.rune), announcing)


def test_after_the_runbook_has_ended_nobody_is_asked_to_sign_in(
    announcing: Runbook, slack: Action, cast: Cast, client_of: ClientOf, rune: User
) -> None:
    operations.cancel_runbook(announcing, "Called off", by=rune)
    assert AUTHENTICATE.format(slack.id) not in panel(client_of(cast.rune), announcing)


def test_only_the_fields_that_were_typed_into_are_saved(
    make_runbook: MakeRunbook, cast: Cast, client_of: ClientOf
) -> None:
    runbook = make_runbook("Open the bridge", "Drain the nodes")
    first = task(runbook, 1)
    first.description, first.duration_s = "Someone else’s words", 900
    db.session.commit()
    stale = {"title": "Open the bridge now", "description": "", "duration": "5m", "touched": "title"}
    answer = client_of(cast.rune).post(
        f"/runbooks/{runbook.id}/tasks/1", data=stale, headers={"HX-Request": "true"}
    )
    db.session.expire_all()
    saved = task(runbook, 1)
    assert answer.status_code == 200
    assert (saved.title, saved.description, saved.duration_s) == (
        "Open the bridge now",
        "Someone else’s words",
        900,
    )


@pytest.mark.parametrize(
    ("provider", "form_action"),
    [
        ("https://slack.com", "'self' https://*.slack.com https://slack.com"),
        ("https://id.example.com:8443", "'self' https://*.id.example.com:8443 https://id.example.com:8443"),
        ("https://[2001:db8::1]:8443", "'self' https://[2001:db8::1]:8443"),
        ("https://192.0.2.7", "'self' https://192.0.2.7"),
        ("http://127.0.0.1:5056", "'self' http://127.0.0.1:5056"),
        ("https://slack.com; script-src *", "'self'"),
        ("", "'self'"),
    ],
)
def test_the_page_of_a_task_lets_authenticate_lead_to_its_provider(
    make_runbook: MakeRunbook,
    slack: Action,
    cast: Cast,
    client_of: ClientOf,
    provider: str,
    form_action: str,
) -> None:
    slack.authorization_settings = {"authenticate_as": "task", "provider_host": provider}
    slack.is_global = True
    runbook = make_runbook("Announce", actions={1: slack}, mode=Mode.LIVE)
    policy = client_of(cast.rune).get(f"/runbooks/{runbook.id}?task=1").headers["Content-Security-Policy"]
    [found] = [part for part in policy.split("; ") if part.startswith("form-action")]
    assert found == f"form-action {form_action}"


def test_the_card_says_what_happened_what_to_do_and_who_does_it(
    announcing: Runbook, cast: Cast, client_of: ClientOf
) -> None:
    [said] = re.findall(
        r'<div class="icard-said bad">.*?</div></div>', panel(client_of(cast.rune), announcing)
    )
    assert re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", said)).strip() == (
        "Slack no longer accepts the stored sign-in. Press Authenticate again, then retry. "
        "Who acts: whoever signed in. token_revoked"
    )


def test_the_card_of_a_delivered_call_says_that_its_answer_was_cut(
    announcing: Runbook, cast: Cast, client_of: ClientOf
) -> None:
    words = "Its answer was larger than what is read, so only the start of it was kept."
    settle(announcing, "succeeded", "http_200", words)
    assert words not in panel(client_of(cast.rune), announcing)
    [run] = runs()
    run.attempts.append(Attempt(number=1, state="succeeded", started_at=now(), response_truncated=True))
    db.session.commit()
    assert words in panel(client_of(cast.rune), announcing)


def test_the_card_of_a_call_that_a_person_resolved_says_who_and_how_they_know(
    announcing: Runbook, cast: Cast, client_of: ClientOf
) -> None:
    settle(announcing, "succeeded", "resolved", "Rune found that it arrived: seen in the channel")
    assert "Rune found that it arrived: seen in the channel" in panel(client_of(cast.rune), announcing)


def test_a_value_that_can_no_longer_be_chosen_is_shown(
    make_runbook: MakeRunbook, make_field: MakeField, rune: User, cast: Cast, client_of: ClientOf
) -> None:
    teams = make_field("Teams", kind="multi_select", options=["DBA", "Network"])
    owner = make_field("Owner", kind="user")
    runbook = make_runbook("Announce")
    fields.save_value(teams, ["DBA", "Network"], by=rune, task=task(runbook, 1))
    fields.save_value(owner, [str(cast.rune)], by=rune, task=task(runbook, 1)).value = cast.otto
    teams.options = ["Network"]
    db.session.commit()
    html = panel(client_of(cast.rune), runbook)
    assert 'value="DBA" checked' in html and 'value="Network" checked' in html
    assert f'<option value="{cast.otto}" selected>Someone who has left</option>' in html


@pytest.mark.parametrize(
    ("rule", "sentence", "counted"),
    [
        ("not_called", "nothing is sent.", "1 is not called"),
        (
            "sandbox",
            "the request goes to the sandbox at https://sandbox.example instead.",
            "1 is called at a sandbox",
        ),
        ("real", "it is called for real.", "1 is called for real"),
    ],
)
def test_the_card_and_the_start_dialog_say_what_a_rehearsal_calls(
    client_of: ClientOf,
    cast: Cast,
    make_runbook: MakeRunbook,
    make_action: MakeAction,
    rune: User,
    rule: str,
    sentence: str,
    counted: str,
) -> None:
    action = make_action()
    action.connection.rehearsal_rule, action.connection.sandbox_address = rule, "https://sandbox.example"
    runbook = make_runbook("Announce", actions={1: action})
    rune_s, page = client_of(cast.rune), f"/runbooks/{runbook.id}"
    assert f"In a rehearsal {sentence}" in rune_s.get(f"{page}?task=1").text
    assert counted in rune_s.get(f"{page}/start?mode=rehearsal").text
    assert counted not in rune_s.get(f"{page}/start?mode=live").text
    operations.start_runbook(runbook, Mode.REHEARSAL, by=rune)
    db.session.commit()
    assert f"<b>Rehearsal:</b> {sentence}" in rune_s.get(f"{page}?task=1").text
