"""Live pages: the stream of "what changed" signals. It carries numbers only; pages pull what they may see.

A feature registers a Source under the name of its event: where the viewer may look (places), and what changed there
lately (id and seq). One poller per process asks each for all watched places together, so the cost is per process and not
per viewer. The events are `v`, a runbook and its seq, and `n`, a person and their latest notification.

A stream keeps its worker's thread for as long as the page is open, so it is offered only under gevent, where a thread
costs next to nothing. Without gevent pages poll. `app.config["LIVE"]` ("sse" or "poll") decides otherwise.
"""

from __future__ import annotations

import logging
import queue
import random
import sys
import threading
import time
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any, Protocol

from flask import Flask, Response, current_app, g, stream_with_context
from flask_login import current_user
from werkzeug.test import EnvironBuilder

from webapp.blueprint import Blueprint
from webapp.extensions import db
from webapp.permissions import Permission

log = logging.getLogger(__name__)

POLL_EVERY_S = 0.3
# Pages take a stream for dead that has been silent for more than two beats (static/js/live.js).
BEAT_S = 15.0
# A stream ends by itself after this long, so that a deployment drains; the page opens the next one.
STREAM_S = (600.0, 900.0)
RECONNECT_MS = 2000

blueprint = Blueprint("live", __name__)


class Source(Protocol):
    """What a feature tells the stream."""

    def places(self, viewer: Any) -> frozenset[int]:
        """Where the signed-in viewer may look."""
        ...

    def changed(self, places: Collection[int]) -> Iterable[tuple[int, int, int]]:
        """(place, id, seq) of what changed in these places lately; older things may be among them."""
        ...


Thing = tuple[str, int]  # an event, and the id that it is about
Places = Mapping[str, frozenset[int]]  # by event


class Listener:
    """One open stream: what it may hear of, and what it has not sent yet."""

    def __init__(self, places: Places) -> None:
        self.places = places
        self._heard: queue.SimpleQueue[tuple[Thing, int]] = queue.SimpleQueue()

    def tell(self, thing: Thing, seq: int) -> None:
        self._heard.put((thing, seq))

    def next(self, timeout_s: float) -> dict[Thing, int]:
        """Thing to its latest seq, of all that changed; empty where nothing did within the time."""
        found: dict[Thing, int] = {}
        try:
            thing, seq = self._heard.get(timeout=timeout_s)
            found[thing] = seq
            while True:
                thing, seq = self._heard.get_nowait()
                found[thing] = max(seq, found.get(thing, 0))
        except queue.Empty:
            return found


class Hub:
    """The open streams of this process, and the poller that feeds them while there are any."""

    def __init__(self, app: Flask) -> None:
        self._app = app
        self._lock = threading.Lock()
        self._listeners: set[Listener] = set()
        self._poller: threading.Thread | None = None
        self._known: dict[Thing, int] = {}
        self.sources: dict[str, Source] = {}

    def places_of(self, viewer: Any) -> Places:
        """Where the signed-in viewer may look, for each event."""
        return {event: source.places(viewer) for event, source in self.sources.items()}

    def join(self, places: Places) -> Listener:
        """A new listener; the first one starts the poller."""
        listener = Listener(places)
        with self._lock:
            self._listeners.add(listener)
            if self._poller is None:
                self._poller = threading.Thread(target=self._poll, name="live-poller", daemon=True)
                self._poller.start()
        return listener

    def leave(self, listener: Listener) -> None:
        """The last one to leave ends the poller."""
        with self._lock:
            self._listeners.discard(listener)

    def look(self) -> None:
        """Ask each source once, and tell each listener what is new to this process and lies in its places."""
        with self._lock:
            listeners = list(self._listeners)
        for event, source in self.sources.items():
            places = frozenset().union(*(listener.places[event] for listener in listeners))
            for place, number, seq in self._changed(source, places) if places else ():
                thing = (event, number)
                if seq > self._known.get(thing, 0):
                    self._known[thing] = seq
                    for listener in listeners:
                        if place in listener.places[event]:
                            listener.tell(thing, seq)

    def _changed(self, source: Source, places: frozenset[int]) -> list[tuple[int, int, int]]:
        # As a page that only reads, because any other transaction takes SQLite's write lock.
        with self._app.request_context(EnvironBuilder(path="/live").get_environ()):
            return list(source.changed(places))

    def _poll(self) -> None:
        failing = False
        while True:
            try:
                self.look()
                failing = False
            except Exception as error:
                if not failing:
                    log.warning("Live updates pause, the database did not answer: %s", error)
                failing = True
            time.sleep(POLL_EVERY_S)
            with self._lock:
                if not self._listeners:
                    self._poller = None
                    self._known.clear()
                    return


def register(app: Flask, event: str, source: Source) -> None:
    """Have the stream ask that source too, and send what it says under the name of the event."""
    _hub(app).sources[event] = source


def mode() -> str:
    """sse where a stream costs no thread, else poll."""
    chosen = current_app.config.get("LIVE")
    if chosen in ("sse", "poll"):
        return str(chosen)
    monkey = sys.modules.get("gevent.monkey")
    return "sse" if monkey is not None and monkey.is_module_patched("threading") else "poll"


@blueprint.get("/live", permission=Permission.SIGNED_IN)
def stream() -> Response:
    hub = _hub(current_app)
    if mode() != "sse":
        return Response(status=204)  # tells an EventSource not to come back
    answer = Response(stream_with_context(_signals(hub)), mimetype="text/event-stream")
    answer.headers["Cache-Control"] = "no-store"
    answer.headers["X-Accel-Buffering"] = "no"
    return answer


def _signals(hub: Hub) -> Iterator[str]:
    places = hub.places_of(current_user)
    db.session.remove()  # before the first yield: a stream must not hold a database connection
    listener = hub.join(places)
    ends = time.monotonic() + random.uniform(*STREAM_S)
    try:
        yield f"retry: {RECONNECT_MS}\n\n"
        while time.monotonic() < ends:
            heard = listener.next(BEAT_S)
            if heard:
                yield "".join(
                    f"event: {event}\ndata: {number}:{seq}\n\n" for (event, number), seq in heard.items()
                )
                continue
            if not _still_signed_in():
                return
            listener.places = hub.places_of(current_user)
            db.session.remove()
            yield "event: beat\ndata: -\n\n"  # an event without data is not dispatched
    finally:
        hub.leave(listener)


def _still_signed_in() -> bool:
    g.pop("_login_user", None)
    return bool(current_user.is_authenticated)


def _hub(app: Flask) -> Hub:
    found: Hub = app.extensions["live"]
    return found


def init_app(app: Flask) -> None:
    """Serve /live, and give templates `live_mode()`."""
    app.extensions["live"] = Hub(app)
    app.register_blueprint(blueprint)
    app.jinja_env.globals["live_mode"] = mode
