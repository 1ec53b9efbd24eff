"""The door: what leaves, what counts as sent, and that each way an exchange can end has its own words."""

from __future__ import annotations

import gzip
import socket
import threading
import tracemalloc
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import Queue
from typing import Any

import pytest
import requests
import responses

from tests.loopback import OK, Line, Peer, Talk, always, full, wait_for_the_reset
from webapp.egress import EgressPolicy
from webapp.http import Answered, Door, MaybeSent, NotSent, Outbound, Outcome

Serve = Callable[[Talk], Peer]


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
def door() -> Iterator[Door]:
    made = Door(EgressPolicy.parse("127.0.0.0/8"), user_agent="Test/1")
    yield made
    made.close()


def post(door: Door, url: str, headers: dict[str, str] | None = None, timeout_s: float = 5.0) -> Outcome:
    return door.send(Outbound("POST", url, headers or {}, b'{"a":1}'), timeout_s=timeout_s)


def get(door: Door, url: str, timeout_s: float = 5.0, answer_cap: int = 1_000_000) -> Outcome:
    return door.send(Outbound("GET", url, {}), timeout_s=timeout_s, answer_cap=answer_cap)


def once(answer: bytes) -> Talk:
    """Answers one request and closes."""

    def talk(line: Line) -> None:
        line.read()
        line.send(answer)

    return talk


def silent(line: Line) -> None:
    line.read()
    line.wait(600)


def closes(line: Line) -> None:
    line.read()


def body_of(outcome: Outcome) -> bytes:
    assert isinstance(outcome, Answered)
    return outcome.body


# What leaves


def test_the_request_arrives_byte_for_byte(serve: Serve, door: Door) -> None:
    peer = serve(always(OK))
    headers = {"Content-Type": "application/json", "X-Name": "ünï", "user-agent": "Mine"}
    outcome = door.send(Outbound("PUT", peer.url("/x/../%2e%2e/y?q=a%20b&c=/#part"), headers, "ü".encode()))
    assert isinstance(outcome, Answered)
    assert peer.requests == [
        b"PUT /x/../%2e%2e/y?q=a%20b&c=/ HTTP/1.1\r\n"
        + f"Host: 127.0.0.1:{peer.port}\r\n".encode()
        + b"user-agent: Mine\r\nAccept: */*\r\nAccept-Encoding: identity\r\n"
        + "Content-Type: application/json\r\nX-Name: ünï\r\n".encode("latin-1")
        + b"Content-Length: 2\r\n\r\n"
        + "ü".encode()
    ]


@pytest.mark.parametrize(
    ("method", "announced"), [("GET", False), ("DELETE", False), ("POST", True), ("PATCH", True)]
)
def test_without_a_body_only_methods_that_expect_one_announce_its_length(
    serve: Serve, door: Door, method: str, announced: bool
) -> None:
    peer = serve(always(OK))
    door.send(Outbound(method, peer.url(), {}))
    assert (b"Content-Length: 0\r\n" in peer.requests[0]) is announced


def test_our_name_is_sent(serve: Serve, door: Door) -> None:
    peer = serve(always(OK))
    get(door, peer.url())
    assert b"\r\nUser-Agent: Test/1\r\n" in peer.requests[0]


