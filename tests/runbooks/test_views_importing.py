"""The pages of imports and exports: who may, what they answer, what they never answer."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select
from werkzeug.datastructures import FileStorage
from werkzeug.test import encode_multipart

from tests.cast import Cast
from tests.runbooks.conftest import MakeRunbook
from webapp.extensions import db
from webapp.jobs import perform, queue
from webapp.runbooks import import_progress, imports, operations
from webapp.runbooks.models import PlanImport, Runbook
from webapp.runbooks.operations import importing
from webapp.runbooks.sheets.reading import TOO_LARGE, read
from webapp.runbooks.sheets.table import MOST_BYTES
from webapp.runbooks.states import Mode
from webapp.workspaces.models import Membership

PLAN = (
    b"ID,Title,Stream,Predecessors,Start,Assignees\n1,Plan it,A,,2026-12-24 18:00,Rune\n2,Do it,B,1,,Vera\n"
)
BAD = PLAN + b"3,,A,9,31.02.2026,Nobody\n"
MAPPED = {
    "column-0": "number",
    "column-1": "title",
    "column-2": "stream",
    "column-3": "predecessors",
    "column-4": "start",
    "column-5": "assignees",
    "headings": "1",
    "zone": "UTC",
    "references": "number",
}


@pytest.fixture
def runes(client_of: Callable[[int], FlaskClient], cast: Cast) -> FlaskClient:
    return client_of(cast.rune)


@pytest.fixture
def upload(runes: FlaskClient, make_runbook: MakeRunbook) -> Callable[..., PlanImport]:
    """An upload of Rune's through the page."""

    def uploaded(data: bytes = PLAN, runbook: Runbook | None = None) -> PlanImport:
        runbook = runbook or make_runbook()
        answer = runes.post(f"/runbooks/{runbook.id}/import", data={"file": (io.BytesIO(data), "plan.csv")})
        assert answer.status_code == 303, answer.text
        db.session.rollback()
        return db.session.get_one(PlanImport, int(answer.location.rsplit("/", 1)[1]))

    return uploaded


def test_a_plan_is_uploaded_checked_imported_and_undone(
    upload: Callable[..., PlanImport], runes: FlaskClient
) -> None:
    found = upload()
    runbook_id = found.runbook_id
    shown = runes.get(f"/imports/{found.id}")
    assert shown.status_code == 200
    assert "Import 2 tasks" in shown.text and "24 Dec 2026, 18:00" in shown.text and "Plan it" in shown.text

    sent = runes.post(f"/imports/{found.id}", data=MAPPED)
    assert (sent.status_code, sent.location) == (303, f"/imports/{found.id}")
    waiting = runes.get(f"/imports/{found.id}")
    assert f'hx-get="/imports/{found.id}/progress" hx-trigger="every 700ms"' in waiting.text
    assert '<progress max="2" value="0"' in waiting.text

    perform(*queue().jobs[0].args)
    done = runes.get(f"/imports/{found.id}/progress", headers={"HX-Request": "true"})
    assert "2 tasks are in Release 12" in done.text
    assert "hx-trigger" not in done.text and "<html" not in done.text
    assert len(imports.plan_rows(runbook_id)) == 2

    undone = runes.post(f"/imports/{found.id}/undo")
    assert (undone.status_code, undone.location) == (303, f"/runbooks/{runbook_id}")
    assert "The import is undone: 2 tasks taken away." in runes.get(undone.location).text
    db.session.rollback()
    assert imports.plan_rows(runbook_id) == []
    assert "This import was undone" in runes.get(f"/imports/{found.id}").text


def test_the_progress_is_what_the_worker_told(upload: Callable[..., PlanImport], runes: FlaskClient) -> None:
    found = upload()
    runes.post(f"/imports/{found.id}", data=MAPPED)
    import_progress.tell(found.id, 1)
    piece = runes.get(f"/imports/{found.id}/progress", headers={"HX-Request": "true"})
    assert '<progress max="2" value="1" aria-label="Imported tasks">' in piece.text


