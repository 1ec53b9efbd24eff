"""The demo as people start it, once for all journeys of a test process."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.running import Running


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory, worker_number: int) -> Iterator[Running]:
    """A running `runsheet demo`, shared: leave it running."""
    running = Running(tmp_path_factory.mktemp("demo"), number=3 * worker_number)
    try:
        running.start()
        yield running
    finally:
        running.stop()
