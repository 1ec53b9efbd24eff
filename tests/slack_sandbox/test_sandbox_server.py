"""The real server: keep-alive, what outlives a restart, a clean stop, and no tie to the product."""

from __future__ import annotations

import ast
import http.client
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests

import slack_sandbox
from tests.running import free_port

SCRIPT = """
import sys
from slack_sandbox import Settings, serve
settings = Settings(store_path=sys.argv[1], redirect_uris=["http://127.0.0.1/callback"])
serve(settings, "127.0.0.1", int(sys.argv[2]))
"""
ROOT = Path(slack_sandbox.__file__).parent.parent


@contextmanager
def serving(store: Path, stop_with: signal.Signals = signal.SIGTERM) -> Iterator[str]:
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-c", SCRIPT, str(store), str(port)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    base = f"http://127.0.0.1:{port}"
    try:
        deadline = time.monotonic() + 20
        while True:
            try:
                requests.get(base + "/sandbox/health", timeout=2)
                break
            except requests.ConnectionError:
                assert process.poll() is None, "the sandbox did not start"
                assert time.monotonic() < deadline, "the sandbox did not answer in 20 s"
                time.sleep(0.05)
        yield base
    finally:
        process.send_signal(stop_with)
        said = process.communicate(timeout=20)[0]
    assert (process.returncode, said) == (0, b"")


@pytest.mark.timeout(60)
def test_state_outlives_a_restart_and_both_signals_stop_it_quietly(tmp_path: Path) -> None:
    store = tmp_path / "new folder" / "sandbox.sqlite"
    with serving(store, stop_with=signal.SIGINT) as base:
        asked = {"client_id": "2141029472.691202649728", "scope": "chat:write:bot", "state": "s"}
        back = requests.post(
            base + "/oauth/authorize",
            params=asked,
            data={"person": "U061F7AUR", "decision": "allow"},
            allow_redirects=False,
            timeout=5,
        ).headers["Location"]
        token = requests.post(
            base + "/api/oauth.access",
            data={
                "client_id": asked["client_id"],
                "client_secret": "e1b9e11dfcd19c1982d5de12921e17e8c",
                "code": back.split("code=")[1].split("&")[0],
            },
            timeout=5,
        ).json()["access_token"]
        requests.post(base + "/sandbox/switches", json={"rotation": True}, timeout=5)
        assert _post(base, token, "before")["ok"] is True
    with serving(store) as base:
        assert requests.get(base + "/sandbox/switches", timeout=5).json()["on"] == ["rotation"]
        assert _post(base, token, "after")["ok"] is True
        kept = requests.get(base + "/sandbox/messages", timeout=5).json()["messages"]
        assert [message["text"] for message in kept] == ["before", "after"]
        assert sorted({message["ts"] for message in kept}) == [message["ts"] for message in kept]
        _check_kept_alive_and_dropped(base)


def _post(base: str, token: str, text: str) -> dict[str, object]:
    answer: dict[str, object] = requests.post(
        base + "/api/chat.postMessage",
        json={"channel": "#ops-runbooks", "text": text},
        headers={"Authorization": f"Bearer {token}"},
        timeout=5,
    ).json()
    return answer


def _check_kept_alive_and_dropped(base: str) -> None:
    connection = http.client.HTTPConnection(base.removeprefix("http://"), timeout=5)
    sockets = []
    for _ in range(3):
        connection.request("POST", "/api/auth.test")
        response = connection.getresponse()
        assert (response.version, response.status) == (11, 200)
        response.read()
        sockets.append(connection.sock)
    assert sockets[0] is not None
    assert sockets == [sockets[0]] * 3
    requests.post(base + "/sandbox/switches", json={"drop_before": True}, timeout=5)
    connection.request("POST", "/api/auth.test")
    with pytest.raises(http.client.RemoteDisconnected):
        connection.getresponse()
    connection.close()


def test_the_sandbox_imports_nothing_of_the_product() -> None:
    package = Path(slack_sandbox.__file__).parent
    imported = {
        name
        for path in package.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }
    assert [name for name in imported if name.split(".")[0] in ("webapp", "app")] == []
