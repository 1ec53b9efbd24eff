"""The door on sessions of other libraries: Authlib's OAuth2Session obeys the same guard, deadlines and caps."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests
import responses
from authlib.integrations.requests_client import OAuth2Session

from tests.loopback import OK, Line, Peer, Talk, always
from webapp.egress import EgressPolicy
from webapp.http import Door, ExchangeFailed, MaybeSent, NotSent

Serve = Callable[[Talk], Peer]
TOKEN = b'{"access_token":"xoxb-1","token_type":"bearer"}'


def answer(body: bytes, *headers: bytes, status: bytes = b"200 OK") -> bytes:
    lines = [b"HTTP/1.1 " + status, *headers, b"Content-Length: %d" % len(body)]
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


@pytest.fixture
def serve() -> Iterator[Serve]:
    made: list[Peer] = []

    def start(talk: Talk) -> Peer:
        made.append(Peer(talk))
        return made[-1]

    yield start
    for peer in made:
        peer.close()


@pytest.fixture
def door() -> Door:
    return Door(EgressPolicy.parse("127.0.0.1"), user_agent="Test/1")


@pytest.fixture
def session(door: Door) -> Iterator[requests.Session]:
    with door.mount(requests.Session()) as mounted:
        yield mounted


def test_authlib_fetches_a_token_through_the_door(serve: Serve, door: Door) -> None:
    peer = serve(always(answer(TOKEN, b"Content-Type: application/json")))
    with door.mount(OAuth2Session("client", "secret")) as session:
        token = session.fetch_token(peer.url("/token"), code="c", grant_type="authorization_code")
    assert token["access_token"] == "xoxb-1"
    assert peer.requests[0].startswith(b"POST /token HTTP/1.1\r\n")
    assert b"\r\nUser-Agent: Test/1\r\n" in peer.requests[0]
    assert peer.requests[0].count(b"Content-Length:") == 1


def test_a_private_address_is_refused(serve: Serve) -> None:
    peer = serve(always(OK))
    with (
        Door(EgressPolicy.parse(""), user_agent="Test").mount(requests.Session()) as session,
        pytest.raises(ExchangeFailed, match=r"127\.0\.0\.1 is not a public address") as raised,
    ):
        session.get(peer.url())
    assert isinstance(raised.value.outcome, NotSent)
    assert raised.value.outcome.code == "address_blocked"
    assert peer.connections == 0


def test_a_redirect_is_not_followed_and_says_where_it_leads(serve: Serve, session: requests.Session) -> None:
    other = serve(always(OK))
    peer = serve(always(answer(b"", f"Location: {other.url()}".encode(), status=b"307 Temporary Redirect")))
    with pytest.raises(requests.TooManyRedirects) as raised:
        session.post(peer.url(), data={"client_secret": "s"}, headers={"X-Api-Key": "K"})
    assert str(raised.value) == (
        f"127.0.0.1 answered with a redirect to {other.url()}, and redirects are not followed; use that address"
    )
    assert other.connections == 0


def test_the_sessions_timeout_is_the_total_deadline(serve: Serve, session: requests.Session) -> None:
    def talk(line: Line) -> None:
        line.read()
        line.send(b"HTTP/1.1 200 OK\r\nContent-Length: 4000\r\n\r\n")
        line.drip(b"x" * 4000, every_s=0.02)

    peer = serve(talk)
    for timeout in (0.2, (5, 0.2)):
        with pytest.raises(ExchangeFailed, match=r"was not done within 0\.2 s") as raised:
            session.get(peer.url(), timeout=timeout)
        assert isinstance(raised.value.outcome, MaybeSent)


def test_an_answer_beyond_the_cap_is_refused(serve: Serve, session: requests.Session) -> None:
    peer = serve(always(answer(b"x" * 1_000_001)))
    with pytest.raises(
        ExchangeFailed, match=r"127\.0\.0\.1 answered HTTP 200 with more than 1,000,000 bytes\."
    ):
        session.get(peer.url())


def test_a_dropped_connection_says_that_the_request_may_have_arrived(
    serve: Serve, session: requests.Session
) -> None:
    peer = serve(lambda line: line.read() and None)
    with pytest.raises(ExchangeFailed, match="closed the connection without an answer"):
        session.get(peer.url())
    assert len(peer.requests) == 1


def test_cookies_are_not_kept(serve: Serve, session: requests.Session) -> None:
    peer = serve(always(answer(b"", b"Set-Cookie: a=b")))
    session.get(peer.url())
    session.get(peer.url())
    assert [b"ookie" in request for request in peer.requests] == [False, False]
    assert len(session.cookies) == 0


def test_netrc_does_not_replace_a_bearer_token(
    serve: Serve, session: requests.Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login someone password else\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    peer = serve(always(OK))
    session.get(peer.url(), headers={"Authorization": "Bearer T"})
    assert b"\r\nAuthorization: Bearer T\r\n" in peer.requests[0]


def test_an_answer_reads_like_any_other_of_the_library(serve: Serve, session: requests.Session) -> None:
    peer = serve(always(answer('{"name":"ü"}'.encode(), b"Content-Type: application/json", b"X-A: 1")))
    found = session.get(peer.url("/a?b=c"))
    assert (found.status_code, found.json(), found.headers["x-a"]) == (200, {"name": "ü"}, "1")
    assert (found.url, found.reason) == (peer.url("/a?b=c"), "OK")


@pytest.mark.parametrize("body", [iter([b"a", b"b"]), "text", b"bytes", None])
def test_only_whole_bodies_are_sent(serve: Serve, session: requests.Session, body: object) -> None:
    peer = serve(always(OK))
    if isinstance(body, (str, bytes, type(None))):
        assert session.post(peer.url(), data=body).status_code == 200
    else:
        with pytest.raises(ExchangeFailed, match="body cannot be sent"):
            session.post(peer.url(), data=body)
        assert peer.connections == 0


@responses.activate
def test_the_responses_library_can_stand_in_for_the_network(session: requests.Session) -> None:
    responses.post("https://slack.com/api/oauth.access", json={"ok": True})
    assert session.post("https://slack.com/api/oauth.access").json() == {"ok": True}
    with pytest.raises(ExchangeFailed):
        session.get("https://slack.com/api/auth.test")
