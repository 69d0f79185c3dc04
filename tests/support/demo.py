"""``./run demo --no-year`` as a process of its own with its phones, on a migrated database: what a newcomer has before them."""

from __future__ import annotations

import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.environment import FOLDER

ROOT = Path(__file__).resolve().parents[2]
PORTS = (0, 1, 4, 5)  # pages, live events, phones, letters: from the first
WITHIN_SECONDS = 120.0
STOP_SECONDS = 40.0
CONNECTED = "Six phones"


@dataclass(frozen=True, slots=True)
class Demo:
    """Where it listens."""

    product: str
    phones: str


@contextmanager
def running(folder: Path) -> Iterator[Demo]:
    """From the moment its phones are connected; its output stands in the fault if they never are."""
    folder.mkdir(parents=True, exist_ok=True)
    for alias, name in (("default", "demo"), ("arrivals", "demo-arrivals")):
        shutil.copy(FOLDER / f"template-{alias}.sqlite3", folder / f"{name}.sqlite3")
    port, said = _free_ports(), folder / "said.txt"
    words = ["demo", "--no-year", "--port", str(port), "--tiles-port", "0"]
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("JIEQU_", "DATABASE_"))}
    with said.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "jiequ.web.cli", *words],
            cwd=ROOT,
            env=kept | {"JIEQU_VAR": str(folder)},
            stdout=out,
            stderr=subprocess.STDOUT,
        )
    try:
        _wait(process, said)
        yield Demo(f"http://127.0.0.1:{port}", f"http://127.0.0.1:{port + 4}")
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(STOP_SECONDS)


def _wait(process: subprocess.Popen[bytes], said: Path) -> None:
    until = time.monotonic() + WITHIN_SECONDS
    while CONNECTED not in (text := said.read_text(errors="replace")):
        if process.poll() is not None or time.monotonic() > until:
            raise AssertionError(f"the demonstration did not come up:\n{text[-3000:]}")
        time.sleep(0.2)


def _free_ports() -> int:
    """A port of which the demonstration's others are free too: below those that this machine's own connections are given, or
    one of them may take a port between this look and the start."""
    for _try in range(50):
        first = random.randrange(20_000, 32_000)
        if all(_is_free(first + more) for more in PORTS):
            return first
    raise AssertionError("no free ports")


def _is_free(port: int) -> bool:
    with socket.socket() as asked:
        try:
            asked.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
