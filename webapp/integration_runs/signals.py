"""News for the features above: sent inside the transaction of the change, with the IntegrationRun as the sender.

A listener that raises while a worker settles loses its own changes, not the settlement: it runs in a savepoint, and the
sweeper sends `run_settled` again for a while. So listeners must bear hearing the same news twice.
"""

from __future__ import annotations

from blinker import signal

run_changed = signal("integration-run-changed", doc="A run's state changed, whatever to.")
run_settled = signal(
    "integration-run-settled", doc="A run succeeded, failed, became unknown or was cancelled."
)
