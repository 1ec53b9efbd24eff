"""Two people change the same part of a plan: the later one is told and chooses. Different parts both stay."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from tests.cast import Cast
from tests.runbooks.conftest import Audit, MakeAction, MakeRunbook, Refuses, tables, task
from webapp.accounts.models import User
from webapp.audit.models import AuditLine
from webapp.extensions import db
from webapp.runbooks import operations
from webapp.runbooks.models import Runbook, Task
from webapp.runbooks.operations import Plan
from webapp.runbooks.refusals import ChangedMeanwhile, NotNow
from webapp.runbooks.states import Mode

ClientOf = Callable[[int], FlaskClient]
LIVE = {"HX-Request": "true"}
TEN = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)


@pytest.fixture
def jonas(cast: Cast) -> User:
    """Someone else who plans in Payments."""
    from webapp.permissions import Role
    from webapp.workspaces.models import Membership

    user = User(name="Jonas", email="jonas@example.com")
    db.session.add(user)
    db.session.flush()
    db.session.add(Membership(workspace_id=cast.payments, user_id=user.id, role=Role.MANAGER))
    db.session.commit()
    return user


def present(found: Task) -> Plan:
    return operations.plan_of(found, sorted(each.id for each in found.predecessors))


def seen_by(found: Task) -> dict[str, str]:
    """What a page shows of the task's plan."""
    return operations.written(present(found), {each.id: each.number for each in found.runbook.tasks})


def only(found: Task, *names: str) -> dict[str, str | None]:
    return {name: seen_by(found)[name] for name in names}


def changed(found: Task, by: User, **values: Any) -> None:
    operations.edit_task(found, replace(present(found), **values), by=by)
    db.session.commit()


@pytest.mark.parametrize(
    ("part", "theirs", "mine"),
    [
        ("title", "Tell all", "Tell everyone"),
        ("description", "Call\r\nthe roll", "Ring twice"),
        ("duration_s", 2700, 1800),
        ("planned_start", TEN, TEN + timedelta(hours=1)),
    ],
)
def test_who_comes_later_is_told_and_nothing_is_saved_until_they_choose(
    make_runbook: MakeRunbook,
    rune: User,
    jonas: User,
    refuses: Refuses,
    audit: Audit,
    part: str,
    theirs: Any,
    mine: Any,
) -> None:
    runbook = make_runbook("Announce")
    found = task(runbook, 1)
    seen, typed = only(found, part), replace(present(found), **{part: mine})
    changed(found, jonas, **{part: theirs})
    with refuses(ChangedMeanwhile, "Jonas changed this just now.") as refusal:
        operations.edit_task(found, typed, by=rune, seen=seen)
    assert refusal.value.news == {part: "Jonas changed this just now"}  # type: ignore[attr-defined]
    operations.edit_task(found, typed, by=rune, seen=only(found, part))
    assert getattr(found, part) == mine
    assert [who for _, _, who in audit()] == ["Jonas", "Rune"]


def test_people_links_streams_and_actions_are_compared_too(
    make_runbook: MakeRunbook, make_action: MakeAction, rune: User, jonas: User, refuses: Refuses
) -> None:
    runbook = make_runbook("Announce", "Deploy", "Verify")
    network = operations.add_stream(runbook, "Network", by=rune)
    third, action = task(runbook, 3), make_action()
    ids = {number: task(runbook, number).id for number in (1, 2)}
    theirs = {"assignees": [jonas], "predecessor_ids": [ids[1]], "stream": network, "action": action}
    seen = only(third, *theirs)
    typed = replace(present(third), assignees=[rune], predecessor_ids=[ids[2]], action=None, stream=network)
    changed(third, jonas, **theirs)
    with refuses(ChangedMeanwhile, "Jonas changed this just now. Jonas changed this just now.") as refusal:
        operations.edit_task(third, typed, by=rune, seen=seen)
    # The stream is wanted alike, and the action was left as it was seen: neither is a matter of choice.
    assert sorted(refusal.value.news) == ["assignees", "predecessor_ids"]  # type: ignore[attr-defined]


def test_changes_of_different_parts_both_stay(make_runbook: MakeRunbook, rune: User, jonas: User) -> None:
    runbook = make_runbook("Announce")
    found = task(runbook, 1)
    seen, typed = only(found, "duration_s"), replace(present(found), duration_s=1800)
    changed(found, jonas, title="Tell all", description="Ring twice")
    operations.edit_task(found, typed, by=rune, seen=seen)
    assert (found.title, found.description, found.duration_s) == ("Tell all", "Ring twice", 1800)


