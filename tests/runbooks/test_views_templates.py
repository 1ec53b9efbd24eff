"""The pages of templates and snippets, and the ways between them and runbooks."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from html import unescape
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from tests.cast import Cast
from tests.runbooks.conftest import MakeRunbook, task
from webapp.accounts.models import User
from webapp.extensions import db
from webapp.runbooks import operations, queries
from webapp.runbooks.models import Runbook
from webapp.runbooks.templates.models import RunbookTemplate, TemplateVersion
from webapp.workspaces.models import Membership

HTMX = {"HX-Request": "true"}
ClientOf = Callable[[int], FlaskClient]


@pytest.fixture
def mona(cast: Cast) -> User:
    """The manager of Payments."""
    user = User(name="Mona", email="mona@example.com")
    user.memberships = [Membership(workspace_id=cast.payments, role="manager")]
    db.session.add(user)
    db.session.commit()
    return user


@pytest.fixture
def runbook(make_runbook: MakeRunbook) -> Runbook:
    return make_runbook("Announce", "Switch", "Check", waits={2: [1], 3: [2]})


@pytest.fixture
def client(client_of: ClientOf, cast: Cast) -> FlaskClient:
    """Rune's browser."""
    return client_of(cast.rune)


def save(runbook: Runbook, by: User, name: str = "Failover") -> TemplateVersion:
    version = operations.save_as_template(runbook, name=name, description="", keep_assignees=True, by=by)
    db.session.commit()
    return version


def approve(version: TemplateVersion, author: User, approver: User) -> TemplateVersion:
    operations.submit_version(version, "", by=author)
    operations.approve_version(version, by=approver)
    db.session.commit()
    return version


@pytest.fixture
def approved(runbook: Runbook, rune: User, mona: User) -> TemplateVersion:
    return approve(save(runbook, rune), rune, mona)


@pytest.fixture
def snippet(runbook: Runbook, rune: User, mona: User) -> TemplateVersion:
    version = operations.save_as_snippet(
        runbook, {1, 2}, name="Roll call", description="", keep_assignees=True, by=rune
    )
    return approve(version, rune, mona)


def words(text: str) -> str:
    """What a page says, without its markup."""
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", text)).split())


def rows(text: str) -> list[str]:
    return [words(each) for each in re.findall(r"<tr>(.*?)</tr>", text.partition("<tbody>")[2], re.S)]


def test_the_list_tells_templates_from_snippets_and_what_waits(
    client: FlaskClient,
    client_of: ClientOf,
    approved: TemplateVersion,
    snippet: TemplateVersion,
    rune: User,
    mona: User,
) -> None:
    second = operations.new_version(approved.template, approved.runbook, note="", by=rune)
    operations.submit_version(second, "", by=rune)
    db.session.commit()
    assert rows(client.get("/templates").text) == [
        "Failover Version 1 Approved Version 2 In review RU Rune Rune 0"
    ]
    assert rows(client.get("/templates?tab=snippets").text) == [
        "Roll call Version 1 Approved Nothing open RU Rune Rune 0"
    ]
    assert rows(client.get("/templates?tab=waiting").text) == []
    of_mona = client_of(mona.id).get("/templates?tab=waiting").text
    assert rows(of_mona) == ["Failover Template Version 1 Approved Version 2 In review RU Rune Rune 0"]
    assert re.search(r'href="/templates"[^>]*>.*?<span class="count acc">1</span>', of_mona, re.S)


def test_the_list_is_searched_and_says_where_nothing_is(
    client: FlaskClient, approved: TemplateVersion
) -> None:
    assert len(rows(client.get("/templates?q=fail").text)) == 1
    assert "Nothing here matches “payroll”" in client.get("/templates?q=payroll").text
    assert "No snippets yet" in client.get("/templates?tab=snippets").text
    assert "Nothing waits for you" in client.get("/templates?tab=waiting").text


def test_the_list_and_a_template_read_as_much_for_many_as_for_one(
    client: FlaskClient, runbook: Runbook, rune: User, mona: User, counting_queries: Callable[[], Any]
) -> None:
    counts = []
    version = save(runbook, rune)
    for more in (1, 6):
        for number in range(more):
            save(runbook, rune, f"Failover {number}")
            approve(version, rune, mona)
            version = operations.new_version(version.template, version.runbook, note="", by=rune)
            db.session.commit()
        address = f"/templates/{version.template_id}"
        for path in ("/templates", address, f"{address}/diff"):
            client.get(path)
        with counting_queries() as seen:
            client.get("/templates")
        with counting_queries() as of_one:
            client.get(f"{address}/diff")
        counts.append((len(seen), len(of_one)))
    assert counts[0] == counts[1]


