"""Addresses of one runbook's views: the same filter and the same selected task in each. Pure: standard library only."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

SHOWS = {"mine": "My tasks", "ready": "Ready", "late": "Late", "running": "In progress", "failed": "Failed"}


@dataclass(frozen=True)
class View:
    """One way to look at a runbook. `path` follows the runbook's address; `key` is what one presses to come here."""

    path: str
    label: str
    icon: str
    key: str


VIEWS = {
    view.path: view
    for view in (
        View("", "List", "list-details", "g l"),
        View("map", "Node map", "sitemap", "g m"),
        View("timeline", "Timeline", "timeline", "g t"),
        View("dashboard", "Dashboard", "layout-dashboard", "g d"),
    )
}

WALL = "wall"  # a view too, but a page of its own that no tab leads to


@dataclass(frozen=True)
class Wanted:
    """The filter: `show` is a key of SHOWS or empty, `text` narrows by name or number."""

    show: str = ""
    text: str = ""

    @property
    def any(self) -> bool:
        return bool(self.show or self.text)

    @property
    def words(self) -> str:
        """The filter as a sentence names it: "Late and “database”"."""
        text = f"“{self.text}”" if self.text else ""
        return " and ".join(each for each in (SHOWS.get(self.show, ""), text) if each)


@dataclass(frozen=True)
class Here:
    """What a viewer looks at: a view of the runbook at `base`, filtered, with the panel of task `number` open.

    `around` narrows the node map to what is near that task.
    """

    base: str
    view: str = ""
    wanted: Wanted = Wanted()
    number: int | None = None
    around: bool = False

    @property
    def address(self) -> str:
        """The address that shows this."""
        path = f"{self.base}/{self.view}" if self.view else self.base
        query: dict[str, Any] = {
            "show": self.wanted.show,
            "q": self.wanted.text,
            "task": self.number,
            "around": "1" if self.around and self.view == "map" else "",
        }
        given = urlencode({name: value for name, value in query.items() if value})
        return f"{path}?{given}" if given else path

    def to(self, **changes: Any) -> str:
        """The address of the same with something changed: any field, or the filter's `show` and `text`."""
        narrowed = {name: changes.pop(name) for name in ("show", "text") if name in changes}
        return replace(self, wanted=replace(self.wanted, **narrowed), **changes).address

    def of_task(self, number: int) -> str:
        """The address on which what is done to that task builds."""
        return f"{self.base}/tasks/{number}"

    @property
    def unfiltered(self) -> str:
        return self.to(show="", text="")


def read_here(address: str, base: str) -> Here:
    """What an address of the runbook at `base` shows; what it does not know counts as not there."""
    parts = urlsplit(address)
    typed = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    view = parts.path.removeprefix(base).strip("/")
    show, number = typed.get("show", ""), typed.get("task", "")
    return Here(
        base,
        view if view in VIEWS or view == WALL else "",
        Wanted(show if show in SHOWS else "", typed.get("q", "").strip()[:200]),
        int(number) if number.isascii() and number.isdigit() and len(number) < 10 else None,
        typed.get("around") == "1",
    )
