"""A runbook's time zone: who sees its times in which zone, what a typed time means, and what files say of it.

Vera's and Rune's profiles say Asia/Tokyo; the runbook is planned in Europe/Berlin, for the night of 29 March 2026.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from tests.cast import Cast
from tests.runbooks.conftest import Audit, MakeRunbook, task
from webapp.accounts.models import User
from webapp.audit.models import AuditLine
from webapp.clock import now
from webapp.extensions import db
from webapp.runbooks import operations
from webapp.runbooks.models import Runbook
from webapp.runbooks.operations import importing
from webapp.runbooks.sheets.reading import read
from webapp.runbooks.states import Mode

ClientOf = Callable[[int], FlaskClient]
NIGHT = datetime(2026, 3, 29, 0, 30, tzinfo=UTC)  # 01:30 in Berlin, half an hour before the clocks go forward
BERLIN, TOKYO = "Europe/Berlin", "Asia/Tokyo"
HTMX = {"HX-Request": "true"}
GAP = (
    "02:30 does not exist on 29 Mar 2026 in Europe/Berlin: the clocks go from 02:00 straight to 03:00. "
    "Write a time before 02:00, or 03:00 and later."
)


@pytest.fixture
def night(make_runbook: MakeRunbook, cast: Cast) -> str:
    """The address of the runbook: its first task begins at 01:30, the second an hour later."""
    runbook = make_runbook("Open the bridge", "Switch over")
    runbook.time_zone, runbook.planned_start = BERLIN, NIGHT
    task(runbook, 2).planned_start = NIGHT + timedelta(hours=1)
    for user_id in (cast.rune, cast.vera):
        db.session.get_one(User, user_id).time_zone = TOKYO
    db.session.commit()
    return f"/runbooks/{runbook.id}"


def found(address: str) -> Runbook:
    db.session.expire_all()
    return db.session.get_one(Runbook, int(address.split("/")[2]))


def starts(page: str) -> list[str]:
    """The planned starts in the rows of the list, without their days."""
    cells = re.findall(r'<span class="when"[^>]*>(.*?)</span>', page, re.DOTALL)
    return [text[-5:] for cell in cells for text in re.findall(r"<time [^>]*>([^<]*)</time>", cell)]


def said(page: str) -> str:
    """What the page says of its zone."""
    line = re.search(r'class="zones".*?</(?:form|p)>', page, re.DOTALL)
    assert line is not None
    return " ".join(re.sub(r"<[^>]*>", "", "<p " + line[0]).split())


def test_the_list_tells_the_runbook_s_times_says_so_once_and_has_the_viewer_s_in_the_titles(
    night: str, cast: Cast, client_of: ClientOf
) -> None:
    page = client_of(cast.vera).get(night).text
    assert starts(page) == ["01:30", "03:30"]
    assert said(page) == (
        "Times in Europe/Berlin · yours: Asia/Tokyo, 8 h ahead, then 7 h ahead once the clocks change Show mine"
    )
    assert page.count('class="zones"') == 1
    assert "29 Mar 2026, 09:30:00 Asia/Tokyo (UTC+9)\n29 Mar 2026, 01:30:00 Europe/Berlin (UTC+1)" in page
    assert '<html lang="en"' in page and 'data-zone="Europe/Berlin"' in page


def test_who_chooses_their_own_zone_sees_it_from_then_on_and_nobody_else_does(
    night: str, cast: Cast, client_of: ClientOf, audit: Audit
) -> None:
    vera, rune = client_of(cast.vera), client_of(cast.rune)
    assert starts(rune.get(night).text) == ["01:30", "03:30"]
    answer = vera.post("/profile/runbook-times", data={"zone": "own", "next": f"{night}/timeline"})
    assert (answer.status_code, answer.location) == (303, f"{night}/timeline")
    for _ in range(2):
        page = vera.get(night).text
        assert starts(page) == ["09:30", "10:30"]
        assert said(page) == (
            "Times in Asia/Tokyo, yours · the runbook’s: Europe/Berlin, 8 h behind, then 7 h behind once the clocks "
            "change Show the runbook’s"
        )
        assert starts(rune.get(night).text) == ["01:30", "03:30"]
    vera.post("/profile/runbook-times", data={"zone": "runbook"})
    assert starts(vera.get(night).text) == ["01:30", "03:30"]
    assert audit() == []


@pytest.mark.parametrize("zone", ["", "Asia/Tokyo", "both"])
def test_no_other_choice_is_taken(cast: Cast, client_of: ClientOf, zone: str) -> None:
    assert client_of(cast.vera).post("/profile/runbook-times", data={"zone": zone}).status_code == 400


def test_a_viewer_in_the_runbook_s_zone_is_asked_nothing(night: str, cast: Cast, client_of: ClientOf) -> None:
    db.session.get_one(User, cast.vera).time_zone = BERLIN
    page = client_of(cast.vera).get(night).text
    assert said(page) == "Times in Europe/Berlin"


@pytest.mark.parametrize(
    ("path", "berlin", "tokyo"),
    [
        ("/timeline", ["01:30", "03:20"], ["09:30", "10:20"]),
        ("/run-sheet", ["01:30", "03:30"], ["09:30", "10:30"]),
        ("?task=2", ["03:30", "03:35"], ["10:30", "10:35"]),
        ("/dashboard", ["03:35"], ["10:35"]),
    ],
)
def test_every_view_tells_the_zone_that_was_chosen(
    night: str, cast: Cast, client_of: ClientOf, path: str, berlin: list[str], tokyo: list[str]
) -> None:
    vera = client_of(cast.vera)

    def told() -> set[str]:
        page = vera.get(night + path).text
        texts = re.findall(r"<time [^>]*>(?:<small>[^<]*</small> )?([^<]*)</time>", page)
        return {each[-5:] for each in texts}

    assert told() >= set(berlin)
    assert told() & set(tokyo) == set()
    vera.post("/profile/runbook-times", data={"zone": "own"})
    assert told() >= set(tokyo)
    assert told() & set(berlin) == set()


def test_a_wall_tells_the_runbook_s_zone_to_everybody(night: str, cast: Cast, client_of: ClientOf) -> None:
    vera = client_of(cast.vera)
    vera.post("/profile/runbook-times", data={"zone": "own"})
    page = vera.get(f"{night}/wall").text
    assert 'data-zone="Europe/Berlin"' in page
    assert "Now, Europe/Berlin" in page
    assert "09:30</time>" not in page
    assert (
        vera.get(f"{night}/wall", headers={**HTMX, "X-Zone": f"{TOKYO} {BERLIN}"}).text.count("01:30</time>")
        == 1
    )


def test_home_and_my_tasks_tell_the_viewer_s_own_zone(night: str, cast: Cast, client_of: ClientOf) -> None:
    runbook = found(night)
    task(runbook, 1).assignees = [db.session.get_one(User, cast.rune)]
    operations.start_runbook(runbook, Mode.LIVE, by=db.session.get_one(User, cast.rune))
    runbook.started_at = NIGHT
    db.session.commit()
    rune = client_of(cast.rune)
    for path in ("/", "/my-tasks"):
        page = rune.get(path).text
        assert 'data-zone="Asia/Tokyo"' in page
        assert "01:30</time>" not in page
    assert starts(rune.get("/my-tasks").text) == ["09:30"]


def test_pieces_come_in_the_zone_of_the_page_that_asks_whatever_was_chosen_since(
    night: str, cast: Cast, client_of: ClientOf
) -> None:
    vera = client_of(cast.vera)
    vera.post("/profile/runbook-times", data={"zone": "own"})
    changes = f"{night}/changes?since=0"
    assert starts(vera.get(changes, headers={**HTMX, "X-Zone": f"{BERLIN} {TOKYO}"}).text) == [
        "01:30",
        "03:30",
    ]
    assert starts(vera.get(changes, headers={**HTMX, "X-Zone": f"{TOKYO} {BERLIN}"}).text) == [
        "09:30",
        "10:30",
    ]


def test_a_page_whose_zone_is_nobody_s_any_more_is_loaded_anew(
    night: str, cast: Cast, client_of: ClientOf
) -> None:
    rune, vera = client_of(cast.rune), client_of(cast.vera)
    form = {"name": "Release 12", "planned_start": "2026-03-29T01:30", "zone": BERLIN, "time_zone": "London"}
    saved = rune.post(f"{night}/edit", data=form, headers={**HTMX, "X-Zone": f"{BERLIN} {TOKYO}"})
    assert (saved.status_code, saved.headers.get("HX-Refresh")) == (204, "true")
    pulled = vera.get(f"{night}/changes?since=0", headers={**HTMX, "X-Zone": f"{BERLIN} {TOKYO}"})
    assert pulled.headers.get("HX-Refresh") == "true"
    in_ones_own = vera.get(f"{night}/changes?since=0", headers={**HTMX, "X-Zone": f"{TOKYO} {BERLIN}"})
    assert in_ones_own.headers.get("HX-Refresh") == "true"  # its head tells of a zone that is none of the two
    assert (found(night).time_zone, found(night).planned_start) == ("Europe/London", NIGHT)
    assert starts(vera.get(night).text) == ["00:30", "02:30"]


def test_the_dialog_sets_zone_and_start_and_the_audit_log_tells_both(
    night: str, cast: Cast, client_of: ClientOf
) -> None:
    rune = client_of(cast.rune)
    assert 'value="Europe/Berlin"' in rune.get(f"{night}/edit").text
    form = {"name": "Release 12", "planned_start": "2026-03-29T03:10", "zone": BERLIN, "time_zone": TOKYO}
    assert rune.post(f"{night}/edit", data=form).status_code == 303
    later = datetime(2026, 3, 29, 1, 10, tzinfo=UTC)
    assert (found(night).time_zone, found(night).planned_start) == (TOKYO, later)
    line = db.session.scalars(select(AuditLine).where(AuditLine.verb == "runbook.changed")).one()
    assert (line.before, line.after) == (
        {"planned_start": NIGHT.isoformat(), "time_zone": BERLIN},
        {"planned_start": later.isoformat(), "time_zone": TOKYO},
    )


@pytest.mark.parametrize(
    ("form", "sentence"),
    [
        ({"time_zone": "Europe/Berln"}, "There is no time zone “Europe/Berln”. Did you mean Europe/Berlin?"),
        (
            {"planned_start": "2026-03-29T02:30"},
            GAP,
        ),
    ],
)
def test_an_unknown_zone_and_a_time_that_does_not_exist_are_refused_and_stay_typed(
    night: str, cast: Cast, client_of: ClientOf, form: dict[str, str], sentence: str
) -> None:
    answer = client_of(cast.rune).post(
        f"{night}/edit", data={"name": "Release 12", "zone": BERLIN, **form}, headers=HTMX
    )
    assert answer.status_code == 422
    assert sentence in answer.text
    assert f'value="{next(iter(form.values()))}"' in answer.text
    assert (found(night).time_zone, found(night).planned_start) == (BERLIN, NIGHT)


def test_a_task_s_start_is_typed_in_the_zone_that_its_form_says(
    night: str, cast: Cast, client_of: ClientOf
) -> None:
    rune = client_of(cast.rune)
    panel = rune.get(f"{night}?task=2").text
    assert 'value="2026-03-29 03:30:00"' in panel
    assert '<input type="hidden" name="zone" value="Europe/Berlin">' in panel
    assert "In Europe/Berlin." in panel
    form = _form(found(night), planned_start="2026-03-29T03:45", zone=BERLIN)
    rune.post("/profile/runbook-times", data={"zone": "own"})  # in another window
    assert rune.post(f"{night}/tasks/2", data=form).status_code == 303
    assert task(found(night), 2).planned_start == datetime(2026, 3, 29, 1, 45, tzinfo=UTC)
    refused = rune.post(f"{night}/tasks/2", data={**form, "planned_start": "2026-03-29T02:30"}, headers=HTMX)
    assert refused.status_code == 422
    assert "02:30 does not exist on 29 Mar 2026 in Europe/Berlin" in refused.text


def test_a_start_that_comes_twice_is_the_first_and_the_form_says_so(
    night: str, cast: Cast, client_of: ClientOf
) -> None:
    rune = client_of(cast.rune)
    form = _form(found(night), planned_start="2026-10-25T02:30", zone=BERLIN)
    assert rune.post(f"{night}/tasks/2", data=form).status_code == 303
    assert task(found(night), 2).planned_start == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    assert "This is the first, at UTC+2." in rune.get(f"{night}?task=2").text


def test_a_start_that_is_typed_in_its_row_is_in_the_zone_of_the_page(
    night: str, cast: Cast, client_of: ClientOf
) -> None:
    rune, cell = client_of(cast.rune), f"{night}/tasks/2/cells/planned_start"
    rune.post("/profile/runbook-times", data={"zone": "own"})
    for page, typed, moment, words in (
        (f"{TOKYO} {BERLIN}", "2026-03-29T10:45", datetime(2026, 3, 29, 1, 45, tzinfo=UTC), None),
        (f"{BERLIN} {TOKYO}", "2026-03-29T03:50", datetime(2026, 3, 29, 1, 50, tzinfo=UTC), None),
        (
            f"{BERLIN} {TOKYO}",
            "2026-10-25T02:30",
            datetime(2026, 10, 25, 0, 30, tzinfo=UTC),
            "first, at UTC+2.",
        ),
    ):
        saved = rune.post(cell, data={"planned_start": typed}, headers={**HTMX, "X-Zone": page})
        assert (saved.status_code, task(found(night), 2).planned_start) == (200, moment)
        assert bool(words) == ("HX-Trigger" in saved.headers)
        assert (words or "") in saved.headers.get("HX-Trigger", "")
    refused = rune.post(
        cell, data={"planned_start": "2026-03-29T02:30"}, headers={**HTMX, "X-Zone": f"{BERLIN} {TOKYO}"}
    )
    assert refused.status_code == 422
    assert GAP in refused.text


def test_the_second_of_two_stays_what_it_is_when_another_field_is_changed(
    night: str, cast: Cast, client_of: ClientOf
) -> None:
    second = datetime(2026, 10, 25, 1, 30, tzinfo=UTC)
    task(found(night), 2).planned_start = second
    db.session.commit()
    form = _form(found(night), planned_start="2026-10-25T02:30", zone=BERLIN, duration="42m")
    client_of(cast.rune).post(f"{night}/tasks/2", data=form)
    assert (task(found(night), 2).planned_start, task(found(night), 2).duration_s) == (second, 2520)


def _form(runbook: Runbook, **values: str) -> dict[str, Any]:
    return {
        "title": "Switch over",
        "stream_id": runbook.streams[0].id,
        "duration": "5m",
        "action_id": 0,
        **values,
    }


def test_a_new_runbook_gets_the_zone_that_was_chosen_at_first_its_maker_s(
    night: str, cast: Cast, client_of: ClientOf
) -> None:
    rune = client_of(cast.rune)
    assert 'value="Asia/Tokyo"' in rune.get("/runbooks/new").text
    for name, zone, kept in (("Chosen", "new york", "America/New_York"), ("Left", "", TOKYO)):
        form = {"name": name, "workspace_id": cast.payments, "time_zone": zone}
        assert rune.post("/runbooks", data=form).status_code == 303
        assert db.session.scalars(select(Runbook.time_zone).where(Runbook.name == name)).one() == kept
    refused = rune.post("/runbooks", data={"name": "No", "workspace_id": cast.payments, "time_zone": "Mars"})
    assert refused.status_code == 422


def test_a_copy_has_the_zone_of_its_original(night: str, cast: Cast, client_of: ClientOf) -> None:
    form = {"name": "Again", "planned_start": "2026-10-24T22:00", "zone": BERLIN}
    assert client_of(cast.rune).post(f"{night}/duplicate", data=form).status_code == 303
    copy = db.session.scalars(select(Runbook).where(Runbook.name == "Again")).one()
    assert (copy.time_zone, copy.planned_start) == (BERLIN, datetime(2026, 10, 24, 20, 0, tzinfo=UTC))


def test_files_tell_the_zone_that_is_shown_and_yaml_carries_the_runbook_s(
    night: str, cast: Cast, client_of: ClientOf
) -> None:
    rune = client_of(cast.rune)
    assert "Planned start (Europe/Berlin)" in rune.get(f"{night}/plan.csv").text
    assert "Times are Europe/Berlin." in rune.get(f"{night}/run-sheet").text
    assert "time_zone: Europe/Berlin\n" in rune.get(f"{night}/plan.yaml").text
    rune.post("/profile/runbook-times", data={"zone": "own"})
    assert "Planned start (Asia/Tokyo)" in rune.get(f"{night}/plan.csv").text
    assert "time_zone: Europe/Berlin\n" in rune.get(f"{night}/plan.yaml").text


@pytest.mark.parametrize(
    ("line", "zone"), [("time_zone: Europe/Berlin\n", BERLIN), ("", TOKYO)], ids=["named", "not named"]
)
def test_a_new_runbook_from_yaml_has_the_zone_that_it_names(
    cast: Cast, rune: User, line: str, zone: str
) -> None:
    plan = f"runsheet: runbook 1\nname: Night\n{line}tasks:\n- title: Open the bridge\n"
    received = importing.receive_plan(
        read(plan.encode()),
        file_name="plan.yaml",
        zone=TOKYO,
        by=rune,
        workspace=_payments(cast),
        new_name="Night",
    )
    db.session.commit()
    received.state = "queued"
    db.session.commit()
    assert importing.perform_import(received.id, told=lambda _: None)
    assert db.session.scalars(select(Runbook.time_zone).where(Runbook.name == "Night")).one() == zone


def test_a_file_is_read_in_the_runbook_s_zone_unless_it_says_otherwise(
    night: str, cast: Cast, client_of: ClientOf
) -> None:
    import io

    rune = client_of(cast.rune)
    answer = rune.post(
        f"{night}/import",
        data={"file": (io.BytesIO(b"Title,Planned start\nGo,2026-03-29 04:00\n"), "plan.csv")},
    )
    page = rune.get(answer.location).text
    assert re.findall(r"<option(?: selected)?>([A-Z][^<]*)</option>", page)[-3:] == [BERLIN, TOKYO, "UTC"]
    assert "<option selected>Europe/Berlin</option>" in page


def test_the_panel_tells_plan_and_forecast_once_they_differ(
    night: str, cast: Cast, client_of: ClientOf, rune: User
) -> None:
    runbook = found(night)
    task(runbook, 2).planned_start = None
    task(runbook, 2).predecessors = [task(runbook, 1)]
    db.session.commit()
    vera = client_of(cast.vera)
    assert told_of(vera, night, 2) is None
    operations.start_runbook(runbook, Mode.LIVE, by=rune)
    operations.start_task(task(runbook, 1), by=rune)
    first, second = told_of(vera, night, 1), told_of(vera, night, 2)
    assert first is not None and second is not None
    assert re.fullmatch(
        r"Planned 29 Mar(?: 2026)?, 01:30 to 01:35, forecast to end [0-9]{2}:[0-9]{2}[.]", first
    )
    assert re.fullmatch(
        r"Planned 29 Mar(?: 2026)?, 01:35 to 01:40, forecast [^.]*[0-9]{2}:[0-9]{2} to .{5}[.]", second
    )
    runbook.planned_start = runbook.started_at = task(runbook, 1).started_at = now()
    db.session.commit()
    assert (told_of(vera, night, 1), told_of(vera, night, 2)) == (None, None)


def told_of(client: FlaskClient, address: str, number: int) -> str | None:
    """What the panel says of the task's plan and forecast, where they differ."""
    line = re.search(r'id="p-forecast">(.*?)</p>', client.get(f"{address}?task={number}").text, re.DOTALL)
    return re.sub(r"<[^>]*>", "", line[1]) if line else None


def _payments(cast: Cast) -> Any:
    from webapp.workspaces.models import Workspace

    return db.session.get_one(Workspace, cast.payments)
