"""`make demo` and `make serve`: started, killed in every part, and stopped, with nothing left behind."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests

from tests.running import Running
from webapp.demo import CAST, PASSWORD

pytestmark = [pytest.mark.journey, pytest.mark.timeout(240)]

Start = Callable[..., Running]


@pytest.fixture
def start(tmp_path: Path, worker_number: int) -> Iterator[Start]:
    """Start a Runsheet of our own; it is stopped afterwards, whatever happened."""
    made: list[Running] = []

    def begin(command: str, **environ: str) -> Running:
        running = Running(tmp_path / "instance", command=command, number=3 * worker_number + 1, **environ)
        made.append(running)
        running.start()
        return running

    yield begin
    for running in made:
        running.discard()


def sign_in(running: Running, email: str, password: str) -> int:
    """The status of the page that the person sees after signing in."""
    with requests.Session() as browser:
        form = browser.get(f"{running.address}/sign-in", timeout=10)
        token = form.text.partition('name="csrf_token"')[2].partition('value="')[2].partition('"')[0]
        answer = browser.post(
            f"{running.address}/sign-in",
            data={"csrf_token": token, "email": email, "password": password},
            headers={"Referer": f"{running.address}/sign-in"},
            timeout=10,
            allow_redirects=False,
        )
        return answer.status_code


def test_the_demo_prints_one_address_and_every_sign_in(demo: Running) -> None:
    printed = demo.output()
    assert printed.count(demo.address) == 1
    assert [email for _, email, _ in CAST if email in printed] == [email for _, email, _ in CAST]
    assert printed.count(PASSWORD) == 1
    assert printed.count(demo.sandbox) == 1


def test_the_printed_sign_in_works(demo: Running) -> None:
    assert sign_in(demo, CAST[0][1], PASSWORD) == 303


@pytest.mark.faults
def test_each_killed_process_is_replaced_and_the_demo_goes_on(start: Start) -> None:
    running = start("demo")
    given_broker = "REDIS_URL" in running.environ
    names = ["worker", "web", "sandbox", *([] if given_broker else ["broker"])]
    for name in names:
        running.kill(name)
    running.wait_until(lambda: answers(running.address + "/healthz"), "does not answer")
    running.wait_until(lambda: answers(running.sandbox + "/"), "has no sandbox that answers")
    assert sign_in(running, CAST[0][1], PASSWORD) == 303
    assert running.stop(signal.SIGKILL) == []


def test_ctrl_c_leaves_no_process_and_a_second_start_keeps_the_data(start: Start) -> None:
    running = start("serve", ADMIN_EMAIL="ada@example.org", ADMIN_PASSWORD="a password of some length")
    assert "ADMIN_PASSWORD" not in running.program("web").environ()
    assert running.stop(signal.SIGINT) == []
    del running.environ["ADMIN_EMAIL"], running.environ["ADMIN_PASSWORD"]
    running.start()
    assert sign_in(running, "ada@example.org", "a password of some length") == 303
    assert running.stop(signal.SIGTERM) == []


def test_closing_the_terminal_leaves_no_process_either(start: Start) -> None:
    running = start("serve", ADMIN_EMAIL="ada@example.org", ADMIN_PASSWORD="a password of some length")
    assert running.stop(signal.SIGHUP) == []


def answers(address: str) -> bool:
    try:
        return requests.get(address, timeout=2).ok
    except requests.RequestException:
        return False
