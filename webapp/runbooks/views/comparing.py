"""Two rehearsals, or a rehearsal and the live run, beside each other: as a page to look at and print, and as CSV."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

from flask import request
from flask_login import current_user

from webapp.extensions import db
from webapp.off_the_loop import off_the_loop
from webapp.page import page, told
from webapp.permissions import Permission
from webapp.runbooks import queries
from webapp.runbooks.addresses import Here
from webapp.runbooks.models import Execution, Runbook
from webapp.runbooks.reviews.comparison import Compared, Comparison, Side, compare
from webapp.runbooks.reviews.comparison_sheet import comparison_csv
from webapp.runbooks.reviews.differences import apart, moved
from webapp.runbooks.reviews.executions import execution_called, executions_of, two_to_compare
from webapp.runbooks.reviews.review_reads import load_review
from webapp.runbooks.views import blueprint
from webapp.runbooks.views.exporting import sent
from webapp.runbooks.views.pieces import base_of
from webapp.runbooks.views.runbook import PAGE

# So many tasks are on the page; the CSV has all.
MOST_SHOWN = 500
NOTHING_YET = "There is nothing to compare yet: that takes two rehearsals, or one and the live run."


@dataclass(frozen=True)
class Wanted:
    """Which two, in which order, and whether only what differs."""

    base: str
    first: Execution
    second: Execution
    in_plan_order: bool
    only_differing: bool

    @property
    def query(self) -> str:
        given = {
            "first": self.first.slug,
            "second": self.second.slug,
            "order": "plan" if self.in_plan_order else "",
            "show": "differing" if self.only_differing else "",
        }
        return urlencode({name: value for name, value in given.items() if value})

    def to(self, **changes: Any) -> str:
        """The address of the same with something changed."""
        return f"{self.base}/compare?{replace(self, **changes).query}"

    @property
    def csv(self) -> str:
        return f"{self.base}/compare.csv?{self.query}"

    def chosen(self, found: Comparison) -> Sequence[Compared]:
        """The tasks that are wanted, in the order wanted."""
        tasks = found.tasks if self.in_plan_order else found.by_difference
        return [each for each in tasks if each.differs] if self.only_differing else tasks


@blueprint.get(f"{PAGE}/compare", permission=Permission.READ_RUNBOOKS)
def compare_executions(runbook_id: int) -> Any:
    found = queries.runbook_for(current_user, runbook_id, Permission.READ_RUNBOOKS)
    among = executions_of(found.id)
    wanted = _wanted(found, among)
    compared = _compared(found, wanted, among) if wanted else None
    tasks = wanted.chosen(compared) if wanted and compared else []
    return page(
        "runbooks/compare.html",
        runbook=found,
        here=Here(base_of(found)),
        executions=among,
        wanted=wanted,
        found=compared,
        tasks=tasks[:MOST_SHOWN],
        more=max(0, len(tasks) - MOST_SHOWN),
        late=moved,
        apart=apart,
    )


@blueprint.get(f"{PAGE}/compare.csv", permission=Permission.READ_RUNBOOKS)
def compare_as_csv(runbook_id: int) -> Any:
    """The same as a file."""
    found = queries.runbook_for(current_user, runbook_id, Permission.READ_RUNBOOKS)
    among = executions_of(found.id)
    wanted = _wanted(found, among)
    if wanted is None:
        return told(f"{base_of(found)}/compare", NOTHING_YET, "warn")
    compared = _compared(found, wanted, among)
    name = f"{found.name} {wanted.first.label} and {wanted.second.label}"
    tasks = wanted.chosen(compared)
    db.session.rollback()
    return sent(off_the_loop(comparison_csv, compared, tasks), name, "csv", "text/csv; charset=utf-8")


def _wanted(runbook: Runbook, among: Sequence[Execution]) -> Wanted | None:
    usual = two_to_compare(among)
    if usual is None:
        return None
    first, second = (
        execution_called(among, slug) if (slug := request.args.get(name)) else default
        for name, default in zip(("first", "second"), usual, strict=True)
    )
    return Wanted(
        base_of(runbook),
        first,
        second,
        in_plan_order=request.args.get("order") == "plan",
        only_differing=request.args.get("show") == "differing",
    )


def _compared(runbook: Runbook, wanted: Wanted, among: Sequence[Execution]) -> Comparison:
    def side(execution: Execution) -> Side:
        loaded = load_review(runbook, execution, among)
        return Side(execution.label, loaded.review, loaded.schedule)

    return compare(side(wanted.first), side(wanted.second))
