"""Time zones: in which one a page shows its times, what a time is called there, and what a typed one means.

A page shows one zone, and every time on it has the other one in its title. Unless a view says otherwise (`show_in`), that
is the viewer's own: the profile's, or the browser's, which times.js leaves in a cookie.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, available_timezones

from flask import Flask, g, has_request_context, request
from flask_login import current_user

from webapp.clock import now

COOKIE = "zone"
# What a page tells of itself when it asks for pieces: the zone that it shows and the other one. They come in that zone even
# where the choice has changed meanwhile.
HEADER = "X-Zone"


@dataclass(frozen=True)
class Zones:
    """The zone in which a page shows its times, the one in their titles, and whether the viewer may swap the two."""

    shown: str
    other: str
    swappable: bool = False


class NoSuchTime(ValueError):
    """A local time that the clocks leave out; says which, why, and what to write."""


@lru_cache(1)
def names() -> tuple[str, ...]:
    """Every zone that can be chosen, in the order of the alphabet."""
    return tuple(sorted(available_timezones() - {"localtime", "Factory"}))


def is_zone(name: str | None) -> bool:
    return name in available_zones()


@lru_cache(1)
def available_zones() -> frozenset[str]:
    return frozenset(names())


def find(typed: str) -> str:
    """The zone that was typed: its name, or its city alone. Raises ValueError with a sentence for people."""
    wanted = "_".join(typed.split()).casefold()
    exact = [name for name in names() if name.casefold() == wanted]
    found = exact or [name for name in names() if name.casefold().rpartition("/")[2] == wanted]
    if len(found) == 1:
        return found[0]
    if found:
        raise ValueError(
            f"“{typed.strip()}” is the end of several time zones: {', '.join(found[:4])}. Write one of them."
        )
    cities = {name.rpartition("/")[2].casefold(): name for name in names()}
    near = difflib.get_close_matches(wanted.rpartition("/")[2], cities, 1, 0.75)
    hint = f"Did you mean {cities[near[0]]}?" if near else "Choose one from the list, such as Europe/Berlin."
    raise ValueError(f"There is no time zone “{typed.strip()[:60]}”. {hint}")


# What a page shows ---------------------------------------------------------------------------------------------------


def own_zone(of_profile: str) -> str:
    """The viewer's own zone: what the profile says, else what the browser says, else UTC."""
    if is_zone(of_profile):
        return of_profile
    said = request.cookies.get(COOKIE) if has_request_context() else None
    return str(said) if is_zone(said) else "UTC"


def show_in(zones: Callable[[], Zones]) -> None:
    """Say what this page shows. It is asked once, when the first time is written."""
    g.zones = zones


def shown() -> Zones:
    """What this page shows."""
    noted = g.get("zones")
    if isinstance(noted, Zones):
        return noted
    own = own_zone(getattr(current_user, "time_zone", ""))
    found: Zones = noted() if noted is not None else Zones(own, own)
    if found.swappable and _told() == (found.other, found.shown):
        found = replace(found, shown=found.other, other=found.shown)
    g.zones = found
    return found


def outdated() -> bool:
    """Whether the page that asks for pieces tells of other zones than the runbook's and the viewer's by now."""
    return bool(_told()) and _told() != (shown().shown, shown().other)


def _told() -> tuple[str, ...]:
    return tuple(request.headers.get(HEADER, "").split())


def typed() -> str:
    """The zone in which the times of this request's form were typed, which the form says; else what the page shows."""
    said = request.form.get("zone") if request.method == "POST" else None
    return str(said) if is_zone(said) else shown().shown


# How a time reads ----------------------------------------------------------------------------------------------------


def local(moment: datetime, zone: str) -> datetime:
    """The moment on the clocks of that zone."""
    return moment.astimezone(ZoneInfo(zone))


def offset(moment: datetime, zone: str) -> str:
    """“UTC+2”, “UTC−3:30”, “UTC”: how far the zone's clocks are from UTC then."""
    minutes = _offset_s(moment, zone) // 60
    return "UTC" + (_signed(minutes) if minutes else "")


def difference(begin: datetime, end: datetime, here: str, there: str) -> str:
    """Where the clocks of `there` stand, seen from `here`: “8 h ahead”, and what becomes of it between the two moments."""
    first, then = _difference(begin, here, there), _difference(end, here, there)
    return first if first == then else f"{first}, then {then} once the clocks change"


def _difference(moment: datetime, here: str, there: str) -> str:
    minutes = (_offset_s(moment, there) - _offset_s(moment, here)) // 60
    if not minutes:
        return "the same time"
    hours, rest = divmod(abs(minutes), 60)
    far = " ".join([*([f"{hours} h"] if hours else []), *([f"{rest} min"] if rest else [])])
    return f"{far} {'ahead' if minutes > 0 else 'behind'}"


def written(moment: datetime, style: str, zone: str) -> str:
    """The text of a time, by the styles of `ui.when`; times.js writes the same. “short” and “ago” depend on the clock."""
    there = local(moment, zone)
    return _STYLES.get(style, _short)(there)


