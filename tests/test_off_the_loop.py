"""Busy work beside the loop: the same result and the same refusal, and nothing printed."""

from __future__ import annotations

import subprocess
import sys

import pytest

from webapp.off_the_loop import off_the_loop

SCRIPT = """
from gevent import monkey
monkey.patch_all()
import threading
from webapp.off_the_loop import off_the_loop

def work(number, *, more=0):
    if number < 0:
        raise ValueError("a negative number")
    return number + more

assert off_the_loop(work, 1, more=2) == 3
try:
    off_the_loop(work, -1)
except ValueError as error:
    print("refused:", error)
"""


def test_without_gevent_the_function_is_called_directly() -> None:
    assert off_the_loop(divmod, 7, 2) == (3, 1)
    with pytest.raises(ZeroDivisionError):
        off_the_loop(divmod, 7, 0)


def test_under_gevent_a_refusal_comes_back_without_a_traceback_in_the_log() -> None:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], capture_output=True, text=True, timeout=60, check=True
    )
    assert (done.stdout, done.stderr) == ("refused: a negative number\n", "")
