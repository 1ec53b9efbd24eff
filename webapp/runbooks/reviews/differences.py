"""How what happened differs from its plan, in words. Pure."""

from __future__ import annotations

from webapp.runbooks.durations import shown

WORTH_SAYING_S = 60


def moved(seconds: float) -> str:
    """ "12m late", "3m early", or "on time" within a minute."""
    if not worth_saying(seconds):
        return "on time"
    return f"{length(seconds)} {'late' if seconds > 0 else 'early'}"


def stretched(seconds: float) -> str:
    """ "5m longer", "2m less", or "as planned" within a minute."""
    if not worth_saying(seconds):
        return "as long as planned"
    return f"{length(seconds)} {'longer' if seconds > 0 else 'less'}"


def apart(seconds: float) -> str:
    """How two that happened differ: "5m longer", "2m less", "within a minute", or "the same"."""
    if worth_saying(seconds):
        return stretched(seconds)
    return "within a minute" if seconds else "the same"


def length(seconds: float) -> str:
    """How long, in full minutes."""
    return shown(abs(seconds) // 60 * 60)


def worth_saying(seconds: float) -> bool:
    """Whether a difference is more than the seconds that it takes to press a button."""
    return abs(seconds) >= WORTH_SAYING_S


def sentence(words: str) -> str:
    """The words with a capital letter at the beginning."""
    return words[:1].upper() + words[1:]


def offset(seconds: float) -> str:
    """How far something is moved, in full minutes: "+2h 10m", with a real minus sign for earlier."""
    sign = "+" if seconds >= 0 else "\N{MINUS SIGN}"
    return f"{sign}{length(seconds)}"