def test_what_was_left_as_it_was_seen_takes_nothing_back(
    make_runbook: MakeRunbook, rune: User, jonas: User
) -> None:
    runbook = make_runbook("Announce")
    found = task(runbook, 1)
    seen, typed = only(found, "title", "duration_s"), replace(present(found), duration_s=1800)
    changed(found, jonas, title="Tell all")
    operations.edit_task(found, typed, by=rune, seen=seen)
    assert (found.title, found.duration_s) == ("Tell all", 1800)


def test_who_wants_what_the_other_wrote_is_not_asked(
    make_runbook: MakeRunbook, rune: User, jonas: User
) -> None:
    runbook = make_runbook("Announce")
    found = task(runbook, 1)
    seen, typed = only(found, "duration_s"), replace(present(found), duration_s=1800)
    changed(found, jonas, duration_s=1800)
    operations.edit_task(found, typed, by=rune, seen=seen)
    assert found.duration_s == 1800


def test_ones_own_other_window_and_a_change_without_a_name_are_told_as_such(
    make_runbook: MakeRunbook, rune: User, refuses: Refuses
) -> None:
    runbook = make_runbook("Announce")
    found = task(runbook, 1)
    seen, typed = only(found, "duration_s"), replace(present(found), duration_s=1800)
    changed(found, rune, duration_s=2700)
    line = db.session.scalars(select(AuditLine)).one()
    with refuses(ChangedMeanwhile, "You changed this just now."):
        operations.edit_task(found, typed, by=rune, seen=seen)
    assert line.actor_name == "Rune"
    found.title = "Renamed by nobody"
    db.session.commit()
    typed = replace(present(found), title="Tell all")
    with refuses(ChangedMeanwhile, "Someone changed this meanwhile."):
        operations.edit_task(found, typed, by=rune, seen={"title": "Announce"})


def url_of(runbook: Runbook, name: str = "duration", number: int = 1) -> str:
    return f"/runbooks/{runbook.id}/tasks/{number}/cells/{name}"


def test_a_cell_is_saved_alone_and_the_row_comes_back(
    make_runbook: MakeRunbook, cast: Cast, client_of: ClientOf, audit: Audit
) -> None:
    runbook = make_runbook("Announce", "Deploy", "Verify")
    client = client_of(cast.rune)
    typed: dict[str, tuple[dict[str, Any], Any]] = {
        "title": ({"title": "Tell all", "was-title": "Verify"}, ("Tell all", 300, None, [], [])),
        "duration": (
            {"duration": "1h 30m", "was-duration": "5m", "title": "ignored"},
            ("Tell all", 5400, None, [], []),
        ),
        "planned_start": (
            {"planned_start": "2026-11-23T10:00", "was-planned_start": ""},
            ("Tell all", 5400, TEN, [], []),
        ),
        "predecessors": (
            {"predecessors": "#1, deploy", "was-predecessors": ""},
            ("Tell all", 5400, TEN, [1, 2], []),
        ),
        "assignee_ids": (
            {"assignee_ids": [cast.rune, cast.vera], "was-assignee_ids": ""},
            ("Tell all", 5400, TEN, [1, 2], ["Rune", "Vera"]),
        ),
    }
    for name, (data, expected) in typed.items():
        answer = client.post(url_of(runbook, name, 3), data=data, headers=LIVE)
        assert (answer.status_code, 'id="t-3"' in answer.text) == (200, True)
        db.session.expire_all()
        found = task(runbook, 3)
        assert expected == (
            found.title,
            found.duration_s,
            found.planned_start,
            sorted(each.number for each in found.predecessors),
            sorted(each.name for each in found.assignees),
        )
    assert [verb for verb, _, _ in audit()] == ["task.changed"] * 5
    cleared = client.post(
        url_of(runbook, "assignee_ids", 3),
        data={"was-assignee_ids": f"{cast.rune},{cast.vera}"},
        headers=LIVE,
    )
    db.session.expire_all()
    assert (cleared.status_code, task(runbook, 3).assignees) == (200, [])


