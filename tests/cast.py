"""The people that every test knows."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Cast:
    """The people of every test, by id, and their two workspaces."""

    ada: int
    ines: int
    carl: int
    rune: int
    vera: int
    otto: int
    payments: int
    treasury: int
