"""How an exchange over the door can end, and the sentences for it. Pure: it opens no connection.

Three kinds, because what may be done next differs: Answered, NotSent (may be repeated), MaybeSent (must not
be, unasked).
"""

from __future__ import annotations

import http.client
import re
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar
from urllib.parse import urlsplit

import requests
from urllib3.exceptions import DecodeError

from webapp.sockets import Exchange, Failure, broke_off

_LOOK_FIRST = "Look at the other side before you send it again."

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110 §5.6.2
_HEADER_VALUE = re.compile(r"[\t\x20-\x7e\xa0-\xff]*")
_URL = re.compile(r"https?://[\x21-\x7e]+", re.IGNORECASE)
# The other side ended the connection within the handshake, however OpenSSL words it.
_TLS_BROKE_OFF = (ssl.SSLEOFError, ssl.SSLZeroReturnError, ssl.SSLSyscallError)
# How a request is framed is ours to say: two framings in one request smuggle a second one in.
_OURS = frozenset(
    (
        "connection",
        "content-length",
        "expect",
        "host",
        "keep-alive",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    )
)

_Cause = TypeVar("_Cause", bound=BaseException)


@dataclass(frozen=True)
class Outbound:
    """One request as it goes out, byte for byte. `url` is http or https, in ASCII."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes | None = None


@dataclass(frozen=True)
class Answered:
    """The other side answered; a redirect is an answer like any other.

    Header names are lower-case. `body` is decoded and at most the cap; `truncated` says that there was more.
    """

    status: int
    headers: dict[str, str]
    body: bytes
    truncated: bool
    duration_ms: int


@dataclass(frozen=True)
class NotSent:
    """Surely nothing arrived. `retryable`: trying again later may help."""

    code: str
    sentence: str
    remedy: str
    duration_ms: int
    retryable: bool


@dataclass(frozen=True)
class MaybeSent:
    """The request may have arrived; there was no whole answer."""

    code: str
    sentence: str
    remedy: str
    duration_ms: int


Outcome = Answered | NotSent | MaybeSent


def invalid(outbound: Outbound) -> Failure | None:
    """What keeps a request from being sent at all."""
    if not _TOKEN.fullmatch(outbound.method):
        return _request_invalid("the method is not a word")
    wrong = _wrong_url(outbound.url)
    if wrong is not None:
        return _request_invalid(wrong)
    for name, value in outbound.headers.items():
        if not _TOKEN.fullmatch(name):
            return _header_invalid(f"“{_shown(name)}” cannot be the name of a header.")
        if name.lower() in _OURS or name.lower().startswith("proxy-"):
            return _header_invalid(f"The header {name} is set by Runsheet itself.")
        if not _HEADER_VALUE.fullmatch(value):
            return _header_invalid(
                f"The value of the header {name} has a character that a header cannot carry."
            )
    return None


def _wrong_url(url: str) -> str | None:
    if not _URL.fullmatch(url) or "\\" in url:
        return (
            "the address must begin with http:// or https:// and have no spaces or characters outside ASCII"
        )
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        return "the host or port of the address is not valid"
    if not host or port == 0:
        return "the host or port of the address is not valid"
    return "the address has a user name in it" if "@" in parts.netloc else None


def _request_invalid(reason: str) -> Failure:
    return Failure(
        "request_invalid",
        f"The request could not be built: {reason}.",
        "Check the method and URL of the action.",
        retryable=False,
    )


def _header_invalid(sentence: str) -> Failure:
    return Failure("header_invalid", sentence, "Check the headers of the action.", retryable=False)


def _shown(text: str) -> str:
    return "".join(char if char.isprintable() else "·" for char in text[:60])


def failed(
    error: Exception, exchange: Exchange, *, host: str, timeout_s: float, took_ms: int
) -> NotSent | MaybeSent:
    """What an error means, by how far the exchange had come; never NotSent where a byte may have left."""
    late = time.monotonic() >= exchange.deadline
    if exchange.handed_over or (isinstance(error, requests.ReadTimeout) and not exchange.connected):
        code, sentence = _after_sending(error, exchange, host, late=late, timeout_s=timeout_s)
        return MaybeSent(code, sentence, _LOOK_FIRST, took_ms)
    failure = exchange.failure or _before_sending(error, exchange, host)
    return NotSent(failure.code, failure.sentence, failure.remedy, took_ms, failure.retryable)


def _after_sending(
    error: Exception, exchange: Exchange, host: str, *, late: bool, timeout_s: float
) -> tuple[str, str]:
    if late or _cause(error, TimeoutError) is not None or isinstance(error, requests.ReadTimeout):
        if exchange.status is not None:
            sentence = (
                f"{host} began to answer (HTTP {exchange.status}) but was not done within {timeout_s:g} s."
            )
            return "timeout", f"{sentence} The request has arrived, what became of it is not known."
        return "timeout", f"{host} did not answer within {timeout_s:g} s. The request may have arrived."
    if _cause(error, DecodeError) is not None:
        return (
            "answer_unreadable",
            f"{host} answered HTTP {exchange.status}, but its compressed answer cannot be unpacked.",
        )
    if exchange.status is not None:
        return (
            "answer_broke_off",
            f"{host} answered HTTP {exchange.status}, but the connection broke off within the answer.",
        )
    spoken = _cause(error, http.client.HTTPException)
    if isinstance(error, ValueError) or not isinstance(spoken, (http.client.RemoteDisconnected, type(None))):
        return (
            "answer_not_http",
            f"What {host} answered is not HTTP. The request may have arrived.",
        )
    return (
        "connection_dropped",
        f"{host} closed the connection without an answer. The request may have arrived.",
    )


def _before_sending(error: Exception, exchange: Exchange, host: str) -> Failure:
    if not exchange.connected and isinstance(error, ValueError):
        return _request_invalid("its address, headers or body cannot be sent as they are")
    untrusted = _cause(error, ssl.SSLCertVerificationError)
    if untrusted is not None:
        reason = (untrusted.verify_message or "it does not match").rstrip(".")
        return Failure(
            "tls_certificate",
            f"The TLS certificate of {host} is not accepted: {reason}.",
            "Check the address. For an internal host, add its certificate authority to this machine "
            "or name it in SSL_CERT_FILE.",
            retryable=False,
        )
    if exchange.connected and _cause(error, TimeoutError) is not None:
        return Failure(
            "tls_timeout",
            f"{host} accepted the connection but was not ready for a request in time.",
            "Check that the service is up and that its port is right.",
            retryable=True,
        )
    refused = _cause(error, ssl.SSLError)
    if refused is not None and not isinstance(refused, _TLS_BROKE_OFF):
        reason = (refused.reason or "no reason is known").replace("_", " ").lower()
        return Failure(
            "tls_failed",
            f"No TLS connection could be made with {host}: {reason}.",
            "Check that the port speaks TLS (https), and that the service takes TLS 1.2 or later.",
            retryable=False,
        )
    return broke_off(host)


def _cause(error: BaseException, kind: type[_Cause]) -> _Cause | None:
    """The first error of that kind in the chain that requests wraps around the socket's."""
    waiting: list[BaseException | None] = [error]
    seen: set[int] = set()
    while waiting:
        found = waiting.pop(0)
        if found is None or id(found) in seen:
            continue
        if isinstance(found, kind):
            return found
        seen.add(id(found))
        inner = [getattr(found, "reason", None), *found.args, found.__cause__, found.__context__]
        waiting += [each for each in inner if isinstance(each, BaseException)]
    return None
