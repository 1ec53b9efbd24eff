"""Dates, times and durations as people and spreadsheets write them."""

from __future__ import annotations

import calendar
import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from webapp.runbooks import durations

FIRST_YEAR, LAST_YEAR = 1990, 2199

_TIME = r"(?:[\sT,]+(?:at\s+)?(\d{1,2})(?::(\d{2})(?::(\d{2})(?:\.\d+)?)?)?\s*([ap]\.?m\.?)?)?"
_DOTTED = re.compile(rf"(\d{{1,2}})\.\s?(\d{{1,2}})\.\s?(\d{{4}}|\d{{2}}){_TIME}", re.I)
_SLASHED = re.compile(rf"(\d{{1,2}})[/-](\d{{1,2}})[/-](\d{{4}}|\d{{2}}){_TIME}", re.I)
_YEAR_FIRST = re.compile(rf"(\d{{4}})[/.-](\d{{1,2}})[/.-](\d{{1,2}}){_TIME}", re.I)
_DAY_NAMED = re.compile(rf"(\d{{1,2}})\.?[\s-]+([a-z]{{3,9}})\.?[\s,-]+(\d{{4}}){_TIME}", re.I)
_MONTH_NAMED = re.compile(rf"([a-z]{{3,9}})\.?\s+(\d{{1,2}}),?\s+(\d{{4}}){_TIME}", re.I)
_OFFSET = re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}.*(?:Z|[+-]\d{2}:?\d{2})", re.I)
_MONTHS = {
    name.lower(): number
    for names in (calendar.month_name, calendar.month_abbr)
    for number, name in enumerate(names)
    if name
} | {"sept": 9}

_CLOCK = re.compile(r"(\d{1,4}):([0-5]\d):([0-5]\d)")
_UNITS = re.compile(r"(\d+(?:[.,]\d+)?)\s*([a-z]+)\.?(?:\s*(?:,|and)\s*|\s+|(?=\d)|$)")
_SECONDS = {
    **dict.fromkeys(("d", "day", "days"), 86_400),
    **dict.fromkeys(("h", "hr", "hrs", "hour", "hours"), 3600),
    **dict.fromkeys(("m", "min", "mins", "minute", "minutes"), 60),
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds"), 1),
}


class BadValue(ValueError):
    """What a cell says cannot be used: `cause`, and `remedy`."""

    def __init__(self, cause: str, remedy: str) -> None:
        super().__init__(f"{cause} {remedy}")
        self.cause, self.remedy = cause, remedy


def moment(typed: str, *, order: str, zone: ZoneInfo) -> datetime:
    """The moment, aware UTC. `order` is "dmy" or "mdy", for dates such as 03/04/2026. Raises BadValue.

    What carries its own offset keeps it; everything else is local time in `zone`. A date alone is its midnight. Of an
    hour that the clocks go through twice, the first is meant.
    """
    text = typed.strip()
    if _OFFSET.fullmatch(text):
        try:
            found = datetime.fromisoformat(text.upper())
        except ValueError:
            raise _no_date(typed) from None
        _refuse_year(found.year, typed)
        return found.astimezone(UTC)
    return _in_utc(_local(text, order), zone, typed)


def orders_of(typed: Iterable[str]) -> set[str]:
    """Which of "dmy" and "mdy" every date of a column can be read in; one whose order shows excludes the other."""
    possible = {"dmy", "mdy"}
    for each in typed:
        match = _SLASHED.fullmatch(each.strip())
        if match:
            first, second = int(match[1]), int(match[2])
            if first > 12:
                possible.discard("mdy")
            if second > 12:
                possible.discard("dmy")
    return possible


def needs_order(typed: str) -> bool:
    """Whether day and month of that date could be exchanged, and would then mean another day."""
    match = _SLASHED.fullmatch(typed.strip())
    return (
        match is not None and int(match[1]) <= 12 and int(match[2]) <= 12 and int(match[1]) != int(match[2])
    )


