"""Which addresses Runsheet may connect to: public ones on the web's ports, and what EGRESS_ALLOW names.

The policy is asked about the address that a socket is about to connect to, not about a name, so that a name that
resolves differently a moment later (DNS rebinding) gains nothing.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass, field

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

WEB_PORTS = frozenset({80, 443})
_NAT64 = (ipaddress.ip_network("64:ff9b::/96"), ipaddress.ip_network("64:ff9b:1::/48"))
_HOST = re.compile(r"(?=.{1,253}$)[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*")


@dataclass(frozen=True)
class _Entry:
    network: Network | None
    host: str | None
    port: int | None

    def covers(self, host: str, port: int, address: Address) -> bool:
        if self.port not in (None, port):
            return False
        if self.network is not None:
            return address in self.network
        return self.host == host


@dataclass(frozen=True)
class EgressPolicy:
    """What EGRESS_ALLOW says. Without entries only public addresses on ports 80 and 443 are allowed."""

    entries: tuple[_Entry, ...] = field(default=())

    @classmethod
    def parse(cls, text: str) -> EgressPolicy:
        """From "10.20.0.0/16, jira.corp, 127.0.0.1:5056, [::1]:8080"; an entry without a port covers every port.

        Raises ValueError with a plain sentence.
        """
        return cls(tuple(_entry(part.strip()) for part in text.split(",") if part.strip()))

    def refusal(self, host: str, port: int, address: str) -> str | None:
        """Why that connection is not allowed, as a sentence, or None where it is."""
        found = _embedded(ipaddress.ip_address(address.partition("%")[0]))
        name = host.rstrip(".").lower()
        if any(entry.covers(name, port, found) for entry in self.entries):
            return None
        if not _is_public(found):
            named = f"{host} leads to {found}, which" if host != str(found) else host
            return f"{named} is not a public address."
        if port not in WEB_PORTS:
            return f"Port {port} of {host} is not one of the web's ports, 80 and 443."
        return None


def _entry(text: str) -> _Entry:
    wrong = f"“{text}” is neither an address, a network nor a host name, each with or without a port."
    host, port = _without_port(text, wrong)
    try:
        return _Entry(ipaddress.ip_network(host, strict=False), None, port)
    except ValueError:
        pass
    if "/" in host or not _HOST.fullmatch(host.lower()) or re.fullmatch(r"[\d.]+", host):
        raise ValueError(wrong)
    return _Entry(None, host.lower().rstrip("."), port)


def _without_port(text: str, wrong: str) -> tuple[str, int | None]:
    bracketed = re.fullmatch(r"\[([^\]]+)\](?::(\d+))?", text)
    plain = re.fullmatch(r"([^:]+)(?::(\d+))?", text)
    found = bracketed or plain
    if found is None:
        return text, None  # an IPv6 address or network without brackets
    port = int(found[2]) if found[2] else None
    if port is not None and not 0 < port < 65536:
        raise ValueError(wrong)
    return found[1], port


def _embedded(address: Address) -> Address:
    """The IPv4 address inside an IPv6 one, where a gateway or the kernel would take it out again."""
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return address.ipv4_mapped
        if address.sixtofour is not None and not _is_public(address.sixtofour):
            return address.sixtofour
        if any(address in network for network in _NAT64):
            return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address


def _is_public(address: Address) -> bool:
    if isinstance(address, ipaddress.IPv6Address) and address.teredo is not None:
        return False
    return address.is_global and not address.is_multicast and not address.is_reserved
