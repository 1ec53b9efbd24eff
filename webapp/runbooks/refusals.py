"""Why something on a runbook cannot be done, in sentences for people. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from webapp.runbooks.states import NotNow

__all__ = [
    "CannotCall",
    "ChangedMeanwhile",
    "FieldsMissing",
    "NotNow",
    "PeopleAsked",
    "PlanRefused",
    "ResultMissing",
    "TakenBefore",
    "WarningsToAccept",
]


class PlanRefused(Exception):
    """A change of the plan cannot be made; `field` names the form's field."""

    def __init__(self, sentence: str, field: str = "") -> None:
        super().__init__(sentence)
        self.field = field


class TakenBefore(NotNow):
    """Someone else did it a moment before; the sentence says who and when."""


class CannotCall(NotNow):
    """The task's integration cannot be called now: nobody is signed in, or the action is not there any more."""


class PeopleAsked(NotNow):
    """A rule leaves it to people, so it does not happen by itself."""


class WarningsToAccept(NotNow):
    """Pre-flight warns of something, and nobody has said why the start should go on in spite of it."""


class ResultMissing(NotNow):
    """A validation is finished with its result, and nobody has said what that is."""


class FieldsMissing(Exception):
    """Required fields are empty; `definitions` are those field definitions, in their order."""

    def __init__(self, definitions: Sequence[Any]) -> None:
        names = ", ".join(definition.name for definition in definitions)
        super().__init__(f"Fill in {names} first.")
        self.definitions = list(definitions)


class ChangedMeanwhile(Exception):
    """Someone else changed what a person was changing, since that person saw it.

    `news` maps the name of each such part of a Plan to who changed it and how long ago, in words: "Jonas changed this
    12s ago". The person has to choose.
    """

    def __init__(self, news: Mapping[str, str]) -> None:
        super().__init__(". ".join(news.values()) + ".")
        self.news = dict(news)
