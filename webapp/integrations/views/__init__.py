"""The pages of Settings > Integrations, and signing in to other systems. One blueprint, a module a noun."""

from __future__ import annotations

from webapp.blueprint import Blueprint
from webapp.navigation import NavEntry

blueprint = Blueprint("integrations", __name__)
blueprint.nav = [
    NavEntry("Integrations", "plug", "integrations.connections", group="settings:Automation", order=20)
]

# Each module adds its routes to the blueprint above, so they come after it.
from webapp.integrations.views import actions, authentications, check, connections, editor  # noqa: E402, F401