def test_a_refused_import_sends_the_waiting_page_back_to_its_columns(
    upload: Callable[..., PlanImport], runes: FlaskClient
) -> None:
    found = upload()
    runes.post(f"/imports/{found.id}", data=MAPPED)
    importing.refuse_import(found.id, "Something is different now.")
    piece = runes.get(f"/imports/{found.id}/progress", headers={"HX-Request": "true"})
    assert (piece.status_code, piece.headers["HX-Redirect"]) == (204, f"/imports/{found.id}")
    assert "Something is different now." in runes.get(f"/imports/{found.id}").text


def test_every_bad_row_is_on_the_page_and_in_the_list(
    upload: Callable[..., PlanImport], runes: FlaskClient
) -> None:
    found = upload(BAD)
    shown = runes.get(f"/imports/{found.id}").text
    assert "4 things are wrong in 1 row" in shown
    for cause in (
        "The title is missing.",
        "There is no task with the ID 9.",
        "There is no 31 February 2026.",
        "“Nobody” is nobody in this workspace.",
    ):
        assert cause in shown
    listed = runes.get(f"/imports/{found.id}/problems.csv")
    rows = list(csv.reader(io.StringIO(listed.data.decode("utf-8-sig"))))
    assert rows[0] == ["Row", "Column", "What is wrong", "What to do"]
    assert [row[:3] for row in rows[1:]] == [
        ["4", "B Title", "The title is missing."],
        ["4", "E Start", "There is no 31 February 2026."],
        ["4", "F Assignees", "“Nobody” is nobody in this workspace."],
        ["4", "D Predecessors", "There is no task with the ID 9."],
    ]


def test_importing_a_bad_file_answers_422_and_imports_nothing(
    upload: Callable[..., PlanImport], runes: FlaskClient
) -> None:
    found = upload(BAD)
    answer = runes.post(f"/imports/{found.id}", data=MAPPED)
    assert answer.status_code == 422
    assert "Nothing was imported: 4 things are wrong with the file." in answer.text
    db.session.rollback()
    assert (db.session.get_one(PlanImport, found.id).state, queue().count) == ("mapping", 0)


def test_another_mapping_is_checked_at_once_and_kept(
    upload: Callable[..., PlanImport], runes: FlaskClient
) -> None:
    found = upload(BAD)
    typed = {
        **MAPPED,
        "column-3": "",
        "column-4": "",
        "column-5": "",
        "column-1": "description",
        "column-2": "title",
    }
    piece = runes.post(f"/imports/{found.id}/check", data=typed, headers={"HX-Request": "true"})
    assert piece.status_code == 200
    assert piece.text.lstrip().startswith('<div class="stack l" id="import-check">')
    assert "wrong" not in piece.text and "Import 3 tasks" in piece.text
    db.session.rollback()
    kept = db.session.get_one(PlanImport, found.id).mapping
    assert kept["columns"] == ["number", "description", "title", "", "", ""]
    assert "<html" in runes.post(f"/imports/{found.id}/check", data=typed).text


def test_the_order_of_day_and_month_is_asked_for(
    upload: Callable[..., PlanImport], runes: FlaskClient
) -> None:
    found = upload(b"Title,Start\nOne,03/04/2026\n")
    shown = runes.get(f"/imports/{found.id}").text
    assert "can be read with the day or with the month first" in shown
    assert shown.count('name="date_order"') == 2 and 'value="dmy" checked' not in shown
    typed = {"column-0": "title", "column-1": "start", "headings": "1", "zone": "UTC", "date_order": "mdy"}
    piece = runes.post(f"/imports/{found.id}/check", data=typed, headers={"HX-Request": "true"}).text
    assert 'value="mdy" checked' in piece and "04 Mar 2026, 00:00" in piece


@pytest.mark.parametrize(
    "wrong",
    [
        {"column-0": "salary"},
        {"zone": "Mars/Base"},
        {"zone": "../../etc/passwd"},
        {"date_order": "ymd"},
        {"references": "x"},
    ],
)
def test_what_no_form_sends_is_refused(
    upload: Callable[..., PlanImport], runes: FlaskClient, wrong: dict[str, str]
) -> None:
    found = upload()
    assert runes.post(f"/imports/{found.id}", data={**MAPPED, **wrong}).status_code == 400


