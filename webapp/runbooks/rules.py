"""Who has to say that a task starts or finishes, and what one person's press does. Pure: standard library only.

Only people who are assigned to the task now count. Where a rule asks for several and nobody is assigned, it counts as
anyone; where fewer are assigned than it asks for, all of them are enough, so that no task waits for people it lost.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum


class Rule(StrEnum):
    """Who starts or finishes a task. The value is what the row stores; who_started is for finishing only."""

    ANYONE = "anyone"
    EVERYONE = "everyone"
    AT_LEAST = "at_least"
    WHO_STARTED = "who_started"


class Moment(StrEnum):
    """What a rule is about."""

    START = "start"
    FINISH = "finish"


# What a task that only some people may start by their word together never does without it.
OF_SEVERAL = frozenset({Rule.EVERYONE, Rule.AT_LEAST})
START_RULES = (Rule.ANYONE, Rule.EVERYONE, Rule.AT_LEAST)
FINISH_RULES = tuple(Rule)
LABELS = {
    Rule.ANYONE: "Anyone",
    Rule.EVERYONE: "Everyone assigned",
    Rule.AT_LEAST: "At least",
    Rule.WHO_STARTED: "Who started it",
}


class Press(StrEnum):
    """What comes of a person's press."""

    GO = "go"  # it starts, or finishes
    OVERRIDE = "override"  # the same, by someone who conducts the runbook, in place of who started the task
    WAIT = "wait"  # their word is kept; others have to press as well
    NOT_ASKED = "not asked"  # the rule is about people, and they are none of them
    NOT_THEIRS = "not theirs"  # whoever started it has to finish it


@dataclass(frozen=True)
class Asked:
    """One rule of one task as it stands: `people` are the ids of those assigned, `ready` of those who have pressed."""

    rule: str
    quorum: int
    people: Sequence[int]
    ready: Collection[int] = ()
    started_by: int | None = None

    @property
    def needed(self) -> int:
        """How many of the people have to press; 0 where one press of anyone is enough."""
        if self.rule == Rule.EVERYONE:
            return len(self.people)
        if self.rule == Rule.AT_LEAST:
            return min(max(self.quorum, 1), len(self.people))
        return 0

    @property
    def there(self) -> list[int]:
        """Those of the people who have pressed, in their order."""
        return [each for each in self.people if each in self.ready]

    @property
    def missing(self) -> list[int]:
        """Those of the people who have not."""
        return [each for each in self.people if each not in self.ready]

    @property
    def met(self) -> bool:
        """Whether enough have pressed, so that the next press of one of them is enough: people were taken off since."""
        return 0 < self.needed <= len(self.there)


def press(asked: Asked, who: int, *, conducts: bool) -> Press:
    """What comes of that person's press. `conducts`: whether they may conduct the runbook."""
    if asked.needed:
        if who not in asked.people:
            return Press.NOT_ASKED
        return Press.GO if len({*asked.there, who}) >= asked.needed else Press.WAIT
    if asked.rule == Rule.WHO_STARTED and asked.started_by is not None and asked.started_by != who:
        return Press.OVERRIDE if conducts else Press.NOT_THEIRS
    return Press.GO


def in_words(rule: str, quorum: int) -> str:
    """ "Everyone assigned", "At least 2"; a rule that this version does not know says so."""
    if rule not in LABELS:
        return f"{rule} (no longer available)"
    return f"At least {quorum}" if rule == Rule.AT_LEAST else LABELS[Rule(rule)]


def unusual_in_words(rule: str, quorum: int) -> str:
    """The same; empty where anyone may, as usual."""
    return "" if rule == Rule.ANYONE else in_words(rule, quorum)


def read(typed: str) -> tuple[Rule, int] | None:
    """The rule and quorum of such words, whatever their capitals; None where they are none."""
    text = " ".join(typed.lower().split())
    head, _, last = text.rpartition(" ")
    if head == "at least" and last.isdecimal() and 1 <= int(last) <= 99:
        return Rule.AT_LEAST, int(last)
    known = {label.lower(): rule for rule, label in LABELS.items() if rule != Rule.AT_LEAST}
    short = {
        "everyone": Rule.EVERYONE,
        "who started": Rule.WHO_STARTED,
        "whoever started it": Rule.WHO_STARTED,
    }
    found = (known | short).get(text)
    return None if found is None else (found, 1)
