"""Which addresses Runsheet may connect to: public ones on the web's ports, and what EGRESS_ALLOW names.

The policy is asked about the address that a socket is about to connect to, not about a name, so a name that
resolves to something else a moment later (DNS rebinding) gains nothing.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

WEB_PORTS = frozenset({80, 443})

# Written out, because what `ipaddress` calls global differs between Python versions: 3.11.7 takes 192.0.0.192
# and fec0::1 for public ones. Source: IANA's IPv4 and IPv6 special-purpose address registries.
_NOT_PUBLIC_V4 = tuple(
    ipaddress.IPv4Network(text)
    for text in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",  # carrier-grade NAT
        "127.0.0.0/8",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.88.99.0/24",  # 6to4 relays
        "192.168.0.0/16",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",
        "240.0.0.0/4",
        "168.63.129.16/32",  # Azure's platform services, behind a public address
    )
)
_GLOBAL_UNICAST_V6 = ipaddress.IPv6Network("2000::/3")
_NOT_PUBLIC_V6 = tuple(
    ipaddress.IPv6Network(text)
    for text in (
        "2001::/23",  # protocol assignments, Teredo among them
        "2001:db8::/32",
        "2002::/16",  # 6to4
        "3fff::/20",
    )
)
# DNS64 answers with these where a network has no IPv4; the gateway takes the IPv4 address out again.
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")

# Where clouds hand out machine credentials. A host name in EGRESS_ALLOW does not open them, only a written
# address: whoever controls the name's DNS could point it there.
_MACHINE_SERVICES = tuple(
    ipaddress.ip_network(text)
    for text in (
        "169.254.0.0/16",
        "fe80::/10",
        "fd00:ec2::254/128",
        "100.100.100.200/32",
        "168.63.129.16/32",
        "192.0.0.192/32",
    )
)

# The widest private networks: 10.0.0.0/8 and fc00::/7.
_WIDEST = {4: 8, 6: 7}
_HOST = re.compile(r"(?=.{1,253}$)[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*")
_NUMBERS_ONLY = re.compile(r"[\d.]+")


@dataclass(frozen=True)
class Refusal:
    """Why a connection is not allowed: a code, a sentence, and what to do."""

    code: str
    sentence: str
    remedy: str


@dataclass(frozen=True)
class _Entry:
    """One entry of EGRESS_ALLOW: a network or a host name, for one port or for all."""

    network: Network | None
    host: str | None
    port: int | None

    def covers(self, host: str, port: int, address: Address) -> bool:
        if self.port not in (None, port):
            return False
        if self.network is not None:
            return address in self.network
        return self.host == host and not _in_any(address, _MACHINE_SERVICES)


@dataclass(frozen=True)
class EgressPolicy:
    """What EGRESS_ALLOW says. Without entries only public addresses on ports 80 and 443 are allowed."""

    entries: tuple[_Entry, ...] = ()

    @classmethod
    def parse(cls, text: str) -> EgressPolicy:
        """From "10.20.0.0/16, jira.corp, 127.0.0.1:5056, [::1]:8080"; without a port, every port is meant.

        Raises ValueError with a plain sentence.
        """
        return cls(tuple(_entry(part.strip()) for part in text.split(",") if part.strip()))

    def refusal(self, host: str, port: int, address: str) -> str | None:
        """Why `host`, found at `address`, may not be connected to on `port`; None where it may."""
        found = self.why_not(host, port, address)
        return found.sentence if found else None

    def why_not(self, host: str, port: int, address: str) -> Refusal | None:
        """As `refusal`, with its code and remedy: address_blocked or port_blocked."""
        name = host.strip("[]").rstrip(".").lower()
        found = _unwrapped(ipaddress.ip_address(address.partition("%")[0]))
        if any(entry.covers(name, port, found) for entry in self.entries):
            return None
        if not _is_public(found):
            where = host if name == str(found) else f"{host} leads to {found}, which"
            return Refusal(
                "address_blocked",
                f"{where} is not a public address.",
                f"If Runsheet may call it, an administrator adds {_written(found, port)} to EGRESS_ALLOW.",
            )
        if port not in WEB_PORTS:
            return Refusal(
                "port_blocked",
                f"Port {port} of {host} is not one of the web’s ports, 80 and 443.",
                f"If Runsheet may use it, an administrator adds {name}:{port} to EGRESS_ALLOW.",
            )
        return None


def _written(address: Address, port: int) -> str:
    return f"{address}:{port}" if address.version == 4 else f"[{address}]:{port}"


def _entry(text: str) -> _Entry:
    host, port = _host_and_port(text)
    try:
        network: Network | None = ipaddress.ip_network(host, strict=False)
    except ValueError:
        network = None
    if network is not None:
        if network.prefixlen < _WIDEST[network.version]:
            raise ValueError(
                f"“{text}” opens too much, the machine’s own services included; name the private networks that "
                "integrations need, such as 10.20.0.0/16."
            )
        return _Entry(network, None, port)
    name = host.lower().rstrip(".")
    if not _HOST.fullmatch(name) or _NUMBERS_ONLY.fullmatch(name):
        raise ValueError(_wrong(text))
    return _Entry(None, name, port)


def _host_and_port(text: str) -> tuple[str, int | None]:
    found = re.fullmatch(r"\[([^\]]+)\](?::(\d{1,5}))?", text) or re.fullmatch(
        r"([^:]+)(?::(\d{1,5}))?", text
    )
    if found is None:
        return text, None  # an IPv6 address or network without brackets
    port = int(found[2]) if found[2] else None
    if port is not None and not 0 < port < 65536:
        raise ValueError(_wrong(text))
    return found[1], port


def _wrong(text: str) -> str:
    return (
        f"“{text}” is neither an address, a network nor a host name, each with or without a port; "
        "write for example 10.20.0.0/16, jira.corp or 127.0.0.1:5056."
    )


def _unwrapped(address: Address) -> Address:
    """The IPv4 address inside an IPv6 one that the kernel or a gateway takes out again before it connects."""
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return address.ipv4_mapped
        if address in _NAT64:
            return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address


def _is_public(address: Address) -> bool:
    if isinstance(address, ipaddress.IPv4Address):
        return address.is_global and not _in_any(address, _NOT_PUBLIC_V4)
    return address in _GLOBAL_UNICAST_V6 and address.is_global and not _in_any(address, _NOT_PUBLIC_V6)


def _in_any(address: Address, networks: tuple[Network, ...]) -> bool:
    return any(address in network for network in networks)