def test_netrc_and_proxies_of_the_environment_are_not_used(
    serve: Serve, door: Door, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login someone password else\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    monkeypatch.setenv("all_proxy", "http://127.0.0.1:1")
    peer = serve(always(OK))
    assert isinstance(post(door, peer.url(), {"Authorization": "Bearer T"}), Answered)
    assert b"\r\nAuthorization: Bearer T\r\n" in peer.requests[0]


def test_cookies_are_not_kept(serve: Serve, door: Door) -> None:
    peer = serve(always(OK.replace(b"\r\n\r\n", b"\r\nSet-Cookie: a=b\r\n\r\n")))
    get(door, peer.url())
    get(door, peer.url())
    assert [b"ookie" in request for request in peer.requests] == [False, False]


@pytest.mark.parametrize("value", [" lead", "trail ", "tab\tb", "ünï", ""])
def test_a_value_that_a_header_can_carry_is_sent(serve: Serve, door: Door, value: str) -> None:
    peer = serve(always(OK))
    post(door, peer.url(), {"X-A": value})
    assert f"\r\nX-A: {value}\r\n".encode("latin-1") in peer.requests[0]


@pytest.mark.parametrize("value", ["a\r\nX: y", "a\nb", "a\rb", "a\r\n b", "a\x00b", "a\x7fb", "日本"])
def test_a_value_that_a_header_cannot_carry_is_refused(serve: Serve, door: Door, value: str) -> None:
    peer = serve(always(OK))
    outcome = post(door, peer.url(), {"X-A": value})
    assert isinstance(outcome, NotSent)
    assert outcome.code == "header_invalid"
    assert outcome.sentence == "The value of the header X-A has a character that a header cannot carry."
    assert (peer.connections, outcome.retryable) == (0, False)


@pytest.mark.parametrize("name", ["X A", "X:A", "X\nA", "X\r\nA", "", "Ü", "X\x00"])
def test_a_name_that_is_none_is_refused(serve: Serve, door: Door, name: str) -> None:
    peer = serve(always(OK))
    outcome = post(door, peer.url(), {name: "1"})
    assert isinstance(outcome, NotSent)
    assert outcome.sentence.endswith("cannot be the name of a header.")
    assert peer.connections == 0


@pytest.mark.parametrize(
    "name",
    [
        "Host",
        "content-length",
        "Transfer-Encoding",
        "Connection",
        "TE",
        "Upgrade",
        "Expect",
        "Proxy-Authorization",
    ],
)
def test_a_header_that_frames_the_request_is_refused(serve: Serve, door: Door, name: str) -> None:
    peer = serve(always(OK))
    outcome = post(door, peer.url(), {name: "1"})
    assert isinstance(outcome, NotSent)
    assert outcome.sentence == f"The header {name} is set by Runsheet itself."
    assert peer.connections == 0


@pytest.mark.parametrize(
    "url",
    [
        "ftp://127.0.0.1/",
        "file:///etc/passwd",
        "//127.0.0.1/",
        "",
        "http://",
        "http:///x",
        "http://user:secret@127.0.0.1/",
        "http://127.0.0.1:99999/",
        "http://127.0.0.1:0/",
        "http://127.0.0.1:x/",
        "http://[::1/",
        "http://127.0.0.1/a b",
        "http://127.0.0.1\\@b.example/",
        "http://127.0.0.1\\b.example/",
        "http://127.0.0.1/a\\b",
        "http://127.0.0.1/\r\nX: y",
        "http://ü.example/",
    ],
)
def test_an_address_that_is_not_plain_is_refused(door: Door, url: str) -> None:
    outcome = post(door, url)
    assert isinstance(outcome, NotSent)
    assert (outcome.code, outcome.retryable) == ("request_invalid", False)
    assert outcome.sentence.startswith("The request could not be built: ")
    assert "secret" not in outcome.sentence


@pytest.mark.parametrize("method", ["", "GET /", "P\nOST"])
def test_a_method_that_is_not_a_word_is_refused(door: Door, method: str) -> None:
    outcome = door.send(Outbound(method, "http://127.0.0.1:1/", {}))
    assert isinstance(outcome, NotSent)
    assert outcome.sentence == "The request could not be built: the method is not a word."


# What comes back


def test_an_answer_has_lower_case_header_names_and_its_body(serve: Serve, door: Door) -> None:
    answer = (
        b"HTTP/1.1 404 Not Found\r\nX-Slack-Req-Id: r1\r\nVary: a\r\nvary: b\r\nContent-Length: 4\r\n\r\ngone"
    )
    outcome = get(door, serve(always(answer)).url())
    assert isinstance(outcome, Answered)
    assert (outcome.status, outcome.body, outcome.truncated) == (404, b"gone", False)
    assert outcome.headers == {"x-slack-req-id": "r1", "vary": "a, b", "content-length": "4"}


def test_a_redirect_is_an_answer_and_is_not_followed(serve: Serve, door: Door) -> None:
    other = serve(always(OK))
    answer = f"HTTP/1.1 302 Found\r\nLocation: {other.url()}\r\nContent-Length: 0\r\n\r\n".encode()
    outcome = get(door, serve(always(answer)).url())
    assert isinstance(outcome, Answered)
    assert (outcome.status, outcome.headers["location"]) == (302, other.url())
    assert other.connections == 0


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nabcde",
        b"HTTP/1.0 200 OK\r\n\r\nabcde",
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabcde",
    ],
)
def test_each_framing_of_an_answer_is_read(serve: Serve, door: Door, answer: bytes) -> None:
    assert body_of(get(door, serve(once(answer)).url())) == b"abcde"