@pytest.mark.parametrize(
    ("name", "typed", "sentence"),
    [
        ("title", "  ", "Enter a name."),
        ("duration", "long", "Write a duration such as 15m, 1h 30m or 1:30."),
        ("predecessors", "999", "There is no task #999."),
        ("predecessors", "2", "That would be a loop: #1 waits for #2 waits for #1."),
        ("predecessors", "1", "A task cannot wait for itself."),
    ],
)
def test_a_refused_cell_says_why_beside_it_and_changes_nothing(
    make_runbook: MakeRunbook, cast: Cast, client_of: ClientOf, name: str, typed: str, sentence: str
) -> None:
    runbook = make_runbook("Announce", "Deploy", waits={2: [1]})
    before, client = tables(), client_of(cast.rune)
    answer = client.post(url_of(runbook, name), data={name: typed}, headers=LIVE)
    assert answer.status_code == 422
    assert (
        f'id="said-1-{name}" hx-swap-oob="true"' in answer.text and f"<span>{sentence}</span>" in answer.text
    )
    assert "data-keep" not in answer.text
    plain = client.post(url_of(runbook, name), data={name: typed})
    assert (plain.status_code, sentence in plain.text) == (422, True)
    assert tables() == before


def test_a_cell_that_someone_else_changed_asks_for_a_choice(
    make_runbook: MakeRunbook, cast: Cast, jonas: User, client_of: ClientOf
) -> None:
    runbook = make_runbook("Announce", "Deploy")
    rune = client_of(cast.rune)
    client_of(jonas.id).post(url_of(runbook), data={"duration": "45m", "was-duration": "5m"}, headers=LIVE)
    before = tables()
    asked = rune.post(url_of(runbook), data={"duration": "30m", "was-duration": "5m"}, headers=LIVE)
    assert asked.status_code == 422
    assert "Jonas changed this just now to 45m; you typed 30m." in asked.text
    assert 'data-keep="&#34;45m&#34;" data-now="45m">Keep 45m</button>' in asked.text
    assert 'data-save data-now="45m">Save 30m</button>' in asked.text
    assert 'id="t-1"' in asked.text  # what stands under the input is Jonas's
    assert tables() == before
    plain = rune.post(url_of(runbook), data={"duration": "30m", "was-duration": "5m"})
    assert (plain.status_code, "Jonas changed this just now to 45m; you typed 30m." in plain.text) == (
        422,
        True,
    )
    saved = rune.post(url_of(runbook), data={"duration": "30m", "was-duration": "45m"}, headers=LIVE)
    db.session.expire_all()
    assert (saved.status_code, task(runbook, 1).duration_s) == (200, 1800)


def test_long_words_are_shortened_and_not_put_on_buttons(
    make_runbook: MakeRunbook, cast: Cast, jonas: User, client_of: ClientOf
) -> None:
    runbook = make_runbook("Announce")
    changed(task(runbook, 1), jonas, title="Tell " + "everybody " * 12)
    answer = client_of(cast.rune).post(
        url_of(runbook, "title"), data={"title": "Tell all", "was-title": "Announce"}, headers=LIVE
    )
    assert "everybody everybody ever…”; you typed “Tell all”." in answer.text
    assert ">Keep theirs</button>" in answer.text and ">Save mine</button>" in answer.text


def test_people_and_empty_values_are_told_in_words(
    make_runbook: MakeRunbook, cast: Cast, jonas: User, client_of: ClientOf
) -> None:
    runbook = make_runbook("Announce")
    changed(task(runbook, 1), jonas, assignees=[jonas], planned_start=TEN)
    rune = client_of(cast.rune)
    people = rune.post(
        url_of(runbook, "assignee_ids"),
        data={"assignee_ids": [cast.rune, cast.vera], "was-assignee_ids": ""},
        headers=LIVE,
    )
    assert "Jonas changed this just now to Jonas; you chose Rune, Vera." in people.text
    moved = {"planned_start": "2026-11-23T11:30", "was-planned_start": ""}
    start = rune.post(url_of(runbook, "planned_start"), data=moved, headers=LIVE)
    assert "Jonas changed this just now to 23 Nov, 10:00; you typed 23 Nov, 11:30." in start.text
    changed(task(runbook, 1), jonas, planned_start=None)
    cleared = rune.post(
        url_of(runbook, "planned_start"),
        data={"planned_start": "2026-11-23T11:30", "was-planned_start": TEN.isoformat()},
        headers=LIVE,
    )
    assert "Jonas changed this just now to nothing; you typed 23 Nov, 11:30." in cleared.text


