"""Work that keeps the processor busy for longer than a blink: under gevent it would hold up everyone in the process."""

from __future__ import annotations

from collections.abc import Callable
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


def off_the_loop(function: Callable[P, T], *arguments: P.args, **options: P.kwargs) -> T:
    """What the function returns or raises, from a thread where gevent runs, else called directly.

    The function must not use the database session or anything else that belongs to the request.
    """
    from gevent import get_hub
    from gevent.monkey import is_module_patched

    if is_module_patched("socket"):
        found: T = get_hub().threadpool.apply(function, arguments, options)
        return found
    return function(*arguments, **options)
