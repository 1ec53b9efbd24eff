"""People whom a comment names: who that is, what they are told, and how it is shown."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from tests.cast import Cast
from tests.runbooks.conftest import MakeRunbook, Told, task
from webapp.accounts.models import User
from webapp.extensions import db
from webapp.permissions import Role
from webapp.runbooks import mentions, operations
from webapp.runbooks.models import Comment, Mention
from webapp.workspaces.models import Membership

ClientOf = Callable[[int], FlaskClient]


@dataclass(frozen=True)
class Person:
    id: int
    name: str
    email: str


ANNA = Person(1, "Anna", "anna@example.com")
ANNA_LENA = Person(2, "Anna Lena Berg", "lena@example.com")
SAM_1 = Person(3, "Sam", "sam.one@example.com")
SAM_2 = Person(4, "sam", "sam.two@example.com")
ODD = Person(5, "C. O'Neil (ops)", "oneil+ops@example.com")
PEOPLE = [ANNA, ANNA_LENA, SAM_1, SAM_2, ODD]


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("@Anna", [(ANNA, 0, "@Anna")]),
        ("@anna, look", [(ANNA, 0, "@anna")]),
        ("Ask @Anna's team (@Anna).", [(ANNA, 4, "@Anna"), (ANNA, 18, "@Anna")]),
        ("@Anna Lena Berg", [(ANNA_LENA, 0, "@Anna Lena Berg")]),
        ("@Anna Lena said so", [(ANNA, 0, "@Anna")]),
        ("@sam.two@example.com.", [(SAM_2, 0, "@sam.two@example.com")]),
        ("@anna@example.com", [(ANNA, 0, "@anna@example.com")]),
        ("@C. O'Neil (ops)!", [(ODD, 0, "@C. O'Neil (ops)")]),
        ("@oneil+ops@example.com", [(ODD, 0, "@oneil+ops@example.com")]),
        ("@Annabel", []),
        ("@Anna-Lena", []),
        ("@anna@example.org", []),
        ("write to anna@Anna", []),
        ("@@Anna", []),
        ("@ Anna", []),
        ("@", []),
        ("Anna", []),
        ("@Sam", []),
    ],
)
def test_a_text_names_people_by_their_whole_name_or_their_address(text: str, named: list[Any]) -> None:
    found = mentions.named_in(text, PEOPLE)
    assert [(each.person, each.start, each.words) for each in found] == named


def test_a_name_that_two_people_have_names_neither_and_is_reported_once() -> None:
    assert mentions.unclear_in("@Sam and @sam, and @Anna", PEOPLE) == ["Sam"]
    assert mentions.unclear_in("@sam.one@example.com and @Anna", PEOPLE) == []


def test_a_suggestion_is_the_name_or_where_two_have_it_the_address() -> None:
    spelled = {each.email: mentions.spelling(each, PEOPLE) for each in PEOPLE}
    assert spelled == {
        "anna@example.com": "Anna",
        "lena@example.com": "Anna Lena Berg",
        "sam.one@example.com": "sam.one@example.com",
        "sam.two@example.com": "sam.two@example.com",
        "oneil+ops@example.com": "C. O'Neil (ops)",
    }


@pytest.mark.parametrize("person", PEOPLE, ids=lambda each: each.email)
def test_what_is_suggested_for_a_person_names_that_person(person: Person) -> None:
    text = f"Please look, @{mentions.spelling(person, PEOPLE)} thanks"
    assert [each.person for each in mentions.named_in(text, PEOPLE)] == [person]


def test_a_text_is_shown_in_pieces_that_make_the_whole() -> None:
    text = "@Anna and @Anna Lena Berg: go"
    found = mentions.parts(text, mentions.named_in(text, PEOPLE))
    assert [(each.text, each.person) for each in found] == [
        ("@Anna", ANNA),
        (" and ", None),
        ("@Anna Lena Berg", ANNA_LENA),
        (": go", None),
    ]
    assert mentions.parts("plain", []) == [mentions.Part("plain")]


def test_who_is_mentioned_is_told_where_and_by_whom(
    make_runbook: MakeRunbook, rune: User, vera: User, told: Told
) -> None:
    runbook = make_runbook("Announce", "Deploy")
    operations.add_comment(task(runbook, 2), "Look, @Vera and @rune, and @Vera again", by=rune)
    link = f"/runbooks/{runbook.id}?task=2"
    assert told() == [("Vera", "mention", "Rune mentioned you on #2 Deploy in “Release 12”.", link)]
    assert [(each.user, each.start, each.words) for each in db.session.scalars(select(Mention))] == [
        (vera, 6, "@Vera"),
        (rune, 16, "@rune"),
        (vera, 27, "@Vera"),
    ]


def test_nobody_outside_the_workspace_or_signed_out_for_good_is_mentioned(
    make_runbook: MakeRunbook, rune: User, vera: User, told: Told
) -> None:
    runbook = make_runbook("Announce")
    vera.active = False
    db.session.commit()
    operations.add_comment(task(runbook, 1), "@Otto, @Vera, @Ada, @otto@example.com", by=rune)
    assert told() == []
    assert list(db.session.scalars(select(Mention))) == []


def test_a_comment_without_an_at_asks_nobody(
    make_runbook: MakeRunbook, rune: User, counting_queries: Callable[[], Any]
) -> None:
    found = task(make_runbook("Announce"), 1)
    with counting_queries() as seen:
        operations.add_comment(found, "Vera should look", by=rune)
    assert [each for each in seen if "JOIN memberships" in each or "notifications" in each] == []


def test_a_mention_is_shown_by_name_and_stored_as_it_was_typed(
    make_runbook: MakeRunbook, cast: Cast, client_of: ClientOf, told: Told
) -> None:
    runbook = make_runbook("Announce")
    address = f"/runbooks/{runbook.id}/tasks/1/comments"
    sent = client_of(cast.rune).post(address, data={"body": "<i> @vera@example.com, look"})
    assert sent.status_code == 303
    assert db.session.scalars(select(Comment.body)).one() == "<i> @vera@example.com, look"
    shown = {
        name: re.findall(
            r'<p class="pre-line break">(.*?)</p>',
            client_of(getattr(cast, name)).get(f"/runbooks/{runbook.id}?task=1").text,
        )
        for name in ("rune", "vera")
    }
    person = '<span class="mention{}" title="vera@example.com">@Vera</span>'
    assert shown == {
        "rune": [f"&lt;i&gt; {person.format('')}, look"],
        "vera": [f"&lt;i&gt; {person.format(' me')}, look"],
    }
    assert [row[0] for row in told()] == ["Vera"]


def test_who_writes_a_name_that_two_have_is_told_that_nobody_was(
    make_runbook: MakeRunbook, cast: Cast, client_of: ClientOf, told: Told
) -> None:
    runbook = make_runbook("Announce")
    other = User(name="Vera", email="vera.two@example.com")
    db.session.add(Membership(workspace_id=cast.payments, user=other, role=Role.MEMBER))
    client, address = client_of(cast.rune), f"/runbooks/{runbook.id}/tasks/1/comments"
    sentence = "Several people are called Vera, so none of them was told. Write @ and the email address."
    answer = client.post(address, data={"body": "@Vera look"}, headers={"HX-Request": "true"})
    assert sentence in answer.headers["HX-Trigger"]
    assert told() == []
    answer = client.post(address, data={"body": "@vera.two@example.com"}, headers={"HX-Request": "true"})
    assert "HX-Trigger" not in answer.headers
    assert [row[1] for row in told()] == ["mention"]


def test_people_are_suggested_by_the_beginning_of_a_name_or_address(
    make_runbook: MakeRunbook, cast: Cast, client_of: ClientOf
) -> None:
    runbook = make_runbook("Announce")
    people = [("Lena Berg", "lena"), ("Bergljot", "bo"), ("Vera", "vera.two")]
    for name, address in people:
        user = User(name=name, email=f"{address}@example.com")
        db.session.add(Membership(workspace_id=cast.payments, user=user, role=Role.VIEWER))
    client = client_of(cast.rune)

    def suggested(typed: str) -> list[str]:
        page = client.get(f"/runbooks/{runbook.id}/people", query_string={"q": typed}).text
        return re.findall(r'data-words="([^"]+)"', page)

    assert suggested("berg") == ["Bergljot", "Lena Berg"]
    assert suggested("VER") == ["vera@example.com", "vera.two@example.com"]
    assert suggested("lena b") == ["Lena Berg"]
    assert suggested("otto") == suggested("rune") == suggested("era") == []
    assert len(suggested("")) == 4


def test_a_panel_with_many_mentions_asks_as_often_as_one_with_a_single_one(
    make_runbook: MakeRunbook,
    rune: User,
    cast: Cast,
    client_of: ClientOf,
    counting_queries: Callable[[], Any],
) -> None:
    runbook, client, counted = make_runbook("Announce"), client_of(cast.vera), []
    for count in (1, 20):
        for _ in range(count):
            operations.add_comment(task(runbook, 1), "@Vera and @Rune", by=rune)
        db.session.commit()
        with counting_queries() as seen:
            assert client.get(f"/runbooks/{runbook.id}?task=1").status_code == 200
        counted.append(len(seen))
    assert counted[0] == counted[1]