def duration(typed: str) -> int:
    """Seconds. Reads what the page reads, and also h:mm:ss, 1.5h, and written-out units. Raises BadValue."""
    text = typed.strip().lower()
    try:
        if match := _CLOCK.fullmatch(text):
            return _limited(int(match[1]) * 3600 + int(match[2]) * 60 + int(match[3]))
        if (found := _united(text)) is not None:
            return _limited(found)
        return durations.parse(text)
    except ValueError as error:
        if str(error) == _TOO_LONG:
            raise BadValue(_TOO_LONG, "Split it, or write a shorter duration.") from None
        raise BadValue(
            f"“{short(typed)}” is no duration.", "Write it such as 1h 30m, 90 (minutes) or 1:30."
        ) from None


_TOO_LONG = "A task may take at most 30 days."


def short(text: str, most: int = 60) -> str:
    """The text on one line, cut where it is long, for sentences about it."""
    line = " ".join(text.split())
    return line if len(line) <= most else line[: most - 1] + "…"


def _local(text: str, order: str) -> datetime:
    if match := _YEAR_FIRST.fullmatch(text):
        year, month, day = int(match[1]), int(match[2]), int(match[3])
    elif match := _DOTTED.fullmatch(text):
        day, month, year = int(match[1]), int(match[2]), int(match[3])
    elif match := _SLASHED.fullmatch(text):
        first, second, year = int(match[1]), int(match[2]), int(match[3])
        day, month = (second, first) if order == "mdy" else (first, second)
    elif (match := _DAY_NAMED.fullmatch(text)) and match[2].lower() in _MONTHS:
        day, month, year = int(match[1]), _MONTHS[match[2].lower()], int(match[3])
    elif (match := _MONTH_NAMED.fullmatch(text)) and match[1].lower() in _MONTHS:
        month, day, year = _MONTHS[match[1].lower()], int(match[2]), int(match[3])
    else:
        raise _no_date(text)
    if year < 100:
        year += 2000
    _refuse_year(year, text)
    hour, minute, second_ = int(match[4] or 0), int(match[5] or 0), int(match[6] or 0)
    if match[7]:
        if not 1 <= hour <= 12:
            raise _no_date(text)
        hour = hour % 12 + (12 if match[7][0].lower() == "p" else 0)
    elif match[4] and not match[5]:
        raise _no_date(text)
    if not 1 <= month <= 12:
        raise BadValue(
            f"“{short(text)}” has no month {month}.",
            "Correct it, or choose the other order of day and month.",
        )
    if not 1 <= day <= calendar.monthrange(year, month)[1]:
        raise BadValue(
            f"There is no {day} {calendar.month_name[month]} {year}.",
            "Correct it, or choose the other order of day and month.",
        )
    try:
        return datetime(year, month, day, hour, minute, second_)
    except ValueError:
        raise BadValue(
            f"“{short(text)}” has no such time of day.", "Write it between 00:00 and 23:59."
        ) from None


def _in_utc(local: datetime, zone: ZoneInfo, typed: str) -> datetime:
    found = local.replace(tzinfo=zone).astimezone(UTC)
    if found.astimezone(zone).replace(tzinfo=None) != local:
        raise BadValue(
            f"“{short(typed)}” does not exist in {zone.key}: the clocks go forward then.",
            "Write a time an hour later.",
        )
    return found


def _refuse_year(year: int, typed: str) -> None:
    if not FIRST_YEAR <= year <= LAST_YEAR:
        raise BadValue(f"“{short(typed)}” lies outside {FIRST_YEAR} to {LAST_YEAR}.", "Correct the year.")


def _no_date(typed: str) -> BadValue:
    return BadValue(
        f"“{short(typed)}” is no date and time.", "Write it such as 2026-12-24 18:00 or 24.12.2026 18:00."
    )


def _united(text: str) -> int | None:
    at, total = 0, 0.0
    while at < len(text):
        match = _UNITS.match(text, at)
        if match is None or match[2] not in _SECONDS:
            return None
        total += float(match[1].replace(",", ".")) * _SECONDS[match[2]]
        at = match.end()
    return round(total) if text else None


def _limited(seconds: int) -> int:
    if timedelta(seconds=seconds) > timedelta(seconds=durations.LONGEST_S):
        raise ValueError(_TOO_LONG)
    return seconds
