"""The menu: each feature's blueprint says which of its pages people can reach from where.

    blueprint.nav = [NavEntry("Integrations", "plug", "integrations.connections", group="settings:Automation")]

An entry shows for those who hold its route's permission, so the menu cannot promise a page that answers 403.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from flask import Flask, current_app, request, url_for
from flask_login import current_user

from webapp.permissions import can


@dataclass(frozen=True)
class NavEntry:
    """A page in the menu. `group` is main, foot or `settings:<heading>`; lower `order` comes first.

    `count` tells how many things wait there for a user; it is asked for each page, so it must cost one query.
    """

    label: str
    icon: str
    endpoint: str
    group: str = "main"
    order: int = 50
    count: Callable[[Any], int] | None = None


@dataclass(frozen=True)
class NavItem:
    """A NavEntry as one page shows it. `count` is None where nothing is counted there."""

    label: str
    icon: str
    href: str
    group: str
    current: bool
    endpoint: str
    count: int | None = None


def items() -> list[NavItem]:
    """The entries that the current user may open, in order."""
    entries = [
        entry for blueprint in current_app.blueprints.values() for entry in getattr(blueprint, "nav", ())
    ]
    here = request.path
    shown = []
    for entry in sorted(entries, key=lambda each: each.order):
        permission = getattr(current_app.view_functions[entry.endpoint], "permission")  # noqa: B009
        if can(current_user, permission):
            href = url_for(entry.endpoint)
            current = here == href or (href != "/" and here.startswith(href + "/"))
            count = entry.count(current_user) if entry.count else None
            shown.append(NavItem(entry.label, entry.icon, href, entry.group, current, entry.endpoint, count))
    return shown


def init_app(app: Flask) -> None:
    """Give templates `nav()`."""
    app.jinja_env.globals["nav"] = items
