"""CSV, in and out. What begins like a formula is written with an apostrophe before it, and read without that one."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Iterable, Sequence

from webapp.runbooks.sheets.table import FileRefused, Table, gather

DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab"}
_LOOKED_AT = 50
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# Spreadsheets take such a cell for a formula; an apostrophe before it keeps it text (OWASP, CSV injection).
_LIKE_A_FORMULA = re.compile(r"'*[=+\-@\t\r\n]")
_KEPT_FROM_BEING_ONE = re.compile(r"''*[=+\-@\t\r\n]")


def read_csv(data: bytes) -> Table:
    """The file as a table of text; encoding and delimiter are recognised. Raises FileRefused."""
    text = _decoded(data)
    delimiter = None
    named = re.match(r"sep=([,;\t])\r?\n", text)
    if named:
        delimiter = named[1]
        text = text[named.end() :]  # spreadsheets do not count it as a row
    delimiter = delimiter or _delimiter_of(text)
    lines = gather([_bare(cell) for cell in row] for row in _records(text, delimiter))
    return Table(lines, len(lines[0].cells), f"CSV, separated by {DELIMITERS[delimiter]}s")


def write_csv(rows: Iterable[Sequence[str]]) -> bytes:
    """UTF-8 with a byte order mark, by which spreadsheets know the encoding; commas, and CRLF (RFC 4180)."""
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    for row in rows:
        writer.writerow([_kept_as_text(cell) for cell in row])
    return out.getvalue().encode("utf-8-sig", errors="replace")


def _decoded(data: bytes) -> str:
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return _decoded_as(data, encoding)
    if b"\0" in data[:4000]:
        # UTF-16 without a mark: of Latin letters every other byte is zero.
        even, odd = data[0:4000:2].count(0), data[1:4000:2].count(0)
        return _decoded_as(data, "utf-16-be" if even > odd else "utf-16-le")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return _decoded_as(data, "cp1252")


def _decoded_as(data: bytes, encoding: str) -> str:
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text:
        raise FileRefused(
            "This is not a text file. Save the sheet as CSV (UTF-8) or as XLSX, and choose that file."
        )
    return text


def _delimiter_of(text: str) -> str:
    """The one that cuts the first rows into as many cells as the first of them, and into most."""

    def fits(delimiter: str) -> tuple[int, int]:
        widths = []
        try:
            for row in _records(text[:200_000], delimiter):
                if any(row):
                    widths.append(len(row))
                if len(widths) == _LOOKED_AT:
                    break
        except FileRefused:
            return 0, 0
        if not widths or widths[0] < 2:
            return 0, 0
        return sum(1 for width in widths if width == widths[0]), widths[0]

    return max(DELIMITERS, key=fits)


def _records(text: str, delimiter: str) -> Iterable[list[str]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    number = 0
    try:
        for number, row in enumerate(reader, 1):  # noqa: B007
            yield row
    except csv.Error:
        raise FileRefused(
            f"Row {number + 1} cannot be read: a cell of it is longer than 131,072 characters, or its quote never closes. "
            "Mend the quotes, or save the sheet as XLSX."
        ) from None


def _kept_as_text(cell: str) -> str:
    return f"'{cell}" if _LIKE_A_FORMULA.match(cell) else cell


def _bare(cell: str) -> str:
    return cell[1:] if cell.startswith("'") and _KEPT_FROM_BEING_ONE.match(cell) else cell
