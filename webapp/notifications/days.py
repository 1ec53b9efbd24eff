"""Notifications under the day on which they came, as the reader's calendar has it. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta, tzinfo
from itertools import groupby
from typing import Any


@dataclass(frozen=True)
class Day:
    """A day as a heading says it, and what came on it, newest first."""

    heading: str
    notifications: list[Any] = field(default_factory=list)


def by_day(notifications: Iterable[Any], moment: datetime, zone: tzinfo) -> list[Day]:
    """The notifications, newest first, day by day in that zone; `moment` is now."""
    today = moment.astimezone(zone).date()
    names = {today: "Today", today - timedelta(days=1): "Yesterday"}
    found = groupby(notifications, key=lambda each: each.at.astimezone(zone).date())
    return [Day(names.get(day) or f"{day:%A}, {day.day} {day:%B %Y}", list(each)) for day, each in found]
