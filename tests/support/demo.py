"""``./run demo --no-year`` as a process of its own with its phones, on a migrated database: what a newcomer has before them."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.environment import FOLDER
from tests.support.live import free_port

ROOT = Path(__file__).resolve().parents[2]
PORTS = (1, 4, 5)  # live events, phones, letters: from that of the pages
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
    port, said = free_port(PORTS), folder / "said.txt"
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
