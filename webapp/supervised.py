"""supervisord, except that SIGHUP stops it: a terminal that is closed is a Ctrl-C, and nothing may be left behind.

On its own supervisord takes SIGHUP for the wish to stop everything and to start it again.
"""

from __future__ import annotations

import signal
from typing import Any

from supervisor import supervisord
from supervisor.options import ServerOptions


class _Options(ServerOptions):
    def setsignals(self) -> None:
        super().setsignals()
        signal.signal(signal.SIGHUP, self._stop)

    def _stop(self, _signal: int, frame: Any) -> None:
        self.signal_receiver.receive(signal.SIGTERM, frame)


def main() -> None:
    """Supervise what the settings file after `-c` names, until a signal ends it."""
    options = _Options()
    options.realize(doc=__doc__)
    options.first, options.test = True, False
    supervisord.go(options)
    options.close_httpservers()
    options.close_logger()


if __name__ == "__main__":
    main()