def test_a_runbook_becomes_a_draft_that_is_submitted_and_approved_by_somebody_else(
    client: FlaskClient, client_of: ClientOf, runbook: Runbook, mona: User
) -> None:
    dialog = client.get(f"/runbooks/{runbook.id}/save-as-template", headers=HTMX).text
    assert 'value="Release 12"' in dialog
    answer = client.post(
        f"/runbooks/{runbook.id}/save-as-template", data={"target": "new", "name": "Failover"}
    )
    template = db.session.scalars(select(RunbookTemplate)).one()
    here = f"/templates/{template.id}"
    assert (answer.status_code, answer.location) == (303, here)
    client.post(f"{here}/versions/1/note", data={"note": "As it went"})
    assert client.post(f"{here}/versions/1/submit", data={"note": "As it went"}).location == here
    mine = words(client.get(here).text)
    assert "Take back to change it" in mine
    assert "It can be approved by Mona." in mine
    assert "Approve Approve" not in mine
    manager = client_of(mona.id)
    assert "Send back…" in manager.get(here).text
    refused = manager.post(f"{here}/versions/1/send-back", data={"reason": ""})
    assert (refused.status_code, "Write a reason." in refused.text) == (422, True)
    manager.post(f"{here}/versions/1/send-back", data={"reason": "Who rings?"})
    assert "Who rings?" in client.get(here).text
    client.post(f"{here}/versions/1/submit", data={"note": ""})
    manager.post(f"{here}/versions/1/approve")
    assert "New runbook from it" in client.get(here).text
    again = manager.post(f"{here}/versions/1/approve")
    assert again.status_code == 409
    assert "The version cannot be approved now. It is approved." in again.text


def test_a_manager_who_wrote_it_is_told_who_may_approve_it(
    client_of: ClientOf, runbook: Runbook, mona: User
) -> None:
    version = save(runbook, mona)
    operations.submit_version(version, "", by=mona)
    db.session.commit()
    manager, here = client_of(mona.id), f"/templates/{version.template_id}"
    text = words(manager.get(here).text)
    assert "You wrote or submitted this version yourself, so somebody else has to decide." in text
    assert "Nobody else here may approve templates. Ask an administrator" in text
    assert "Send back…" not in text
    refused = manager.post(f"{here}/versions/1/approve")
    assert refused.status_code == 409
    assert "Someone else who may approve templates has to decide." in refused.text


def test_without_a_name_the_dialog_comes_back(client: FlaskClient, runbook: Runbook) -> None:
    answer = client.post(
        f"/runbooks/{runbook.id}/save-as-template",
        data={"target": "new", "name": "", "description": "Typed"},
        headers=HTMX,
    )
    assert answer.status_code == 422
    assert "Enter a name." in answer.text
    assert "Typed" in answer.text


def test_the_plan_of_a_draft_says_what_it_is_and_offers_no_start(
    client: FlaskClient, runbook: Runbook, rune: User
) -> None:
    version = save(runbook, rune)
    text = client.get(f"/runbooks/{version.runbook_id}").text
    assert "Version 1 of the template." in text
    assert "Submit for approval…" in text
    assert "Start live run" not in text
    assert "Save as template…" not in text
    assert "Type a task name and press Enter" in text
    operations.submit_version(version, "", by=rune)
    db.session.commit()
    frozen = client.get(f"/runbooks/{version.runbook_id}").text
    assert "Its plan cannot be changed while it is in review." in frozen
    assert "Type a task name and press Enter" not in frozen


def test_who_watches_a_plan_hears_that_it_was_submitted(
    client: FlaskClient, runbook: Runbook, rune: User
) -> None:
    version = save(runbook, rune)
    since = version.runbook.seq
    operations.submit_version(version, "", by=rune)
    db.session.commit()
    pulled = client.get(
        f"/runbooks/{version.runbook_id}/changes?since={since}",
        headers={**HTMX, "HX-Current-URL": "http://localhost/"},
    ).text
    assert 'id="template-note" class="banners" hx-swap-oob="morph"' in pulled
    assert "Type a task name and press Enter" not in pulled
    assert 'id="s-' in pulled


def test_a_change_that_comes_too_late_is_refused_with_a_sentence(
    client: FlaskClient, approved: TemplateVersion
) -> None:
    plan = approved.runbook
    base = f"/runbooks/{plan.id}"
    sentence = "This version of the template is not a draft any more"
    for path, data in (
        ("/tasks", {"title": "More", "stream_id": plan.streams[0].id}),
        ("/edit", {"name": "x"}),
        ("/streams", {"name": "x", "color": "1"}),
        ("/message", {"message": "Hello"}),
        ("/start", {"mode": "rehearsal"}),
        ("/duplicate", {"name": "x"}),
        ("/save-as-template", {"target": "new", "name": "x"}),
    ):
        answer = client.post(base + path, data=data)
        expected = "plan of a template" if path in ("/start", "/duplicate", "/save-as-template") else sentence
        assert (answer.status_code, expected in unescape(answer.text)) in ((409, True), (422, True)), path