def test_an_answer_without_a_body_is_read(serve: Serve, door: Door) -> None:
    peer = serve(always(b"HTTP/1.1 204 No Content\r\n\r\n"))
    assert (body_of(get(door, peer.url())), body_of(get(door, peer.url()))) == (b"", b"")
    assert peer.connections == 1


def test_five_megabytes_are_cut_at_the_cap(serve: Serve, door: Door) -> None:
    peer = serve(always(b"HTTP/1.1 200 OK\r\nContent-Length: 5000000\r\n\r\n" + b"x" * 5_000_000))
    outcome = get(door, peer.url())
    assert isinstance(outcome, Answered)
    assert (len(outcome.body), outcome.truncated) == (1_000_000, True)


def test_after_a_cut_answer_the_next_request_gets_its_own(serve: Serve, door: Door) -> None:
    peer = serve(always(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n123456789"))
    assert [body_of(get(door, peer.url(), answer_cap=5)) for _ in range(3)] == [b"12345"] * 3


def test_an_answer_as_large_as_the_cap_is_whole(serve: Serve, door: Door) -> None:
    outcome = get(door, serve(always(OK)).url(), answer_cap=11)
    assert isinstance(outcome, Answered)
    assert (outcome.body, outcome.truncated) == (b'{"ok":true}', False)


def _packed(content: bytes) -> bytes:
    packed = gzip.compress(content)
    return b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n%b" % (
        len(packed),
        packed,
    )


def test_a_compressed_answer_is_unpacked(serve: Serve, door: Door) -> None:
    assert body_of(get(door, serve(always(_packed(b"hello"))).url())) == b"hello"


def test_a_small_answer_that_unpacks_to_a_huge_one_is_cut_at_the_cap(serve: Serve, door: Door) -> None:
    peer = serve(always(_packed(b"\0" * 50_000_000)))
    tracemalloc.start()
    outcome = get(door, peer.url())
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert isinstance(outcome, Answered)
    assert (len(outcome.body), outcome.truncated) == (1_000_000, True)
    assert most < 20_000_000


# Surely not sent


def test_a_closed_port_is_a_refused_connection(door: Door) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
    outcome = post(door, f"http://127.0.0.1:{port}/")
    assert isinstance(outcome, NotSent)
    assert (outcome.code, outcome.retryable) == ("connection_refused", True)
    assert outcome.sentence == f"127.0.0.1 refused the connection on port {port}."


def test_a_name_that_does_not_exist_is_said_so(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: Any) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    outcome = post(door, "https://slakc.test/")
    assert isinstance(outcome, NotSent)
    assert (outcome.code, outcome.retryable) == ("dns_failed", True)
    assert outcome.sentence == "The name slakc.test could not be resolved to an address."


def test_a_name_that_cannot_be_one_is_said_so(door: Door) -> None:
    outcome = post(door, f"https://{'a' * 70}.test/")
    assert isinstance(outcome, NotSent)
    assert outcome.code == "dns_failed"


def test_a_name_server_that_does_not_answer_does_not_outlast_the_deadline(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    end = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_: end.wait(30) and [])
    outcome = post(door, "https://slow.test/", timeout_s=0.1)
    end.set()
    assert isinstance(outcome, NotSent)
    assert (outcome.code, outcome.retryable) == ("dns_timeout", True)
    assert outcome.sentence == "The name server did not answer in time for slow.test."


def test_a_host_that_does_not_take_connections_is_a_connect_timeout(door: Door) -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listening:
        port = listening.getsockname()[1]
        with full(listening):
            outcome = post(door, f"http://127.0.0.1:{port}/", timeout_s=0.2)
    assert isinstance(outcome, NotSent)
    assert (outcome.code, outcome.retryable) == ("connect_timeout", True)
    assert outcome.sentence == f"127.0.0.1 did not accept a connection on port {port} in time."


def test_a_reset_before_anything_was_sent_is_not_sent(
    serve: Serve, door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    wait_for_the_reset(monkeypatch)
    peer = serve(Line.reset)
    outcome = post(door, peer.url())
    assert isinstance(outcome, NotSent)
    assert (outcome.code, outcome.retryable) == ("connect_failed", True)
    assert outcome.sentence == "127.0.0.1 broke off the connection before anything was sent."
    assert peer.requests == []


# Perhaps sent


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_server_that_closes_after_reading_may_have_acted(serve: Serve, door: Door, method: str) -> None:
    peer = serve(closes)
    outcome = door.send(Outbound(method, peer.url(), {}))
    assert isinstance(outcome, MaybeSent)
    assert outcome.code == "connection_dropped"
    assert (
        outcome.sentence == "127.0.0.1 closed the connection without an answer. The request may have arrived."
    )
    assert outcome.remedy == "Look at the other side before you send it again."
    assert (len(peer.requests), peer.connections) == (1, 1)


def test_a_reset_after_reading_is_perhaps_sent(serve: Serve, door: Door) -> None:
    def talk(line: Line) -> None:
        line.read()
        line.reset()

    peer = serve(talk)
    outcome = post(door, peer.url())
    assert isinstance(outcome, MaybeSent)
    assert (outcome.code, len(peer.requests)) == ("connection_dropped", 1)


@pytest.mark.timeout(20)
def test_no_answer_until_the_deadline_is_perhaps_sent(serve: Serve, door: Door) -> None:
    peer = serve(silent)
    outcome = post(door, peer.url(), timeout_s=0.2)
    assert isinstance(outcome, MaybeSent)
    assert outcome.code == "timeout"
    assert outcome.sentence == "127.0.0.1 did not answer within 0.2 s. The request may have arrived."
    assert (len(peer.requests), peer.connections) == (1, 1)


@pytest.mark.parametrize(
    ("head", "said"),
    [
        (
            b"HTTP/1.1 200 OK\r\nContent-Length: 4000\r\n\r\n",
            "began to answer (HTTP 200) but was not done within 0.3 s.",
        ),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfff\r\n", "began to answer (HTTP 200)"),
        (b"HTTP/1.1 200 OK\r\nX-Endless: ", "did not answer within 0.3 s."),
    ],
)
def test_a_drip_of_single_bytes_does_not_outlast_the_deadline(
    serve: Serve, door: Door, head: bytes, said: str
) -> None:
    def talk(line: Line) -> None:
        line.read()
        line.send(head)
        line.drip(b"x" * 4000, every_s=0.02)

    outcome = post(door, serve(talk).url(), timeout_s=0.3)
    assert isinstance(outcome, MaybeSent)
    assert outcome.code == "timeout"
    assert said in outcome.sentence


@pytest.mark.timeout(20)
def test_a_server_that_does_not_read_does_not_outlast_the_deadline(serve: Serve, door: Door) -> None:
    peer = serve(lambda line: line.wait(600) and None)
    outcome = door.send(Outbound("POST", peer.url(), {}, b"x" * 20_000_000), timeout_s=0.3)
    assert isinstance(outcome, MaybeSent)
    assert outcome.code == "timeout"


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 40\r\n\r\nhalf",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n28\r\nhalf",
    ],
)
def test_an_answer_that_breaks_off_is_perhaps_sent(serve: Serve, door: Door, answer: bytes) -> None:
    outcome = post(door, serve(once(answer)).url())
    assert isinstance(outcome, MaybeSent)
    assert outcome.code == "answer_broke_off"
    assert outcome.sentence == "127.0.0.1 answered HTTP 200, but the connection broke off within the answer."


