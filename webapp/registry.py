"""A registry of kinds: authorization types, execution modes, triggers, field types, predefined integrations.

A kind is one class in one file; its registry is one list in the folder's `__init__.py`. Stored rows keep the
kind's key, so a registry answers for keys it no longer knows instead of raising.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Generic, Protocol, TypeVar


class Kind(Protocol):
    """What every kind carries: a key that rows store, and a label that people read."""

    @property
    def key(self) -> str: ...

    @property
    def label(self) -> str: ...


K = TypeVar("K", bound=Kind)


class Registry(Generic[K]):
    """Kinds by key, in the order in which they were listed (the order in which forms offer them)."""

    def __init__(self, noun: str, kinds: Iterable[K]) -> None:
        """Raises ValueError when two kinds claim the same key."""
        self.noun = noun
        self._kinds: dict[str, K] = {}
        for kind in kinds:
            if kind.key in self._kinds:
                raise ValueError(f"two kinds of {noun} have the key {kind.key!r}")
            self._kinds[kind.key] = kind

    def __getitem__(self, key: str) -> K:
        return self._kinds[key]

    def __contains__(self, key: object) -> bool:
        return key in self._kinds

    def __iter__(self) -> Iterator[K]:
        return iter(self._kinds.values())

    def __len__(self) -> int:
        return len(self._kinds)

    def get(self, key: str | None) -> K | None:
        """The kind, or None where a stored row names one that this version does not have."""
        return self._kinds.get(key) if key is not None else None

    def label(self, key: str | None) -> str:
        """The kind's label, or a plain notice that it is no longer available."""
        kind = self.get(key)
        return kind.label if kind else f"{key or 'none'} (no longer available)"

    def choices(self) -> dict[str, str]:
        """Key to label, for a select."""
        return {kind.key: kind.label for kind in self}
