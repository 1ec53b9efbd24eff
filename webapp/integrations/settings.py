"""What an action is made of, as plain values: one class for each tab, and where a credential goes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any
from urllib.parse import urlsplit

# Settings that decide to whom a credential is shown. A stored one never follows when they change.
BOUND_SETTINGS = {
    "provider_host": "OAuth2 provider host",
    "token_endpoint": "Token Endpoint",
    "client_id": "Client ID",
}
REQUEST_HOST = "request host"
_ORIGIN = re.compile(r"https?://([a-z0-9_.-]+|\[[0-9a-f:.]+\])(:\d+)?")
TYPE = "authorization type"


@dataclass(frozen=True)
class General:
    """The General tab. `timeout_s` in seconds; `trigger` a key of offered.triggers."""

    name: str
    image_url: str = ""
    trigger: str = "task_start"
    auto_start: bool = False
    fixed_start: bool = False
    cancelable: bool = False
    notify_on_cancel: bool = False
    finish_on_success: bool = False
    execute_in_rehearsal: bool = False
    ok_false_fails: bool = True
    safe_to_repeat: bool = False
    timeout_s: int = 30


@dataclass(frozen=True)
class Authorization:
    """The Authorization tab. `kind` is a key of AUTHORIZATIONS; `secrets` holds only what was typed anew."""

    kind: str = "none"
    settings: Mapping[str, Any] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class RequestSettings:
    """The Request tab. headers and parameters are JSON objects; all but method and mode are templates."""

    method: str = "POST"
    url: str = ""
    headers: str = ""
    parameters: str = ""
    body: str = ""
    mode: str = "fire_and_forget"


GENERAL_FIELDS = tuple(each.name for each in fields(General))
REQUEST_FIELDS = tuple(each.name for each in fields(RequestSettings))


@dataclass(frozen=True)
class Move:
    """One reason why stored credentials cannot stay: `what` went from `before` to `after`."""

    what: str
    before: str
    after: str

    @property
    def sentence(self) -> str:
        if not self.before:
            return f"the {self.what} is set for the first time, to {self.after}"
        return f"the {self.what} changes from {self.before} to {self.after or 'nothing'}"


def origin_of(url: str) -> str:
    """Scheme, host and port of an address, as "https://slack.com"; "" where it has none that can be read."""
    try:
        parts = urlsplit(url.strip())
    except ValueError:  # as of https://[
        return ""
    if not parts.netloc:
        return ""
    return f"{parts.scheme}://{parts.netloc}".lower()


def is_origin(address: str) -> bool:
    """Whether it is a plain scheme, host and port, in small letters, and nothing more."""
    return _ORIGIN.fullmatch(address) is not None


def moved_to(origin: str, url: str) -> str:
    """The address with another scheme, host and port; path and query stay."""
    there = urlsplit(origin)
    return urlsplit(url)._replace(scheme=there.scheme, netloc=there.netloc).geturl()


def sign_in_origins(kind: str, settings: Mapping[str, Any]) -> list[str]:
    """Where Authenticate may lead: the provider, and its subdomains (Slack sends people to their own).

    For the form-action of a page's policy, so what is no plain host name or address is left out.
    """
    origin = origin_of(str(settings.get("provider_host") or "")) if kind == "oauth_code" else ""
    if not _ORIGIN.fullmatch(origin):
        return []
    scheme, _, host = origin.partition("://")
    named = host.partition(":")[0].rpartition(".")[2].isalpha()
    return [origin, f"https://*.{host}"] if scheme == "https" and named else [origin]


def target_of(kind: str, settings: Mapping[str, Any], url: str) -> dict[str, str]:
    """Everything that decides to whom the action's credentials are shown. `kind` is the type's label."""
    target = {TYPE: kind, REQUEST_HOST: origin_of(url)}
    for name, label in BOUND_SETTINGS.items():
        if name in settings:
            target[label] = str(settings[name] or "").strip().rstrip("/")
    return target


def moves(before: Mapping[str, str], after: Mapping[str, str]) -> list[Move]:
    """What changed about the target, in the order of the form; another type says it all.

    A request host that is set for the first time is no move where it is the provider's own host: that is what
    the token was granted for.
    """
    if before[TYPE] != after[TYPE]:
        return [Move(TYPE, before[TYPE], after[TYPE])]
    provider = after.get(BOUND_SETTINGS["provider_host"], "")
    found = []
    for what in {**after, **before}:
        old, new = before.get(what, ""), after.get(what, "")
        if old == new or (what == REQUEST_HOST and not old and provider and new == origin_of(provider)):
            continue
        found.append(Move(what, old, new))
    return found
