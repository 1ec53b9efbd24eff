"""CSV and XLSX files: encodings, delimiters, what is refused, and what a spreadsheet would take for a formula."""

from __future__ import annotations

import io
import zipfile
from datetime import date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import Workbook, load_workbook

from webapp.runbooks.sheets.csv_files import read_csv, write_csv
from webapp.runbooks.sheets.reading import read
from webapp.runbooks.sheets.table import MOST_BYTES, MOST_COLUMNS, MOST_ROWS, FileRefused, Table, letter
from webapp.runbooks.sheets.xlsx_files import write_xlsx

ROWS = [["ID", "Title", "Stream"], ["1", "Prüfung, zweite", "Größe"], ["2", "Café; später", "A"]]


def cells(table: Table) -> list[list[str]]:
    return [list(each.cells) for each in table.lines]


def workbook(*rows: list[object], title: str = "Plan") -> bytes:
    book = Workbook()
    book.active.title = title
    for row in rows:
        book.active.append(row)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"])
@pytest.mark.parametrize(("delimiter", "name"), [(",", "comma"), (";", "semicolon"), ("\t", "tab")])
def test_encoding_and_delimiter_are_recognised(encoding: str, delimiter: str, name: str) -> None:
    text = "\r\n".join(delimiter.join(f'"{cell}"' for cell in row) for row in ROWS)
    table = read(text.encode(encoding))
    assert cells(table) == ROWS
    assert (table.kind, table.width) == (f"CSV, separated by {name}s", 3)


def test_a_comma_in_texts_does_not_outvote_the_semicolon() -> None:
    data = b"Title;Stream\nStop, look, listen;A\nGo, now, there;B\n"
    assert cells(read(data)) == [["Title", "Stream"], ["Stop, look, listen", "A"], ["Go, now, there", "B"]]


def test_a_line_that_names_the_delimiter_is_obeyed_and_not_counted() -> None:
    table = read(b"sep=;\r\nTitle;A,B\r\nGo;1\r\n")
    assert [(each.number, list(each.cells)) for each in table.lines] == [
        (1, ["Title", "A,B"]),
        (2, ["Go", "1"]),
    ]


def test_rows_keep_the_numbers_that_a_spreadsheet_shows() -> None:
    table = read(b'Title,Note\n\nOne,"two\nlines"\n,,\nThree,\n')
    assert [(each.number, list(each.cells)) for each in table.lines] == [
        (1, ["Title", "Note"]),
        (3, ["One", "two\nlines"]),
        (5, ["Three"]),
    ]


def test_what_no_database_keeps_is_left_out_and_line_ends_are_one() -> None:
    assert cells(read(b'Title,Note\n"a\x07b","x\r\ny"\n')) == [["Title", "Note"], ["ab", "x\ny"]]


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "The file is empty. Choose one that holds a plan, with its column names in the first row."),
        (
            b" \n,,\n",
            "The file is empty. Choose one that holds a plan, with its column names in the first row.",
        ),
        (
            b"\xd0\xcf\x11\xe0" + bytes(600),
            "This is an old .xls workbook, or one with a password. Save it as XLSX or CSV without one, and choose that file.",
        ),
        (b"%PDF-1.7", "This is a PDF. Choose the plan as CSV or XLSX."),
        (
            b"PK\x03\x04 and nothing more",
            "The workbook cannot be read. Open it in your spreadsheet, save it as XLSX or CSV, and choose that file.",
        ),
        (
            b"\x89PNG\r\n\x1a\n" + bytes(50) + b"\x81\x8d",
            "This is not a text file. Save the sheet as CSV (UTF-8) or as XLSX, and choose that file.",
        ),
        (
            b"Title\n" + b"x\n" * (MOST_ROWS + 1),
            "The file has more than 5,000 rows. Split it, and import one part after the other.",
        ),
        (
            b"a," * (MOST_COLUMNS + 1) + b"b",
            "Row 1 has more than 60 columns. Keep the columns of the plan only.",
        ),
        (
            bytes(MOST_BYTES + 1),
            "A file may have at most 10 MB. Keep the columns and rows of the plan only, or split it.",
        ),
    ],
    ids=["empty", "blank", "xls", "pdf", "zip", "png", "rows", "columns", "bytes"],
)
def test_a_file_that_cannot_be_read_is_refused_with_a_sentence(data: bytes, sentence: str) -> None:
    with pytest.raises(FileRefused) as refusal:
        read(data)
    assert str(refusal.value) == sentence


def test_a_quote_that_never_closes_is_named() -> None:
    with pytest.raises(FileRefused, match=r"^Row 2 cannot be read: a cell of it is longer"):
        read(b'Title,Note\n"' + b"x" * 140_000)


def test_as_many_rows_as_are_allowed_are_read() -> None:
    assert len(read(b"Title\n" + b"x\n" * MOST_ROWS).lines) == MOST_ROWS + 1


