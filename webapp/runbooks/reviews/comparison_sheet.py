"""A comparison as the rows of a sheet: one row per task. Pure: no Flask, no database."""

from __future__ import annotations

from collections.abc import Iterable

from webapp.runbooks.durations import shown
from webapp.runbooks.reviews.comparison import Compared, Comparison
from webapp.runbooks.reviews.review import Reviewed
from webapp.runbooks.reviews.review_sheet import minutes
from webapp.runbooks.sheets.csv_files import write_csv

_OF_EACH = ("planned duration", "took", "started late (min)", "ended")


def comparison_rows(found: Comparison, tasks: Iterable[Compared]) -> list[list[str]]:
    """The headings and a row for each of the tasks, which are some or all of the comparison's, in the order wanted."""
    labels = (found.first.label, found.second.label)
    heads = [f"{label}: {each}" for label in labels for each in _OF_EACH]
    rows = [["ID", "Title", "Stream", *heads, "Longer in the second (min)", "Difference", "Called before"]]
    for each in tasks:
        rows.append(
            [
                str(each.number),
                each.title,
                each.stream.name,
                *_side(each.first, each.first_late_s),
                *_side(each.second, each.second_late_s),
                minutes(each.difference_s),
                found.words(each),
                each.renamed_from,
            ]
        )
    return rows


def comparison_csv(found: Comparison, tasks: Iterable[Compared]) -> bytes:
    """The same as CSV that is safe to open in a spreadsheet."""
    return write_csv(comparison_rows(found, tasks))


def _side(task: Reviewed | None, late_s: int) -> list[str]:
    if task is None:
        return ["", "", "", "Not in the plan"]
    took = "" if task.took_s is None else shown(task.took_s)
    return [shown(task.facts.duration_s), took, minutes(late_s), task.ending]
