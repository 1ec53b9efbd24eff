"""No process is left behind: each one asks to be told when its parent dies, however it dies."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import threading
import time

_PR_SET_PDEATHSIG = 1  # linux/prctl.h
_LOOK_EVERY_S = 1.0


def die_with_parent() -> None:
    """Have this process get SIGTERM when its parent dies, and every process it forks from now on likewise.

    On Linux the kernel does it, and goes on doing it after an exec; elsewhere a thread looks every second.
    """
    parent = os.getppid()
    _tie()
    os.register_at_fork(after_in_child=_tie)
    if os.getppid() != parent:  # it died before the kernel knew
        os.kill(os.getpid(), signal.SIGTERM)


def _tie() -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    else:
        threading.Thread(target=_watch, args=(os.getppid(),), name="lifeline", daemon=True).start()


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(_LOOK_EVERY_S)
    os.kill(os.getpid(), signal.SIGTERM)