def test_a_file_that_cannot_be_read_is_refused_beside_its_field(
    runes: FlaskClient, make_runbook: MakeRunbook
) -> None:
    runbook = make_runbook()
    answer = runes.post(
        f"/runbooks/{runbook.id}/import", data={"file": (io.BytesIO(b"%PDF-1.7"), "plan.pdf")}
    )
    assert answer.status_code == 422
    assert "This is a PDF. Choose the plan as CSV or XLSX." in answer.text
    without = runes.post(f"/runbooks/{runbook.id}/import", data={})
    assert without.status_code == 422 and "Choose a file." in without.text
    db.session.rollback()
    assert db.session.scalar(select(func.count()).select_from(PlanImport)) == 0


class Unread(io.BytesIO):
    """A body of 200 MB that notes whether anyone read it. The test client asks for its end."""

    touched = False
    at_end = False

    def seek(self, offset: int, whence: int = 0) -> int:
        self.at_end = whence == io.SEEK_END
        return self.tell()

    def tell(self) -> int:
        return 200_000_000 if self.at_end else 0

    def read(self, *_: Any) -> bytes:
        self.touched = True
        return b""


@pytest.mark.parametrize("path", ["/runbooks/{}/import", "/runbooks/import"])
def test_two_hundred_megabytes_are_refused_before_a_byte_is_read(
    runes: FlaskClient, make_runbook: MakeRunbook, path: str
) -> None:
    body = Unread()
    answer = runes.post(
        path.format(make_runbook().id),
        input_stream=body,
        content_type="multipart/form-data; boundary=x",
    )
    assert (answer.status_code, body.touched) == (413, False)
    assert TOO_LARGE in answer.text


def test_other_forms_keep_their_own_limit(runes: FlaskClient, make_runbook: MakeRunbook) -> None:
    answer = runes.post(f"/runbooks/{make_runbook().id}/edit", data={"description": "x" * 2_100_000})
    assert answer.status_code == 413


def test_a_file_of_almost_the_limit_gets_through(runes: FlaskClient, make_runbook: MakeRunbook) -> None:
    data = b"Title,Notes\n" + b"".join(b"go," + b"y" * 9000 + b"\n" for _ in range(1000))
    assert 8_000_000 < len(data) < MOST_BYTES
    boundary, body = encode_multipart({"file": FileStorage(io.BytesIO(data), "plan.csv")})
    kind = f"multipart/form-data; boundary={boundary}"
    answer = runes.post(f"/runbooks/{make_runbook().id}/import", data=body, content_type=kind)
    assert answer.status_code == 303
    assert db.session.scalars(select(PlanImport.row_count)).one() == 1000


def test_a_plan_becomes_a_new_runbook(runes: FlaskClient, cast: Cast) -> None:
    page = runes.get("/runbooks/import")
    assert page.status_code == 200 and "Name of the new runbook" in page.text
    answer = runes.post(
        "/runbooks/import",
        data={"name": "Failover", "workspace_id": cast.payments, "file": (io.BytesIO(PLAN), "plan.csv")},
    )
    assert answer.status_code == 303
    runes.post(answer.location, data=MAPPED)
    perform(*queue().jobs[0].args)
    db.session.rollback()
    runbook = db.session.scalars(select(Runbook)).one()
    assert (runbook.name, len(imports.plan_rows(runbook.id))) == ("Failover", 2)
    assert f'href="/runbooks/{runbook.id}"' in runes.get(answer.location).text


def test_a_plan_goes_into_no_foreign_workspace(runes: FlaskClient, cast: Cast) -> None:
    answer = runes.post(
        "/runbooks/import",
        data={"name": "Failover", "workspace_id": cast.treasury, "file": (io.BytesIO(PLAN), "plan.csv")},
    )
    assert answer.status_code == 422
    assert db.session.scalar(select(func.count()).select_from(PlanImport)) == 0


IMPORT_ROUTES = [
    ("get", "/imports/{}"),
    ("post", "/imports/{}"),
    ("post", "/imports/{}/check"),
    ("post", "/imports/{}/discard"),
    ("post", "/imports/{}/undo"),
    ("get", "/imports/{}/progress"),
    ("get", "/imports/{}/problems.csv"),
]


