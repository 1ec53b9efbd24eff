"""Every route of the app, read from its URL map, and the object that stands for each argument of an address."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from flask import Flask

from tests.access.things import ARGUMENTS, ARGUMENTS_OF_ENDPOINT, Things
from webapp.permissions import Permission

METHODS = {"GET", "POST", "PUT", "PATCH", "DELETE"}


@dataclass(frozen=True)
class Route:
    """One route and one of its methods."""

    endpoint: str
    rule: str
    method: str
    permission: Permission
    arguments: tuple[str, ...]

    @property
    def name(self) -> str:
        return f"{self.method} {self.rule}"

    @property
    def safe(self) -> bool:
        return self.method == "GET"

    @property
    def of_a_workspace(self) -> bool:
        """Whether the address names something that belongs to a workspace, or a workspace."""
        return bool({"runbook_id", "workspace_id", "import_id", "template_id"} & set(self.arguments))

    def objects(self, things: Things) -> dict[str, Any]:
        """Argument to an existing object's id. Fails the test for an argument that nobody has provided for."""
        own = ARGUMENTS_OF_ENDPOINT.get(self.endpoint, {})
        unknown = [each for each in self.arguments if each not in own and each not in ARGUMENTS]
        if unknown:
            pytest.fail(
                f"The route {self.name} ({self.endpoint}) takes {', '.join(unknown)}, and the tests of access do not "
                "know an object for that. Make one in tests/access/things.py and name it in ARGUMENTS there, so that "
                "roles, foreign ids, CSRF and secrets are tested for the new route too."
            )
        return {each: (own.get(each) or ARGUMENTS[each])(things) for each in self.arguments}

    def path(self, objects: Mapping[str, Any]) -> str:
        """The address with these values."""
        return re.sub(r"<(?:[^:<>]+:)?(\w+)>", lambda found: str(objects[found[1]]), self.rule)


def routes_of(app: Flask) -> list[Route]:
    """Every route × method but static files, those that read first."""
    found = [
        Route(
            rule.endpoint,
            rule.rule,
            method,
            app.view_functions[rule.endpoint].permission,  # type: ignore[attr-defined]
            tuple(sorted(rule.arguments)),
        )
        for rule in app.url_map.iter_rules()
        if rule.endpoint != "static"
        for method in sorted((rule.methods or set()) & METHODS)
    ]
    return sorted(found, key=lambda each: (not each.safe, each.rule, each.method))
