"""Live signals: who is told what, and that one look asks each source once however many streams are open."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from typing import Any

from flask import Flask

from tests.cast import Cast
from webapp import live
from webapp.accounts.models import User
from webapp.extensions import db
from webapp.live import Hub, Listener
from webapp.notifications.operations import News, notify
from webapp.notifications.signals import NotificationSignals


class Changes:
    """A source of what a test says; the places of a viewer are what stands for the viewer."""

    def __init__(self, *changed: tuple[int, int, int]) -> None:
        self.found = list(changed)

    def places(self, viewer: Any) -> frozenset[int]:
        return frozenset(viewer)

    def changed(self, places: Collection[int]) -> Iterable[tuple[int, int, int]]:
        return [each for each in self.found if each[0] in places]


def hub_with(app: Flask, **sources: live.Source) -> Hub:
    hub = Hub(app)
    hub.sources.update(sources)
    return hub


def listening(hub: Hub, viewer: Any) -> Listener:
    """A listener without a poller, so that only the test looks."""
    listener = Listener(hub.places_of(viewer))
    hub._listeners.add(listener)
    return listener


def test_each_event_is_told_to_those_in_whose_places_it_lies(app: Flask) -> None:
    hub = hub_with(app, v=Changes((1, 70, 4), (2, 80, 5)), n=Changes((2, 2, 900)))
    one, two = listening(hub, {1}), listening(hub, {2})
    hub.look()
    assert one.next(0) == {("v", 70): 4}
    assert two.next(0) == {("v", 80): 5, ("n", 2): 900}


def test_the_same_number_in_two_events_is_two_things(app: Flask) -> None:
    hub = hub_with(app, v=Changes((1, 7, 4)), n=Changes((1, 7, 3)))
    one = listening(hub, {1})
    hub.look()
    assert one.next(0) == {("v", 7): 4, ("n", 7): 3}


def test_what_was_told_is_told_again_only_once_it_has_risen(app: Flask) -> None:
    changes = Changes((1, 7, 4))
    hub = hub_with(app, v=changes)
    one = listening(hub, {1})
    hub.look()
    hub.look()
    assert one.next(0) == {("v", 7): 4}
    changes.found = [(1, 7, 6)]
    hub.look()
    assert one.next(0) == {("v", 7): 6}


def test_a_person_hears_of_their_own_notifications_and_one_look_is_one_question(
    app: Flask, cast: Cast, counting_queries: Callable[[], Any]
) -> None:
    hub = hub_with(app, n=NotificationSignals())
    people = {name: db.session.get_one(User, getattr(cast, name)) for name in ("rune", "vera", "otto")}
    listeners = {name: listening(hub, person) for name, person in people.items()}
    notify([cast.rune, cast.vera], "message", News("One", "/1"), by=None)
    notify([cast.rune], "message", News("Two", "/2"), by=None)
    db.session.commit()
    with counting_queries() as seen:
        hub.look()
    assert len(seen) == 1
    heard = {name: listener.next(0) for name, listener in listeners.items()}
    assert {name: list(found) for name, found in heard.items()} == {
        "rune": [("n", cast.rune)],
        "vera": [("n", cast.vera)],
        "otto": [],
    }
    assert heard["rune"]["n", cast.rune] > heard["vera"]["n", cast.vera]
