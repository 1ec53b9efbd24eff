"""XLSX, in and out, with openpyxl. Values are read, never formulas; text is written as text, whatever it begins with."""

from __future__ import annotations

import io
import warnings
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any
from xml.etree.ElementTree import ParseError

from webapp.runbooks.sheets.table import MOST_COLUMNS, MOST_ROWS, FileRefused, Table, clean, gather

MOST_UNPACKED_BYTES = 100_000_000
# Empty rows between others are skipped, but not without end.
_MOST_GAPS = 20_000
_NOT_A_WORKBOOK = (
    "The workbook cannot be read. Open it in your spreadsheet, save it as XLSX or CSV, and choose that file."
)

# openpyxl lets whatever a damaged workbook causes through.
_DAMAGED = (
    zipfile.BadZipFile,
    KeyError,
    ValueError,
    TypeError,
    AttributeError,
    IndexError,
    OSError,
    EOFError,
    ParseError,
)


def read_xlsx(data: bytes) -> Table:
    """The first visible sheet that holds anything, as a table of text. Raises FileRefused."""
    _refuse_bomb(data)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # openpyxl tells of parts that it would not write again
            return _first_sheet(data)
    except FileRefused:
        raise
    except _DAMAGED:
        raise FileRefused(_NOT_A_WORKBOOK) from None


def write_xlsx(rows: Iterable[Sequence[str | datetime]], *, title: str, widths: Sequence[int] = ()) -> bytes:
    """One sheet; the first row is its heading. A naive datetime becomes a date cell, all else text."""
    from openpyxl import Workbook
    from openpyxl.cell import WriteOnlyCell
    from openpyxl.styles import Alignment, Font
    from openpyxl.utils import get_column_letter

    book = Workbook(write_only=True)
    sheet = book.create_sheet(_sheet_title(title))
    sheet.freeze_panes = "A2"
    for number, width in enumerate(widths, 1):
        sheet.column_dimensions[get_column_letter(number)].width = width
    bold, wrapped = Font(bold=True), Alignment(wrap_text=True, vertical="top")
    for at, row in enumerate(rows):
        cells = []
        for value in row:
            cell = WriteOnlyCell(sheet)
            if isinstance(value, datetime):
                cell.value = value
                cell.number_format = "yyyy-mm-dd hh:mm:ss" if value.second else "yyyy-mm-dd hh:mm"
            elif value:
                cell.value = clean(value)
                cell.data_type = "s"  # openpyxl takes what begins with = for a formula
                cell.number_format = "@"
            cell.alignment = wrapped
            if at == 0:
                cell.font = bold
            cells.append(cell)
        sheet.append(cells)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _first_sheet(data: bytes) -> Table:
    from openpyxl import load_workbook

    book = load_workbook(io.BytesIO(data), read_only=True, data_only=True, keep_links=False)
    try:
        for sheet in book.worksheets:
            if sheet.sheet_state != "visible":
                continue
            sheet.reset_dimensions()  # a file may claim to be a million rows wide and long
            if any(any(row) for row in _texts(sheet, most=_MOST_GAPS)):
                lines = gather(_texts(sheet, most=MOST_ROWS + _MOST_GAPS))
                return Table(lines, max(len(each.cells) for each in lines), f"XLSX, sheet “{sheet.title}”")
    finally:
        book.close()
    raise FileRefused("The workbook is empty. Choose one whose first sheet holds a plan.")


def _refuse_bomb(data: bytes) -> None:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as packed:
            parts = packed.infolist()
    except (zipfile.BadZipFile, OSError, ValueError):
        raise FileRefused(_NOT_A_WORKBOOK) from None
    if sum(each.file_size for each in parts) > MOST_UNPACKED_BYTES or len(parts) > 2000:
        raise FileRefused(
            "The workbook unpacks to more than 100 MB. Copy the plan alone into a new one, without pictures, and try again."
        )
    if any(each.flag_bits & 1 for each in parts):
        raise FileRefused(
            "The workbook is protected by a password. Save it without one, and choose that file."
        )


def _texts(sheet: Any, *, most: int) -> Iterator[list[str]]:
    # One column more than allowed, so that the excess is seen; without a limit each row would be padded to the widest.
    for row in sheet.iter_rows(max_row=most, max_col=MOST_COLUMNS + 1, values_only=True):
        yield [_text(value) for value in row]


def _text(value: Any) -> str:
    """A cell's value as people would type it; dates in ISO form, times of day and spans as h:mm:ss."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    if isinstance(value, datetime):
        # Spreadsheets count days as floats, which are a few microseconds off.
        return (value + timedelta(milliseconds=500)).replace(microsecond=0).isoformat(sep=" ")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, time):
        value = timedelta(
            hours=value.hour, minutes=value.minute, seconds=value.second + round(value.microsecond / 1e6)
        )
    if isinstance(value, timedelta):
        seconds = round(value.total_seconds())
        return f"{seconds // 3600}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
    return str(value)


def _sheet_title(name: str) -> str:
    """At most 31 characters, without those that spreadsheets refuse in a sheet's name."""
    kept = "".join(" " if each in "[]:*?/\\'" else each for each in clean(name))
    return kept[:31].strip() or "Plan"
