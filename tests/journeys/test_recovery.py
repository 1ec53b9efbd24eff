"""After a part is killed its successor does the work, and two Runsheets never share one folder."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import pytest
from redis import Redis
from redis.exceptions import RedisError
from rq import Queue
from rq.job import Job, JobStatus

from tests.running import Running, two_free_ports
from webapp.config import broker_socket
from webapp.jobs import QUEUE, perform

pytestmark = [pytest.mark.journey, pytest.mark.faults, pytest.mark.timeout(240)]


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory, worker_number: int) -> Iterator[Running]:
    """A demo of our own, whose parts may be killed."""
    made = Running(tmp_path_factory.mktemp("recovery") / "instance", number=3 * worker_number + 1)
    try:
        made.start()
        yield made
    finally:
        made.discard()


@pytest.fixture
def broker(running: Running) -> Iterator[Redis]:
    url = running.environ.get("REDIS_URL") or f"unix://{broker_socket(running.instance)}"
    with Redis.from_url(url) as connection:
        yield connection


def queued(broker: Redis) -> Job | None:
    try:
        return Queue(QUEUE, connection=broker).enqueue(perform, "sweep", result_ttl=60)
    except RedisError:
        return None


def test_the_broker_hands_no_job_to_a_killed_worker_whose_scheduler_lives_on(
    running: Running, broker: Redis
) -> None:
    worker = running.program("worker")
    running.wait_until(lambda: len(worker.children()) == 1, "has no scheduler")
    worker.kill()
    worker.wait()
    assert_next_job_is_performed(running, broker)


@pytest.mark.parametrize("name", ["broker", "worker"])
def test_a_job_is_performed_after_a_kill(running: Running, broker: Redis, name: str) -> None:
    if name == "broker" and "REDIS_URL" in running.environ:
        pytest.skip("the broker is not ours to kill")
    running.kill(name)
    assert_next_job_is_performed(running, broker)


def assert_next_job_is_performed(running: Running, broker: Redis) -> None:
    jobs: list[Job] = []

    def taken() -> bool:
        jobs.extend(job for job in [queued(broker)] if job is not None)
        return bool(jobs)

    running.wait_until(taken, "has no broker that takes a job")
    running.wait_until(
        lambda: jobs[0].get_status(refresh=True) == JobStatus.FINISHED, "does not perform the job"
    )


def test_a_second_one_in_the_same_folder_is_refused_with_one_sentence(running: Running) -> None:
    if "REDIS_URL" in running.environ:
        pytest.skip("with a broker elsewhere, several web servers may share the folder")
    refused = subprocess.run(
        [sys.executable, "-m", "webapp", "demo"],
        env={**running.environ, "PORT": str(two_free_ports())},
        capture_output=True,
        text=True,
        check=False,
    )
    sentence = (
        f"Runsheet already runs with {running.instance}. Stop it, or set INSTANCE_PATH to another folder."
    )
    assert (refused.returncode, refused.stderr) == (2, f"runsheet: {sentence}\n")
