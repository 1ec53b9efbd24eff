"""How much of a text fits into a width, for drawings whose texts do not wrap. Pure: standard library only."""

from __future__ import annotations

# Widths in Inter at 100 px, to the nearest of five; a little wide rather than narrow.
_NARROW, _WIDE, _WIDEST = (
    set("ijl.,:;'|!I ()[]"),
    set("mwMW@%—…"),
    set("ABCDEFGHKLNOPQRSTUVXYZ&=+<>#0123456789"),
)
_HALF = set('frt-/\\"')


def width_of(text: str, size: float) -> float:
    """The estimated width in pixels at that font size."""
    return sum(_share(letter) for letter in text) * size


def fitted(text: str, width: float, size: float) -> str:
    """The text, cut with an ellipsis where it is wider than `width`."""
    if width_of(text, size) <= width:
        return text
    left = width - width_of("…", size)
    for at, letter in enumerate(text):
        left -= _share(letter) * size
        if left < 0:
            return text[:at].rstrip() + "…"
    return text


def _share(letter: str) -> float:
    if letter in _NARROW:
        return 0.29
    if letter in _HALF:
        return 0.4
    if letter in _WIDE:
        return 0.9
    if letter in _WIDEST:
        return 0.68
    return 0.58 if letter.isascii() else 0.75
