"""Field types: one table of good and bad values, and a contract that every registered type keeps."""

from __future__ import annotations

import json
from typing import Any

import pytest

from webapp.fields.kinds import KINDS, InvalidValue

OPTIONS = ["#ops", "#dr-war-room"]
PEOPLE = {7: "Rune"}


@pytest.mark.parametrize(
    ("kind", "typed", "stored"),
    [
        ("text", ["  #ops "], "#ops"),
        ("text", [""], None),
        ("text_area", ["one\r\ntwo"], "one\ntwo"),
        ("number", ["12"], 12),
        ("number", ["1.5"], 1.5),
        ("number", [""], None),
        ("date", ["2026-11-23"], "2026-11-23"),
        ("single_select", ["#ops"], "#ops"),
        ("single_select", [""], None),
        ("multi_select", ["", "#dr-war-room", "#ops"], ["#ops", "#dr-war-room"]),
        ("checkboxes", [""], None),
        ("user", ["7"], 7),
    ],
)
def test_what_is_typed_is_stored_as(kind: str, typed: list[str], stored: Any) -> None:
    assert KINDS[kind].parse(typed, OPTIONS, PEOPLE) == stored


@pytest.mark.parametrize(
    ("kind", "typed", "sentence"),
    [
        ("text", ["x" * 1001], "This is 1,001 characters long; 1,000 fit. Use a text area for more."),
        ("number", ["twelve"], "“twelve” is not a number. Write digits, with a point for decimals."),
        ("number", ["nan"], "This number is too large."),
        ("number", ["1e99"], "This number is too large."),
        ("date", ["23.11.2026"], "“23.11.2026” is not a date. Write it as 2026-11-23."),
        ("single_select", ["#gone"], "“#gone” is no longer one of the options. Choose another."),
        ("multi_select", ["#gone"], "“#gone” is no longer one of the options. Choose again."),
        ("user", ["8"], "This person does not belong to the workspace any more. Choose another."),
    ],
)
def test_what_does_not_fit_gets_a_sentence(kind: str, typed: list[str], sentence: str) -> None:
    with pytest.raises(InvalidValue) as refused:
        KINDS[kind].parse(typed, OPTIONS, PEOPLE)
    assert str(refused.value) == sentence


@pytest.mark.parametrize(
    ("kind", "typed", "drawn"),
    [
        ("text", [" half a "], " half a "),
        ("number", ["twelve"], "twelve"),
        ("number", [], ""),
        ("multi_select", ["", "#gone", "#ops"], ["#gone", "#ops"]),
        ("checkboxes", [""], []),
        ("user", ["8"], 8),
        ("user", ["nobody"], "nobody"),
    ],
)
def test_what_was_refused_is_drawn_again_as_it_was_typed(kind: str, typed: list[str], drawn: Any) -> None:
    assert KINDS[kind].as_typed(typed) == drawn


def test_only_a_user_field_names_people() -> None:
    assert {kind.key: list(kind.people(7)) for kind in KINDS if kind.people(7)} == {"user": [7]}
    assert KINDS["user"].people(None) == ()


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.key)
def test_every_type_keeps_the_contract(kind: Any) -> None:
    assert kind.key and kind.label and kind.widget
    assert kind.parse([], OPTIONS, PEOPLE) is None
    sample = kind.sample(OPTIONS)
    assert json.loads(json.dumps(sample)) == sample
    assert kind.shown(None, PEOPLE) == ""
    assert kind.for_template(None, {}) in (None, [])


def test_the_audit_log_names_people() -> None:
    known, gone = (KINDS["user"].for_audit(each, {7: "Rune"}) for each in (7, 8))
    assert (known, gone) == ("Rune", "someone who has left (user 8)")
    assert KINDS["multi_select"].for_audit(["#ops"], {}) == ["#ops"]
    assert KINDS["user"].for_audit(None, {}) is None


def test_a_user_is_an_address_in_a_template() -> None:
    assert KINDS["user"].for_template(7, {7: "rune@example.com"}) == "rune@example.com"
