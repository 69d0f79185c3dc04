"""``./run serve`` as a whole: pages and files are served, a killed worker comes back, and the end leaves nothing."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from tests.support.live import free_port

ROOT = Path(__file__).resolve().parents[3]
ACCOUNT = {"JIEQU_WECHAT_APPID": "wx0000000000000001", "JIEQU_WECHAT_TOKEN": "a-token"}
pytestmark = pytest.mark.sqlite


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[str, str, psutil.Process]]:
    """An installation of its own in demo mode; its address, that of its callbacks, and its supervisor."""
    port, own = free_port((1,)), free_port()
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("JIEQU_", "DATABASE_"))}
    env = clean | {"JIEQU_MODE": "demo", "JIEQU_VAR": str(tmp_path / "var"), **ACCOUNT, "JIEQU_CALLBACKS_PORT": str(own)}
    command = [sys.executable, "-m", "jiequ.web.cli"]
    subprocess.run([*command, "migrate"], cwd=ROOT, env=env, check=True, capture_output=True)
    with (tmp_path / "log").open("wb") as log:
        words = ["serve", "--port", str(port), "--workers", "2"]
        process = subprocess.Popen([*command, *words], cwd=ROOT, env=env, stdout=log, stderr=log)
    try:
        yield f"http://127.0.0.1:{port}", f"http://127.0.0.1:{own}", psutil.Process(process.pid)
    finally:
        process.terminate()
        process.wait(40)
        print((tmp_path / "log").read_text(errors="replace"))  # pytest shows it beside a fault


def get(address: str) -> tuple[int, bytes]:
    try:
        with urllib.request.urlopen(address, timeout=10) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as refused:
        return refused.code, refused.read()


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
    served: tuple[str, str, psutil.Process],
) -> None:
    address, callbacks, supervisor = served
    soon(lambda: get(address + "/healthz")[0] == 200)
    page = get(address + "/")[1].decode()
    sheet = next(part.split('"')[0] for part in page.split('href="')[1:] if ".css" in part.split('"')[0])
    assert get(address + sheet)[0] == 200
    family = supervisor.children(recursive=True)
    soon(lambda: get(callbacks + "/healthz")[0] == 200)
    with urllib.request.urlopen(callbacks + "/healthz", timeout=10) as answer:
        assert answer.headers["Content-Length"] == str(len(answer.read()))  # not in chunks
    assert get(callbacks + "/") == get(callbacks + "/sign-in/") == (404, b"")
    assert get(callbacks + "/callbacks/wechat/?signature=1&timestamp=1&nonce=1&echostr=1") == (403, b"")
    master = next(one for one in family if str(address.rsplit(":", 1)[1]) in one.cmdline() and one.ppid() == supervisor.pid)
    worker = master.children()[0]
    worker.kill()
    soon(lambda: len(master.children()) == 2 and worker not in master.children())
    master.kill()
    soon(lambda: not master.is_running() and get(address + "/healthz")[0] == 200)
    family += supervisor.children(recursive=True)
    supervisor.send_signal(signal.SIGTERM)
    supervisor.wait(40)
    assert not [one for one in family if one.is_running() and one.status() != psutil.STATUS_ZOMBIE]
