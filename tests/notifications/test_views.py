"""The bell, the page of notifications, and what is new since."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from tests.cast import Cast
from webapp.extensions import db
from webapp.notifications.models import MutedKind, Notification
from webapp.notifications.operations import News, notify

ClientOf = Callable[[int], FlaskClient]


def tell(user_id: int, *sentences: str, link: str = "/my-tasks") -> list[int]:
    """Tell them that; the ids, oldest first."""
    for each in sentences:
        notify([user_id], "message", News(each, link), by=None)
    db.session.commit()
    query = select(Notification.id).where(Notification.user_id == user_id).order_by(Notification.id)
    return list(db.session.scalars(query))


def bell(page: str) -> tuple[list[str], str]:
    """The numbers at the bells that are seen, and the id that the page knows."""
    shown = re.findall(r"data-unread><span data-number>(\d+)", page)
    [latest] = re.findall(r'data-latest="(\d+)"', page)
    return shown, latest


def sentences(page: str) -> list[str]:
    return re.findall(r"data-row-link>(?:<span class=\"sr\">Unread: </span>)?([^<]+)<", page)


def test_the_bell_counts_what_is_unread_on_every_page(cast: Cast, client_of: ClientOf) -> None:
    rune, vera = client_of(cast.rune), client_of(cast.vera)
    assert bell(rune.get("/my-tasks").text) == ([], "0")
    ids = tell(cast.rune, "One", "Two")
    assert bell(rune.get("/my-tasks").text) == (["2", "2"], str(ids[-1]))
    assert bell(vera.get("/my-tasks").text) == ([], "0")


def test_opening_one_leads_where_it_says_and_counts_as_reading_it(cast: Cast, client_of: ClientOf) -> None:
    rune = client_of(cast.rune)
    ids = tell(cast.rune, "One", "Two", link="/runbooks/7?task=3")
    answer = rune.post(f"/notifications/{ids[0]}/open")
    assert (answer.status_code, answer.location) == (303, "/runbooks/7?task=3")
    assert bell(rune.get("/my-tasks").text)[0] == ["1", "1"]
    db.session.expire_all()
    first = db.session.get_one(Notification, ids[0]).read_at
    rune.post(f"/notifications/{ids[0]}/open")
    db.session.expire_all()
    assert db.session.get_one(Notification, ids[0]).read_at == first


def test_one_is_marked_as_read_and_the_same_list_is_shown_again(cast: Cast, client_of: ClientOf) -> None:
    rune = client_of(cast.rune)
    ids = tell(cast.rune, "One", "Two")
    page = rune.get("/notifications?show=unread")
    assert sentences(page.text) == ["Two", "One"]
    assert 'name="back" value="/notifications?show=unread"' in page.text
    answer = rune.post(f"/notifications/{ids[1]}/read", data={"back": "/notifications?show=unread"})
    assert (answer.status_code, answer.location) == (303, "/notifications?show=unread")
    assert sentences(rune.get("/notifications?show=unread").text) == ["One"]
    assert sentences(rune.get("/notifications").text) == ["Two", "One"]
    stranger = rune.post(f"/notifications/{ids[0]}/read", data={"back": "//evil.example"})
    assert stranger.location == "/notifications"


def test_all_are_marked_as_read_up_to_what_the_page_showed(cast: Cast, client_of: ClientOf) -> None:
    rune = client_of(cast.rune)
    ids = tell(cast.rune, "One", "Two")
    tell(cast.rune, "Three")
    assert rune.post("/notifications/read", data={"until": ids[-1]}).status_code == 303
    assert sentences(rune.get("/notifications?show=unread").text) == ["Three"]
    assert rune.post("/notifications/read", data={"until": "²"}).status_code == 303
    assert sentences(rune.get("/notifications?show=unread").text) == ["Three"]


def test_the_page_says_so_where_there_is_nothing(cast: Cast, client_of: ClientOf) -> None:
    rune = client_of(cast.rune)
    assert "Nothing yet" in rune.get("/notifications").text
    ids = tell(cast.rune, "One")
    rune.post(f"/notifications/{ids[0]}/read")
    assert "You have read everything" in rune.get("/notifications?show=unread").text
    assert "There is nothing on this page" in rune.get("/notifications?page=2").text


def test_fifty_stand_on_a_page_and_it_asks_as_often_as_for_one(
    cast: Cast, client_of: ClientOf, counting_queries: Callable[[], Any]
) -> None:
    rune = client_of(cast.rune)
    tell(cast.rune, "News 0")
    with counting_queries() as one:
        assert sentences(rune.get("/notifications").text) == ["News 0"]
    tell(cast.rune, *(f"News {at}" for at in range(1, 60)))
    with counting_queries() as many:
        first = rune.get("/notifications").text
    assert sentences(first) == [f"News {at}" for at in range(59, 9, -1)]
    assert "Page 1 of 2" in first
    assert len(one) == len(many)
    assert sentences(rune.get("/notifications?page=2").text) == [f"News {at}" for at in range(9, -1, -1)]


def test_a_kind_that_is_no_more_shows_all_the_same(cast: Cast, client_of: ClientOf) -> None:
    db.session.add(Notification(user_id=cast.rune, kind="weather", sentence="It rains.", link="/"))
    assert sentences(client_of(cast.rune).get("/notifications").text) == ["It rains."]


def test_news_are_what_came_since_and_nothing_where_nothing_did(cast: Cast, client_of: ClientOf) -> None:
    rune = client_of(cast.rune)
    ids = tell(cast.rune, "One", "<b>Two</b>")
    told = rune.get(f"/notifications/news?after={ids[0]}&seen=1").json
    assert told == {
        "unread": 2,
        "latest": ids[1],
        "news": [{"id": ids[1], "text": "<b>Two</b>", "open": f"/notifications/{ids[1]}/open"}],
    }
    assert rune.get(f"/notifications/news?after={ids[1]}&seen=2").status_code == 204
    rune.post(f"/notifications/{ids[0]}/read")
    told = rune.get(f"/notifications/news?after={ids[1]}&seen=2").json
    assert told == {"unread": 1, "latest": ids[1], "news": []}


def test_of_many_news_only_the_latest_are_told_one_by_one(cast: Cast, client_of: ClientOf) -> None:
    ids = tell(cast.rune, *(f"News {at}" for at in range(9)))
    told = client_of(cast.rune).get("/notifications/news?after=0&seen=0").json
    assert told is not None
    assert (told["unread"], told["latest"]) == (9, ids[-1])
    assert [each["text"] for each in told["news"]] == [f"News {at}" for at in range(4, 9)]


def test_news_cost_the_same_however_many_there_are(
    cast: Cast, client_of: ClientOf, counting_queries: Callable[[], Any]
) -> None:
    rune, counted = client_of(cast.rune), []
    for sentences_ in (["One"], [f"News {at}" for at in range(30)]):
        tell(cast.rune, *sentences_)
        with counting_queries() as seen:
            assert rune.get("/notifications/news?after=0&seen=0").status_code == 200
        counted.append(len(seen))
    assert counted[0] == counted[1]


def test_kinds_are_turned_off_and_on_again(cast: Cast, client_of: ClientOf) -> None:
    rune = client_of(cast.rune)
    everything = [
        "mention",
        "task_ready",
        "task_assigned",
        "runbook_started",
        "runbook_news",
        "message",
        "template",
    ]
    assert checked(rune.get("/notifications/settings").text) == [*everything, "nudge"]
    rune.post("/notifications/settings", data={"kinds": ["mention"]})
    assert checked(rune.get("/notifications/settings").text) == ["mention", "nudge"]
    assert checked(client_of(cast.vera).get("/notifications/settings").text) == [*everything, "nudge"]
    rune.post("/notifications/settings", data={"kinds": everything})
    assert list(db.session.scalars(select(MutedKind.kind))) == []


@pytest.mark.parametrize("wrong", ["weather", "nudge"])
def test_a_kind_that_is_none_to_choose_is_refused(cast: Cast, client_of: ClientOf, wrong: str) -> None:
    answer = client_of(cast.rune).post("/notifications/settings", data={"kinds": [wrong]})
    assert answer.status_code == 422
    assert list(db.session.scalars(select(MutedKind.kind))) == []


def checked(page: str) -> list[str]:
    return re.findall(r'name="kinds" value="(\w+)" checked', page)
