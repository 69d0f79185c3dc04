"""``./run serve`` as a whole: pages and files are served, a killed worker comes back, and the end leaves nothing."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

ROOT = Path(__file__).resolve().parents[3]
pytestmark = pytest.mark.sqlite


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[str, psutil.Process]]:
    """An installation of its own in demo mode; its address and its supervisor."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("JIEQU_", "DATABASE_"))}
    env = clean | {"JIEQU_MODE": "demo", "JIEQU_VAR": str(tmp_path / "var")}
    command = [sys.executable, "-m", "jiequ.web.cli"]
    subprocess.run([*command, "migrate"], cwd=ROOT, env=env, check=True, capture_output=True)
    with (tmp_path / "log").open("wb") as log:
        words = ["serve", "--port", str(port), "--workers", "2"]
        process = subprocess.Popen([*command, *words], cwd=ROOT, env=env, stdout=log, stderr=log)
    try:
        yield f"http://127.0.0.1:{port}", psutil.Process(process.pid)
    finally:
        process.terminate()
        process.wait(40)


def get(address: str) -> tuple[int, bytes]:
    with urllib.request.urlopen(address, timeout=10) as answer:
        return answer.status, answer.read()


def soon(claim: Callable[[], object]) -> None:
    give_up_at = time.monotonic() + 60
    while True:
        try:
            if claim():
                return
        except OSError:
            pass
        assert time.monotonic() < give_up_at, "it did not come true"
        time.sleep(0.05)


def test_pages_and_files_are_served_a_killed_worker_comes_back_and_the_end_leaves_nothing(
    served: tuple[str, psutil.Process],
) -> None:
    address, supervisor = served
    soon(lambda: get(address + "/healthz")[0] == 200)
    page = get(address + "/")[1].decode()
    sheet = next(part.split('"')[0] for part in page.split('href="')[1:] if ".css" in part.split('"')[0])
    assert get(address + sheet)[0] == 200
    family = supervisor.children(recursive=True)
    master = next(one for one in family if "jiequ.web.cli.web" in one.cmdline() and one.ppid() == supervisor.pid)
    worker = master.children()[0]
    worker.kill()
    soon(lambda: len(master.children()) == 2 and worker not in master.children())
    master.kill()
    soon(lambda: not master.is_running() and get(address + "/healthz")[0] == 200)
    family += supervisor.children(recursive=True)
    supervisor.send_signal(signal.SIGTERM)
    supervisor.wait(40)
    assert not [one for one in family if one.is_running() and one.status() != psutil.STATUS_ZOMBIE]
