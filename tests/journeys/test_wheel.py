"""The wheel: built, installed into an environment of its own, and used from a folder that is not the checkout."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import sysconfig
import time
import venv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests

from tests.running import ROOT, free_port

# What is in the wheel does not hang on the database.
pytestmark = [pytest.mark.journey, pytest.mark.once]

ADMINISTRATOR, PASSWORD = "ada@example.org", "a password of some length"
READY_WITHIN_S = 60


@dataclass(frozen=True)
class Installed:
    """Runsheet from the wheel. `folder` is where its commands run; `environ` is all that they are told."""

    programs: Path
    folder: Path
    environ: dict[str, str]

    def run(self, name: str, *arguments: str) -> str:
        """What the program prints. Raises AssertionError with all of it where it fails."""
        done = subprocess.run(
            [self.programs / name, *arguments],
            cwd=self.folder,
            env=self.environ,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory, broker_url: str) -> Installed:
    """The wheel of this checkout in a new environment, which borrows the running one's dependencies."""
    top = tmp_path_factory.mktemp("wheel")
    pip("wheel", "--no-build-isolation", f"--wheel-dir={top}", str(ROOT))
    [wheel] = top.glob("*.whl")
    environment = top / "environment"
    venv.create(environment, with_pip=False, symlinks=True)
    pip("install", str(wheel), python=environment / "bin/python")
    # A path that a .pth file names has its own .pth files ignored: the checkout, installed as editable, stays out.
    [packages] = environment.glob("lib/python*/site-packages")
    borrowed = dict.fromkeys(sysconfig.get_path(name) for name in ("purelib", "platlib"))
    (packages / "borrowed.pth").write_text("\n".join([*borrowed, ""]))
    folder = top / "elsewhere"
    folder.mkdir()
    return Installed(
        environment / "bin",
        folder,
        {"PATH": os.defpath, "PORT": str(free_port()), "REDIS_URL": broker_url, "ADMIN_PASSWORD": PASSWORD},
    )


def pip(command: str, *arguments: str, python: Path | None = None) -> None:
    """Run pip, without network, dependencies and settings of this machine."""
    subprocess.run(
        [
            *(sys.executable, "-m", "pip", "--isolated", "--quiet", "--disable-pip-version-check"),
            *([f"--python={python}"] if python else []),
            *(command, "--no-index", "--no-deps", *arguments),
        ],
        check=True,
        timeout=60,
    )


@pytest.fixture(scope="module")
def address(installed: Installed) -> Iterator[str]:
    """Where the wheel's web server answers, on a migrated database with one administrator."""
    assert installed.run("runsheet", "migrate") == "The database was brought up to date.\n"
    installed.run("runsheet", "admin", "create", "--name=Ada", f"--email={ADMINISTRATOR}")
    log = installed.folder / "web.log"
    with log.open("w") as output:
        process = subprocess.Popen(
            [installed.programs / "runsheet", "web"],
            cwd=installed.folder,
            env=installed.environ,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    found = f"http://127.0.0.1:{installed.environ['PORT']}"
    try:
        until = time.monotonic() + READY_WITHIN_S
        while not _answers(f"{found}/healthz"):
            assert process.poll() is None and time.monotonic() < until, log.read_text()
            time.sleep(0.1)
        yield found
    finally:
        process.terminate()
        process.wait(timeout=30)


def _answers(url: str) -> bool:
    try:
        return requests.get(url, timeout=5).ok
    except requests.RequestException:
        return False


def test_the_command_and_its_code_come_from_the_wheel(installed: Installed) -> None:
    printed = installed.run("runsheet", "--help")
    listed = re.findall(r"(?m)^  ([a-z-]+)  ", printed.partition("Commands:")[2])
    assert listed == ["admin", "demo", "migrate", "sandbox", "secrets", "serve", "web", "worker"]
    code = "import webapp, slack_sandbox as s; print(webapp.__file__, s.__file__, sep='\\n')"
    places = [Path(line) for line in installed.run("python", "-c", code).splitlines()]
    packages = installed.programs.parent / "lib"
    assert [place.is_relative_to(packages) for place in places] == [True, True]


def test_pages_styles_and_the_guide_travel_in_the_wheel(address: str) -> None:
    with requests.Session() as browser:
        page = browser.get(f"{address}/sign-in", timeout=10)
        assert page.status_code == 200
        linked = re.findall(r'(?:href|src)="(/static/[^"]+)"', page.text)
        statuses = {path: browser.get(address + path, timeout=10).status_code for path in linked}
        assert {path.partition("?")[0] for path in linked} >= {
            "/static/css/base.css",
            "/static/vendor/htmx.min.js",
        }
        assert statuses == dict.fromkeys(linked, 200)
        token = page.text.partition('name="csrf_token"')[2].partition('value="')[2].partition('"')[0]
        form = {"csrf_token": token, "email": ADMINISTRATOR, "password": PASSWORD}
        home = browser.post(f"{address}/sign-in", data=form, timeout=10)
        assert home.url == f"{address}/"
        guide = browser.get(f"{address}/guides/slack", timeout=10)
        assert guide.status_code == 200
        assert "Post to Slack from a task" in guide.text