def test_two_versions_are_compared_at_an_address_of_their_own(
    client: FlaskClient, approved: TemplateVersion, rune: User
) -> None:
    second = operations.new_version(approved.template, approved.runbook, note="", by=rune)
    operations.delete_task(task(second.runbook, 3), by=rune)
    operations.add_task(second.runbook, second.runbook.streams[0], "Ring the regulator", by=rune)
    db.session.commit()
    here = f"/templates/{approved.template_id}"
    text = words(client.get(f"{here}/diff?before=1&after=2").text)
    assert "Version 2 against version 1" in text
    assert "1 task added, 1 removed." in text
    assert "Ring the regulator" in text
    assert words(client.get(f"{here}/diff").text) == text
    assert "They say the same" in client.get(f"{here}/diff?before=1&after=1").text
    assert client.get(f"{here}/diff?before=1&after=9").status_code == 404
    assert "1 task added, 1 removed" in client.get(here).text


def test_a_new_runbook_starts_from_an_approved_version(
    client: FlaskClient, runbook: Runbook, approved: TemplateVersion, rune: User
) -> None:
    save(runbook, rune, "Not approved")
    dialog = client.get(f"/runbooks/new?template={approved.id}").text
    assert f'<option selected value="{approved.id}">Failover, version 1</option>' in dialog
    assert "Not approved" not in dialog
    client.post(
        "/runbooks",
        data={
            "name": "Failover in May",
            "version_id": approved.id,
            "workspace_id": approved.template.workspace_id,
            "planned_start": "2027-05-01T22:00",
            "keep_assignees": "y",
        },
    )
    made = db.session.scalars(select(Runbook).where(Runbook.name == "Failover in May")).one()
    assert made.planned_start == datetime(2027, 5, 1, 22, 0, tzinfo=UTC)
    assert [each.title for each in queries.names_within(made.id)] == ["Announce", "Switch", "Check"]
    text = client.get(f"/runbooks/{made.id}").text
    assert f'href="/runbooks/{made.id}/against-template" title="Made from Failover, version 1.' in text
    assert "They say the same" in client.get(f"/runbooks/{made.id}/against-template").text
    assert client.get(f"/runbooks/{runbook.id}/against-template").status_code == 404


def test_a_version_of_another_workspace_or_one_that_is_no_choice_is_refused_with_the_form(
    client_of: ClientOf,
    cast: Cast,
    client: FlaskClient,
    runbook: Runbook,
    rune: User,
    approved: TemplateVersion,
) -> None:
    draft = save(runbook, rune, "Not approved")
    data = {"name": "x", "version_id": approved.id, "workspace_id": cast.treasury}
    assert client_of(cast.otto).post("/runbooks", data=data).status_code == 422
    data = {"name": "x", "version_id": draft.id, "workspace_id": cast.payments}
    assert client.post("/runbooks", data=data).status_code == 422
    assert db.session.scalars(select(Runbook).where(Runbook.name == "x")).all() == []


def test_a_runbook_from_a_template_becomes_its_next_version(
    client: FlaskClient, approved: TemplateVersion, rune: User
) -> None:
    made = operations.make_runbook(
        approved, name="May", description="", planned_start=None, keep_assignees=True, by=rune
    )
    operations.add_task(made, made.streams[0], "Ring the regulator", by=rune)
    db.session.commit()
    dialog = client.get(f"/runbooks/{made.id}/save-as-template", headers=HTMX).text
    assert "The next version of Failover" in dialog
    assert "1 task added" in dialog
    answer = client.post(
        f"/runbooks/{made.id}/save-as-template", data={"target": "next", "name": "", "note": "The regulator"}
    )
    assert answer.location == f"/templates/{approved.template_id}"
    second = db.session.scalars(select(TemplateVersion).where(TemplateVersion.number == 2)).one()
    assert (second.state, second.note) == ("draft", "The regulator")
    refused = client.post(f"/runbooks/{made.id}/save-as-template", data={"target": "next", "name": ""})
    assert refused.status_code == 409
    assert "Version 2 is not decided yet." in refused.text


