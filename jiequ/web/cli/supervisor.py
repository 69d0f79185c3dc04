"""Keeps a few processes alive: restarts what dies, a little later each time, and leaves none behind.

Each child is a session of its own and reads a pipe whose other end only the supervisor holds: should the supervisor be
killed, the pipe closes and the child ends itself (``end_with_supervisor``).
"""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

log = logging.getLogger("jiequ.serve")

FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 30.0
STEADY_AFTER_SECONDS = 60.0
STOP_WITHIN_SECONDS = 20.0
LOOK_SECONDS = 0.1
LIFELINE = "JIEQU_SUPERVISED"


@dataclass
class Child:
    """One process to keep alive: its name, its command, and how its last lives went."""

    name: str
    command: list[str]
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    start_after: float = 0.0
    pause: float = field(default=FIRST_PAUSE_SECONDS)


class Supervisor:
    """Starts the children, looks after them until told to stop, and stops them all."""

    def __init__(self, children: list[Child], env: Mapping[str, str] | None = None) -> None:
        self.children = children
        self._env = {**(os.environ if env is None else env), LIFELINE: "1"}
        self._lifeline, self._our_end = os.pipe()
        os.set_inheritable(self._our_end, False)

    def run(self, stop: threading.Event) -> None:
        """Until ``stop`` is set."""
        try:
            while not stop.is_set():
                for child in self.children:
                    self._look_after(child)
                stop.wait(LOOK_SECONDS)
        finally:
            self.stop()

    def _look_after(self, child: Child) -> None:
        now = time.monotonic()
        if child.process is None:
            if now >= child.start_after:
                self._start(child)
            return
        status = child.process.poll()
        if status is None:
            return
        _kill_group(child.process)
        child.process = None
        child.pause = FIRST_PAUSE_SECONDS if now - child.started_at > STEADY_AFTER_SECONDS else child.pause * 2
        child.pause = min(child.pause, LONGEST_PAUSE_SECONDS)
        child.start_after = now + child.pause
        log.error("a process ended and is started again", extra={"child": child.name, "status": status, "in_s": child.pause})

    def _start(self, child: Child) -> None:
        child.started_at = time.monotonic()
        child.process = subprocess.Popen(child.command, stdin=self._lifeline, env=self._env, start_new_session=True)

    def stop(self) -> None:
        """SIGTERM to all; what has not ended within ``STOP_WITHIN_SECONDS`` is killed with its whole group."""
        living = [(child, child.process) for child in self.children if child.process]
        for _child, process in living:
            process.send_signal(signal.SIGTERM)
        give_up_at = time.monotonic() + STOP_WITHIN_SECONDS
        for child, process in living:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(max(0.0, give_up_at - time.monotonic()))
            _kill_group(process)
            process.wait()
            child.process = None


def _kill_group(process: subprocess.Popen[bytes]) -> None:
    """Also what a dead master left behind: every child is a session, so its group has its number."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)


def stop_on_signals() -> threading.Event:
    """An event that Ctrl-C and SIGTERM set."""
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    return stop


def end_with_supervisor() -> None:
    """In a child: ask itself to end (SIGTERM) when the supervisor is gone. Does nothing when there is none."""
    if not os.environ.pop(LIFELINE, ""):
        return

    def watch() -> None:
        while os.read(sys.stdin.fileno(), 1):
            pass
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, daemon=True, name="lifeline").start()
