"""People whom a text names with @: by their whole name, or by their email address. Pure."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar


class Person(Protocol):
    """Someone who can be named."""

    @property
    def id(self) -> int: ...
    @property
    def name(self) -> str: ...
    @property
    def email(self) -> str: ...


P = TypeVar("P", bound=Person)


@dataclass(frozen=True)
class Named(Generic[P]):
    """A person, and how and where the text names them: `words` with the @, from `start`."""

    person: P
    start: int
    words: str


@dataclass(frozen=True)
class Part:
    """A piece of a text: plain, or a person's name."""

    text: str
    person: Person | None = None


# Not within a word, as the @ of an address is.
_AT = re.compile(r"(?<![\w@.])@")
# "Anna" is not named by "@Annabel", "@Anna-Lena" or "@anna@example.com", but by "@Anna's" and "@Anna."
_GOES_ON = re.compile(r"[\w@]|-\w")


def named_in(text: str, people: Collection[P]) -> list[Named[P]]:
    """Whom the text names. Of names that fit the longest counts; one that several people have names nobody."""
    return [Named(found[0], start, words) for start, words, found in _found(text, people) if len(found) == 1]


def unclear_in(text: str, people: Collection[Person]) -> list[str]:
    """The names in the text that several people have, each once."""
    return list(dict.fromkeys(found[0].name for _, _, found in _found(text, people) if len(found) > 1))


def spelling(person: Person, people: Collection[Person]) -> str:
    """What to write after the @ so that it names this person and no other."""
    alike = Counter(each.name.lower() for each in people)
    return person.email if alike[person.name.lower()] > 1 else person.name


def parts(text: str, named: Sequence[Named[P]]) -> list[Part]:
    """The text in pieces, the names apart."""
    found, at = [], 0
    for each in sorted(named, key=lambda one: one.start):
        found += [Part(text[at : each.start]), Part(each.words, each.person)]
        at = each.start + len(each.words)
    return [each for each in (*found, Part(text[at:])) if each.text]


def _found(text: str, people: Collection[P]) -> list[tuple[int, str, list[P]]]:
    found = []
    for at in _AT.finditer(text):
        fitting = [
            (len(word), each)
            for each in people
            for word in {each.name, each.email}
            if _fits(text, at.end(), word)
        ]
        longest = max((length for length, _ in fitting), default=0)
        if longest:
            words = text[at.start() : at.end() + longest]
            found.append((at.start(), words, [each for length, each in fitting if length == longest]))
    return found


def _fits(text: str, start: int, word: str) -> bool:
    end = start + len(word)
    return bool(word) and text[start:end].lower() == word.lower() and not _GOES_ON.match(text, end)
