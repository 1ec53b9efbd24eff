"""What every kind of notification has to say, and the days that they are shown under."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import pytest

from webapp.notifications.days import by_day
from webapp.notifications.kinds import KINDS, NotificationKind

ICONS = (Path(__file__).parents[2] / "tools" / "icons.txt").read_text().split()


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.key)
def test_a_kind_has_an_icon_that_is_built_and_words_that_say_when_it_comes(kind: NotificationKind) -> None:
    assert kind.icon in ICONS
    assert re.fullmatch(r"[A-Z].*[a-z]", kind.label)
    assert re.fullmatch(r"[A-Z].*\.", kind.when)
    assert len(kind.key) <= 40


def test_days_are_those_of_the_reader_and_named_from_today_backwards() -> None:
    moment = datetime(2026, 11, 28, 23, 30, tzinfo=UTC)
    told = [SimpleNamespace(at=moment - timedelta(hours=hours)) for hours in (0, 1, 23, 26, 100)]
    in_london = [(day.heading, len(day.notifications)) for day in by_day(told, moment, ZoneInfo("UTC"))]
    assert in_london == [("Today", 3), ("Yesterday", 1), ("Tuesday, 24 November 2026", 1)]
    in_tokyo = [(day.heading, len(day.notifications)) for day in by_day(told, moment, ZoneInfo("Asia/Tokyo"))]
    assert in_tokyo == [("Today", 2), ("Yesterday", 2), ("Wednesday, 25 November 2026", 1)]
