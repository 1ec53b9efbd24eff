"""Which addresses may be connected to, and that the check is of the address that is really connected to."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from typing import Any

import pytest

from tests.loopback import OK, Peer, always, full
from webapp.egress import EgressPolicy
from webapp.http import Answered, Door, NotSent, Outbound

PUBLIC = "93.184.215.14"
NOT_PUBLIC = [
    "0.0.0.0",
    "10.0.0.1",
    "100.64.0.1",
    "100.100.100.200",
    "127.0.0.1",
    "127.255.255.254",
    "168.63.129.16",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.1",
    "192.0.0.192",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.1.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::7f00:1",
    "::ffff:127.0.0.1",
    "::ffff:169.254.169.254",
    "::ffff:0:7f00:1",
    "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::a00:1",
    "100::1",
    "2001::1",
    "2001:0:4136:e378:8000:63bf:3fff:fdd2",
    "2001:db8::1",
    "2002:7f00:1::",
    "2002:5db8:d70e::",
    "3fff::1",
    "5f00::1",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fe80::1%eth0",
    "fec0::1",
    "ff02::1",
]


@pytest.fixture
def peer() -> Iterator[Peer]:
    made = Peer(always(OK))
    yield made
    made.close()


def door_for(allowed: str) -> Door:
    return Door(EgressPolicy.parse(allowed), user_agent="Test")


def get(door: Door, url: str) -> Any:
    outcome = door.send(Outbound("GET", url, {}), timeout_s=5)
    door.close()
    return outcome


@pytest.mark.parametrize("address", NOT_PUBLIC)
def test_an_address_that_is_not_public_is_refused(address: str) -> None:
    refused = EgressPolicy.parse("").why_not("host.test", 443, address)
    assert refused is not None
    assert refused.code == "address_blocked"


@pytest.mark.parametrize(
    "address", [PUBLIC, "1.1.1.1", "2606:4700:4700::1111", "64:ff9b::5db8:d70e", f"::ffff:{PUBLIC}"]
)
@pytest.mark.parametrize("port", [80, 443])
def test_a_public_address_is_allowed_on_the_ports_of_the_web(address: str, port: int) -> None:
    assert EgressPolicy.parse("").refusal("host.test", port, address) is None


def test_the_refusal_of_an_address_says_what_was_found_and_what_to_do() -> None:
    refused = EgressPolicy.parse("").why_not("jira.corp", 8443, "10.1.2.3")
    assert refused is not None
    assert refused.sentence == "jira.corp leads to 10.1.2.3, which is not a public address."
    assert refused.remedy == "If Runsheet may call it, an administrator adds 10.1.2.3:8443 to EGRESS_ALLOW."


def test_an_address_in_the_url_is_not_named_twice() -> None:
    assert (
        EgressPolicy.parse("").refusal("127.0.0.1", 80, "127.0.0.1") == "127.0.0.1 is not a public address."
    )
    assert EgressPolicy.parse("").refusal("[::1]", 80, "::1") == "[::1] is not a public address."


def test_another_port_of_a_public_host_is_refused_with_its_own_sentence() -> None:
    refused = EgressPolicy.parse("").why_not("api.example.com", 8443, PUBLIC)
    assert refused is not None
    assert refused.code == "port_blocked"
    assert refused.sentence == "Port 8443 of api.example.com is not one of the web’s ports, 80 and 443."
    assert (
        refused.remedy
        == "If Runsheet may use it, an administrator adds api.example.com:8443 to EGRESS_ALLOW."
    )


@pytest.mark.parametrize(
    ("allowed", "host", "port", "address"),
    [
        ("10.20.0.0/16", "jira", 8080, "10.20.255.1"),
        ("10.20.0.0/16", "jira", 8080, "::ffff:10.20.0.1"),
        ("jira.corp", "jira.corp", 9999, "10.1.1.1"),
        ("jira.corp", "JIRA.corp.", 443, "10.1.1.1"),
        ("Jira.Corp", "jira.corp", 443, "10.1.1.1"),
        ("localhost", "localhost", 5056, "127.0.0.1"),
        ("127.0.0.1:5056", "127.0.0.1", 5056, "127.0.0.1"),
        (" 10.0.0.1 , 127.0.0.1:5056 ,", "x", 5056, "127.0.0.1"),
        ("[::1]:8080", "::1", 8080, "::1"),
        ("[fd00::/8]:8080", "x", 8080, "fd12::1"),
        ("::1", "[::1]", 8080, "::1"),
        ("fd00::/8", "x", 1, "fd12::1"),
        ("api.example.com:8443", "api.example.com", 8443, PUBLIC),
        ("169.254.169.254", "169.254.169.254", 80, "169.254.169.254"),
        ("sandbox_1", "sandbox_1", 80, "172.18.0.3"),
    ],
)
def test_what_the_setting_names_is_allowed(allowed: str, host: str, port: int, address: str) -> None:
    assert EgressPolicy.parse(allowed).refusal(host, port, address) is None


@pytest.mark.parametrize(
    ("allowed", "host", "port", "address"),
    [
        ("10.20.0.0/16", "jira", 443, "10.21.0.1"),
        ("jira.corp", "jira.corp.evil.test", 443, "10.1.1.1"),
        ("jira.corp", "wiki.jira.corp", 443, "10.1.1.1"),
        ("127.0.0.1:5056", "127.0.0.1", 5057, "127.0.0.1"),
        ("jira.corp:443", "jira.corp", 80, "10.1.1.1"),
        ("[::1]:8080", "::1", 8081, "::1"),
    ],
)
def test_the_setting_opens_nothing_beside_what_it_names(
    allowed: str, host: str, port: int, address: str
) -> None:
    assert EgressPolicy.parse(allowed).refusal(host, port, address) is not None


@pytest.mark.parametrize(
    "address", ["169.254.169.254", "fe80::1", "fd00:ec2::254", "100.100.100.200", "168.63.129.16"]
)
def test_a_host_name_does_not_open_the_services_that_give_out_a_machines_credentials(address: str) -> None:
    assert EgressPolicy.parse("jira.corp").refusal("jira.corp", 80, address) is not None


@pytest.mark.parametrize(
    "text",
    [
        "*.corp",
        "http://jira.corp",
        "10.0.0.0/33",
        "jira.corp:0",
        "jira.corp:70000",
        "jira.corp:x",
        "a b",
        "300.1.1.1",
        "10.1",
        "-x-",
        "[::1",
        "1.2.3.4:80:90",
    ],
)
def test_an_entry_that_is_none_is_refused_with_a_sentence(text: str) -> None:
    with pytest.raises(ValueError, match="neither an address, a network nor a host name") as raised:
        EgressPolicy.parse(f"10.0.0.1,{text}")
    assert f"“{text}”" in str(raised.value)


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "localhost",
        "127.1",
        "2130706433",
        "0x7f000001",
        "0177.0.0.1",
        "0.0.0.0",
        "[::ffff:127.0.0.1]",
    ],
)
def test_no_spelling_of_loopback_is_connected_to(peer: Peer, host: str) -> None:
    outcome = get(door_for(""), peer.url(host=host))
    assert (type(outcome), outcome.code, outcome.retryable) == (NotSent, "address_blocked", False)
    assert peer.connections == 0


@pytest.mark.parametrize(
    "url",
    [
        "http://[::1]/",
        "http://169.254.169.254/latest/meta-data/",
        "http://[fd00:ec2::254]/",
        "http://10.0.0.1/",
        "http://100.64.0.1/",
        "http://[64:ff9b::7f00:1]/",
    ],
)
def test_a_private_address_is_refused_before_a_connection(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket.socket, "connect", _never)
    assert get(door_for(""), url).code == "address_blocked"


def test_a_name_that_leads_to_a_private_address_is_refused(
    peer: Peer, monkeypatch: pytest.MonkeyPatch
) -> None:
    _resolve(monkeypatch, [["127.0.0.1"]])
    outcome = get(door_for(""), peer.url(host="inside.test"))
    assert outcome.sentence == "inside.test leads to 127.0.0.1, which is not a public address."
    assert (
        outcome.remedy
        == f"If Runsheet may call it, an administrator adds 127.0.0.1:{peer.port} to EGRESS_ALLOW."
    )
    assert peer.connections == 0


def test_a_name_that_resolves_differently_a_moment_later_gains_nothing(
    peer: Peer, monkeypatch: pytest.MonkeyPatch
) -> None:
    lookups = _resolve(monkeypatch, [[PUBLIC], ["127.0.0.1"]])
    tried = _connect_nowhere(monkeypatch)
    outcome = get(door_for(f"rebind.test:{peer.port},{PUBLIC}"), peer.url(host="rebind.test"))
    assert outcome.code == "connect_timeout"
    assert (lookups, tried) == (["rebind.test"], [(PUBLIC, peer.port)])
    assert peer.connections == 0


def test_of_several_addresses_only_the_allowed_are_tried(peer: Peer, monkeypatch: pytest.MonkeyPatch) -> None:
    _resolve(monkeypatch, [["10.0.0.1", "127.0.0.1"]])
    assert type(get(door_for("127.0.0.1"), peer.url(host="both.test"))) is Answered
    assert peer.connections == 1


def test_the_next_address_is_tried_where_one_does_not_answer(
    peer: Peer, monkeypatch: pytest.MonkeyPatch
) -> None:
    _resolve(monkeypatch, [["127.0.0.2", "127.0.0.1"]])
    assert type(get(door_for("127.0.0.0/8"), peer.url(host="two.test"))) is Answered


def test_an_address_that_does_not_answer_leaves_time_for_the_next(
    peer: Peer, monkeypatch: pytest.MonkeyPatch
) -> None:
    _resolve(monkeypatch, [["127.0.0.2", "127.0.0.1"]])
    door = door_for("127.0.0.0/8")
    with socket.create_server(("127.0.0.2", peer.port), backlog=0) as listening, full(listening):
        outcome = door.send(Outbound("GET", peer.url(host="two.test"), {}), timeout_s=2)
    door.close()
    assert type(outcome) is Answered


def test_a_port_that_is_not_allowed_is_refused_before_a_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    _resolve(monkeypatch, [[PUBLIC]])
    monkeypatch.setattr(socket.socket, "connect", _never)
    assert get(door_for(""), "https://api.example.com:8443/").code == "port_blocked"


def _never(*_: Any) -> None:
    raise AssertionError("a connection was tried")


def _resolve(monkeypatch: pytest.MonkeyPatch, answers: list[list[str]]) -> list[str]:
    """Names under .test and .com get these answers in turn. Returns the list of the names asked for."""
    asked: list[str] = []

    def resolve(host: str, port: int, *_: Any) -> list[Any]:
        asked.append(host)
        addresses = answers[min(len(asked), len(answers)) - 1]
        return [
            (socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (each, port)) for each in addresses
        ]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    return asked


def _connect_nowhere(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """No test leaves loopback: connecting times out at once. Returns the list of the addresses tried."""
    tried: list[Any] = []

    def connect(_: socket.socket, address: Any) -> None:
        tried.append(address)
        raise TimeoutError

    monkeypatch.setattr(socket.socket, "connect", connect)
    return tried
