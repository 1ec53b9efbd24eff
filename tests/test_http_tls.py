"""The door over TLS: certificates are verified against the name, and a handshake that fails has sent nothing."""

from __future__ import annotations

import ssl
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.loopback import OK, Line, Peer, Talk, always, until_reset, wait_for_the_reset
from webapp.egress import EgressPolicy
from webapp.http import Answered, Door, MaybeSent, NotSent, Outbound, Outcome

Serve = Callable[[Talk], Peer]


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Key and certificate for the name localhost, in one file."""
    folder = tmp_path_factory.mktemp("tls")
    made, key, public = folder / "both.pem", folder / "key.pem", folder / "certificate.pem"
    asked = (
        "req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -addext subjectAltName=DNS:localhost"
    )
    subprocess.run(
        ["openssl", *asked.split(), "-keyout", key, "-out", public], check=True, capture_output=True
    )
    made.write_bytes(key.read_bytes() + public.read_bytes())
    return made


@pytest.fixture
def serve(certificate: Path) -> Iterator[Serve]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    made: list[Peer] = []

    def start(talk: Talk) -> Peer:
        made.append(Peer(talk, tls=context))
        return made[-1]

    yield start
    for peer in made:
        peer.close()


@pytest.fixture
def door(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Door]:
    """One that trusts the certificate, as an administrator would make it."""
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    made = Door(EgressPolicy.parse("localhost,127.0.0.1"), user_agent="Test")
    yield made
    made.close()


def post(door: Door, url: str, timeout_s: float = 5.0) -> Outcome:
    return door.send(Outbound("POST", url, {}, b"{}"), timeout_s=timeout_s)


def test_a_certificate_for_the_name_is_accepted(serve: Serve, door: Door) -> None:
    peer = serve(always(OK))
    assert isinstance(post(door, peer.url(host="localhost")), Answered)
    assert peer.requests[0].startswith(f"POST / HTTP/1.1\r\nHost: localhost:{peer.port}\r\n".encode())


def test_a_tls_connection_is_used_again(serve: Serve, door: Door) -> None:
    peer = serve(always(OK))
    assert [type(post(door, peer.url(host="localhost"))) for _ in range(3)] == [Answered] * 3
    assert len(peer.requests) == 3


def test_a_certificate_for_another_name_is_refused(serve: Serve, door: Door) -> None:
    peer = serve(always(OK))
    outcome = post(door, peer.url(host="127.0.0.1"))
    assert isinstance(outcome, NotSent)
    assert (outcome.code, outcome.retryable) == ("tls_certificate", False)
    assert outcome.sentence.startswith(
        "The TLS certificate of 127.0.0.1 is not accepted: IP address mismatch"
    )
    assert peer.requests == []


def test_a_certificate_that_nobody_vouches_for_is_refused(serve: Serve) -> None:
    peer = serve(always(OK))
    door = Door(EgressPolicy.parse("localhost"), user_agent="Test")
    outcome = post(door, peer.url(host="localhost"))
    assert isinstance(outcome, NotSent)
    assert outcome.sentence == "The TLS certificate of localhost is not accepted: self-signed certificate."
    assert "SSL_CERT_FILE" in outcome.remedy
    assert peer.requests == []


def test_a_private_address_is_refused_before_a_handshake(serve: Serve) -> None:
    peer = serve(always(OK))
    outcome = post(Door(EgressPolicy.parse(""), user_agent="Test"), peer.url(host="localhost"))
    assert isinstance(outcome, NotSent)
    assert outcome.code == "address_blocked"
    assert peer.connections == 0


def test_a_port_without_tls_is_said_so(door: Door) -> None:
    def greets(line: Line) -> None:
        line.send(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        line.wait(5)

    peer = Peer(greets)
    outcome = post(door, f"https://localhost:{peer.port}/")
    peer.close()
    assert isinstance(outcome, NotSent)
    assert (outcome.code, outcome.retryable) == ("tls_failed", False)
    assert outcome.sentence == "No TLS connection could be made with localhost: wrong version number."


def test_a_handshake_that_never_comes_is_not_sent(door: Door) -> None:
    peer = Peer(lambda line: line.wait(30) and None)
    outcome = post(door, f"https://localhost:{peer.port}/", timeout_s=0.2)
    peer.close()
    assert isinstance(outcome, NotSent)
    assert (outcome.code, outcome.retryable) == ("tls_timeout", True)
    assert outcome.sentence == "localhost accepted the connection but was not ready for a request in time."


def resets_at_once(line: Line) -> None:
    line.reset()


def resets_after_the_clients_hello(line: Line) -> None:
    line.read_some()
    line.reset()


def closes_after_the_clients_hello(line: Line) -> None:
    line.read_some()


@pytest.mark.parametrize("talk", [resets_after_the_clients_hello, closes_after_the_clients_hello])
def test_an_end_within_the_handshake_is_not_sent(door: Door, talk: Talk) -> None:
    _assert_broke_off(door, talk)


def test_a_reset_before_the_handshake_is_not_sent(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    wait_for_the_reset(monkeypatch)
    _assert_broke_off(door, resets_at_once)


def _assert_broke_off(door: Door, talk: Talk) -> None:
    peer = Peer(talk)
    outcome = post(door, f"https://localhost:{peer.port}/")
    peer.close()
    assert isinstance(outcome, NotSent)
    assert outcome.sentence == "localhost broke off the connection before anything was sent."
    assert (outcome.code, outcome.retryable) == ("connect_failed", True)


def test_a_server_that_closes_after_reading_may_have_acted(serve: Serve, door: Door) -> None:
    peer = serve(lambda line: line.read() and None)
    outcome = post(door, peer.url(host="localhost"))
    assert isinstance(outcome, MaybeSent)
    assert outcome.code == "connection_dropped"
    assert len(peer.requests) == 1


def test_a_write_that_fails_under_tls_may_have_sent_a_part(
    serve: Serve, door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = ssl.SSLSocket.do_handshake

    def do_handshake(self: ssl.SSLSocket, *arguments: Any) -> None:
        real(self, *arguments)
        if not self.server_side:
            until_reset(self)

    monkeypatch.setattr(ssl.SSLSocket, "do_handshake", do_handshake)
    outcome = post(door, serve(resets_at_once).url(host="localhost"))
    assert isinstance(outcome, MaybeSent)
    assert outcome.code == "connection_dropped"


def test_a_drip_within_tls_does_not_outlast_the_deadline(serve: Serve, door: Door) -> None:
    def talk(line: Line) -> None:
        line.read()
        line.send(b"HTTP/1.1 200 OK\r\nContent-Length: 4000\r\n\r\n")
        line.drip(b"x" * 4000, every_s=0.02)

    outcome = post(door, serve(talk).url(host="localhost"), timeout_s=2)
    assert isinstance(outcome, MaybeSent)
    assert outcome.code == "timeout"
    assert outcome.sentence.startswith("localhost began to answer (HTTP 200)")


def test_a_host_whose_certificate_is_for_another_name_is_not_reached(door: Door, serve: Serve) -> None:
    peer = serve(always(OK))
    assert door.reach(peer.url("", host="localhost")) is None
    found = door.reach(peer.url(""))
    assert isinstance(found, NotSent)
    posted = post(door, peer.url())
    assert isinstance(posted, NotSent)
    assert (found.code, found.sentence) == (posted.code, posted.sentence)