def test_cells_of_a_workbook_become_the_text_that_people_would_type() -> None:
    data = workbook(
        ["Title", "Value"],
        ["whole", 3],
        ["whole, as a float", 3.0],
        ["fraction", 0.5],
        ["moment", datetime(2026, 12, 24, 18, 0)],
        ["day", date(2026, 12, 24)],
        ["time of day", time(1, 30)],
        ["span", timedelta(hours=26, minutes=5)],
        ["yes", True],
        ["text", " =1+1 "],
    )
    assert [row[1] for row in cells(read(data))[1:]] == [
        "3",
        "3",
        "0.5",
        "2026-12-24 18:00:00",
        "2026-12-24 00:00:00",
        "1:30:00",
        "26:05:00",
        "TRUE",
        "=1+1",
    ]


def test_values_are_read_and_formulas_are_not() -> None:
    assert cells(read(workbook(["Title", "Sum"], ["Go", "=1+1"]))) == [["Title", "Sum"], ["Go"]]


def test_the_first_visible_sheet_that_holds_anything_is_read() -> None:
    book = Workbook()
    book.active.title = "Empty"
    hidden = book.create_sheet("Secret")
    hidden.append(["no"])
    hidden.sheet_state = "hidden"
    book.create_sheet("Plan").append(["Title"])
    out = io.BytesIO()
    book.save(out)
    table = read(out.getvalue())
    assert (table.kind, cells(table)) == ("XLSX, sheet “Plan”", [["Title"]])


def test_a_workbook_that_claims_to_be_huge_is_read_as_far_as_it_goes() -> None:
    data = workbook(["Title"], ["Go"])
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as packed, zipfile.ZipFile(out, "w") as repacked:
        for part in packed.infolist():
            text = packed.read(part)
            repacked.writestr(part, text.replace(b'ref="A1:A2"', b'ref="A1:XFD1048576"'))
    assert out.getvalue() != data
    assert cells(read(out.getvalue())) == [["Title"], ["Go"]]


def test_a_workbook_that_unpacks_to_too_much_is_refused() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("xl/workbook.xml", bytes(101_000_000))
    with pytest.raises(FileRefused, match=r"^The workbook unpacks to more than 100 MB\."):
        read(out.getvalue())


def test_any_damage_to_a_workbook_is_one_sentence() -> None:
    data = workbook(["Title"], ["Go"])
    with zipfile.ZipFile(io.BytesIO(data)) as packed:
        parts = {each.filename: packed.read(each) for each in packed.infolist()}
    refusals = []
    for name in parts:
        for damage in (b"", b"<broken", b"<x/>"):
            out = io.BytesIO()
            with zipfile.ZipFile(out, "w") as repacked:
                for each, text in parts.items():
                    repacked.writestr(each, damage if each == name else text)
            try:
                read(out.getvalue())
            except FileRefused as refusal:
                refusals.append(str(refusal))
    assert len(refusals) > len(parts)
    assert {
        each
        for each in refusals
        if not each.startswith(("The workbook cannot be read.", "The workbook is empty."))
    } == set()


@pytest.mark.parametrize("begins", ["=", "+", "-", "@", "\t", "\r"])
def test_what_begins_like_a_formula_is_written_with_an_apostrophe_and_read_without(begins: str) -> None:
    data = write_csv([["Title", f"{begins}cmd|' /C calc'!A0"]])
    text = data.decode("utf-8-sig")
    assert f"'{begins}cmd" in text
    assert cells(read_csv(data)) == [["Title", f"{begins}cmd|' /C calc'!A0".strip()]]


@given(st.lists(st.text("'=+-@ab", max_size=6), min_size=1, max_size=4))
def test_no_cell_of_an_export_begins_like_a_formula_and_each_comes_back(row: list[str]) -> None:
    import csv

    data = write_csv([["Title", *row, "."]])
    written = next(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline="")))
    assert not [cell for cell in written if cell[:1] in ("=", "+", "-", "@")]
    assert cells(read_csv(data)) == [["Title", *row, "."]]


def test_a_workbook_holds_text_and_no_formula() -> None:
    data = write_xlsx([["Title"], ["=1+1"], ["+49 30"], ["@all"], ["-"]], title="A/B: [x]")
    sheet = load_workbook(io.BytesIO(data))["A B   x"]
    assert [(row[0].value, row[0].data_type) for row in sheet.iter_rows()] == [
        ("Title", "s"),
        ("=1+1", "s"),
        ("+49 30", "s"),
        ("@all", "s"),
        ("-", "s"),
    ]
    assert [row[0] for row in cells(read(data))] == ["Title", "=1+1", "+49 30", "@all", "-"]


def test_columns_are_lettered_as_in_a_spreadsheet() -> None:
    assert [letter(at) for at in (0, 25, 26, 51, 52, 701, 702)] == ["A", "Z", "AA", "AZ", "BA", "ZZ", "AAA"]
