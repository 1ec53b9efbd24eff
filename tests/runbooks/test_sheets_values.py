"""Dates, times and durations as they stand in people's files."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webapp.runbooks import durations
from webapp.runbooks.sheets import values
from webapp.runbooks.sheets.values import BadValue

BERLIN = ZoneInfo("Europe/Berlin")
SIX = datetime(2026, 12, 24, 17, 0, tzinfo=UTC)  # 18:00 in Berlin


@pytest.mark.parametrize(
    "typed",
    [
        "2026-12-24 18:00",
        "2026-12-24T18:00",
        "2026-12-24T18:00:00",
        "2026-12-24T17:00:00Z",
        "2026-12-24 18:00+01:00",
        "2026/12/24 18:00",
        "24.12.2026 18:00",
        "24.12.26, 18:00",
        "24/12/2026 6:00 PM",
        "24/12/2026 6 pm",
        "24-12-2026 18:00:00",
        "24 Dec 2026 18:00",
        "24. December 2026, 18:00",
        "Dec 24, 2026 6:00 p.m.",
    ],
)
def test_every_usual_form_of_a_date_is_the_same_moment(typed: str) -> None:
    assert values.moment(typed, order="dmy", zone=BERLIN) == SIX


def test_a_date_alone_is_its_midnight() -> None:
    assert values.moment("24.12.2026", order="dmy", zone=BERLIN) == SIX - timedelta(hours=18)


def test_month_and_day_are_read_in_the_order_that_was_chosen() -> None:
    assert values.moment("03/04/2026", order="dmy", zone=ZoneInfo("UTC")) == datetime(2026, 4, 3, tzinfo=UTC)
    assert values.moment("03/04/2026", order="mdy", zone=ZoneInfo("UTC")) == datetime(2026, 3, 4, tzinfo=UTC)


@pytest.mark.parametrize(
    ("typed", "cause"),
    [
        ("soon", "“soon” is no date and time."),
        ("31.02.2026", "There is no 31 February 2026."),
        ("12/24/2026", "“12/24/2026” has no month 24."),
        ("2026-13-01", "“2026-13-01” has no month 13."),
        ("2026-12-24 25:00", "“2026-12-24 25:00” has no such time of day."),
        ("2026-12-24 18", "“2026-12-24 18” is no date and time."),
        ("24.12.2026 13:00 pm", "“24.12.2026 13:00 pm” is no date and time."),
        ("1066-10-14", "“1066-10-14” lies outside 1990 to 2199."),
        ("0001-01-01T00:00+14:00", "“0001-01-01T00:00+14:00” lies outside 1990 to 2199."),
        (
            "2026-03-29 02:30",
            "“2026-03-29 02:30” does not exist in Europe/Berlin: the clocks go forward then.",
        ),
    ],
)
def test_a_date_that_cannot_be_is_refused_with_its_cause(typed: str, cause: str) -> None:
    with pytest.raises(BadValue) as refusal:
        values.moment(typed, order="dmy", zone=BERLIN)
    assert refusal.value.cause == cause
    assert refusal.value.remedy


def test_of_an_hour_that_comes_twice_the_first_is_meant() -> None:
    found = values.moment("2026-10-25 02:30", order="dmy", zone=BERLIN)
    assert found == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("typed", "orders"),
    [
        (["03/04/2026", "05/06/2026"], {"dmy", "mdy"}),
        (["03/04/2026", "24/12/2026"], {"dmy"}),
        (["03/04/2026", "12/24/2026"], {"mdy"}),
        (["24/12/2026", "12/24/2026"], set()),
        (["2026-12-24", "24.12.2026", ""], {"dmy", "mdy"}),
    ],
)
def test_a_date_whose_order_shows_settles_its_column(typed: list[str], orders: set[str]) -> None:
    assert values.orders_of(typed) == orders


@pytest.mark.parametrize(
    ("typed", "doubtful"),
    [("03/04/2026", True), ("03/03/2026", False), ("24/12/2026", False), ("03.04.2026", False)],
)
def test_only_a_date_that_can_mean_two_days_is_doubtful(typed: str, doubtful: bool) -> None:
    assert values.needs_order(typed) is doubtful


@pytest.mark.parametrize(
    ("typed", "seconds"),
    [
        ("1h 30m", 5400),
        ("90", 5400),
        ("1:30", 5400),
        ("1:30:00", 5400),
        ("1.5h", 5400),
        ("1,5 h", 5400),
        ("1 hour, 30 minutes", 5400),
        ("1 hr and 30 mins", 5400),
        ("90 min.", 5400),
        ("1h30m", 5400),
        ("2 days", 172_800),
        ("0", 0),
        ("0m", 0),
        ("45s", 45),
    ],
)
def test_every_usual_form_of_a_duration_is_read(typed: str, seconds: int) -> None:
    assert values.duration(typed) == seconds


@pytest.mark.parametrize("typed", ["a while", "-5", "1:75", "1.5", "5 fortnights", "=1+1"])
def test_what_is_no_duration_is_refused_with_its_cause(typed: str) -> None:
    with pytest.raises(BadValue) as refusal:
        values.duration(typed)
    assert refusal.value.cause == f"“{typed}” is no duration."


@pytest.mark.parametrize("typed", ["31d", "721:00:00", "10000h"])
def test_a_duration_over_thirty_days_is_refused(typed: str) -> None:
    with pytest.raises(BadValue) as refusal:
        values.duration(typed)
    assert refusal.value.cause == "A task may take at most 30 days."


@given(st.integers(0, durations.LONGEST_S))
def test_every_duration_that_a_page_shows_is_read_back(seconds: int) -> None:
    assert values.duration(durations.shown(seconds)) == seconds


@given(st.text(max_size=40))
def test_whatever_is_typed_is_read_or_refused_with_a_sentence(typed: str) -> None:
    refusals = []
    for read in (values.duration, lambda text: values.moment(text, order="mdy", zone=BERLIN)):
        try:
            read(typed)
        except BadValue as refusal:
            refusals.append(refusal)
    assert [each for each in refusals if not (each.cause.endswith(".") and each.remedy.endswith("."))] == []
