"""Time zones: finding one by what was typed, how a time reads there, and what a typed one means."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as some

from webapp import zones
from webapp.zones import NoSuchTime, Zones

BERLIN, TOKYO = "Europe/Berlin", "Asia/Tokyo"
SPRING = datetime(2026, 3, 29, 1, 0, tzinfo=UTC)  # when Berlin's clocks go from 02:00 to 03:00
AUTUMN = datetime(2026, 10, 25, 1, 0, tzinfo=UTC)  # when they go from 03:00 back to 02:00
GAP = (
    "{0} does not exist on {1} 2026 in {2}: the clocks go from 02:00 straight to {3}. "
    "Write a time before 02:00, or {3} and later."
)
SEVERAL = (
    "“Louisville” is the end of several time zones: America/Kentucky/Louisville, America/Louisville. "
    "Write one of them."
)
ZONES = some.sampled_from(
    [BERLIN, TOKYO, "UTC", "America/New_York", "America/St_Johns", "Australia/Lord_Howe", "Asia/Kathmandu"]
)
MOMENTS = some.datetimes(datetime(1990, 1, 1), datetime(2090, 1, 1), timezones=some.just(UTC))


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        (BERLIN, BERLIN),
        ("  europe/berlin ", BERLIN),
        ("Tokyo", TOKYO),
        ("new york", "America/New_York"),
        ("utc", "UTC"),
    ],
)
def test_a_zone_is_found_by_its_name_or_its_city(typed: str, name: str) -> None:
    assert zones.find(typed) == name


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ("Europe/Berln", "There is no time zone “Europe/Berln”. Did you mean Europe/Berlin?"),
        ("Mars/Base", "There is no time zone “Mars/Base”. Choose one from the list, such as Europe/Berlin."),
        (
            "../../etc/passwd",
            "There is no time zone “../../etc/passwd”. Choose one from the list, such as Europe/Berlin.",
        ),
        (
            "Louisville",
            SEVERAL,
        ),
    ],
)
def test_what_is_no_zone_is_refused_with_a_remedy(typed: str, sentence: str) -> None:
    with pytest.raises(ValueError, match="zone") as refused:
        zones.find(typed)
    assert str(refused.value) == sentence


@pytest.mark.parametrize(
    ("zone", "typed", "sentence"),
    [
        (
            BERLIN,
            datetime(2026, 3, 29, 2, 30),
            GAP.format("02:30", "29 Mar", BERLIN, "03:00"),
        ),
        (
            "Australia/Lord_Howe",
            datetime(2026, 10, 4, 2, 15),
            GAP.format("02:15", "4 Oct", "Australia/Lord_Howe", "02:30"),
        ),
    ],
)
def test_a_time_that_the_clocks_leave_out_is_refused(zone: str, typed: datetime, sentence: str) -> None:
    with pytest.raises(NoSuchTime) as refused:
        zones.to_utc(typed, zone)
    assert str(refused.value) == sentence


def test_the_times_around_a_gap_are_taken() -> None:
    before, after = datetime(2026, 3, 29, 1, 59), datetime(2026, 3, 29, 3, 0)
    assert zones.to_utc(before, BERLIN) == SPRING - timedelta(minutes=1)
    assert zones.to_utc(after, BERLIN) == SPRING


def test_of_a_time_that_comes_twice_the_first_is_taken_and_said() -> None:
    moment = zones.to_utc(datetime(2026, 10, 25, 2, 30), BERLIN)
    assert moment == AUTUMN - timedelta(minutes=30)
    why = "02:30 comes twice on 25 Oct 2026 in Europe/Berlin, because the clocks go back. This is the "
    assert zones.twice(moment, BERLIN) == f"{why}first, at UTC+2."
    assert zones.twice(moment + timedelta(hours=1), BERLIN) == f"{why}second, at UTC+1."
    assert zones.twice(moment, TOKYO) == zones.twice(SPRING, BERLIN) == zones.twice(None, BERLIN) == ""


def test_what_stood_there_and_was_not_changed_stays_to_its_seconds_and_in_its_hour() -> None:
    second = datetime(2026, 10, 25, 1, 30, 17, tzinfo=UTC)  # the second 02:30
    assert zones.to_utc(datetime(2026, 10, 25, 2, 30), BERLIN, before=second) == second
    assert zones.to_utc(datetime(2026, 10, 25, 2, 31), BERLIN, before=second) == datetime(
        2026, 10, 25, 0, 31, tzinfo=UTC
    )
    assert zones.to_utc(None, BERLIN, before=second) is None


@given(zone=ZONES, moment=MOMENTS)
def test_a_moment_that_is_shown_and_typed_again_is_the_same_or_the_first_of_two(
    zone: str, moment: datetime
) -> None:
    again = zones.to_utc(zones.to_local(moment, zone), zone)
    assert again is not None
    if again != moment:
        assert again < moment
        assert "This is the second" in zones.twice(moment, zone)
        assert "This is the first" in zones.twice(again, zone)
    assert zones.to_utc(zones.to_local(moment, zone), zone, before=moment) == moment


@given(zone=ZONES, typed=some.datetimes(datetime(1990, 1, 1), datetime(2090, 1, 1)))
def test_a_typed_time_is_taken_as_it_reads_or_refused(zone: str, typed: datetime) -> None:
    try:
        moment = zones.to_utc(typed, zone)
    except NoSuchTime:
        assert all(
            typed.replace(tzinfo=ZoneInfo(zone), fold=fold)
            .astimezone(UTC)
            .astimezone(ZoneInfo(zone))
            .replace(tzinfo=None)
            != typed
            for fold in (0, 1)
        )
    else:
        assert zones.to_local(moment, zone) == typed


@pytest.mark.parametrize(
    ("end", "there", "words"),
    [
        (SPRING - timedelta(hours=1), TOKYO, "8 h ahead"),
        (SPRING, TOKYO, "8 h ahead, then 7 h ahead once the clocks change"),
        (SPRING, "Europe/Paris", "the same time"),
        (SPRING - timedelta(hours=1), "Asia/Kathmandu", "4 h 45 min ahead"),
        (SPRING - timedelta(hours=1), "America/New_York", "5 h behind"),
    ],
)
def test_the_clocks_of_two_zones_are_compared_from_the_begin_to_the_end(
    end: datetime, there: str, words: str
) -> None:
    assert zones.difference(SPRING - timedelta(hours=3), end, BERLIN, there) == words


def test_a_title_has_the_whole_time_in_both_zones_the_other_one_first() -> None:
    assert zones.title(SPRING, Zones(BERLIN, TOKYO)) == (
        "29 Mar 2026, 10:00:00 Asia/Tokyo (UTC+9)\n29 Mar 2026, 03:00:00 Europe/Berlin (UTC+2)"
    )
    assert zones.title(SPRING, Zones("America/St_Johns", "America/St_Johns")) == (
        "28 Mar 2026, 22:30:00 America/St_Johns (UTC−2:30)"
    )


@pytest.mark.parametrize(
    ("style", "text"),
    [
        ("time", "03:00"),
        ("seconds", "03:00:00"),
        ("date", "29 Mar 2026"),
        ("full", "29 Mar 2026, 03:00:00 UTC+2"),
    ],
)
def test_a_time_is_written_on_the_clocks_of_the_zone(style: str, text: str) -> None:
    assert zones.written(SPRING, style, BERLIN) == text


@pytest.mark.parametrize(
    ("profile", "cookie", "own"),
    [
        (BERLIN, TOKYO, BERLIN),
        ("", TOKYO, TOKYO),
        ("", "Mars/Base", "UTC"),
        ("", "", "UTC"),
        ("Gone/Zone", TOKYO, TOKYO),
    ],
)
def test_the_own_zone_is_the_profile_s_then_the_browser_s(
    app: Flask, profile: str, cookie: str, own: str
) -> None:
    with app.test_request_context("/", headers={"Cookie": f"zone={cookie}"}):
        assert zones.own_zone(profile) == own
