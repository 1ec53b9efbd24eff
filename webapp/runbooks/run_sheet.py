"""A plan on paper: of a board as it stands, or of a rehearsal or live run as it was. Pure: no Flask, no database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from webapp.runbooks.board import Board
from webapp.runbooks.durations import shown
from webapp.runbooks.reviews.review import Review
from webapp.runbooks.schedule import Schedule
from webapp.runbooks.sheets.export import PlanRow

_STATES = {
    "planning": "Planning",
    "running": "Running",
    "paused": "Paused",
    "complete": "Complete",
    "cancelled": "Cancelled",
}


@dataclass(frozen=True)
class Line:
    """One task. `ways` is how it starts and finishes, where that is unusual. `planned` is a moment, or `offset` says how long
    after the start, or neither is known.
    """

    number: int
    title: str
    description: str
    action: str
    ways: str
    people: str
    planned: datetime | None
    offset: str
    takes: str
    after: str
    started: datetime | None
    finished: datetime | None
    skipped: bool


@dataclass(frozen=True)
class RunSheet:
    """The sheet: its head, and lines stream by stream. `takes` is only said where no finish is planned."""

    standing: str
    total: int
    starts: datetime | None
    finish: datetime | None
    takes: str
    as_of: datetime
    streams: Sequence[tuple[str, Sequence[Line]]]


def sheet_of_board(board: Board, plan: Mapping[int, PlanRow]) -> RunSheet:
    """The plan as it stands; `plan` has the descriptions and predecessors, by task number."""
    runbook, stats = board.runbook, board.stats
    kind = {"rehearsal": ", rehearsal", "live": ", live run"}.get(runbook.mode or "", "")
    fixed = any(each.start for each in plan.values())
    return RunSheet(
        standing=_STATES[runbook.state] + kind,
        total=stats.progress.total,
        starts=runbook.started_at or runbook.planned_start,
        finish=stats.planned_finish,
        takes="" if stats.planned_finish or fixed else shown(stats.duration_s),
        as_of=board.moment,
        streams=[
            (
                lane.stream.full_name,
                [
                    Line(
                        number=row.number,
                        title=row.title,
                        description=plan[row.number].description if row.number in plan else "",
                        action=row.chip.title or row.chip.text if row.chip else "",
                        ways=_ways(plan[row.number]) if row.number in plan else "",
                        people=", ".join(each.name for each in row.people),
                        planned=row.facts.planned_start if row.planned_offset else row.planned,
                        offset="" if row.facts.planned_start else row.planned_offset,
                        takes=row.duration,
                        after=_numbers(plan[row.number].before) if row.number in plan else "",
                        started=row.facts.started_at,
                        finished=row.facts.finished_at,
                        skipped=row.look == "skipped",
                    )
                    for row in lane.rows
                ],
            )
            for lane in board.lanes
            if lane.rows
        ],
    )


def sheet_of_review(review: Review, schedule: Schedule, *, standing: str, as_of: datetime) -> RunSheet:
    """The plan of a rehearsal or live run with what happened, as it was kept."""
    return RunSheet(
        standing=standing,
        total=review.whole.total,
        starts=schedule.started,
        finish=schedule.planned_finish,
        takes="",
        as_of=as_of,
        streams=[
            (
                summary.name,
                [
                    Line(
                        number=task.number,
                        title=task.title,
                        description=task.facts.description,
                        action=task.ending if task.facts.result else task.facts.action,
                        ways="",
                        people=", ".join(task.facts.assignees),
                        planned=task.plan.start,
                        offset="",
                        takes=shown(task.facts.duration_s),
                        after=_numbers(task.facts.predecessors),
                        started=task.facts.started_at,
                        finished=task.facts.finished_at,
                        skipped=task.skipped,
                    )
                    for task in tasks
                ],
            )
            for summary, tasks in review.streams
        ],
    )


def _ways(row: PlanRow) -> str:
    """How it starts and finishes, in a few words."""
    found = (
        f"Started by: {row.start_rule.lower()}" if row.start_rule else "",
        f"Finished by: {row.finish_rule.lower()}" if row.finish_rule else "",
        "Not before its planned start" if row.fixed else "",
        "Starts by itself" if row.by_itself else "",
        f"Starts the runbook {row.linked}" if row.linked else "",
    )
    return ". ".join(filter(None, found))


def _numbers(found: Sequence[int]) -> str:
    return ", ".join(str(each) for each in found)
