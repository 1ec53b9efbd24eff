"""Durations as people type and read them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as some

from webapp.runbooks.durations import LONGEST_S, parse, rounded, shown


@pytest.mark.parametrize(
    ("typed", "seconds"),
    [
        ("0", 0),
        ("15", 900),
        ("15m", 900),
        ("15 min", 900),
        (" 15M ", 900),
        ("1h 30m", 5400),
        ("1h30", None),
        ("1h30m", 5400),
        ("1:30", 5400),
        ("0:05", 300),
        ("90s", 90),
        ("1d", 86_400),
        ("1d 2h 3m 4s", 93_784),
        ("720h", LONGEST_S),
        ("43200", LONGEST_S),
    ],
)
def test_what_people_type_is_read(typed: str, seconds: int | None) -> None:
    if seconds is None:
        with pytest.raises(ValueError, match=r"^Write a duration such as 15m, 1h 30m or 1:30\.$"):
            parse(typed)
    else:
        assert parse(typed) == seconds


@pytest.mark.parametrize(
    "typed", ["", " ", "soon", "-5", "1.5h", "1:60", "5m 1h", "1h 1h", "٥", "²", "1e3", "15mm", "9999999"]
)
def test_what_is_no_duration_is_refused_with_examples(typed: str) -> None:
    with pytest.raises(ValueError, match=r"^Write a duration such as 15m, 1h 30m or 1:30\.$"):
        parse(typed)


@pytest.mark.parametrize("typed", ["43201", "31d", "720h 1s", "720:01", "999999"])
def test_more_than_thirty_days_is_refused(typed: str) -> None:
    with pytest.raises(ValueError, match=r"^A task may take at most 30 days\.$"):
        parse(typed)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0m"), (45, "45s"), (300, "5m"), (5400, "1h 30m"), (86_400, "1d"), (93_784, "1d 2h 3m 4s")],
)
def test_a_duration_is_shown_in_its_largest_units(seconds: int, text: str) -> None:
    assert shown(seconds) == text


@given(some.integers(0, LONGEST_S))
def test_what_is_shown_reads_back_as_the_same(seconds: int) -> None:
    assert parse(shown(seconds)) == seconds


@given(some.text(max_size=12))
def test_any_text_is_read_or_refused_with_a_sentence(typed: str) -> None:
    try:
        found = str(parse(typed))
    except ValueError as refusal:
        found = str(refusal)
    assert found.isdigit() or found in (
        "Write a duration such as 15m, 1h 30m or 1:30.",
        "A task may take at most 30 days.",
    )


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0s"), (0.4, "0s"), (1, "1s"), (59.9, "59s"), (60, "1m"), (89, "1m"), (91, "2m"), (3599, "1h")],
)
def test_what_something_took_is_rounded_to_the_minute(seconds: float, text: str) -> None:
    assert rounded(seconds) == text