@pytest.mark.parametrize(("method", "path"), IMPORT_ROUTES)
def test_an_import_of_someone_else_does_not_exist(
    upload: Callable[..., PlanImport],
    client_of: Callable[[int], FlaskClient],
    cast: Cast,
    method: str,
    path: str,
) -> None:
    address = path.format(upload().id)
    otto, vera = client_of(cast.otto), client_of(cast.vera)
    assert otto.open(address, method=method.upper(), data=MAPPED).status_code == 404
    assert vera.open(address, method=method.upper(), data=MAPPED).status_code == 404
    assert otto.open(path.format(99), method=method.upper()).status_code == 404


@pytest.mark.parametrize(("method", "path"), IMPORT_ROUTES)
def test_ones_own_import_is_gone_with_the_right_to_edit(
    upload: Callable[..., PlanImport], runes: FlaskClient, cast: Cast, method: str, path: str
) -> None:
    found = upload()
    db.session.scalars(
        select(Membership).where(Membership.user_id == cast.rune)
    ).one().workspace_id = cast.treasury
    db.session.get_one(PlanImport, found.id).runbook.owners = []
    db.session.commit()
    assert runes.open(path.format(found.id), method=method.upper(), data=MAPPED).status_code == 404


@pytest.mark.parametrize(
    ("method", "path", "editor", "viewer"),
    [
        ("get", "/runbooks/{}/import", 200, 403),
        ("post", "/runbooks/{}/import", 422, 403),
        ("get", "/runbooks/{}/plan.csv", 200, 200),
        ("get", "/runbooks/{}/plan.xlsx", 200, 200),
        ("get", "/runbooks/{}/plan.yaml", 200, 200),
        ("get", "/runbooks/{}/run-sheet", 200, 200),
    ],
)
def test_who_may_import_and_export_a_runbook(
    client_of: Callable[[int], FlaskClient],
    cast: Cast,
    make_runbook: MakeRunbook,
    method: str,
    path: str,
    editor: int,
    viewer: int,
) -> None:
    address = path.format(make_runbook("One").id)
    wanted = {cast.rune: editor, cast.vera: viewer, cast.otto: 404}
    got = {each: client_of(each).open(address, method=method.upper()).status_code for each in wanted}
    assert got == wanted


def test_forms_of_imports_need_their_token(
    app: Flask, upload: Callable[..., PlanImport], runes: FlaskClient
) -> None:
    found = upload()
    app.config["WTF_CSRF_ENABLED"] = True
    try:
        paths = [f"/imports/{found.id}{end}" for end in ("", "/check", "/discard", "/undo")]
        paths += [f"/runbooks/{found.runbook_id}/import", "/runbooks/import"]
        assert [runes.post(path, data=MAPPED).status_code for path in paths] == [400] * 6
    finally:
        app.config["WTF_CSRF_ENABLED"] = False


def test_a_file_is_thrown_away(upload: Callable[..., PlanImport], runes: FlaskClient) -> None:
    found = upload()
    import_id, runbook_id = found.id, found.runbook_id
    answer = runes.post(f"/imports/{import_id}/discard")
    assert (answer.status_code, answer.location) == (303, f"/runbooks/{runbook_id}")
    assert runes.get(f"/imports/{import_id}").status_code == 404


def test_what_comes_too_late_is_answered_with_409_and_the_page(
    upload: Callable[..., PlanImport], runes: FlaskClient
) -> None:
    found = upload()
    early = runes.post(f"/imports/{found.id}/undo")
    assert early.status_code == 409 and "This import has not added anything yet." in early.text
    runes.post(f"/imports/{found.id}", data=MAPPED)
    late = runes.post(f"/imports/{found.id}/discard")
    assert late.status_code == 409 and "The file is being imported already." in late.text
    again = runes.post(f"/imports/{found.id}", data=MAPPED)
    assert (again.status_code, again.location) == (303, f"/imports/{found.id}")
    assert queue().count == 1


