"""What the features above lend to this one. create_app wires it; nothing here imports upwards.

Read it as `offered.action_choices`, never `from offered import …`: the import would keep the empty offer.
"""

from __future__ import annotations

from collections.abc import Callable, Collection


def _none(kept: Collection[int]) -> list[tuple[int, str]]:
    return []


# The integration actions that a field can be restricted to: (id, "Connection: Action"). What is archived is among them
# only where its id is given, for fields that are restricted to it already.
action_choices: Callable[[Collection[int]], list[tuple[int, str]]] = _none
