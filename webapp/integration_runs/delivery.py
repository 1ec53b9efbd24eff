"""The dispatcher: as many exchanges side by side as it has slots, fed and settled by one thread. Pure: no database.

    dispatcher = Dispatcher(door, slots=64)
    dispatcher.drain(ledger, until=time.monotonic() + 20)

The ledger claims and settles runs, each turn in one transaction of its own that is over before anything is sent, so no
database session is open during an exchange, and many exchanges share the cost of one commit.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from queue import Empty, SimpleQueue
from typing import Protocol

from webapp.integration_runs.exchanges import Claim, Finished, Sender, perform

LOOK_EVERY_S = 0.025
GATHER_S = 0.02
# A listener may take milliseconds for each run, and the transaction holds its locks meanwhile.
TOLD_AT_A_TIME = 8


class Ledger(Protocol):
    """Where runs are claimed and settled."""

    def turn(self, finished: Sequence[Finished], free: int, busy: Mapping[str, int]) -> list[Claim]:
        """Settle what is finished and claim at most `free` due runs. `busy` counts exchanges in flight by host.

        Called again and again while anything is in flight, also where there is nothing to settle or claim.
        """
        ...


def share_of_host(slots: int, busy: Mapping[str, int], host: str) -> int:
    """How many more exchanges a host may have: three quarters of the slots that no other host holds.

    So a slow or dead host always leaves slots for the next one, and a lone host is hardly held back.
    """
    others = sum(busy.values()) - busy.get(host, 0)
    return max(1, (slots - others) * 3 // 4) - busy.get(host, 0)


def _portion(finished: list[Finished]) -> tuple[list[Finished], list[Finished]]:
    """What to settle in this turn, and what is left for the next one."""
    now: list[Finished] = []
    later: list[Finished] = []
    told = 0
    for each in finished:
        told += each.claim.told
        (later if each.claim.told and told > TOLD_AT_A_TIME else now).append(each)
    return now, later


class Dispatcher:
    """Sends claims side by side. One for a process; `drain` is called by one thread at a time."""

    def __init__(self, door: Sender, *, slots: int = 64) -> None:
        self._door = door
        self.slots = slots
        self._work: SimpleQueue[Claim] = SimpleQueue()
        self._done: SimpleQueue[Finished] = SimpleQueue()
        self._busy: Counter[str] = Counter()
        self._finished: list[Finished] = []
        self._threads = 0
        self._stopping = threading.Event()

    def stop(self) -> None:
        """Claim nothing more; what is in flight is finished and settled. Safe in a signal handler."""
        self._stopping.set()

    def drain(self, ledger: Ledger, *, until: float) -> bool:
        """Send what is due until nothing is, or until the monotonic clock says `until`; then finish what is in flight.

        True where it ended for the clock or was stopped, so that more may be due. Where the ledger raises, what is in
        flight or finished is settled by the next call.
        """
        while True:
            ended = self._stopping.is_set() or time.monotonic() >= until
            free = 0 if ended else self.slots - self._busy.total()
            now, later = _portion(self._finished)
            claims = ledger.turn(now, free, self._busy)
            self._finished = later
            for claim in claims:
                self._busy[claim.host] += 1
                self._send(claim)
            if not later:
                if not self._busy.total():
                    return ended
                self._collect()

    def _send(self, claim: Claim) -> None:
        if self._threads < self._busy.total():
            self._threads += 1
            threading.Thread(target=self._run, name=f"sender-{self._threads}", daemon=True).start()
        self._work.put(claim)

    def _run(self) -> None:
        while True:
            self._done.put(perform(self._work.get(), self._door))

    def _collect(self) -> None:
        """Take what has finished: wait a moment for the first, so that new runs are looked for meanwhile, and a
        shorter one for others, so that many share a turn."""
        try:
            self._take(self._done.get(timeout=LOOK_EVERY_S))
            enough = time.monotonic() + GATHER_S
            while self._busy.total():
                self._take(self._done.get(timeout=max(0.0, enough - time.monotonic())))
        except Empty:
            return

    def _take(self, finished: Finished) -> None:
        self._finished.append(finished)
        self._busy[finished.claim.host] -= 1
        if not self._busy[finished.claim.host]:
            del self._busy[finished.claim.host]