def test_a_runbook_under_way_offers_no_import(runes: FlaskClient, make_runbook: MakeRunbook) -> None:
    runbook = make_runbook("One", mode=Mode.LIVE)
    assert "Import a plan" not in runes.get(f"/runbooks/{runbook.id}").text
    page = runes.get(f"/runbooks/{runbook.id}/import").text
    assert "This runbook has been started" in page and 'type="file"' not in page
    answer = runes.post(f"/runbooks/{runbook.id}/import", data={"file": (io.BytesIO(PLAN), "plan.csv")})
    assert answer.status_code == 422
    assert db.session.scalar(select(func.count()).select_from(PlanImport)) == 0


def test_the_menu_of_a_runbook_exports_for_everyone_and_imports_for_editors(
    client_of: Callable[[int], FlaskClient], cast: Cast, make_runbook: MakeRunbook
) -> None:
    runbook = make_runbook("One")
    entries = ("Import a plan", "Export as CSV", "Export as XLSX", "Export as YAML", "Run sheet to print")
    for user_id, wanted in ((cast.rune, (1, 1, 1, 1, 1)), (cast.vera, (0, 1, 1, 1, 1))):
        text = client_of(user_id).get(f"/runbooks/{runbook.id}").text
        assert tuple(text.count(entry) for entry in entries) == wanted


def test_exports_are_named_after_the_runbook_and_hold_its_plan(
    runes: FlaskClient, make_runbook: MakeRunbook
) -> None:
    runbook = make_runbook("=HYPERLINK(1)", "Second", name="Größe: 12/3", waits={2: [1]})
    text = runes.get(f"/runbooks/{runbook.id}/plan.csv")
    assert text.headers["Content-Disposition"].startswith("attachment; filename")
    assert "filename*=UTF-8''Gr%C3%B6%C3%9Fe%2012%203.csv" in text.headers["Content-Disposition"]
    assert text.data.decode("utf-8-sig") == (
        "ID,Title,Stream,Description,Predecessors,Planned start (UTC),Duration,Assignees,"
        "Task type,Linked runbook,Fixed start,Starts by itself,Who starts,Who finishes\r\n"
        "1,'=HYPERLINK(1),Tasks,,,,5m,,Task,,,,,\r\n"
        "2,Second,Tasks,,1,,5m,,Task,,,,,\r\n"
    )
    book = runes.get(f"/runbooks/{runbook.id}/plan.xlsx")
    assert [list(each.cells) for each in read(book.data).lines][1][:3] == ["1", "=HYPERLINK(1)", "Tasks"]


def test_the_run_sheet_needs_no_script_and_says_the_plan(
    runes: FlaskClient, make_runbook: MakeRunbook
) -> None:
    runbook = make_runbook("Plan it", "Do it", waits={2: [1]})
    text = runes.get(f"/runbooks/{runbook.id}/run-sheet").text
    assert "<script" not in text
    assert "Plan it" in text and "Do it" in text and "Times are UTC." in text


def test_the_run_sheet_of_an_ended_run_has_what_happened(
    runes: FlaskClient, make_runbook: MakeRunbook, rune: Any
) -> None:
    runbook = make_runbook("Plan it", "Do it", mode=Mode.LIVE)
    first, second = runbook.tasks
    operations.start_task(first, by=rune)
    operations.finish_task(first, by=rune)
    operations.skip_task(second, "Not needed.", by=rune)
    db.session.commit()
    text = runes.get(f"/runbooks/{runbook.id}/run-sheet").text
    assert "Skipped" in text and "Running, live run" in text


def test_the_pages_take_as_many_queries_for_thirty_rows_as_for_one(
    upload: Callable[..., PlanImport],
    runes: FlaskClient,
    make_runbook: MakeRunbook,
    counting_queries: Callable[[], AbstractContextManager[list[str]]],
) -> None:
    def asked(count: int) -> list[int]:
        runbook = make_runbook(*(f"Task {number}" for number in range(count)), name=f"Of {count}")
        found = upload(b"Title,Assignees\n" + b"Go,Rune\n" * count, runbook)
        counts = []
        for path in (
            f"/imports/{found.id}",
            f"/runbooks/{runbook.id}/plan.csv",
            f"/runbooks/{runbook.id}/run-sheet",
        ):
            with counting_queries() as statements:
                assert runes.get(path).status_code == 200
            counts.append(len(statements))
        return counts

    asked(1)
    assert asked(1) == asked(30)