def test_selected_tasks_or_a_stream_become_a_snippet(
    client: FlaskClient, runbook: Runbook, rune: User
) -> None:
    selected = f"/runbooks/{runbook.id}/tasks/selected"
    dialog = client.post(f"{selected}/ask-snippet", data={"number": [1, 3]}, headers=HTMX).text
    assert "Save 2 tasks as snippet" in dialog
    assert client.post(f"{selected}/snippet", data={"number": [1, 3], "name": ""}).status_code == 422
    client.post(f"{selected}/snippet", data={"number": [1, 3], "name": "Roll call"})
    made = db.session.scalars(select(RunbookTemplate)).one()
    assert (made.kind, made.name) == ("snippet", "Roll call")
    stream = runbook.streams[0]
    of_stream = client.get(f"/runbooks/{runbook.id}/streams/{stream.id}/snippet", headers=HTMX).text
    assert "Save 3 tasks as snippet" in of_stream
    empty = operations.add_stream(runbook, "Empty", by=rune)
    db.session.commit()
    refused = client.get(f"/runbooks/{runbook.id}/streams/{empty.id}/snippet")
    assert refused.status_code == 409
    assert "Empty holds no task that could become a snippet." in refused.text


def test_a_snippet_is_inserted_and_everybody_gets_its_rows(
    client: FlaskClient, runbook: Runbook, snippet: TemplateVersion
) -> None:
    stream = runbook.streams[0]
    dialog = client.get(f"/runbooks/{runbook.id}/insert-snippet?stream={stream.id}", headers=HTMX).text
    assert f'<option selected value="{stream.id}">Tasks</option>' in dialog
    answer = client.post(
        f"/runbooks/{runbook.id}/insert-snippet",
        data={"version_id": snippet.id, "stream_id": stream.id, "wait_for": "3", "keep_assignees": "y"},
        headers={**HTMX, "HX-Current-URL": f"http://localhost/runbooks/{runbook.id}"},
    )
    assert [f'id="t-{number}"' in answer.text for number in (4, 5)] == [True, True]
    assert "Roll call is inserted: 2 tasks." in answer.headers["HX-Trigger"]
    assert [each.number for each in queries.predecessors_of(task(runbook, 4).id)] == [3]
    pulled = client.get(
        f"/runbooks/{runbook.id}/changes?since=1",
        headers={**HTMX, "HX-Current-URL": f"http://localhost/runbooks/{runbook.id}"},
    )
    assert 'id="t-5"' in pulled.text


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        ({"version_id": 0}, "Choose a snippet."),
        ({"wait_for": "99"}, "There is no task #99."),
        ({"version_id": 987654}, "Not a valid choice."),
    ],
)
def test_what_is_not_right_in_the_dialog_comes_back_with_a_sentence(
    client: FlaskClient, runbook: Runbook, snippet: TemplateVersion, data: dict[str, Any], sentence: str
) -> None:
    answer = client.post(
        f"/runbooks/{runbook.id}/insert-snippet",
        data={"version_id": snippet.id, "stream_id": 0, **data},
        headers=HTMX,
    )
    assert answer.status_code == 422
    assert sentence in answer.text
    assert len(queries.names_within(runbook.id)) == 3


def test_where_no_snippet_is_approved_the_dialog_says_so(client: FlaskClient, runbook: Runbook) -> None:
    text = client.get(f"/runbooks/{runbook.id}/insert-snippet", headers=HTMX).text
    assert "There is no approved snippet in Payments yet." in text


def test_a_template_is_renamed_archived_and_restored(client: FlaskClient, approved: TemplateVersion) -> None:
    here = f"/templates/{approved.template_id}"
    assert client.post(f"{here}/edit", data={"name": ""}).status_code == 422
    client.post(f"{here}/edit", data={"name": "Failover of a region", "description": "Once a year"})
    assert "Failover of a region" in client.get(here).text
    client.post(f"{here}/archive")
    assert rows(client.get("/templates").text) == []
    assert len(rows(client.get("/templates?tab=archived").text)) == 1
    assert client.post(f"{here}/archive").status_code == 409
    assert client.post(f"{here}/versions").status_code == 409
    client.post(f"{here}/restore")
    answer = client.post(f"{here}/versions")
    second = db.session.scalars(select(TemplateVersion).where(TemplateVersion.number == 2)).one()
    assert answer.location == f"/runbooks/{second.runbook_id}"
    client.post(f"{here}/versions/2/discard")
    assert "Discarded" in client.get(here).text


def test_a_viewer_sees_a_template_and_may_change_nothing(
    client_of: ClientOf, cast: Cast, approved: TemplateVersion
) -> None:
    vera, here = client_of(cast.vera), f"/templates/{approved.template_id}"
    text = vera.get(here).text
    assert "Version 1" in text
    assert "New version" not in text
    assert "New runbook from it" not in text
    assert vera.post(f"{here}/versions").status_code == 403
    assert client_of(cast.otto).get(here).status_code == 404