def test_only_cells_of_the_plan_can_be_saved_and_only_before_the_task_starts(
    make_runbook: MakeRunbook, cast: Cast, rune: User, client_of: ClientOf
) -> None:
    runbook = make_runbook("Announce", "Deploy", mode=Mode.LIVE)
    operations.start_task(task(runbook, 1), by=rune)
    db.session.commit()
    client = client_of(cast.rune)
    assert client.post(url_of(runbook, "state"), data={"state": "complete"}).status_code == 404
    before = tables()
    answer = client.post(url_of(runbook), data={"duration": "30m"}, headers=LIVE)
    assert answer.status_code == 422
    assert (
        "The task has started, so only its name, description and people can be changed."
        in (answer.headers["HX-Trigger"])
    )
    assert tables() == before
    assert client.post(url_of(runbook, number=2), data={"duration": "30m"}, headers=LIVE).status_code == 200


def details(**values: Any) -> dict[str, Any]:
    return {"title": "Announce", "duration": "5m", "action_id": 0, "description": "", **values}


def test_the_panel_asks_for_the_same_choice_and_keeps_what_was_typed_and_seen(
    make_runbook: MakeRunbook, cast: Cast, jonas: User, client_of: ClientOf
) -> None:
    runbook = make_runbook("Announce")
    url, stream = f"/runbooks/{runbook.id}/tasks/1", runbook.streams[0].id
    client = client_of(cast.rune)
    page = client.get(f"/runbooks/{runbook.id}?task=1").text
    assert 'data-was="5m"' in page and '<input type="hidden" name="was-duration" value="5m">' in page
    changed(task(runbook, 1), jonas, duration_s=2700, description="Ring twice")
    before = tables()
    typed = details(stream_id=stream, duration="30m", touched="duration")
    asked = client.post(url, data={**typed, "was-duration": "5m"}, headers=LIVE)
    assert asked.status_code == 422
    assert "Jonas changed this just now to 45m; you typed 30m." in asked.text
    assert 'data-save data-now="45m">Save 30m</button>' in asked.text
    assert 'data-was="5m"' in asked.text and 'value="30m"' in asked.text
    assert tables() == before
    saved = client.post(url, data={**typed, "was-duration": "45m"}, headers=LIVE)
    db.session.expire_all()
    found = task(runbook, 1)
    assert (saved.status_code, found.duration_s, found.description) == (200, 1800, "Ring twice")


def test_a_whole_form_without_scripts_takes_back_nothing_that_others_changed(
    make_runbook: MakeRunbook, cast: Cast, jonas: User, client_of: ClientOf
) -> None:
    runbook = make_runbook("Announce")
    found = task(runbook, 1)
    names = {"stream": "stream_id", "duration_s": "duration", "predecessor_ids": "predecessors"}
    names |= {"assignees": "assignee_ids", "action": "action_id"}
    was = {f"was-{names.get(name, name)}": text for name, text in seen_by(found).items()}
    changed(found, jonas, duration_s=2700)
    url, stream = f"/runbooks/{runbook.id}/tasks/1", runbook.streams[0].id
    client = client_of(cast.rune)
    saved = client.post(url, data={**details(stream_id=stream, title="Tell all"), **was, "action_id": 0})
    db.session.expire_all()
    assert (saved.status_code, found.title, found.duration_s) == (303, "Tell all", 2700)
    asked = client.post(url, data={**details(stream_id=stream, duration="30m"), **was})
    assert (asked.status_code, "Jonas changed this just now to 45m; you typed 30m." in asked.text) == (
        422,
        True,
    )
    assert '<input type="hidden" name="was-duration" value="45m">' in asked.text  # sent again, it is a choice


def test_a_plan_that_has_ended_takes_no_cell(
    make_runbook: MakeRunbook, cast: Cast, rune: User, client_of: ClientOf, refuses: Refuses
) -> None:
    runbook = make_runbook("Announce", mode=Mode.LIVE)
    operations.cancel_runbook(runbook, "No window", by=rune)
    with refuses(NotNow, "The runbook has ended, so its plan cannot be changed."):
        operations.edit_task(task(runbook, 1), present(task(runbook, 1)), by=rune, seen={"title": None})
