"""Durations as people type and read them: "15", "15m", "1h 30m", "90s", "1:30". Pure."""

from __future__ import annotations

import re

LONGEST_S = 30 * 24 * 3600
_PARTS = re.compile(
    r"(?:(\d{1,4})\s*d)?\s*(?:(\d{1,4})\s*h)?\s*(?:(\d{1,5})\s*m(?:in)?)?\s*(?:(\d{1,6})\s*s)?"
)
_CLOCK = re.compile(r"(\d{1,3}):([0-5]\d)")


def parse(typed: str) -> int:
    """Seconds. A bare number is minutes, 1:30 is hours and minutes. Raises ValueError with a sentence for people."""
    text = typed.strip().lower()
    if text.isascii() and text.isdigit() and len(text) <= 6:
        seconds = int(text) * 60
    elif match := _CLOCK.fullmatch(text):
        seconds = int(match[1]) * 3600 + int(match[2]) * 60
    elif text and (match := _PARTS.fullmatch(text)):
        days, hours, minutes, rest = (int(part or 0) for part in match.groups())
        seconds = days * 86_400 + hours * 3600 + minutes * 60 + rest
    else:
        raise ValueError("Write a duration such as 15m, 1h 30m or 1:30.")
    if seconds > LONGEST_S:
        raise ValueError("A task may take at most 30 days.")
    return seconds


def shown(seconds: float) -> str:
    """ "1h 30m", "5m", "45s"; "0m" for a milestone. `parse` reads it back."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    parts = ((days, "d"), (hours, "h"), (minutes, "m"), (rest, "s"))
    return " ".join(f"{number}{unit}" for number, unit in parts if number) or "0m"


def rounded(seconds: float) -> str:
    """How long something took, to the minute, or to the second below one minute."""
    return shown(seconds if seconds < 60 else round(seconds / 60) * 60) if seconds >= 1 else "0s"


def ago(seconds: float) -> str:
    """ "12s ago"; "just now" within two seconds."""
    return "just now" if seconds < 2 else f"{rounded(seconds)} ago"
