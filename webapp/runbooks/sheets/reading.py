"""Whatever was uploaded, as a table."""

from __future__ import annotations

from webapp.runbooks.sheets.csv_files import read_csv
from webapp.runbooks.sheets.table import MOST_BYTES, FileRefused, Table
from webapp.runbooks.sheets.xlsx_files import read_xlsx
from webapp.runbooks.sheets.yaml_files import is_yaml, read_yaml

_ZIP = b"PK\x03\x04"
_OLD_OFFICE = b"\xd0\xcf\x11\xe0"
_PDF = b"%PDF"


def read(data: bytes) -> Table:
    """The file, by what it holds and not by what it is called. Raises FileRefused."""
    if len(data) > MOST_BYTES:
        raise FileRefused(TOO_LARGE)
    if data.startswith(_ZIP):
        return read_xlsx(data)
    if data.startswith(_OLD_OFFICE):
        raise FileRefused(
            "This is an old .xls workbook, or one with a password. Save it as XLSX or CSV without one, and choose that file."
        )
    if data.startswith(_PDF):
        raise FileRefused("This is a PDF. Choose the plan as CSV or XLSX.")
    return read_yaml(data) if is_yaml(data) else read_csv(data)


TOO_LARGE = f"A file may have at most {MOST_BYTES // 1_000_000} MB. Keep the columns and rows of the plan only, or split it."
