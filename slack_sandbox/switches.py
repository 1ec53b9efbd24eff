"""The switches of the Practise faults panel: what they take, what they say, and their present values.

A switch whose value differs from its normal one is *on*, and every page says so. Values outlive a restart.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from threading import Lock
from typing import Any

from slack_sandbox.settings import Settings
from slack_sandbox.store import Store

MOST_SECONDS = 600
MOST_CALLS = 100_000


class Switch(ABC):
    """One switch. `section` is the heading it stands under: fault, rule or scope."""

    widget: str
    normal: Any

    def __init__(self, key: str, section: str, label: str, explanation: str, banner: str) -> None:
        self.key = key
        self.section = section
        self.label = label
        self.explanation = explanation
        self.banner = banner

    @abstractmethod
    def read(self, raw: Any) -> Any:
        """The value meant by a form's text or a JSON value. Raises ValueError with a sentence for people."""

    def says(self, value: Any) -> str:
        """What the banner says while the switch is on."""
        return self.banner.format(value=value)


class Toggle(Switch):
    widget = "toggle"
    normal = False

    def read(self, raw: Any) -> bool:
        known = {"on": True, "true": True, "1": True, "off": False, "false": False, "0": False, "": False}
        value = str(raw).lower()
        if value not in known:
            raise ValueError(f"{self.label}: give on or off.")
        return known[value]

    def says(self, value: Any) -> str:
        return f"{self.banner} {'on' if value else 'off'}" if self.section == "rule" else self.banner


class Number(Switch):
    """A figure with a unit; 0 is off."""

    widget = "number"
    normal: Any = 0

    def __init__(self, *texts: str, unit: str, most: int, whole: bool = False, normal: int = 0) -> None:
        super().__init__(*texts)
        self.unit = unit
        self.most = most
        self.whole = whole
        self.normal = normal

    def read(self, raw: Any) -> float | int:
        try:
            value = float(str(raw).strip().replace(",", ".") or self.normal)
        except ValueError:
            raise ValueError(f"{self.label}: give a number of {self.unit}.") from None
        if not 0 <= value <= self.most:
            raise ValueError(f"{self.label}: give a number from 0 to {self.most}.")
        return int(value) if self.whole or value == int(value) else value


class ErrorCode(Switch):
    """One of Slack's error codes; blank is off."""

    widget = "code"
    normal = ""

    def read(self, raw: Any) -> str:
        value = str(raw or "").strip()
        if not re.fullmatch(r"[a-z0-9_]{0,60}", value):
            raise ValueError(f"{self.label}: a code has small letters, digits and underscores only.")
        return value


SWITCHES: dict[str, Switch] = {
    switch.key: switch
    for switch in (
        Number(
            "delay",
            "fault",
            "Answer late",
            "Waits this long before doing anything.",
            "Answers are {value} s late",
            unit="seconds",
            most=MOST_SECONDS,
        ),
        Toggle(
            "drop_before",
            "fault",
            "Drop the connection",
            "Hangs up before doing anything. The message is not posted.",
            "Connections are dropped before the message is posted",
        ),
        Toggle(
            "server_error",
            "fault",
            "Answer HTTP 500",
            "An HTML error page. The message is not posted.",
            "Every call gets HTTP 500",
        ),
        Toggle(
            "too_many_requests",
            "fault",
            "Answer HTTP 429",
            "Rate limited, with Retry-After: 1. The message is not posted.",
            "Every call gets HTTP 429",
        ),
        Toggle(
            "redirect",
            "fault",
            "Answer with a redirect",
            "302 to another address. The message is not posted.",
            "Every call gets a redirect",
        ),
        ErrorCode(
            "error_code",
            "fault",
            "Fail with a Slack error",
            "HTTP 200 with ok: false and this code. Sign-in is left alone.",
            "Every call fails with {value}",
        ),
        Toggle(
            "drop_after",
            "fault",
            "Post, then drop the connection",
            "The message is posted, the answer never arrives.",
            "Messages are posted and the answer is dropped",
        ),
        Toggle(
            "large_answer",
            "fault",
            "Answer with 5 MB",
            "The message is posted and the answer is padded.",
            "Answers are 5 MB long",
        ),
        Number(
            "next_calls",
            "scope",
            "Only for the next calls",
            "Faults then switch themselves off. 0 means until switched off.",
            "Faults end after {value} more calls",
            unit="calls",
            most=MOST_CALLS,
            whole=True,
        ),
        Toggle(
            "rate_limit",
            "rule",
            "Rate limit",
            "About one message a second in a channel, with short bursts.",
            "Rate limit is",
        ),
        Toggle(
            "rotation",
            "rule",
            "Token rotation",
            "New v2 tokens end and come with a refresh token.",
            "Token rotation is",
        ),
        Number(
            "token_lifetime",
            "rule",
            "Rotating tokens live for",
            "Slack gives 12 hours, which is 43200 seconds.",
            "Rotating tokens live for {value} s",
            unit="seconds",
            most=43_200,
            whole=True,
            normal=43_200,
        ),
        Toggle(
            "pkce",
            "rule",
            "PKCE",
            "Without it a code_verifier is refused with pkce_not_allowed.",
            "PKCE is",
        ),
    )
}


class Switches:
    """The present values. They are read on every call, so they are kept in memory and written through."""

    def __init__(self, store: Store, settings: Settings) -> None:
        self._store = store
        self._lock = Lock()
        self.normal: dict[str, Any] = {key: switch.normal for key, switch in SWITCHES.items()} | {
            "rate_limit": settings.rate_limit,
            "rotation": settings.rotation,
            "pkce": settings.pkce_enabled,
        }
        self._changed: dict[str, Any] = {
            key: value for key, value in store.fact("switches", {}).items() if key in SWITCHES
        }

    def __getitem__(self, key: str) -> Any:
        return self._changed.get(key, self.normal[key])

    def values(self) -> dict[str, Any]:
        return {key: self[key] for key in SWITCHES}

    def set(self, wanted: dict[str, Any]) -> None:
        """Set some switches at once. Raises ValueError, and changes none, if one of them cannot be read."""
        unknown = sorted(set(wanted) - set(SWITCHES))
        if unknown:
            raise ValueError(f"There is no switch {', '.join(unknown)}. There are: {', '.join(SWITCHES)}.")
        read = {key: SWITCHES[key].read(raw) for key, raw in wanted.items()}
        with self._lock:
            self._keep(self._changed | read)

    def reset(self) -> None:
        with self._lock:
            self._keep({})

    def on(self) -> list[Switch]:
        """Switches that are not as they normally are, in the panel's order."""
        return [switch for key, switch in SWITCHES.items() if key in self._changed]

    def banners(self) -> list[str]:
        return [switch.says(self[switch.key]) for switch in self.on()]

    def take(self, keys: list[str]) -> dict[str, Any]:
        """The values of those of these faults that are on, for one call, which is counted if there are any.

        After the last of "only for the next calls" the faults are off.
        """
        with self._lock:
            taken = {key: self._changed[key] for key in keys if key in self._changed}
            left = self._changed.get("next_calls", 0)
            if taken and left > 1:
                self._keep(self._changed | {"next_calls": left - 1})
            elif taken and left:
                self._keep(
                    {key: value for key, value in self._changed.items() if SWITCHES[key].section == "rule"}
                )
            return taken

    def _keep(self, values: dict[str, Any]) -> None:
        self._changed = {key: value for key, value in values.items() if value != self.normal[key]}
        self._store.set_fact("switches", self._changed)