def title(moment: datetime, zones: Zones) -> str:
    """The whole time in both zones, the one that is not shown first."""
    found = [zones.other, zones.shown] if zones.other != zones.shown else [zones.shown]
    return "\n".join(
        f"{local(moment, zone):%-d %b %Y, %H:%M:%S} {zone} ({offset(moment, zone)})" for zone in found
    )


def _short(there: datetime) -> str:
    today = now().astimezone(there.tzinfo)
    if there.date() == today.date():
        return f"{there:%H:%M}"
    return f"{there:%-d %b, %H:%M}" if there.year == today.year else f"{there:%-d %b %Y, %H:%M}"


def _ago(there: datetime) -> str:
    seconds = max(0, int((now() - there).total_seconds()))
    if seconds < 60:
        return "just now"
    if seconds < 3600:
        return f"{seconds // 60} min ago"
    if seconds < 86_400:
        return f"{seconds // 3600} h ago"
    return f"{seconds // 86_400} d ago" if seconds < 7 * 86_400 else f"{there:%-d %b %Y}"


_STYLES: Mapping[str, Callable[[datetime], str]] = {
    "time": lambda there: f"{there:%H:%M}",
    "seconds": lambda there: f"{there:%H:%M:%S}",
    "date": lambda there: f"{there:%-d %b %Y}",
    "full": lambda there: f"{there:%-d %b %Y, %H:%M:%S} {offset(there, _name(there))}",
    "ago": _ago,
}


def _name(there: datetime) -> str:
    return str(getattr(there.tzinfo, "key", "UTC"))


def _offset_s(moment: datetime, zone: str) -> int:
    return int((local(moment, zone).utcoffset() or timedelta()).total_seconds())


def _signed(minutes: int) -> str:
    hours, rest = divmod(abs(minutes), 60)
    return f"{'+' if minutes > 0 else '−'}{hours}{f':{rest:02}' if rest else ''}"


# What a typed time means ---------------------------------------------------------------------------------------------


def to_utc(typed: datetime | None, zone: str, *, before: datetime | None = None) -> datetime | None:
    """A typed local time as aware UTC; where it comes twice, the first. Raises NoSuchTime where it does not come at all.

    `before` is the moment whose local time stood in the field: it stays where that was not changed, to its seconds.
    """
    if typed is None:
        return None
    shown_before = to_local(before, zone)
    if shown_before is not None and typed.replace(second=0) == shown_before.replace(second=0, microsecond=0):
        return before
    moment = typed.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
    if to_local(moment, zone) != typed:
        first, then = _gap(typed, zone)
        raise NoSuchTime(
            f"{typed:%H:%M} does not exist on {typed:%-d %b %Y} in {zone}: the clocks go from {first:%H:%M} straight to "
            f"{then:%H:%M}. Write a time before {first:%H:%M}, or {then:%H:%M} and later."
        )
    return moment


def to_local(moment: datetime | None, zone: str) -> datetime | None:
    """A moment as the naive local time that a datetime-local input shows."""
    return local(moment, zone).replace(tzinfo=None, fold=0) if moment else None


def twice(moment: datetime | None, zone: str) -> str:
    """A sentence where the clocks of the zone show that local time twice, saying which of the two this is; else empty."""
    if moment is None:
        return ""
    there = local(moment, zone)
    first, second = (there.replace(fold=fold) for fold in (0, 1))
    if first.utcoffset() == second.utcoffset():
        return ""
    which, it = ("first", first) if there.utcoffset() == first.utcoffset() else ("second", second)
    return (
        f"{there:%H:%M} comes twice on {there:%-d %b %Y} in {zone}, because the clocks go back. "
        f"This is the {which}, at {offset(it, zone)}."
    )


def _gap(typed: datetime, zone: str) -> tuple[datetime, datetime]:
    """The local times between which the clocks jump over what was typed."""
    early, late = (typed.replace(tzinfo=ZoneInfo(zone), fold=fold) for fold in (1, 0))
    # Of a time in the gap, fold 0 counts with the offset before it and fold 1 with the one after it.
    low, high = early.astimezone(UTC), late.astimezone(UTC)
    wanted = local(low, zone).utcoffset()
    while high - low > timedelta(seconds=1):
        middle = low + (high - low) / 2
        if local(middle, zone).utcoffset() == wanted:
            low = middle
        else:
            high = middle
    jump = high.replace(microsecond=0)
    before = (jump + (wanted or timedelta())).replace(tzinfo=None)
    return before, local(jump, zone).replace(tzinfo=None)


def init_app(app: Flask) -> None:
    """Templates write times with these."""
    app.jinja_env.globals.update(
        shown_zones=shown,
        time_text=lambda moment, style: written(moment, style, shown().shown),
        time_title=lambda moment: title(moment, shown()),
        zone_difference=difference,
        zone_offset=offset,
        zone_names=names,
    )
