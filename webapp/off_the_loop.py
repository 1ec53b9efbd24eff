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

    if not is_module_patched("socket"):
        return function(*arguments, **options)

    # What a function raises in gevent's pool is printed with its traceback, so a refusal comes back as a value.
    def quietly() -> tuple[T | None, Exception | None]:
        try:
            return function(*arguments, **options), None
        except Exception as error:
            return None, error

    found, error = get_hub().threadpool.apply(quietly)
    if error is not None:
        raise error
    return found  # type: ignore[no-any-return]