def test_an_answer_that_is_not_http_is_said_so(serve: Serve, door: Door) -> None:
    outcome = post(door, serve(once(b"220 mail.test ESMTP\r\n")).url())
    assert isinstance(outcome, MaybeSent)
    assert outcome.code == "answer_not_http"
    assert outcome.sentence == "What 127.0.0.1 answered is not HTTP. The request may have arrived."


def test_a_compressed_answer_that_is_broken_is_said_so(serve: Serve, door: Door) -> None:
    answer = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 5\r\n\r\nhello"
    outcome = post(door, serve(once(answer)).url())
    assert isinstance(outcome, MaybeSent)
    assert outcome.code == "answer_unreadable"


# Connections that are used again


def test_a_connection_is_used_again(serve: Serve, door: Door) -> None:
    peer = serve(always(OK))
    assert [type(post(door, peer.url())) for _ in range(5)] == [Answered] * 5
    assert (len(peer.requests), peer.connections) == (5, 1)


def test_a_connection_that_the_server_has_closed_meanwhile_is_not_used_again(
    serve: Serve, door: Door
) -> None:
    peer = serve(once(OK))
    post(door, peer.url())
    peer.finish()
    assert isinstance(post(door, peer.url()), Answered)
    assert (len(peer.requests), peer.connections) == (2, 2)


def test_a_connection_is_not_used_close_to_the_end_that_the_server_announced(
    serve: Serve, door: Door
) -> None:
    peer = serve(always(OK.replace(b"\r\n\r\n", b"\r\nKeep-Alive: timeout=1, max=100\r\n\r\n")))
    post(door, peer.url())
    post(door, peer.url())
    assert (len(peer.requests), peer.connections) == (2, 2)


