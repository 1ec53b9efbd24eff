"""The pages of Settings > Integrations, and the sign-in to other systems. Split along nouns; one blueprint."""

from __future__ import annotations

from webapp.blueprint import Blueprint
from webapp.navigation import NavEntry

blueprint = Blueprint("integrations", __name__)
blueprint.nav = [
    NavEntry("Integrations", "plug", "integrations.connections", group="settings:Automation", order=20)
]

# Each module adds its routes to the blueprint above, so they come after it.
from webapp.integrations.views import actions, authentications, check, connections, editor  # noqa: F401
