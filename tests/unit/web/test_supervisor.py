"""The supervisor: what dies comes back, and nothing is left behind, however the end comes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from jiequ.web.cli.supervisor import Child, Supervisor

ROOT = Path(__file__).resolve().parents[3]
CHILD = """
import os, pathlib, sys, time
from jiequ.web.cli.supervisor import end_with_supervisor
if {lifeline}: end_with_supervisor()
with open(sys.argv[1], "a") as file: file.write(f"{{os.getpid()}}\\n")
time.sleep(60)
"""
MASTER = """
import sys, threading
from jiequ.web.cli.supervisor import Child, Supervisor, stop_on_signals
Supervisor([Child("sleeper", [sys.executable, "-c", sys.argv[1], sys.argv[2]])]).run(stop_on_signals())
"""


def sleeper(file: Path, lifeline: bool = True) -> list[str]:
    return [sys.executable, "-c", CHILD.format(lifeline=lifeline), str(file)]


def born(file: Path) -> list[int]:
    return [int(line) for line in file.read_text().split()] if file.exists() else []


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return "Z" not in Path(f"/proc/{pid}/stat").read_text().split()[2] if Path("/proc").exists() else True


def soon(claim: Callable[[], object]) -> None:
    give_up_at = time.monotonic() + 15
    while not claim():
        assert time.monotonic() < give_up_at, "it did not come true"
        time.sleep(0.02)


def test_a_child_that_dies_is_started_again_and_the_end_leaves_none(tmp_path: Path) -> None:
    file, stop = tmp_path / "pids", threading.Event()
    supervisor = Supervisor([Child("sleeper", sleeper(file))])
    thread = threading.Thread(target=supervisor.run, args=(stop,))
    thread.start()
    try:
        soon(lambda: born(file))
        os.kill(born(file)[0], signal.SIGKILL)
        soon(lambda: len(born(file)) == 2)
    finally:
        stop.set()
        thread.join(20)
    assert not any(is_alive(pid) for pid in born(file))


def test_a_child_that_will_not_live_is_tried_less_and_less_often() -> None:
    child = Child("faulty", [sys.executable, "-c", "raise SystemExit(3)"])
    supervisor, stop = Supervisor([child]), threading.Event()
    thread = threading.Thread(target=supervisor.run, args=(stop,))
    thread.start()
    try:
        soon(lambda: child.pause >= 2)
    finally:
        stop.set()
        thread.join(20)
    assert not thread.is_alive()


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize(("lifeline", "is_left"), [(True, False), (False, True)], ids=["with lifeline", "broken twin"])
def test_a_killed_supervisor_leaves_no_child_because_of_the_lifeline(tmp_path: Path, lifeline: bool, is_left: bool) -> None:
    file = tmp_path / "pids"
    master = subprocess.Popen([sys.executable, "-c", MASTER, CHILD.format(lifeline=lifeline), str(file)], cwd=ROOT)
    soon(lambda: born(file))
    master.kill()
    master.wait()
    pid = born(file)[0]
    try:
        if is_left:
            time.sleep(0.5)
            assert is_alive(pid)
        else:
            soon(lambda: not is_alive(pid))
    finally:
        if is_alive(pid):
            os.kill(pid, signal.SIGKILL)


def test_sigterm_to_the_supervisor_ends_its_children(tmp_path: Path) -> None:
    file = tmp_path / "pids"
    master = subprocess.Popen([sys.executable, "-c", MASTER, CHILD.format(lifeline=True), str(file)], cwd=ROOT)
    soon(lambda: born(file))
    master.terminate()
    assert master.wait(20) == 0
    assert not is_alive(born(file)[0])