def test_a_connection_is_not_used_again_when_more_came_than_the_answer(serve: Serve, door: Door) -> None:
    answered, more_sent = threading.Event(), threading.Event()

    def talk(line: Line) -> None:
        while line.read():
            line.send(OK)
            answered.wait(5)
            line.send(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nfalse")
            more_sent.set()

    peer = serve(talk)
    assert body_of(post(door, peer.url())) == b'{"ok":true}'
    answered.set()
    assert more_sent.wait(5)
    assert body_of(post(door, peer.url())) == b'{"ok":true}'
    assert peer.connections == 2


def test_a_request_that_is_dropped_on_a_used_connection_is_not_repeated(serve: Serve, door: Door) -> None:
    def talk(line: Line) -> None:
        line.read()
        line.send(OK)
        line.read()

    peer = serve(talk)
    assert isinstance(post(door, peer.url()), Answered)
    outcome = post(door, peer.url())
    assert isinstance(outcome, MaybeSent)
    assert outcome.code == "connection_dropped"
    assert (len(peer.requests), peer.connections) == (2, 1)


def test_many_threads_share_the_connections(serve: Serve, door: Door) -> None:
    peer = serve(always(OK))
    with ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(lambda _: post(door, peer.url()), range(200)))
    assert {type(outcome) for outcome in outcomes} == {Answered}
    assert len(peer.requests) == 200
    assert peer.connections <= 8


def test_no_more_idle_connections_are_kept_than_there_are_slots(serve: Serve) -> None:
    door = Door(EgressPolicy.parse("127.0.0.1"), slots=1, user_agent="Test")
    together = threading.Barrier(2)

    def talk(line: Line) -> None:
        while line.read():
            if len(peer.requests) <= 2:
                together.wait(5)
            line.send(OK)

    peer = serve(talk)
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda _: post(door, peer.url()), range(2)))
        list(pool.map(lambda _: post(door, peer.url()), range(1)))
    door.close()
    assert (len(peer.requests), peer.connections) == (3, 2)


def test_a_closed_door_opens_again(serve: Serve, door: Door) -> None:
    peer = serve(always(OK))
    post(door, peer.url())
    door.close()
    assert isinstance(post(door, peer.url()), Answered)
    assert peer.connections == 2


# Under the `responses` library


@responses.activate
def test_a_registered_answer_is_given() -> None:
    responses.post("https://slack.com/api/chat.postMessage", json={"ok": True}, headers={"X-A": "1"})
    outcome = post(Door(EgressPolicy.parse(""), user_agent="Test"), "https://slack.com/api/chat.postMessage")
    assert isinstance(outcome, Answered)
    assert (outcome.status, outcome.body) == (200, b'{"ok": true}')
    assert outcome.headers == {"x-a": "1", "content-type": "application/json"}
    assert responses.calls[0].request.body == b'{"a":1}'


@responses.activate
@pytest.mark.parametrize(
    ("raised", "kind", "code"),
    [
        (requests.ReadTimeout(), MaybeSent, "timeout"),
        (requests.ConnectionError(), NotSent, "connect_failed"),
    ],
)
def test_an_error_that_stands_in_for_the_networks_is_an_outcome(
    raised: Exception, kind: type, code: str
) -> None:
    responses.post("https://slack.com/", body=raised)
    outcome = post(Door(EgressPolicy.parse(""), user_agent="Test"), "https://slack.com/")
    assert type(outcome) is kind
    assert outcome.code == code


def test_reaching_a_host_connects_and_sends_nothing(door: Door, serve: Serve) -> None:
    heard: Queue[bytes] = Queue()
    peer = serve(lambda line: heard.put(line.read_some()))
    assert door.reach(peer.url("")) is None
    assert heard.get(timeout=10) == b""


def test_a_host_that_cannot_be_reached_is_explained_like_a_post_to_it(door: Door) -> None:
    found = door.reach("http://127.0.0.1:9")
    assert isinstance(found, NotSent)
    posted = post(door, "http://127.0.0.1:9/")
    assert isinstance(posted, NotSent)
    assert (found.code, found.sentence) == (posted.code, posted.sentence)


@pytest.mark.parametrize("origin", ["http://10.0.0.1:8080", "http://169.254.169.254", "https://["])
def test_the_guard_holds_for_what_is_only_reached_for(door: Door, origin: str) -> None:
    assert isinstance(door.reach(origin), NotSent)
