"""What the features above lend to this one. create_app wires it; nothing here imports upwards.

Read it as `offered.action_choices`, never `from offered import …`: the import would keep the empty offer.
"""

from __future__ import annotations

from collections.abc import Callable


def _none() -> list[tuple[int, str]]:
    return []


# The integration actions that a field can be restricted to: (id, "Connection: Action").
action_choices: Callable[[], list[tuple[int, str]]] = _none
