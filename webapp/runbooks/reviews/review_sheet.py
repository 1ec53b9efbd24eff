"""A review as the rows of a sheet: one row per task, with its calls and lessons. Pure: no Flask, no database."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from webapp.runbooks.durations import shown
from webapp.runbooks.reviews.review import Call, LateStart, Lesson, Review, Reviewed
from webapp.runbooks.sheets.csv_files import write_csv

HEADINGS = (
    "ID",
    "Title",
    "Stream",
    "Planned start",
    "Planned finish",
    "Planned duration",
    "Started",
    "Finished",
    "Took",
    "Started late (min)",
    "Longer than planned (min)",
    "Finished late (min)",
    "Difference",
    "Ended",
    "Reason",
    "Started by",
    "Finished by",
    "Why it started late",
    "Integration runs",
    "Lessons",
)
_TIMES = frozenset({"Planned start", "Planned finish", "Started", "Finished"})


def review_rows(
    review: Review, calls: Iterable[Call], lessons: Iterable[Lesson], zone: ZoneInfo
) -> list[list[str]]:
    """The headings and a row per task; times are local in `zone`, whose name stands in the headings.

    Calls of the runbook itself come last, in a row each that has no ID.
    """
    by_task: dict[int | None, list[Call]] = defaultdict(list)
    for call in calls:
        by_task[call.task_id].append(call)
    learned: dict[int, list[Lesson]] = defaultdict(list)
    for lesson in lessons:
        learned[lesson.task_id].append(lesson)
    rows = [[f"{each} ({zone.key})" if each in _TIMES else each for each in HEADINGS]]
    for summary, tasks in review.streams:
        for task in tasks:
            late = review.late_by_id.get(task.facts.id)
            task_id = task.facts.id
            rows.append(_row(task, summary.name, late, by_task[task_id], learned[task_id], zone))
    for call in by_task[None]:
        rows.append(["", "(the runbook)", *[""] * (len(HEADINGS) - 4), _called(call, zone), ""])
    return rows


def review_csv(review: Review, calls: Iterable[Call], lessons: Iterable[Lesson], zone: ZoneInfo) -> bytes:
    """The same as CSV that is safe to open in a spreadsheet."""
    return write_csv(review_rows(review, calls, lessons, zone))


def cause_of(late: LateStart, zone: ZoneInfo) -> str:
    """Why a task started late, as a sentence or two."""
    waited = f"{late.waited} {_clock(late.since, zone)}." if late.waited else ""
    return " ".join(filter(None, (late.held, waited)))


def _row(
    task: Reviewed,
    stream: str,
    late: LateStart | None,
    calls: Sequence[Call],
    lessons: Sequence[Lesson],
    zone: ZoneInfo,
) -> list[str]:
    facts = task.facts
    return [
        str(task.number),
        task.title,
        stream,
        _clock(task.plan.start, zone),
        _clock(task.plan.end, zone),
        shown(facts.duration_s),
        _clock(facts.started_at, zone),
        _clock(facts.finished_at, zone),
        "" if task.took_s is None else shown(task.took_s),
        minutes(task.started_late_s),
        minutes(task.over_s),
        minutes(task.finished_late_s),
        task.difference,
        task.ending,
        facts.skip_reason,
        facts.started_by,
        facts.finished_by,
        cause_of(late, zone) if late else "",
        "\n".join(_called(each, zone) for each in calls),
        "\n".join(f"{each.body} ({each.author.name})" for each in lessons),
    ]


def _called(call: Call, zone: ZoneInfo) -> str:
    tries = "1 attempt" if call.attempts == 1 else f"{call.attempts} attempts"
    said = ", ".join(filter(None, (call.state, call.code, tries)))
    return f"{_clock(call.at, zone)} {call.action}: {said}"


def minutes(seconds: int | None) -> str:
    """Full minutes. What was early has a real minus sign, because a cell that begins with a hyphen is no safe cell."""
    if seconds is None:
        return ""
    minutes = abs(seconds) // 60
    return f"\N{MINUS SIGN}{minutes}" if seconds < 0 and minutes else str(minutes)


def _clock(moment: datetime | None, zone: ZoneInfo) -> str:
    return moment.astimezone(zone).strftime("%Y-%m-%d %H:%M:%S") if moment else ""
